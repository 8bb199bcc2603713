# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Who is in each ring of a product, who counts, and what became of each since the ring was offered a version (G2)."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Protocol

from ..._core.reports.states import EndpointState
from ..._core.results import Result
from ..._core.rings.membership import RingMembership
from ..._core.rings.outcome import Evidence, MemberOutcome, Tally, outcome_of, tally
from ..._core.rings.state import Phase, RolloutState
from ..._core.rollout.outdated import Offer, is_outdated
from ..._core.settings.endpoint_keys import ProductKind
from ..._core.settings.rollout import ProductRollout
from ..._core.timestamps import unix
from ..._core.values import frozen
from ..fleet.holdings import Reported, holdings
from ..fleet.policies import EndpointPolicy, endpoint_policies

_SECOND = 1.0
"""Endpoints tell whole seconds: the end of the one in which something was."""
AWAY = (EndpointState.ROAMING.value, EndpointState.SWITCHED_OFF.value)


@frozen
class Messages:
    """What has come of one endpoint: its newest report, None without any, and its answer to the notice of a version
    where that is a failure (when, and why). Instants are Unix seconds."""

    received: float | None = None
    content: str | None = None
    failed_notice: tuple[float, str] | None = None


class RingFleet(Protocol):
    """The endpoints that a rollout is about, by ring. ``name`` is what it is on record by."""

    @property
    def name(self) -> str: ...

    @property
    def rings(self) -> Mapping[str, tuple[EndpointPolicy, ...]]: ...

    def eligible(self, ring: str, *, now: float, silence: float) -> Iterator[str]:
        """The members of a ring that count for a version that is offered now: not off, not roaming."""

    def evidence(self, member: EndpointPolicy, trial: Trial, messages: Messages) -> Evidence:
        """What is known of one member."""


@frozen
class Fleet:
    """The endpoints of one product by ring, and what they have told."""

    product: ProductKind
    rings: Mapping[str, tuple[EndpointPolicy, ...]]
    told: Mapping[str, Reported]
    states: Mapping[str, sqlite3.Row]

    @classmethod
    def of(cls, connection: sqlite3.Connection, product: ProductKind, rollout: ProductRollout) -> Fleet:
        """The fleet as it is on record."""
        told, membership = holdings(connection), RingMembership(rollout)
        rings: dict[str, list[EndpointPolicy]] = {ring.name: [] for ring in rollout.rings}
        for member in endpoint_policies(connection):
            reported = told[member.name].holdings if member.name in told else ()
            if member.has(product.value, reported):
                rings[membership.ring_of(member.name, member.domain, member.ordinal)].append(member)
        select = "SELECT endpoint, state, received FROM endpoint_states"
        states = {row["endpoint"]: row for row in connection.execute(select)}
        return cls(product, {name: tuple(some) for name, some in rings.items()}, told, states)

    @property
    def name(self) -> str:
        return self.product.value

    def evidence(self, member: EndpointPolicy, trial: Trial, messages: Messages) -> Evidence:
        """What is known of one endpoint; a report that is older than the offer says nothing of it."""
        return _evidence(self, member, trial, messages)

    def heard(self, name: str) -> float | None:
        """When an endpoint was last heard of."""
        told, state = self.told.get(name), self.states.get(name)
        times = [told.at if told else None, state["received"] if state else None]
        return max((one for one in times if one is not None), default=None)

    def away(self, name: str) -> bool:
        """Whether an endpoint is roaming or switched off, and so does not count."""
        state = self.states.get(name)
        return state is not None and state["state"] in AWAY

    def holders(self, ring: str, components: Mapping[str, str]) -> tuple[EndpointPolicy, ...]:
        """The members of a ring that have one of these component versions, by their reports."""
        return tuple(one for one in self.rings[ring] if self._holds(one.name, components))

    def _holds(self, name: str, components: Mapping[str, str]) -> bool:
        told = self.told.get(name)
        mine = told.holdings.get(self.product.value) if told else None
        return mine is not None and any(mine.components.get(one) == version for one, version in components.items())

    def eligible(self, ring: str, *, now: float, silence: float) -> Iterator[str]:
        """The members of a ring that count for a version that is offered now: not off, not roaming."""
        for member in self.rings[ring]:
            heard = self.heard(member.name)
            if heard is not None and now - heard <= silence and not self.away(member.name):
                yield member.name


@frozen
class Trial:
    """What a ring tries: the offer, the component versions that are new in it, since when, and the silence allowed."""

    ring: str
    offer: Offer
    new: Mapping[str, str]
    since: float
    silence: float


def tallies(
    connection: sqlite3.Connection,
    fleet: RingFleet,
    state: RolloutState,
    trials: Mapping[str, Trial],
    now: float,
) -> dict[str, Tally]:
    """The count of each ring, with the outcomes of its members put on record, in the caller's transaction."""
    found = {}
    for name, here in fleet.rings.items():
        members = len(here)
        if state.phase(name) is not Phase.BAKING or name not in trials:
            found[name] = Tally(members=members)
            continue
        _freeze(connection, fleet, trials[name], now)
        outcomes = list(_outcomes(connection, fleet, trials[name], now))
        _record(connection, fleet.name, name, outcomes)
        found[name] = tally(((outcome, reason) for _name, outcome, reason in outcomes), members=members)
    return found


def recorded(connection: sqlite3.Connection, product: str, ring: str, *, members: int) -> Tally:
    """The count of a ring as it was last put on record."""
    select = "SELECT outcome, reason FROM rollout_members WHERE product = ? AND ring = ?"
    rows = connection.execute(select, (product, ring))
    return tally(((MemberOutcome(row["outcome"]), row["reason"]) for row in rows), members=members)


def thaw(connection: sqlite3.Connection, product: str, rings: Iterable[str]) -> None:
    """Forget who counts in these rings, in the caller's transaction: they are offered something else."""
    them = [(product, ring) for ring in rings]
    connection.executemany("DELETE FROM rollout_members WHERE product = ? AND ring = ?", them)


def freeze(connection: sqlite3.Connection, fleet: RingFleet, trials: Iterable[Trial], now: float) -> None:
    """Put on record who counts for these versions, in the caller's transaction.

    That is who is eligible in a ring as it is offered a version (G2).
    """
    for trial in trials:
        _freeze(connection, fleet, trial, now)


def _freeze(connection: sqlite3.Connection, fleet: RingFleet, trial: Trial, now: float) -> None:
    """Put on record who counts, unless there is somebody who does already."""
    select = "SELECT 1 FROM rollout_members WHERE product = ? AND ring = ? AND outcome <> 'gone' LIMIT 1"
    if connection.execute(select, (fleet.name, trial.ring)).fetchone() is not None:
        return
    names = fleet.eligible(trial.ring, now=now, silence=trial.silence)
    rows = [(fleet.name, trial.ring, name, MemberOutcome.PENDING.value, "") for name in names]
    connection.executemany("INSERT OR REPLACE INTO rollout_members VALUES (?, ?, ?, ?, ?)", rows)


def _record(
    connection: sqlite3.Connection,
    product: str,
    ring: str,
    outcomes: Iterable[tuple[str, MemberOutcome, str]],
) -> None:
    update = (
        "UPDATE rollout_members SET outcome = ?, reason = ? WHERE product = ? AND ring = ? AND endpoint = ?"
        " AND (outcome <> ? OR reason <> ?)"
    )
    rows = [(one.value, reason, product, ring, name, one.value, reason) for name, one, reason in outcomes]
    connection.executemany(update, rows)


def _outcomes(
    connection: sqlite3.Connection, fleet: RingFleet, trial: Trial, now: float
) -> Iterator[tuple[str, MemberOutcome, str]]:
    """The outcome of each endpoint that counts. A failure of one that has left stays."""
    here = {member.name: member for member in fleet.rings[trial.ring]}
    notices = _failed_notices(connection, trial)
    for row in connection.execute(_FROZEN, (fleet.name, trial.ring)):
        name, before = row["endpoint"], MemberOutcome(row["outcome"])
        if name not in here:
            failed = before is MemberOutcome.FAILED
            yield name, MemberOutcome.FAILED if failed else MemberOutcome.GONE, row["reason"] if failed else ""
            continue
        messages = Messages(row["received"], row["content"], notices.get(name))
        known = fleet.evidence(here[name], trial, messages)
        yield name, *outcome_of(known, since=trial.since, now=now, silence=trial.silence)


def _evidence(fleet: Fleet, member: EndpointPolicy, trial: Trial, messages: Messages) -> Evidence:
    """What is known of one endpoint; a report that is older than the offer says nothing of it."""
    told = fleet.told.get(member.name, Reported({}))
    holding = told.holdings.get(trial.offer.product.value)
    has = holding is not None and not is_outdated(trial.offer, member.wish(trial.offer.product), holding)
    fresh = (messages.received or 0.0) >= trial.since
    status = json.loads(messages.content)["status"] if fresh and messages.content is not None else {}
    status = _section(status, trial.offer.product)
    probed, probe_why = _failed_probe(status, trial)
    if probed is not None and probed < trial.since:
        # It has refused the version before, and does not begin it again: the rollout was resumed without it.
        return Evidence(away=True)
    failed, why = failed_run(status)
    notice = messages.failed_notice
    if notice is not None and (failed is None or notice[0] > failed) and not (has and (told.at or 0) > notice[0]):
        failed, why = notice
    return Evidence(
        heard=fleet.heard(member.name),
        has=has,
        told=told.at,
        failed=failed,
        probed=probed,
        reason=probe_why if probed is not None else why,
        away=fleet.away(member.name),
    )


def _section(status: Mapping[str, Any], product: ProductKind) -> Mapping[str, Any]:
    """What an endpoint tells of one of its products; of an endpoint with one product, all that it tells."""
    further = (one for one in status.get("products", ()) if one.get("product") == product.value)
    return next(further, status if status.get("product", product.value) == product.value else {})


def failed_run(status: Mapping[str, Any]) -> tuple[float | None, str]:
    """When the newest run of an endpoint ended, if that was a failure, and why it was one."""
    runs = [run for run in status.get("last", {}).values() if "finished" in run and "result" in run]
    newest = max(runs, key=lambda run: str(run["finished"]), default=None)
    if newest is None or newest["result"] != Result.FAILED.value:
        return None, ""
    return unix(newest["finished"]) + _SECOND, str(newest.get("reason", ""))


def _failed_probe(status: Mapping[str, Any], trial: Trial) -> tuple[float | None, str]:
    """When a probe of what is new in the offer failed, and why."""
    probe = status.get("probe")
    if not isinstance(probe, dict) or probe.get("ok") is not False or "at" not in probe:
        return None, ""
    versions = probe.get("versions") or {}
    if trial.new and not any(versions.get(name) == version for name, version in trial.new.items()):
        return None, ""
    return unix(probe["at"]) + _SECOND, str(probe.get("reason", ""))


def _failed_notices(connection: sqlite3.Connection, trial: Trial) -> dict[str, tuple[float, str]]:
    """The endpoints whose answer to the notice of this version was a failure: when, and why."""
    about = (trial.offer.product.value, trial.offer.version, trial.ring, trial.since, Result.FAILED.value)
    rows = connection.execute(_NOTICES, about)
    return {row["endpoint"]: (row["changed"], row["reason"]) for row in rows}


_FROZEN = """
SELECT rollout_members.endpoint, outcome, reason, received, content FROM rollout_members
LEFT JOIN endpoint_reports ON endpoint_reports.endpoint = rollout_members.endpoint
WHERE product = ? AND ring = ?
"""
_NOTICES = """
SELECT endpoint, changed, reason FROM deliveries JOIN campaigns ON campaigns.id = campaign
WHERE product = ? AND version = ? AND ring = ? AND created >= ? AND result = ?
"""
