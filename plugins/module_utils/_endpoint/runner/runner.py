# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The one way by which updates happen on an endpoint, whatever the trigger (R1-R3)."""

from __future__ import annotations

import os
import signal
import syslog
from collections.abc import Iterator
from contextlib import contextmanager

from ..._core.policy.enums import BlackoutException
from ..._core.results import Component, Outcome, ReasonKind, Result, Trigger
from ..._core.untrusted_text import shown
from ..._core.values import replace
from ..._host.boot import boot_id
from ..._host.lock import locked
from .. import paths
from ..endpoint import Endpoint
from ..jobs import SCAN, job_of
from ..state.store import Running, RunRecord, State, reconnected
from ..status.status import save_and_publish
from ..time_limits import JOIN_MARGIN_S, longest_turn, longest_update
from .admission import scans_after, skip_reason
from .blackout import refusal
from .proof import proven_update
from .recording import drain_spool, save_or_spool
from .report import RunReport, classify
from .start_gate import StartDecision, StartGate
from .turns import turn

_LEVELS = {Result.FAILED: syslog.LOG_ERR, Result.UNREACHABLE: syslog.LOG_WARNING}


class Terminated(BaseException):
    """The process was told to end (SIGTERM) while an update was under way."""


class Runner:
    """Runs updates on one endpoint. ``gate`` decides when a run may start."""

    def __init__(self, endpoint: Endpoint, gate: StartGate) -> None:
        self._endpoint = endpoint
        self._host = endpoint.host
        self._gate = gate
        self._exception: BlackoutException | None = None
        self._forced = False

    def run(self, trigger: Trigger, exception: BlackoutException | None = None, *, forced: bool = False) -> RunReport:
        """Update now if this trigger may; every ending is in the report, none is an exception.

        ``exception`` is what the run is besides its trigger, by which policy may let it start in a blackout; ``forced``
        starts it in any. Every manual run is an Update Now.
        Raises Terminated and KeyboardInterrupt after recording that the run was stopped.
        """
        started = self._host.now()
        self._exception = BlackoutException.UPDATE_NOW if trigger is Trigger.MANUAL else exception
        self._forced = forced
        decision = self._start_decision(trigger)
        if not decision.may_start:
            return self._record(self._ended(trigger, started, decision.ending, recorded=decision.recorded))
        report = self._locked_run(trigger, decision.occurrence)
        try:
            self._follow_up(report)
        except OSError as error:  # follow-up failures do not change the result
            self._host.log(syslog.LOG_ERR, f"after the update: {error}")
        return report

    def _start_decision(self, trigger: Trigger) -> StartDecision:
        state = self._endpoint.store.read()
        why = self._skip_reason(trigger, state)
        if why is not None:
            return StartDecision.never(Outcome(Result.SKIPPED, why))
        decision, self._endpoint = self._gate.wait(trigger, self._endpoint, state)
        if decision.may_start and self._synchronized(trigger):
            why = self._skip_reason(trigger, self._endpoint.store.read())
        if why is not None:
            return StartDecision.never(Outcome(Result.SKIPPED, why))
        refused = self._blackout() if decision.may_start else None
        return decision if refused is None else StartDecision.never(refused)

    def _blackout(self) -> Outcome | None:
        return None if self._forced else refusal(self._endpoint, self._exception)

    def _skip_reason(self, trigger: Trigger, state: State) -> str | None:
        if trigger is Trigger.SCHEDULE and not self._endpoint.configured:
            return "no configuration was adopted from the update server yet, so there is no schedule"
        return skip_reason(trigger, self._endpoint.document.policy, state)

    def _synchronized(self, trigger: Trigger) -> bool:
        """Ask the update server for the configuration first, where this run has to (S2); never the end of the run.

        Returns whether it was asked: what is in force may be another policy now.
        """
        if self._endpoint.document.server is None:
            return False
        from ..converge.adopted import request_converge
        from ..sync.due import should_sync
        from ..sync.sync import synchronize

        due = should_sync(trigger, self._endpoint, self._endpoint.store.read())
        try:
            if due:
                synchronize(self._endpoint)
                self._endpoint = self._endpoint.reloaded()
            request_converge(self._endpoint)
        except (LookupError, ValueError) as error:  # a converge has just made it another endpoint
            self._host.log(syslog.LOG_WARNING, f"the configuration could not be asked for: {error}")
        return due

    def _locked_run(self, trigger: Trigger, occurrence: str | None) -> RunReport:
        store, started = self._endpoint.store, self._host.now()
        runs_before = store.read().runs
        lock = self._endpoint.at(paths.UPDATE_LOCK)
        with locked(self._host, lock, wait=0) as held:
            if held:
                return self._in_turn(trigger, occurrence)
        before = self._components()
        limit = longest_update(self._endpoint.document) + longest_turn(self._endpoint.beside) + JOIN_MARGIN_S
        with locked(self._host, lock, wait=limit) as held:
            if not held:
                why = f"another update still runs after {limit} s"
                return self._record(self._ended(trigger, started, Outcome(Result.FAILED, why)))
            state = store.read()
            if state.runs == runs_before:  # its holder died without a result, so the work is still to be done
                refused = self._blackout()
                if refused is not None:
                    return self._record(self._ended(trigger, started, refused))
                return self._in_turn(trigger, occurrence)
            joined = _joined(trigger, started, self._host.now(), state)
            return self._record(replace(joined, before=before, after=self._components()))

    def _in_turn(self, trigger: Trigger, occurrence: str | None) -> RunReport:
        """Update once the endpoint's other products let it; a blackout may have begun meanwhile."""
        if not self._endpoint.beside:
            return self._update(trigger, occurrence)
        started = self._host.now()
        with turn(self._endpoint) as ending:
            ended = ending or self._blackout()
            if ended is not None:
                return self._record(self._ended(trigger, started, ended))
            return self._update(trigger, occurrence)

    def _update(self, trigger: Trigger, occurrence: str | None) -> RunReport:
        started = self._host.now()
        drain_spool(self._endpoint)
        state = self._begin(trigger, occurrence, started)
        before: tuple[Component, ...] = ()
        outcome = Outcome(Result.FAILED, "the run was stopped")
        try:
            before = self._endpoint.product.components()
            with _stoppable():
                outcome = proven_update(self._endpoint, state, before)
        except OSError as error:
            outcome = Outcome(Result.FAILED, str(error))
        finally:
            report = self._classified(trigger, started, before, outcome)
            self._record(report)
        return report

    def _begin(self, trigger: Trigger, occurrence: str | None, started: float) -> State:
        """Record that a run has begun; returns the state."""
        try:
            return save_and_publish(self._endpoint, lambda state: _begun(state, trigger, occurrence, started))
        except OSError as error:  # the update matters more than its record
            self._host.log(syslog.LOG_ERR, f"the state can't be written: {error}")
            return self._endpoint.store.read()

    def _classified(
        self, trigger: Trigger, started: float, before: tuple[Component, ...], outcome: Outcome
    ) -> RunReport:
        try:
            after = self._endpoint.product.components()
        except OSError as error:
            after, outcome = before, Outcome(Result.FAILED, outcome.why or str(error))
        verdict = classify(before, after, outcome)
        report = self._ended(trigger, started, verdict)
        return replace(report, before=before, after=after, ran=True)

    def _ended(self, trigger: Trigger, started: float, outcome: Outcome, *, recorded: bool = True) -> RunReport:
        return RunReport(
            trigger=trigger,
            result=outcome.result,
            why=shown(outcome.why),
            started=started,
            finished=self._host.now(),
            until=outcome.until,
            recorded=recorded,
            kind=outcome.kind,
        )

    def _record(self, report: RunReport) -> RunReport:
        """Record the report in the state, the status and the journal."""
        if report.recorded:
            save_or_spool(self._endpoint, report)
            whose = f"{self._endpoint.document.product}: " if self._endpoint.document.instance else ""
            self._host.log(_LEVELS.get(report.result, syslog.LOG_INFO), f"{whose}{report.sentence()}")
        return report

    def _components(self) -> tuple[Component, ...]:
        try:
            return self._endpoint.product.components()
        except OSError:
            return ()

    def _follow_up(self, report: RunReport) -> None:
        """What a finished run is followed by: the end of a reconnection (E2), the scan of an event's update (E3)."""
        if report.trigger is Trigger.RECONNECT:
            save_and_publish(self._endpoint, lambda state: reconnected(state, report.result, boot_id(self._host)))
        state = self._endpoint.store.read()
        if not scans_after(report.trigger, self._endpoint.document.policy, state):
            return
        done_by = state.last.get(report.joined) if report.joined else None
        changed = report.changed or (done_by is not None and done_by.changed)
        # A run that was joined and is an event of its own has started the scan itself.
        if changed and not (report.joined and Trigger(report.joined).by_event):
            try:
                save_and_publish(self._endpoint, lambda state: replace(state, scan_due=True))
            finally:
                self._endpoint.scheduler.start(job_of(SCAN, self._endpoint.document.instance))


def _begun(state: State, trigger: Trigger, occurrence: str | None, now: float) -> State:
    """The state at the start of a run; a run that was still marked as running had been cut off."""
    if state.running is not None:
        cut_off = state.with_run(Trigger(state.running.trigger), _cut_off(state.running, now))
        state = replace(cut_off, unproven=True)
    running = Running(trigger=trigger.value, pid=os.getpid(), since=now)
    return replace(state.with_occurrence(occurrence), running=running)


def _cut_off(running: Running, now: float) -> RunRecord:
    return RunRecord(
        result=Result.FAILED.value,
        why=f"interrupted: process {running.pid} ended without a result",
        started=running.since,
        finished=now,
    )


def _joined(trigger: Trigger, started: float, finished: float, state: State) -> RunReport:
    """The report of a run that found another under way and waited for its result (R3)."""
    done_by, record = max(state.last.items(), key=lambda item: item[1].number)
    return RunReport(
        trigger=trigger,
        result=Result(record.result),
        why=record.why,
        started=started,
        finished=finished,
        until=record.until,
        joined=done_by,
        kind=ReasonKind(record.kind),
    )


@contextmanager
def _stoppable() -> Iterator[None]:
    """Turn SIGTERM into Terminated, so that children are ended and the record is kept."""

    def stop(_number: int, _frame: object) -> None:
        raise Terminated

    try:
        previous = signal.signal(signal.SIGTERM, stop)
    except ValueError:  # not in the main thread: the caller handles its own signals
        yield
        return
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, previous)
