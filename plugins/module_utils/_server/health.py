# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The health of the fleet and of its server: counts of states, and alarms (R6, R7)."""

from __future__ import annotations

import sqlite3
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from .._core.reports.alarms import Alarm, Fetch, FleetFacts, alarms
from .._core.reports.states import Assessment, EndpointState
from .._core.settings.alarms import AlarmSettings
from .._core.values import field, frozen
from .._host.host import Host
from .audit.check import first_problem
from .channels.store import engine_tracks, read_state
from .components.configured import rollout_settings
from .components.fetch_report import last_fetches
from .database.database import transaction
from .fleet import dirty_shards, state_history
from .fleet.offers import FleetOffers
from .fleet.states import EndpointHealth, Lack, Published, published_now, survey
from .publication.catalog import published_catalog
from .publication.signer import records
from .rollout.engine_fleet import EngineFleet
from .settings import read_section


@frozen
class Health:
    """How many endpoints are in each state, the most frequent reason of each, and what somebody has to look at.

    ``endpoints`` has what that was counted from, by name, and ``versions`` what is published, by product.
    """

    facts: FleetFacts
    alarms: tuple[Alarm, ...]
    endpoints: Mapping[str, EndpointHealth] = field(default_factory=dict, repr=False)
    versions: Mapping[str, str] = field(default_factory=dict)

    def to_dict(self) -> dict[str, Any]:
        counts = {state.value: self.facts.states.get(state, 0) for state in EndpointState}
        reasons = {state.value: words for state, words in self.facts.reasons.items()}
        told = [alarm.to_dict() for alarm in self.alarms]
        return {"endpoints": self.facts.endpoints, "states": counts, "reasons": reasons, "alarms": told}


@frozen
class Survey:
    """Every endpoint at one moment (Unix seconds), by name, and what its state was found by."""

    now: float
    limits: AlarmSettings
    published: Published
    found: Mapping[str, EndpointHealth]


def alarm_settings(host: Host) -> AlarmSettings:
    """The limits beyond which there are alarms."""
    return AlarmSettings.from_dict(read_section(host, "alarms"))


def survey_now(host: Host, connection: sqlite3.Connection) -> Survey:
    """Every endpoint at this moment."""
    now, limits, published = host.now(), alarm_settings(host), _published(host, connection)
    found = survey(connection, published, now=now, silence=limits.silence, ages=limits.component_age)
    return Survey(now, limits, published, found)


def health(host: Host, connection: sqlite3.Connection) -> Health:
    """The health at this moment."""
    return health_of(host, connection, survey_now(host, connection))


def health_of(host: Host, connection: sqlite3.Connection, seen: Survey) -> Health:
    """The health at the moment of a survey."""
    now, limits, published, found = seen.now, seen.limits, seen.published, seen.found
    facts = FleetFacts(
        states=_counts(found.values()),
        reasons=_reasons(one.assessment for one in found.values()),
        fetches={name: Fetch(one["result"], one["reason"]) for name, one in last_fetches(host).items()},
        published={name: at for name, at in published.since.items() if name in published.offers.common},
        outdated=_outdated((lack for one in found.values() for lack in one.lacks), limits, now),
        ends=_ends(connection),
        audit=first_problem(host),
        stopped=dict(_waiting(host, connection)),
    )
    versions = {name: offer.version for name, offer in published.offers.common.items()}
    return Health(facts, tuple(alarms(facts, limits, now=now)), found, versions)


def assessments(host: Host, connection: sqlite3.Connection) -> dict[str, Assessment]:
    """The state of every endpoint at this moment, by name."""
    return {name: one.assessment for name, one in survey_now(host, connection).found.items()}


def record_states(host: Host, connection: sqlite3.Connection) -> None:
    """Keep how many endpoints are in each state today."""
    counts = Counter(one.state for one in assessments(host, connection).values())
    with transaction(connection):
        state_history.record(connection, counts, host.now())


def _published(host: Host, connection: sqlite3.Connection) -> Published:
    offered = FleetOffers.of(connection, published_catalog(host), rollout_settings(host))
    return published_now(connection, offered)


def _counts(found: Iterable[EndpointHealth]) -> Counter[EndpointState]:
    return Counter(one.assessment.state for one in found)


def _outdated(lacks: Iterable[Lack], limits: AlarmSettings, now: float) -> Counter[str]:
    """How many endpoints lack what was published longer ago than the limit of its product, by product."""
    ages = limits.component_age
    return Counter(
        one.product
        for one in lacks
        if one.product in ages and one.since is not None and now - one.since > ages[one.product]
    )


def _reasons(found: Iterable[Assessment]) -> dict[EndpointState, str]:
    """The most frequent reason of each state that has reasons."""
    counted: dict[EndpointState, Counter[str]] = {}
    for one in found:
        if one.reason:
            counted.setdefault(one.state, Counter())[one.reason] += 1
    return {state: min(some, key=lambda words: (-some[words], words)) for state, some in counted.items()}


def _waiting(host: Host, connection: sqlite3.Connection) -> Iterator[tuple[str, str]]:
    """The products that have rings, and the streams of packages of their engines, with why each waits for somebody's
    word."""
    for product, rollout in rollout_settings(host).products.items():
        yield product, _stopped(connection, product)
        for track in engine_tracks(connection, product):
            gap = "" if rollout.dry_run else EngineFleet.of(connection, track, rollout).gap()
            yield track.name, "; ".join(filter(None, (_stopped(connection, track.name), gap)))


def _stopped(connection: sqlite3.Connection, product: str) -> str:
    """Why the rollout of a product waits for somebody's word; empty where it does not."""
    state = read_state(connection, product)
    stops = {} if state is None else state.stops
    words = [
        f"the rollout of {version} is {stop.kind.value} in {stop.ring} ({stop.reason})"
        for version, stop in stops.items()
        if stop.kind.by_itself
    ]
    return "; ".join(words)


def _ends(connection: sqlite3.Connection) -> dict[str, float]:
    """When what is published expires: each document, and of all shards the first."""
    ends: dict[str, float] = {}
    for name, record in records(connection).items():
        subject = "shards" if name.startswith(dirty_shards.PREFIX) else name
        ends[subject] = min(record.expires, ends.get(subject, record.expires))
    return ends
