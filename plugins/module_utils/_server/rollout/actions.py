# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Decisions of people about a rollout: checked against its state, put on record, and brought about (G4 to G6)."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Mapping
from enum import Enum
from typing import Any

from ..._core.rings import by_hand
from ..._core.rings.by_hand import NotPossible, Word
from ..._core.rings.decide import Decision
from ..._core.rings.state import RolloutState, StopKind
from ..._core.values import frozen
from ..._host.host import Host
from ..database.database import transaction
from .product_job import ProductJob
from .promote import all_jobs, bring_about, rollout_lock


class Action(str, Enum):
    """What people can decide."""

    RESUME = "resume"
    ABORT = "abort"
    HOLD = "hold"
    RELEASE = "release"
    EXPEDITE = "expedite"


@frozen
class RequestedAction:
    """One decision; an empty ``product`` or ``version`` is the only one that can be meant."""

    action: Action
    product: str = ""
    version: str = ""
    reason: str = ""
    by: str = ""


@frozen
class Acted:
    """What came of an order."""

    order: RequestedAction
    before: RolloutState
    after: RolloutState

    @property
    def changed(self) -> bool:
        return self.before != self.after

    def to_dict(self) -> dict[str, Any]:
        order = {"action": self.order.action.value, "product": self.order.product, "version": self.order.version}
        sides = {"before": _told(self.before), "after": _told(self.after)}
        return {"changed": self.changed, **order, "reason": self.order.reason, "by": self.order.by, **sides}


def act(host: Host, connection: sqlite3.Connection, order: RequestedAction, *, check: bool = False) -> Acted:
    """Carry out an order; with ``check`` nothing changes. What is so already stays as it is.

    Raises NotPossible, Busy, OSError, InvalidDocument.
    """
    with rollout_lock(host):
        job = _job(host, connection, order)
        before, now = job.state(), host.now()
        whole = _completed(order, job, before)
        if _is_so(before, whole):
            return Acted(whole, before, before)
        word = Word(whole.reason, whole.by, now)
        decision = _DECISIONS[whole.action](before, whole.version, word, job)
        if not check:
            with transaction(connection):
                job.record(decision, now)
            bring_about(host, connection, {whole.product: (*decision.events, *job.decide())})
        return Acted(whole, before, decision.state)


def _job(host: Host, connection: sqlite3.Connection, order: RequestedAction) -> ProductJob:
    jobs = all_jobs(host, connection)
    if not jobs:
        raise NotPossible("no product has rings: set them in the section rollout of the server's settings")
    if order.product:
        if order.product not in jobs:
            raise NotPossible(f"the product {order.product} has no rings (those that have: {', '.join(jobs)})")
        return jobs[order.product]
    meant = jobs if len(jobs) == 1 else {name: job for name, job in jobs.items() if _may_mean(order, job)}
    if len(meant) != 1:
        raise NotPossible(f"several rollouts can be meant, name one as the product: {', '.join(meant or jobs)}")
    return next(iter(meant.values()))


def _may_mean(order: RequestedAction, job: ProductJob) -> bool:
    """Whether a rollout has the version that is named, or without one any to which this can be done."""
    state = job.state()
    return order.version in state.versions if order.version else bool(_CHOICES[order.action](state))


def _completed(order: RequestedAction, job: ProductJob, state: RolloutState) -> RequestedAction:
    """The order with product and version."""
    version = order.version or _only(_CHOICES[order.action](state), order.action)
    return RequestedAction(order.action, job.name, version, order.reason, order.by)


def _only(versions: list[str], action: Action) -> str:
    if len(versions) != 1:
        found = f"there are {len(versions)}: {', '.join(versions)}" if versions else "there is none"
        raise NotPossible(f"name the version to {action.value} ({found})")
    return versions[0]


def _is_so(state: RolloutState, order: RequestedAction) -> bool:
    """Whether what is ordered is so already."""
    stop, known = state.stops.get(order.version), order.version in state.versions
    if order.action in (Action.ABORT, Action.HOLD):
        return stop is not None and stop.kind is StopKind.HELD
    if order.action is Action.EXPEDITE:
        return stop is None and known and all(order.version in ring.versions for ring in state.rings.values())
    return stop is None and known


def _stopped(kinds: Callable[[StopKind], bool]) -> Callable[[RolloutState], list[str]]:
    return lambda state: [version for version, stop in state.stops.items() if kinds(stop.kind)]


def _tried(state: RolloutState) -> list[str]:
    """What can be aborted: what is halted, else what a ring tries, else what is held, so that it may be said again."""
    halted = [version for version, stop in state.stops.items() if stop.kind.by_itself]
    tried = list(dict.fromkeys(ring.candidate for ring in state.rings.values() if ring.candidate))
    return halted or tried or list(state.stops)


_CHOICES: Mapping[Action, Callable[[RolloutState], list[str]]] = {
    Action.RESUME: _stopped(lambda kind: kind.by_itself),
    Action.ABORT: _tried,
    Action.HOLD: lambda _state: [],
    Action.RELEASE: _stopped(lambda kind: kind is StopKind.HELD),
    Action.EXPEDITE: lambda state: [state.newest] if state.newest else [],
}
_DECISIONS: Mapping[Action, Callable[[RolloutState, str, Word, ProductJob], Decision]] = {
    Action.RESUME: lambda state, version, word, _job: by_hand.resume(state, version, word),
    Action.ABORT: lambda state, version, word, job: by_hand.abort(state, version, word, job.new_components(version)),
    Action.HOLD: lambda state, version, word, job: by_hand.hold(state, version, word, job.new_components(version)),
    Action.RELEASE: lambda state, version, word, _job: by_hand.release(state, version, word),
    Action.EXPEDITE: lambda state, version, word, _job: by_hand.expedite(state, version, word),
}


def _told(state: RolloutState) -> dict[str, Any]:
    """What a decision changes, as documents have it."""
    offered = {ring: state.offered(ring) for ring in state.rings}
    return {"offered": offered, "stops": {version: stop.kind.value for version, stop in state.stops.items()}}
