# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What an endpoint remembers between runs, as one file that is written atomically under a lock (C3)."""

from __future__ import annotations

import json
from collections.abc import Collection
from typing import Any, Callable

from ..._core.results import Result, Trigger
from ..._core.timestamps import iso, iso_or_none
from ..._core.values import asdict, field, field_names, frozen, replace
from ..._host.host import Host
from ..._host.lock import locked
from .. import paths

FORMAT = 1
_LOCK_WAIT_S = 30.0
_RECONNECT_TRIES = 5
_LOST = {Result.UNREACHABLE.value: True, Result.UPDATED.value: False, Result.CURRENT.value: False}


@frozen
class RunRecord:
    """One finished run. Times are Unix seconds; ``changed`` names the components whose version changed."""

    result: str
    why: str
    started: float
    finished: float
    until: int | None = None
    changed: tuple[str, ...] = ()
    joined: str | None = None
    number: int = 0
    """Which of all runs it was: the clock can't tell which is the last, as it may have been wrong."""
    kind: str = ""
    """What kind of reason it has (a ``ReasonKind``)."""

    def to_result(self) -> dict[str, Any]:
        """What people and programs are told of it; a kind where there is one."""
        return {
            **({"kind": self.kind} if self.kind else {}),
            "result": self.result,
            "reason": self.why,
            "started": iso(self.started),
            "finished": iso(self.finished),
            "until": iso_or_none(self.until),
            "changed": list(self.changed),
            "joined": self.joined,
        }


@frozen
class Running:
    """The run that is under way."""

    trigger: str
    pid: int
    since: float


@frozen
class ScanRecord:
    """One finished scan; ``findings`` holds at most the first thousand (path, signature) pairs of ``found``."""

    ok: bool
    why: str
    started: float
    finished: float
    found: int = 0
    findings: tuple[tuple[str, str], ...] = ()


@frozen
class SyncRecord:
    """What became of asking the update server for the configuration last (a ``SyncResult``).

    ``asked`` is when, ``answered`` when an answer came last, good or bad; Unix seconds.
    """

    result: str
    why: str
    asked: float
    answered: float | None = None


@frozen
class TrialRecord:
    """What the last self-test found (see ``selftest``): when it ran, Unix seconds, and the errors in words."""

    at: float
    errors: tuple[str, ...] = ()


@frozen
class ProbeRecord:
    """What the last probe said, at ``at`` (Unix seconds), of these versions by component (see ``runner.proof``)."""

    ok: bool
    why: str
    at: float
    versions: dict[str, str] = field(default_factory=dict)

    def to_result(self, product: str) -> dict[str, Any]:
        """What people and programs are told of it."""
        versions = dict(sorted(self.versions.items()))
        return {"product": product, "versions": versions, "ok": self.ok, "reason": self.why, "at": iso(self.at)}


@frozen
class Rejection:
    """A version of a component that failed its probe here, at ``at`` (Unix seconds), and why."""

    version: str
    at: float
    why: str


@frozen
class State:
    """Everything an endpoint remembers. ``switch`` is the user's own: None while never touched (P1)."""

    switch: bool | None = None
    roaming: bool = False
    boot_id: str = ""
    source_lost: bool = False
    occurrence: str | None = None
    occurrence_before: str | None = None
    """The one before: where the clock was wrong when the last one was run, this is what was run in truth."""
    runs: int = 0
    running: Running | None = None
    last: dict[str, RunRecord] = field(default_factory=dict)
    scan: ScanRecord | None = None
    scan_due: bool = False
    created_groups: tuple[str, ...] = ()
    failed_reconnects: int = 0
    sync: SyncRecord | None = None
    switched_off: dict[str, str] = field(default_factory=dict)
    """What the product's own updaters were started by, as it was before (see ``vendor_updaters.notes``)."""
    taken_over: tuple[str, ...] = ()
    """The names in it of what administrators wrote."""
    switched_off_for: dict[str, str] = field(default_factory=dict)
    """The products for which that was, where the endpoint has several (see ``vendor_updaters.owners``)."""
    carried_out: str = ""
    """Which adopted configuration the host was converged to last (``TrustedConfiguration.identity``)."""
    machine: str | None = None
    """The ID of the machine that was converged; None while none was."""
    trial: TrialRecord | None = None
    unproven: bool = False
    """Whether a run was cut off before what it had installed was probed."""
    probe: ProbeRecord | None = None
    rejected: dict[str, Rejection] = field(default_factory=dict)
    """What the probe has refused last, by component."""
    engine: RunRecord | None = None
    """The last update of the engine's packages."""
    engine_window: str = ""
    """The window in which it ended, and so needs no other one."""
    engine_tried: str = ""
    """The version whose installation was begun last."""
    engine_tried_at: float = 0.0
    """When that was (Unix seconds)."""
    engine_outcome: RunRecord | None = None
    """How the run ended that has tried it; None while none has, or where that run was cut off."""
    engine_known: str = ""
    """The installed version as the last run left it; another one was installed by somebody else."""
    engine_unproven: bool = False
    """Whether new packages came, and no probe has passed since."""
    product: str = ""
    """Whose state it is, in that of an endpoint's first product; empty where no converge has written it yet."""
    leaving: tuple[str, ...] = ()
    """What a converge that has not come to its end was to remove, and no document tells of any more."""

    @classmethod
    def from_dict(cls, raw: dict[str, Any]) -> State:
        """Read what ``to_dict`` wrote; raises TypeError or KeyError on anything else."""
        known = set(field_names(cls))
        values = {key: frozen for key, frozen in raw.items() if key in known}
        values["running"] = Running(**raw["running"]) if raw.get("running") else None
        values["last"] = {trigger: _run_record(record) for trigger, record in raw.get("last", {}).items()}
        values["created_groups"] = tuple(raw.get("created_groups", ()))
        for name in ("taken_over", "leaving"):
            values[name] = tuple(map(str, raw.get(name, ())))
        values["product"] = str(raw.get("product", ""))
        values["switched_off"] = {str(name): str(note) for name, note in raw.get("switched_off", {}).items()}
        values["switched_off_for"] = {str(name): str(one) for name, one in raw.get("switched_off_for", {}).items()}
        values["sync"] = SyncRecord(**raw["sync"]) if raw.get("sync") else None
        values["trial"] = _trial_record(raw["trial"]) if raw.get("trial") else None
        values["probe"] = ProbeRecord(**raw["probe"]) if raw.get("probe") else None
        values["rejected"] = {str(name): Rejection(**one) for name, one in raw.get("rejected", {}).items()}
        values["engine"] = _run_record(raw["engine"]) if raw.get("engine") else None
        values["engine_outcome"] = _run_record(raw["engine_outcome"]) if raw.get("engine_outcome") else None
        values["scan"] = _scan_record(raw["scan"]) if raw.get("scan") else None
        return cls(**values)

    def to_dict(self) -> dict[str, Any]:
        plain = asdict(self)
        for name in ("switched_off_for", "product", "leaving"):
            if not plain[name]:  # as in most states
                del plain[name]
        return {"format": FORMAT, **plain}

    @property
    def occurrences(self) -> tuple[str, ...]:
        """Those of the last scheduled runs, the last first."""
        return tuple(one for one in (self.occurrence, self.occurrence_before) if one is not None)

    def with_occurrence(self, occurrence: str | None) -> State:
        """The state when a run of an occurrence begins; None: a run of none."""
        if occurrence is None or occurrence == self.occurrence:
            return self
        return replace(self, occurrence=occurrence, occurrence_before=self.occurrence)

    def with_run(self, trigger: Trigger, record: RunRecord) -> State:
        """The state after a run that finished; its result also tells whether the component source is lost (E2)."""
        return replace(
            self,
            running=None,
            runs=self.runs + 1,
            last={**self.last, trigger.value: replace(record, number=self.runs + 1)},
            source_lost=_LOST.get(record.result, self.source_lost),
        )


class StateStore:
    """The state file of one product of a host.

    What its user has switched is the endpoint's: it is kept in the file of the first product, where that of a further
    one (its ``instance``) reads it.
    """

    def __init__(self, host: Host, instance: str = "") -> None:
        self._host = host
        self._instance = instance
        self._path = paths.of_product(paths.STATE, instance)

    def read(self) -> State:
        """The state; a fresh one where there is none, or none that can be understood. Writes nothing."""
        return self._with_switches(_state_in(self._host.read(self._path))[0])

    def change(self, transform: Callable[[State], State]) -> State:
        """Read, transform and write the state as one step; nothing is written when nothing changes.

        A file that can't be understood is set aside, not lost.
        """
        lock = paths.of_product(paths.STATE_LOCK, self._instance)
        with locked(self._host, lock, wait=_LOCK_WAIT_S) as held:
            if not held:
                raise TimeoutError(f"{lock}: still held by another process after {_LOCK_WAIT_S:.0f} s")
            content = self._host.read(self._path)
            before, damaged = _state_in(content)
            before = self._with_switches(before)
            if damaged and content is not None:
                self._keep_aside(content)
            after = transform(before)
            if after != before or damaged or content is None:
                self._write(after)
            return after

    def _write(self, state: State) -> None:
        self._host.write(self._path, json.dumps(state.to_dict(), sort_keys=True).encode(), mode=0o600)

    def _with_switches(self, state: State) -> State:
        if not self._instance:
            return state
        first = _state_in(self._host.read(paths.STATE))[0]
        return replace(state, switch=first.switch, roaming=first.roaming)

    def _keep_aside(self, content: bytes) -> None:
        aside = self._path + ".unreadable"
        self._host.write(aside, content, mode=0o600)
        self._host.log(4, f"{self._path} can't be understood; it was kept as {aside} and a new one begun")


_OF_ENDPOINT = (
    *("switch", "roaming", "created_groups", "sync", "carried_out", "machine", "leaving"),
    *("switched_off", "taken_over", "switched_off_for"),
)
"""What in the first product's state is the endpoint's."""


def for_product(endpoint: State, own: State, product: str = "") -> State:
    """The state in which the endpoint's is of one, and what a product remembers of another."""
    return replace(own, product=product, **{name: getattr(endpoint, name) for name in _OF_ENDPOINT})


def with_notes(state: State, notes: dict[str, str], theirs: tuple[str, ...]) -> State:
    """The state with more notes of what is switched off; administrators wrote what is called as one of ``theirs``."""
    taken_over = tuple(sorted({*state.taken_over, *theirs}))
    return replace(state, switched_off={**state.switched_off, **notes}, taken_over=taken_over)


def without_notes(state: State, returned: Collection[str]) -> State:
    """The state when what these notes are of is given back."""
    left = {name: note for name, note in state.switched_off.items() if name not in returned}
    owned = {name: one for name, one in state.switched_off_for.items() if name in left}
    taken_over = tuple(name for name in state.taken_over if name in left)
    return replace(state, switched_off=left, taken_over=taken_over, switched_off_for=owned)


def reconnected(state: State, result: Result, boot_id: str) -> State:
    """The state after a reconnect run: an endpoint has come back once it got an answer, or has failed often enough.

    Until then the next probe tries again; without a limit a source that is broken would be asked by every endpoint
    at every probe.
    """
    failures = state.failed_reconnects + 1
    if result is Result.FAILED and failures < _RECONNECT_TRIES:
        return replace(state, failed_reconnects=failures)
    if result in (Result.UNREACHABLE, Result.SKIPPED):
        return state
    return replace(state, boot_id=boot_id, source_lost=False, failed_reconnects=0)


def _state_in(content: bytes | None) -> tuple[State, bool]:
    """The state in a file, a fresh one where there is none, and whether the file is damaged."""
    state = None if content is None else _parsed(content)
    return state or State(), content is not None and state is None


def _parsed(content: bytes) -> State | None:
    try:
        return State.from_dict(json.loads(content))
    except (ValueError, TypeError, KeyError, AttributeError):
        return None


def _run_record(raw: dict[str, Any]) -> RunRecord:
    return RunRecord(**{**raw, "changed": tuple(raw["changed"])})


def _trial_record(raw: dict[str, Any]) -> TrialRecord:
    return TrialRecord(**{**raw, "errors": tuple(raw["errors"])})


def _scan_record(raw: dict[str, Any]) -> ScanRecord:
    return ScanRecord(**{**raw, "findings": tuple((path, name) for path, name in raw["findings"])})
