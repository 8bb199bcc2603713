# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The health of the fleet as metrics (R6, R7): what alarms are raised by, their limits, and the alarms themselves."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping

from ..._core.exposition import Metric, single
from ..._core.metadata.sync_result import REFUSALS
from ..._core.reports.alarms import NAMES, share_limits
from ..._core.reports.states import EndpointState, refusal_code
from ..._core.settings.alarms import AlarmSettings
from ..fleet.states import EndpointHealth
from ..health import Health

AGES_S = (0, 3600, 86400, 3 * 86400, 7 * 86400)
"""Of endpoints that lack something, how many have lacked it for longer than each of these."""


def of_health(found: Health, limits: AlarmSettings) -> Iterator[Metric]:
    """What alarms are raised by, their limits, and the alarms: rules come to the same ones from the rest."""
    facts = found.facts
    states = tuple(({"state": state.value}, facts.states.get(state, 0)) for state in EndpointState)
    yield Metric("server_endpoints", "Registered endpoints by state", states)
    shares = tuple(({"state": state.value}, most / 100) for state, most in share_limits(limits).items())
    yield Metric("server_state_limit_ratio", "The share of endpoints in a state beyond which there is an alarm", shares)
    published = tuple(({"product": product}, at) for product, at in sorted(facts.published.items()))
    text = "Since when the newest version of a product has been published"
    yield Metric("server_published_timestamp_seconds", text, published)
    ages = tuple(({"product": name}, age) for name, age in sorted(limits.component_age.items()))
    text = "How old the newest version of a product may be, and how long an endpoint may lack what is published"
    yield Metric("server_component_age_limit_seconds", text, ages)
    products = sorted({*facts.outdated, *facts.published} & {*limits.component_age})
    outdated = tuple(({"product": name}, facts.outdated.get(name, 0)) for name in products)
    text = "Endpoints that lack what was published longer ago than the limit, or whose newest component is older"
    yield Metric("server_outdated_endpoints", text, outdated)
    ends = tuple(({"document": name}, end) for name, end in sorted(facts.ends.items()))
    yield Metric("server_document_expires_timestamp_seconds", "When a published document expires", ends)
    text = "The time before the expiry of a document from which on there is an alarm"
    yield single("server_expiry_limit_seconds", text, limits.expiry)
    results = tuple(({"product": p, "result": one.result}, 1) for p, one in sorted(facts.fetches.items()))
    yield Metric("server_fetch_result", "The result of the last fetch of a product", results)
    yield single("server_audit_damaged", "Whether the audit is not as it was written", int(bool(facts.audit)))
    products = sorted({*facts.published, *facts.stopped})  # without rings nothing can stop
    stopped = tuple(({"product": product}, int(bool(facts.stopped.get(product)))) for product in products)
    yield Metric("server_rollout_stopped", "Whether the rollout of a product is halted or inconclusive", stopped)
    raised = Counter(alarm.name for alarm in found.alarms)
    alarms = tuple(({"alarm": name}, raised[name]) for name in NAMES)
    yield Metric("server_alarms", "Alarms that the server raises", alarms)


def of_endpoints(endpoints: Mapping[str, EndpointHealth], now: float) -> Iterator[Metric]:
    """What is counted from single endpoints, beside their states."""
    yield _refusing(endpoints)
    yield _lacking(endpoints, now)
    yield from _reported(endpoints)


def _refusing(endpoints: Mapping[str, EndpointHealth]) -> Metric:
    assessed = (one.assessment for one in endpoints.values())
    codes = Counter(refusal_code(one) for one in assessed if one.state is EndpointState.REFUSING)
    samples = tuple(({"result": code}, codes[code]) for code in sorted(REFUSALS))
    return Metric("server_refusing_endpoints", "Endpoints that refuse their configuration, by its result", samples)


def _lacking(endpoints: Mapping[str, EndpointHealth], now: float) -> Metric:
    """Cumulative: who has lacked something for three days has lacked it for an hour, too."""
    lacking: Counter[tuple[str, int]] = Counter()
    for one in endpoints.values():
        for lack in (lack for lack in one.lacks if lack.product):
            age = 0 if lack.since is None else now - lack.since
            lacking.update((lack.product, least) for least in AGES_S if age > least or not least)
    products = sorted({product for product, _least in lacking})
    samples = tuple(
        ({"product": product, "longer_than_seconds": str(least)}, lacking[product, least])
        for product in products
        for least in AGES_S
    )
    text = "Endpoints that lack something that has been published for longer than that"
    return Metric("server_lacking_endpoints", text, samples)


def _reported(endpoints: Mapping[str, EndpointHealth]) -> Iterator[Metric]:
    reported: dict[str, list[float]] = {}
    for one in endpoints.values():
        if one.reported is not None:
            reported.setdefault(one.assessment.state.value, []).append(one.reported)
    for name, which in (("newest", max), ("oldest", min)):
        at = tuple(({"state": state}, which(some)) for state, some in sorted(reported.items()))
        text = f"When the {name} of the last reports of endpoints in a state was taken"
        yield Metric(f"server_{name}_report_timestamp_seconds", text, at)
