# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the metrics count in the database: components by version, reports, notices."""

from __future__ import annotations

import json
import sqlite3
from collections import Counter
from collections.abc import Collection, Iterator

from ..._core.exposition import Metric, Sample, single
from ..._core.results import Trigger
from ..._core.rollout.delivery import DeliveryStatus
from ..reports.records import TAKEN
from ..reports.verdict import Refusal

_MOST_COMPONENTS = 20
_MOST_VERSIONS = 10
OTHER = "other"
"""The version under which those are counted that few endpoints have."""


def components(connection: sqlite3.Connection) -> Metric:
    """How many endpoints have which version. Reports name components and versions, so the number of both is limited."""
    held: dict[tuple[str, str], Counter[str]] = {}
    for row in connection.execute(_HELD):
        for component, version in json.loads(row["versions"]).items():
            held.setdefault((row["product"], component), Counter())[str(version)] += row["endpoints"]
    samples: list[Sample] = []
    for product in sorted({product for product, _component in held}):
        mine = {component: held[product, component] for of, component in held if of == product}
        for component in _most({name: sum(versions.values()) for name, versions in mine.items()}, _MOST_COMPONENTS):
            samples += _by_version({"product": product, "component": component}, mine[component])
    return Metric(
        "server_component_endpoints", "Endpoints by the version of a component that they have", tuple(samples)
    )


def _by_version(labels: dict[str, str], versions: Counter[str]) -> Iterator[Sample]:
    named = _most(versions, _MOST_VERSIONS)
    yield from (({**labels, "version": version}, versions[version]) for version in named if version != OTHER)
    rest = sum(count for version, count in versions.items() if version not in named or version == OTHER)
    if rest:
        yield {**labels, "version": OTHER}, rest


def _most(counts: dict[str, int], most: int) -> Collection[str]:
    """The names with the highest counts; equal ones by name, so that the choice is the same each time."""
    return dict.fromkeys(sorted(counts, key=lambda name: (-counts[name], name))[:most])


def reports(connection: sqlite3.Connection) -> Iterator[Metric]:
    """The intake of reports."""
    select = "SELECT code, sum(count) AS total FROM report_counts GROUP BY code"
    totals = {row["code"]: row["total"] for row in connection.execute(select)}
    results = (TAKEN, *(refusal.value for refusal in Refusal))
    counted = tuple(({"result": result}, totals.get(result, 0)) for result in results)
    text = "Reports that were taken, or refused by the reason of the refusal"
    yield Metric("server_reports_total", text, counted, kind="counter")
    select = (
        "SELECT code, count(*) AS endpoints FROM refused_reports"
        " JOIN endpoints ON endpoints.name = refused_reports.endpoint GROUP BY code"
    )
    refused = {row["code"]: row["endpoints"] for row in connection.execute(select)}
    text = "Endpoints of which reports were refused since the last one that was taken"
    codes = tuple(({"reason": refusal.value}, refused.get(refusal.value, 0)) for refusal in Refusal)
    yield Metric("server_endpoints_with_refused_reports", text, codes)


def notices(connection: sqlite3.Connection, places: int) -> Iterator[Metric]:
    """What is open of campaigns; ``places`` is how many notices may be in flight now."""
    statuses: Counter[str] = Counter()
    triggers: dict[str, set[str]] = {}
    for row in connection.execute(_OPEN):
        statuses[row["status"]] += row["deliveries"]
        triggers.setdefault(row["trigger"], set()).add(row["campaign"])
    open_ones = tuple(({"status": one.value}, statuses[one.value]) for one in DeliveryStatus if one.open)
    yield Metric("server_open_deliveries", "Deliveries that are not finished, of all campaigns", open_ones)
    campaigns = tuple(({"trigger": one.value}, len(triggers.get(one.value, ()))) for one in Trigger)
    yield Metric("server_open_campaigns", "Campaigns with open deliveries", campaigns)
    yield single("server_in_flight_limit", "How many notices may be in flight at this hour", places)


def unpinned(connection: sqlite3.Connection) -> Metric:
    """How many endpoints can't be verified, because their host key is not known."""
    select = "SELECT count(*) FROM endpoints WHERE coalesce(host_key, '') = ''"
    count = connection.execute(select).fetchone()[0]
    return single("server_unpinned_endpoints", "Registered endpoints whose host key is not known", count)


_HELD = """
SELECT holdings.product, versions, count(*) AS endpoints
FROM holdings JOIN endpoints ON endpoints.name = holdings.endpoint
GROUP BY holdings.product, versions
"""
# Each part is what one of the partial indexes has.
_OPEN = """
SELECT campaign, campaigns.trigger AS trigger, status, count(*) AS deliveries
FROM (
    SELECT campaign, status FROM deliveries WHERE status IN ('queued', 'retrying', 'deferred')
    UNION ALL SELECT campaign, status FROM deliveries WHERE status = 'in_flight'
) JOIN campaigns ON campaigns.id = campaign
GROUP BY campaign, status
"""
