# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What one run came to, judged from evidence (R1)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ..._core.results import UNREADABLE, Component, Outcome, ReasonKind, Result, Trigger
from ..._core.timestamps import iso, iso_or_none
from ..._core.values import frozen
from ..state.store import RunRecord


@frozen
class RunReport:
    """One run as its caller sees it; times are Unix seconds, ``until`` as in ``Outcome``.

    ``joined`` names the trigger of the run that did the work when this one found it under way (R3).
    ``ran`` tells whether this very run held the lock and asked the product; ``recorded`` is False when there was
    nothing to do and nothing to remember.
    """

    trigger: Trigger
    result: Result
    why: str
    started: float
    finished: float
    before: tuple[Component, ...] = ()
    after: tuple[Component, ...] = ()
    until: int | None = None
    joined: str | None = None
    ran: bool = False
    recorded: bool = True
    kind: ReasonKind = ReasonKind.NONE

    @property
    def changed(self) -> tuple[str, ...]:
        """Names of the components whose version changed, or that came or went."""
        return changed_components(self.before, self.after)

    def to_dict(self) -> dict[str, Any]:
        return {
            **({"kind": self.kind.value} if self.kind is not ReasonKind.NONE else {}),
            "trigger": self.trigger.value,
            "result": self.result.value,
            "reason": self.why,
            "until": iso_or_none(self.until),
            "joined": self.joined,
            "started": iso(self.started),
            "finished": iso(self.finished),
            "changed": list(self.changed),
            "before": [component.to_dict() for component in self.before],
            "after": [component.to_dict() for component in self.after],
        }

    def to_record(self) -> RunRecord:
        return RunRecord(
            result=self.result.value,
            why=self.why,
            started=self.started,
            finished=self.finished,
            until=self.until,
            changed=self.changed,
            joined=self.joined,
            kind=self.kind.value,
        )

    def sentence(self) -> str:
        """One line for the journal and the terminal."""
        parts = [f"update ({self.trigger.value}): {self.result.value}"]
        if self.changed:
            parts.append(_version_changes(self.before, self.after))
        if self.joined:
            parts.append(f"joined the run that {self.joined} had started")
        if self.why:
            parts.append(self.why)
        if self.until is not None:
            parts.append(f"until {iso(self.until)}")
        return "; ".join(parts)


def changed_components(before: Sequence[Component], after: Sequence[Component]) -> tuple[str, ...]:
    """Names of the components whose version is another one, or that came or went; who tells none has not changed."""
    old, new = _versions(before), _versions(after)
    names = (name for name in old.keys() | new.keys() if UNREADABLE not in (old.get(name), new.get(name)))
    return tuple(sorted(name for name in names if old.get(name) != new.get(name)))


def classify(before: Sequence[Component], after: Sequence[Component], outcome: Outcome) -> Outcome:
    """Hold the product's word against the versions: they decide between ``updated`` and ``current``."""
    changed = changed_components(before, after)
    if changed and outcome.result is Result.CURRENT:
        return Outcome(Result.UPDATED, outcome.why)
    if not changed and outcome.result is Result.UPDATED:
        return Outcome(Result.CURRENT, outcome.why or "the product reported an update, but no version changed")
    return outcome


def _versions(components: Sequence[Component]) -> dict[str, str]:
    return {component.name: component.version for component in components}


def _version_changes(before: Sequence[Component], after: Sequence[Component]) -> str:
    old, new = _versions(before), _versions(after)
    return ", ".join(
        f"{name} {old.get(name, 'absent')} to {new.get(name, 'absent')}" for name in changed_components(before, after)
    )
