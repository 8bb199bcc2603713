# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What somebody has to look at, by one definition for exit codes, reports and metrics (R7)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from ..durations import format_duration
from ..results import Result
from ..settings.alarms import AlarmSettings
from ..values import asdict, field, frozen
from .states import EndpointState

NAMES = ("audit", "expiry", "rollout", "fetch", "component_age", "outdated", "refusing", "failing", "silent")
"""Every kind of alarm, the gravest first."""
_HOUR = 3600
_DAY = 24 * _HOUR


@frozen
class Alarm:
    """One alarm: ``name`` is the same for each of its kind, ``subject`` the product or document that it is about."""

    name: str
    words: str
    subject: str = ""

    def to_dict(self) -> dict[str, Any]:
        return asdict(self)


@frozen
class Fetch:
    """What the last fetch of a product came to."""

    result: str
    reason: str = ""


@frozen
class FleetFacts:
    """What the alarms are raised by. Instants are Unix seconds.

    ``states`` counts endpoints by state, and ``reasons`` has the most frequent reason of a state. ``published`` is when
    a product's newest version was published, ``outdated`` how many endpoints lack something that was published longer
    ago than its product's limit, ``ends`` when a published document ends. ``audit`` is what is wrong with the audit.
    ``stopped`` has each product that has rings, with why its rollout waits for somebody's word (empty: it does not).
    """

    states: Mapping[EndpointState, int]
    reasons: Mapping[EndpointState, str] = field(default_factory=dict)
    fetches: Mapping[str, Fetch] = field(default_factory=dict)
    published: Mapping[str, float] = field(default_factory=dict)
    outdated: Mapping[str, int] = field(default_factory=dict)
    ends: Mapping[str, float] = field(default_factory=dict)
    audit: str = ""
    stopped: Mapping[str, str] = field(default_factory=dict)

    @property
    def endpoints(self) -> int:
        return sum(self.states.values())


def alarms(facts: FleetFacts, limits: AlarmSettings, *, now: float) -> list[Alarm]:
    """Every alarm, the gravest kind first."""
    return [
        *([Alarm("audit", f"the audit is not as it was written: {facts.audit}")] if facts.audit else []),
        *_documents(facts, limits, now),
        *_rollouts(facts),
        *_fetches(facts),
        *_ages(facts, limits, now),
        *_outdated(facts, limits),
        *_shares(facts, limits),
    ]


def _documents(facts: FleetFacts, limits: AlarmSettings, now: float) -> Iterator[Alarm]:
    for name, end in sorted(facts.ends.items()):
        left = end - now
        if left <= 0:
            yield Alarm("expiry", f"{name}: what is published has expired, and endpoints refuse it", name)
        elif left < limits.expiry:
            yield Alarm("expiry", f"{name}: what is published ends in {span(left)}", name)


def _rollouts(facts: FleetFacts) -> Iterator[Alarm]:
    """A halted rollout goes on only by somebody's word (G4)."""
    for product, why in sorted(facts.stopped.items()):
        if why:
            yield Alarm("rollout", f"{product}: {why}", product)


def _fetches(facts: FleetFacts) -> Iterator[Alarm]:
    for product, fetch in sorted(facts.fetches.items()):
        if fetch.result in (Result.FAILED.value, Result.UNREACHABLE.value):
            why = f": {fetch.reason}" if fetch.reason else ""
            yield Alarm("fetch", f"{product}: the last fetch ended with {fetch.result}{why}", product)


def _ages(facts: FleetFacts, limits: AlarmSettings, now: float) -> Iterator[Alarm]:
    """A source that is frozen: each fetch says ``current``, and nothing new ever comes."""
    for product, at in sorted(facts.published.items()):
        most = limits.component_age.get(product)
        if most is not None and now - at > most:
            words = f"{product}: nothing new has been published for {span(now - at)} (limit {span(most)})"
            yield Alarm("component_age", words, product)


def _outdated(facts: FleetFacts, limits: AlarmSettings) -> Iterator[Alarm]:
    for product, count in sorted(facts.outdated.items()):
        most = limits.component_age.get(product)
        if most is not None and count:
            words = f"{product}: {_endpoints(count)} without what was published more than {span(most)} ago"
            if product not in facts.published:
                words = f"{product}: {_endpoints(count)} whose newest component is more than {span(most)} old"
            yield Alarm("outdated", words, product)


def share_limits(limits: AlarmSettings) -> dict[EndpointState, int]:
    """The states of which only a share may be, and that share in percent."""
    return {
        EndpointState.REFUSING: limits.refusing_share,
        EndpointState.FAILING: limits.failing_share,
        EndpointState.SILENT: limits.silent_share,
    }


def _shares(facts: FleetFacts, limits: AlarmSettings) -> Iterator[Alarm]:
    for state, most in share_limits(limits).items():
        count = facts.states.get(state, 0)
        if count * 100 > most * facts.endpoints:
            reason = facts.reasons.get(state, "")
            why = f" ({reason})" if reason else ""
            words = f"{_endpoints(count)} of {facts.endpoints} {state.value}{why} (limit {most} %)"
            yield Alarm(state.value, words)


def _endpoints(count: int) -> str:
    return f"{count} endpoint{'' if count == 1 else 's'}"


def span(seconds: float) -> str:
    """A duration in words that are short: days where it is days, else hours and minutes."""
    whole = int(seconds)
    if whole >= 2 * _DAY:
        return f"{whole // _DAY}d"
    return format_duration(whole // 60 * 60 if whole >= 60 else whole)
