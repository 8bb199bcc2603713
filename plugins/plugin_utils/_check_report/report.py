# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The report of one run of ``check``: every host with its drift, the faults of the run, and the verdict."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Any

from ansible_collections.epp.autoupdate.plugins.module_utils._core.untrusted_text import data
from ansible_collections.epp.autoupdate.plugins.plugin_utils._drift import Drift, Outcome

FORMAT = 1
"""The version of the form of ``check.json``: a key that is new leaves it, one that changes or goes raises it."""
_MOST_LINES = 200
"""Lines of one difference that are kept."""


class Verdict(Enum):
    """What a pipeline decides on; of several that fit, the first in this order holds."""

    FAULTS = "faults"
    DRIFT = "drift"
    INCOMPLETE = "incomplete"
    CLEAN = "clean"


class State(Enum):
    """What is known of one host after a run, the worst first."""

    FAULTY = "faulty"
    DRIFTED = "drifted"
    UNREACHABLE = "unreachable"
    NOT_COMPARED = "not_compared"
    CLEAN = "clean"


class Cause(Enum):
    """What a fault comes from: the variables of the inventory, a task on a host, or the run as a whole."""

    POLICY = "policy"
    HOST = "host"
    RUN = "run"


@dataclass(frozen=True)
class ReportedFault:
    """Something that kept the run from comparing: ``hosts`` whom it concerns, ``file`` and ``line`` where known."""

    text: str
    cause: Cause
    hosts: tuple[str, ...] = ()
    task: str = ""
    file: str = ""
    line: int | None = None

    def to_dict(self) -> dict[str, Any]:
        return {
            "cause": self.cause.value,
            "hosts": list(self.hosts),
            "task": self.task or None,
            "text": self.text,
            "file": self.file or None,
            "line": self.line,
        }


@dataclass(frozen=True)
class HostReport:
    """One host. ``reason`` says why it was not compared; ``allowed`` whether it may be unreachable."""

    name: str
    roles: tuple[str, ...]
    state: State
    drift: tuple[Drift, ...] = ()
    reason: str = ""
    allowed: bool = False

    def to_dict(self) -> dict[str, Any]:
        return {
            "name": self.name,
            "roles": list(self.roles),
            "state": self.state.value,
            "allowed_unreachable": self.allowed,
            "reason": self.reason or None,
            "drift": [
                {"kind": one.kind, "path": one.path, "text": one.text, "diff": list(bounded(one.diff))}
                for one in self.drift
            ],
        }


@dataclass(frozen=True)
class Report:
    """A run with all its hosts, by name. ``policy``: whether that of all hosts is right, None if nobody has looked."""

    started: str
    finished: str | None
    hosts: tuple[HostReport, ...] = ()
    faults: tuple[ReportedFault, ...] = ()
    policy: bool | None = None

    @property
    def verdict(self) -> Verdict:
        states = {host.state for host in self.hosts if not host.allowed}
        if self.faults or self.finished is None or State.FAULTY in states or not self.hosts:
            return Verdict.FAULTS
        if State.DRIFTED in states:
            return Verdict.DRIFT
        return Verdict.INCOMPLETE if states & {State.UNREACHABLE, State.NOT_COMPARED} else Verdict.CLEAN

    def counts(self) -> dict[str, int]:
        """How many hosts there are, and in each state."""
        states = [host.state for host in self.hosts]
        return {"hosts": len(states), **{state.value: states.count(state) for state in State}}

    def to_dict(self) -> dict[str, Any]:
        """Plain data, in which every text is on one line and printable (R5)."""
        content = {
            "format": FORMAT,
            "verdict": self.verdict.value,
            "started": self.started,
            "finished": self.finished,
            "summary": {**self.counts(), "allowed_unreachable": sum(host.allowed for host in self.hosts)},
            "faults": [fault.to_dict() for fault in self.faults],
            "hosts": [host.to_dict() for host in self.hosts],
        }
        plain: dict[str, Any] = data(content)
        return plain


def host_report(name: str, roles: Iterable[str], found: Iterable[Drift]) -> HostReport:
    """The report of a host that was compared, from its drift, some of which may stand for what was not compared."""
    drift = tuple(found)
    by_outcome = {outcome: [one for one in drift if one.outcome is outcome] for outcome in Outcome}
    missing = by_outcome[Outcome.FAULT] or by_outcome[Outcome.UNREACHABLE]
    if by_outcome[Outcome.FAULT]:
        state = State.FAULTY
    elif by_outcome[Outcome.DRIFT]:
        state = State.DRIFTED
    else:
        state = State.UNREACHABLE if missing else State.CLEAN
    reason = missing[0].text if missing else ""
    return HostReport(name, tuple(roles), state, tuple(by_outcome[Outcome.DRIFT]), reason)


def read_drift(result: Mapping[str, Any]) -> tuple[Drift, ...]:
    """The drift in a result of the module ``drift``."""
    texts = [str(one.get("prepared", "")) for one in result.get("diff") or ()]
    drift = result.get("drift") or ()
    texts += [""] * (len(drift) - len(texts))
    return tuple(
        Drift(one["kind"], one["path"], one["text"], tuple(text.splitlines()), Outcome(one["outcome"]))
        for one, text in zip(drift, texts)
    )


def bounded(lines: tuple[str, ...], most: int = _MOST_LINES) -> tuple[str, ...]:
    """So many lines, and how many more there are."""
    return lines if len(lines) <= most else (*lines[:most], f"... and {len(lines) - most} lines more")
