# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What an update server adds: runs without changes over the same endpoints, standalone, and then managed."""

from __future__ import annotations

import sys

from contenders import FLOOR, MANAGED, OURS, TITLES, Contender, ContenderFailed
from machines import Machines
from report import Section, Series
from stage import Stage


class Managed:
    """The last machine is the update server of all others; the floor and ``ours`` are about those others alone."""

    def __init__(self, stage: Stage, machines: Machines, *, rounds: int) -> None:
        self._machines = machines
        self._rounds = rounds
        self._contenders = {FLOOR: stage.floor(), OURS: stage.ours(), MANAGED: stage.managed()}
        machines.connect()

    def no_op(self) -> Section:
        """The standalone endpoints first; then they get their server. The floor runs beside both."""
        series = {name: Series(TITLES[name]) for name in self._contenders}
        for name in (OURS, MANAGED):
            self._run(self._contenders[name])
            self._run(self._contenders[name])  # the server has told the endpoints' keys by now
            for number in range(self._rounds):
                for one in (FLOOR, name):
                    done = self._machines.meter.run(
                        self._contenders[one].argv, env=self._contenders[one].env, cwd=self._contenders[one].cwd
                    )
                    if self._contenders[one].changes(done.output):
                        raise ContenderFailed(f"{one} has changed something:\n{done.output[-3000:]}")
                    series[one].costs.append(done.cost)
                    print(f"managed, round {number + 1}, {one}: {done.cost}", file=sys.stderr, flush=True)
        return Section(len(self._machines.names) - 1, "no-op, standalone and managed", series)

    def _run(self, contender: Contender) -> None:
        """One run that is not measured."""
        done = self._machines.meter.run(contender.argv, env=contender.env, cwd=contender.cwd)
        if done.code:
            raise ContenderFailed(f"{contender.name}: exit status {done.code}:\n{done.output[-3000:]}")
