# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""How a trigger waits until it may start: the slot of a schedule (S4, S5), the server's return (E2, N3)."""

from __future__ import annotations

from typing import Callable

from ..._core.results import Outcome, Result, Trigger
from ..._core.schedule.timetable import Action, Decision, Timetable
from ..._core.settings.endpoint import EndpointDocument
from ..._core.timestamps import iso
from ..._core.values import frozen, replace
from ..._host.boot import boot_id
from ..._host.lock import locked
from .. import paths
from ..clock import set_back
from ..endpoint import Endpoint
from ..installed import load_document
from ..state.store import State
from ..status.status import save_and_publish
from .admission import skip_reason
from .blackout import is_told, refusal, refused_by, turn_after

_SLICE_S = 30.0
"""Sleeping goes by slices of this length, because the wall clock may be set, or the machine suspended, meanwhile."""
_LATE_S = 90.0
"""How long after its instant a run may still begin where the window has closed (a slot may be its last second)."""
_PROBE_PAUSE_S = 10.0
_PROBE_TIMEOUT_S = 5.0


@frozen
class StartDecision:
    """Whether a run may start now, and if not, how it ends; ``recorded`` tells whether anyone will want to know."""

    may_start: bool
    occurrence: str | None = None
    ending: Outcome = Outcome(Result.SKIPPED)
    recorded: bool = True

    @classmethod
    def now(cls, occurrence: str | None = None) -> StartDecision:
        return cls(may_start=True, occurrence=occurrence)

    @classmethod
    def never(cls, ending: Outcome, *, recorded: bool = True) -> StartDecision:
        return cls(may_start=False, ending=ending, recorded=recorded)


class StartGate:
    """Decides when a run may start, and waits until then.

    ``sleep`` takes seconds; ``draw`` gives a uniform number in [0, 1).
    """

    def __init__(self, sleep: Callable[[float], None], draw: Callable[[], float]) -> None:
        self._sleep = sleep
        self._draw = draw

    def wait(self, trigger: Trigger, endpoint: Endpoint, state: State) -> tuple[StartDecision, Endpoint]:
        """Wait until this trigger may start; returns the decision and the endpoint as it is after the wait."""
        if trigger is Trigger.SCHEDULE:
            return self._slot(endpoint, state)
        if trigger is Trigger.RECONNECT:
            return self._reconnection(endpoint, state), endpoint
        return StartDecision.now(), endpoint

    def _slot(self, endpoint: Endpoint, state: State) -> tuple[StartDecision, Endpoint]:
        timetable = endpoint.timetable()
        if timetable is None:
            return StartDecision.never(Outcome(Result.FAILED, endpoint.lost_timetable())), endpoint
        return self._slot_of(timetable, endpoint, state)

    def _slot_of(self, timetable: Timetable, endpoint: Endpoint, state: State) -> tuple[StartDecision, Endpoint]:
        decision = timetable.decide(endpoint.host.now(), state.occurrences, self._draw)
        if decision.action is Action.BLACKED_OUT and refusal(endpoint) is None:  # a way back, or an expedited version
            return StartDecision.now(), endpoint
        at_once = _without_wait(decision, state)
        if at_once is not None:
            return at_once, endpoint
        with locked(endpoint.host, endpoint.at(paths.WAIT_LOCK), wait=0) as held:
            if not held:
                return StartDecision.never(
                    Outcome(Result.SKIPPED, "another run waits already"), recorded=False
                ), endpoint
            as_expected = self._sleep_until(endpoint, decision.at)
        if not _is_enrolled(endpoint):
            return StartDecision.never(
                Outcome(Result.SKIPPED, "this host is no longer enrolled"), recorded=False
            ), endpoint
        after = endpoint.reloaded()
        if as_expected:
            return self._slot_after_wait(after, decision), after
        return self._slot(after, after.store.read())

    def _slot_after_wait(self, endpoint: Endpoint, decision: Decision) -> StartDecision:
        """The decision after a wait in which the switch, the state, or more time than expected may have gone by."""
        state, slot = endpoint.store.read(), decision.slot
        why = skip_reason(Trigger.SCHEDULE, endpoint.document.policy, state)
        if why is not None:
            return StartDecision.never(Outcome(Result.SKIPPED, why))
        if slot.occurrence in state.occurrences:
            return StartDecision.never(Outcome(Result.SKIPPED, "this occurrence has run"), recorded=False)
        if endpoint.host.now() > max(slot.end, decision.at + _LATE_S):  # the machine was suspended (S4)
            return StartDecision.never(Outcome(Result.SKIPPED, "the window has closed meanwhile"), recorded=False)
        return StartDecision.now(slot.occurrence)

    def _reconnection(self, endpoint: Endpoint, state: State) -> StartDecision:
        returning = state.source_lost or state.boot_id != boot_id(endpoint.host)
        if not returning:
            return self._watch(endpoint)
        refused = refusal(endpoint)
        if refused is not None:
            return _refused(Trigger.RECONNECT, refused, state)
        turn = turn_after(endpoint, state.last.get(Trigger.RECONNECT.value), endpoint.host.now())
        if turn is not None:
            later = Outcome(Result.SKIPPED, f"its turn after the blackout is at {iso(turn)}")
            return StartDecision.never(later, recorded=False)
        if not self._reached_within_wait(endpoint):
            save_and_publish(endpoint, lambda state: replace(state, source_lost=True))
            return StartDecision.never(Outcome(Result.UNREACHABLE, f"{_source(endpoint)} does not answer"))
        self._sleep(self._draw() * endpoint.document.reconnect.jitter)
        why = skip_reason(Trigger.RECONNECT, endpoint.document.policy, endpoint.store.read())
        if why is not None:
            return StartDecision.never(Outcome(Result.SKIPPED, why))
        return StartDecision.now()

    def _watch(self, endpoint: Endpoint) -> StartDecision:
        """The usual case: connected before and still; losing the source is only noted."""
        if endpoint.reachable(_PROBE_TIMEOUT_S):
            return StartDecision.never(Outcome(Result.SKIPPED, f"{_source(endpoint)} was never lost"), recorded=False)
        save_and_publish(endpoint, lambda state: replace(state, source_lost=True))
        return StartDecision.never(Outcome(Result.UNREACHABLE, f"{_source(endpoint)} was lost"), recorded=False)

    def _reached_within_wait(self, endpoint: Endpoint) -> bool:
        """Probe for as long as policy says, by the clock; by the pauses where that is set back meanwhile."""
        wait, paused = endpoint.document.reconnect.wait, 0.0
        deadline = endpoint.host.now() + wait
        while not endpoint.reachable(_PROBE_TIMEOUT_S):
            if endpoint.host.now() >= deadline or paused >= wait:
                return False
            self._sleep(_PROBE_PAUSE_S)
            paused += _PROBE_PAUSE_S
        return True

    def _sleep_until(self, endpoint: Endpoint, instant: float) -> bool:
        """Sleep until the instant; False, and earlier, when what it came from changes: the schedule by a converge, or
        the clock, which was set back."""
        left = instant - endpoint.host.now()
        while left > 0:
            pause = min(left, _SLICE_S)
            self._sleep(pause)
            document = load_document(endpoint.host, endpoint.document.product)
            if document is None or _basis(document) != _basis(endpoint.document):
                return False
            before, left = left, instant - endpoint.host.now()
            if set_back(went_by=before - left, elapsed=pause):
                return False
        return True


def _without_wait(decision: Decision, state: State) -> StartDecision | None:
    if decision.action is Action.BLACKED_OUT:
        return _refused(Trigger.SCHEDULE, refused_by(decision.reason, int(decision.at)), state)
    if decision.action is Action.NOT_DUE:
        return StartDecision.never(Outcome(Result.SKIPPED, decision.reason), recorded=False)
    return StartDecision.now(decision.slot.occurrence) if decision.action is Action.RUN else None


def _refused(trigger: Trigger, outcome: Outcome, state: State) -> StartDecision:
    """What a blackout refuses is recorded once."""
    return StartDecision.never(outcome, recorded=not is_told(state.last.get(trigger.value), outcome))


def _is_enrolled(endpoint: Endpoint) -> bool:
    """Whether this host still is an endpoint, and has this product."""
    return load_document(endpoint.host, endpoint.document.product) is not None


def _source(endpoint: Endpoint) -> str:
    return "the component source" if endpoint.document.server is None else "the update server"


def _basis(document: EndpointDocument) -> tuple[object, ...]:
    """What an endpoint's instants are made of."""
    return (document.policy.schedule, document.endpoint, document.ordinal, document.place)
