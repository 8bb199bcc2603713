# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""One update of a product that is data: its commands, and the verdict of the versions (R1)."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING

from ...._core.holds import Holds
from ...._core.metadata.manifest import is_older
from ...._core.products.meanings import Ending, Meaning, outcome, worst
from ...._core.products.steps import Step
from ...._core.products.versions import IN_SCOPE
from ...._core.results import UNREADABLE, Component, Outcome, Result
from ...._core.values import frozen, replace
from . import memory
from .commands import Commands, Deadline

if TYPE_CHECKING:
    from .product import Defined

_OBSERVED = "this product is updated by its vendor's management alone: it is only observed here"


@frozen
class Update:
    """One run. ``read`` looks at what is installed, anew each time."""

    product: Defined
    commands: Commands
    deadline: Deadline
    holds: Holds
    read: Callable[[], tuple[Component, ...]]

    def outcome(self) -> Outcome:
        before = self.read()
        refused = self._refused(before)
        if refused is not None:
            return refused
        self._remember(started=int(self.product.host.now()))
        ending = worst(self._run(self.product.definition.update))
        result = judged(before, self.read(), ending)
        if ending.means is Meaning.COOLING_DOWN and ending.until is not None:
            self._remember(cooling_until=ending.until, why=ending.why)
        return self._healthy(self._in_use(result))

    def _refused(self, before: Sequence[Component]) -> Outcome | None:
        """Why nothing is started at all; None where the update may begin."""
        definition, now = self.product.definition, self.product.host.now()
        kinds = {one.kind for one in definition.components.values()}
        if not definition.update:
            return Outcome(Result.SKIPPED, _OBSERVED)
        if not kinds & set(IN_SCOPE[self.product.scope]):
            has = ", ".join(sorted(one.value for one in kinds))
            scope = self.product.scope.value
            return Outcome(Result.SKIPPED, f"components.scope is {scope}, and the components of this product are {has}")
        known = memory.load(self.product.host, definition.name)
        until = memory.cooling_until(known, now)
        if until is not None:
            return Outcome(Result.COOLING_DOWN, known.why, until, reached=False)
        until = memory.wanted_pause(known, definition.shortest_interval, now)
        if until is not None:
            why = f"the vendor wants {definition.shortest_interval} s between two updates"
            return Outcome(Result.COOLING_DOWN, why, until, reached=False)
        old = too_old(definition.minimum_versions, before)
        return Outcome(Result.FAILED, old) if old else self._kept_back(before)

    def _kept_back(self, installed: Sequence[Component]) -> Outcome | None:
        """An updater does not tell beforehand what it brings, so a hold of a version that may be it keeps it back."""
        for one in installed:
            for hold in self.holds.entries:
                if hold.component in ("", one.name) and not is_older(hold.version, one.version):
                    why = "what the updater would bring is not known, so it is not started"
                    return hold.outcome(f"{one.name} {hold.version}", why)
        return None

    def _run(self, steps: Sequence[Step]) -> list[Ending]:
        """Run commands until one of them does not end well."""
        endings: list[Ending] = []
        for step in steps:
            ran = self.commands.step(step, self.deadline.left)
            endings.append(ran.ending)
            if not ran.ending.means.good:
                break
        return endings

    def _in_use(self, result: Outcome) -> Outcome:
        """The outcome, for which what has changed was brought into use; that is tried until it succeeds once."""
        steps, known = self.product.definition.reload, memory.load(self.product.host, self.product.name)
        if not steps or not (result.result is Result.UPDATED or known.reload_due):
            return result
        self._remember(reload_due=True)
        ending = worst(self._run(steps))
        if ending.means.good:
            self._remember(reload_due=False)
            return result
        return Outcome(Result.FAILED, f"what is installed is not in use: {ending.why}")

    def _healthy(self, result: Outcome) -> Outcome:
        """The outcome with what the product says of itself: one that is unwell is not ``current``."""
        if result.result not in (Result.UPDATED, Result.CURRENT):
            return result
        ending = self.product.health(self.commands, self.deadline.left)
        if ending.means.good:
            return result
        if result.result is Result.UPDATED:
            return replace(result, why="; ".join(filter(None, (result.why, ending.why))))
        return outcome(ending, changed=False)

    def _remember(self, **changes: object) -> None:
        try:
            memory.change(self.product.host, self.product.name, **changes)
        except OSError:
            return  # the update matters more than its record, which the runner can't write either


def judged(before: Sequence[Component], after: Sequence[Component], ending: Ending) -> Outcome:
    """The verdict of the versions; ``ending`` explains why none has changed."""
    old, new = ({one.name: one.version for one in components} for components in (before, after))
    silent = sorted(name for name, version in new.items() if version == UNREADABLE)
    gone = sorted(old.keys() - new.keys())
    if silent or gone or not new:
        what = _told(silent, gone)
        return Outcome(Result.FAILED, what if ending.means.good else f"{what}; {ending.why}")
    known = {name for name, version in old.items() if version != UNREADABLE}
    changed = any(old.get(name) != version for name, version in new.items() if name in known or name not in old)
    result = outcome(ending, changed=changed)
    doubtful = sorted(old.keys() - known)
    if doubtful and result.result is Result.CURRENT:
        why = f"{', '.join(doubtful)} told no version before, so it is not known whether anything has changed"
        return Outcome(Result.FAILED, why)
    return result


def too_old(minimum: Mapping[str, str], installed: Sequence[Component]) -> str:
    """What is older than the definition is for, in words; empty where nothing is."""
    for one in installed:
        least = minimum.get(one.name, "")
        if least and one.version != UNREADABLE and is_older(one.version, least):
            return f"{one.name} {one.version} is older than {least}, from which on this definition holds"
    return ""


def _told(silent: Sequence[str], gone: Sequence[str]) -> str:
    parts = [f"{', '.join(silent)}: no version can be read"] if silent else []
    parts += [f"{', '.join(gone)}: gone after the update"] if gone else []
    return "; ".join(parts) or "nothing is installed after the update"
