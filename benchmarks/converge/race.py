# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The race: contenders take turns on one fleet, and after every run the machines are looked at."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Collection, Mapping
from dataclasses import replace

from contenders import FLOOR, OURS, TITLES, WITHOUT, Contender, ContenderFailed
from machines import Machines, timers
from measure import Cost
from recipe import recipe
from report import Section, Series
from stage import Stage

SETTLED_S = 3
"""Seconds after which a converge records what it found: see RACE_S in ``_endpoint/converge/fast_path.py``."""


class Race:
    """``rounds`` names the contenders and how often each runs; with ``cold`` each run has to log in anew. ``without``
    names what is left out of ours in no-ops of their own.

    What our converge puts on the machines is what all others have to put there.
    """

    def __init__(
        self, stage: Stage, machines: Machines, *, rounds: Mapping[str, int], without: Collection[str], cold: bool
    ) -> None:
        self._machines = machines
        self._rounds = rounds
        self._cold = cold
        machines.connect()
        self._ours, self._reset = stage.ours(), stage.reset()
        self._demand(self._ours)
        self._wanted = machines.deployed()
        self._timers = timers(next(iter(self._wanted.values())))
        self._started = machines.active(self._timers)
        if self._demand(self._ours):
            raise ContenderFailed("the second converge of ours changes something: there is no no-op to compare")
        self._remark = self._how_ours_went()
        self._recipe = recipe(self._wanted, next(iter(self._started.values())))
        _tell(self._recipe.summary())
        self._contenders: list[Contender] = []
        self._gaps: dict[str, str] = {}
        self._enter(stage)
        self._without = [stage.without(what) for what in without]

    def first_converge(self) -> Section:
        """Every run starts from machines that hold nothing of what is deployed."""
        return self._take_turns("first converge", self._from_nothing, self._rounds, self._contenders)

    def no_op(self) -> Section:
        """Every run finds the machines as it wants them."""
        for _round in range(2):  # the first finds files that are too young, and records nothing
            self._demand(self._ours)
            time.sleep(SETTLED_S)
        rounds = {**self._rounds, **{one.name: self._rounds[OURS] for one in self._without}}
        return self._take_turns("no-op", self._again, rounds, [*self._contenders, *self._without])

    def _how_ours_went(self) -> str:
        """A remark when converged machines did not get our fast path: the figures are then the module's."""
        loud = replace(self._ours, argv=(*self._ours.argv, "-vvv"))
        by_module = self._run(loud)[2].count("Using module file")
        return f"{by_module} of our no-ops went through the module instead of the agent" if by_module else ""

    def _enter(self, stage: Stage) -> None:
        makers: dict[str, Callable[[], Contender]] = {
            FLOOR: stage.floor,
            OURS: stage.ours,
            "builtin": lambda: stage.builtin(self._recipe),
            "mitogen": lambda: stage.mitogen(self._recipe),
            "pyinfra": lambda: stage.pyinfra(self._recipe),
        }
        for name in self._rounds:
            try:
                self._contenders.append(makers[name]())
            except ContenderFailed as failure:
                self._gaps[name] = str(failure)

    def _take_turns(
        self,
        what: str,
        run: Callable[[Contender], Cost],
        rounds: Mapping[str, int],
        contenders: Collection[Contender],
    ) -> Section:
        series = {name: Series(TITLES[name] if name in TITLES else WITHOUT[name][0]) for name in rounds}
        section = Section(len(self._machines.names), what, series, remark=self._remark)
        for name, gap in self._gaps.items():
            section.series[name].gap = gap
        for number in range(max(rounds.values())):
            for contender in contenders:
                series = section.series[contender.name]
                if number >= rounds[contender.name] or series.gap:
                    continue
                try:
                    cost = run(contender)
                except ContenderFailed as failure:
                    series.gap = str(failure)
                    _tell(f"{what}, {contender.name}: {failure}")
                    self._demand(self._ours)
                else:
                    series.costs.append(cost)
                    _tell(f"{what}, round {number + 1}, {contender.name}: {cost}")
        return section

    def _from_nothing(self, contender: Contender) -> Cost:
        if not contender.deploys:
            return self._run(contender)[0]
        self._demand(self._reset)
        left = self._machines.compare({host: {} for host in self._wanted})
        if left:
            raise RuntimeError("the machines are not empty:\n" + "\n".join(left[:20]))
        cost, _changes, _output = self._run(contender)
        self._check_deployed()
        return cost

    def _again(self, contender: Contender) -> Cost:
        cost, changes, _output = self._run(contender)
        if changes:
            raise ContenderFailed(f"{changes} changes in a run that had nothing to change")
        return cost

    def _check_deployed(self) -> None:
        wrong = self._machines.compare(self._wanted)
        if wrong:
            raise ContenderFailed(f"deployed something else, {len(wrong)} differences:\n" + "\n".join(wrong[:20]))
        active = self._machines.active(self._timers)
        if active != self._started:
            raise ContenderFailed(f"not the same timers run: {active} instead of {self._started}")

    def _run(self, contender: Contender) -> tuple[Cost, int, str]:
        """What it cost, the number of changes, and the output."""
        if self._cold:
            self._machines.disconnect()
        done = self._machines.meter.run(contender.argv, env=contender.env, cwd=contender.cwd)
        if self._cold:
            self._machines.disconnect()
            self._machines.connect()
        changes = contender.changes(done.output)
        if done.code:
            raise ContenderFailed(f"exit status {done.code}:\n{done.output[-3000:]}")
        return done.cost, changes, done.output

    def _demand(self, contender: Contender) -> int:
        """Run something that is not measured; returns the number of changes."""
        done = self._machines.meter.run(contender.argv, env=contender.env, cwd=contender.cwd)
        if done.code:
            raise ContenderFailed(f"{contender.name}: exit status {done.code}:\n{done.output[-3000:]}")
        return contender.changes(done.output)


def _tell(line: str) -> None:
    print(line, file=sys.stderr, flush=True)
