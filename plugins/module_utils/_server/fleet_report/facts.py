# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the server knows of each endpoint, from its registry, its state and its newest report."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator, Mapping
from typing import Any

from ..._core.policy.overrides import flat
from ..._core.reports.report import STATUS
from ..._core.validation.foreign import known
from ..._core.values import frozen
from ..fleet.inventory import last_deliveries
from ..fleet.policies import EndpointPolicy, endpoint_policies
from ..fleet.states import EndpointHealth

_READERS = {
    name: STATUS[name]
    for name in (
        *("product", "configuration", "switch", "roaming", "scheduled_update", "components", "last", "next_run"),
        *("blackout", "scan", "truncated"),
    )
}
_REPORTS = """
SELECT endpoint_reports.endpoint, endpoint_reports.received, content, drift, drift_count
FROM endpoint_reports LEFT JOIN endpoint_states ON endpoint_states.endpoint = endpoint_reports.endpoint
"""


@frozen
class ReportFacts:
    """The newest report of an endpoint: those keys of its status that are needed, and when it came (Unix seconds).

    ``drift`` are the first of ``drift_count`` differences that were found last.
    """

    received: float
    status: Mapping[str, Any]
    looked: bool = False
    drift: tuple[str, ...] = ()
    drift_count: int = 0

    def run(self, trigger: str) -> Mapping[str, Any]:
        """The last run of a trigger; empty where none is on record."""
        found: Mapping[str, Any] = self.status.get("last", {}).get(trigger, {})
        return found


@frozen
class EndpointFacts:
    """One endpoint; ``report`` is None where none was ever taken, ``own`` are the keys that it sets itself.

    ``notice`` is its delivery in its last campaign, as ``fleet.inventory`` has it.
    """

    name: str
    domain: str
    member: EndpointPolicy
    health: EndpointHealth
    report: ReportFacts | None = None
    own: tuple[str, ...] = ()
    notice: Mapping[str, Any] | None = None


def endpoint_facts(connection: sqlite3.Connection, found: Mapping[str, EndpointHealth]) -> list[EndpointFacts]:
    """Every endpoint of a survey, by name."""
    rows = {row["name"]: row for row in connection.execute("SELECT name, domain, policy FROM endpoints")}
    reports, notices = dict(_reports(connection)), last_deliveries(connection)
    return [
        EndpointFacts(
            name=one.name,
            domain=rows[one.name]["domain"] or "",
            member=one,
            health=found[one.name],
            report=reports.get(one.name),
            own=tuple(flat(json.loads(rows[one.name]["policy"] or "{}"))),
            notice=notices.get(one.name),
        )
        for one in endpoint_policies(connection)
        if one.name in found
    ]


def _reports(connection: sqlite3.Connection) -> Iterator[tuple[str, ReportFacts]]:
    for row in connection.execute(_REPORTS):
        document = json.loads(row["content"])
        count = row["drift_count"] or 0
        looked = count > 0 or document.get("drift") is not None
        drift = tuple(json.loads(row["drift"])) if count else ()
        status = known(document["status"], _READERS)
        yield row["endpoint"], ReportFacts(row["received"], status, looked, drift, count)
