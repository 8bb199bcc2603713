# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The registered endpoints with domain, state, reported versions and last delivery."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from ..._core.metadata.catalog import CatalogItem, versions_of
from ..._core.reports.states import Assessment, EndpointState
from ..._core.timestamps import iso, iso_or_none
from ..._core.values import frozen
from .holdings import Reported, holdings, is_behind, offers
from .nodes import is_below
from .offers import FleetOffers
from .policies import EndpointPolicy, endpoint_policies


@frozen
class EndpointRecord:
    """One endpoint. ``versions`` are the reported ones by product, ``reported`` when (Unix seconds).

    ``notice`` is its delivery in its last campaign. ``outdated``: it lacks published content (``holdings.is_behind``).
    """

    name: str
    domain: str
    ordinal: int
    source: str
    address: str
    pinned: bool
    versions: Mapping[str, Mapping[str, str]]
    reported: float | None
    outdated: bool
    notice: Mapping[str, Any] | None
    assessment: Assessment

    def to_dict(self) -> dict[str, Any]:
        who: dict[str, Any] = {"name": self.name, "domain": self.domain, "ordinal": self.ordinal}
        where = {"source": self.source, "address": self.address, "pinned": self.pinned}
        what = {"versions": self.versions, "reported": iso_or_none(self.reported), "outdated": self.outdated}
        said = self.assessment
        state = {"state": said.state.value, "reason": said.reason, "since": iso_or_none(said.since)}
        return {**who, **where, **state, **what, "notice": self.notice}


def endpoint_records(
    connection: sqlite3.Connection,
    published: Iterable[CatalogItem] | FleetOffers,
    assessed: Mapping[str, Assessment] | None = None,
    *,
    domain: str = "",
) -> Iterator[EndpointRecord]:
    """Every endpoint in this domain and below it, by name.

    ``assessed`` has the state of each (``states.states``); without it records have none that means anything.
    """
    offered = published if isinstance(published, FleetOffers) else FleetOffers(offers(connection, published))
    reported = holdings(connection)
    known, notices = {member.name: member for member in endpoint_policies(connection)}, last_deliveries(connection)
    for row in connection.execute("SELECT * FROM endpoints ORDER BY name"):
        if not is_below(row["domain"], domain):
            continue
        told = reported.get(row["name"], Reported({}))
        yield EndpointRecord(
            name=row["name"],
            domain=row["domain"],
            ordinal=row["ordinal"],
            source=row["source"],
            address=row["address"] or "",
            pinned=bool(row["host_key"]),
            versions={product: holding.components for product, holding in told.holdings.items()},
            reported=told.at,
            outdated=told.at is not None and _is_outdated(known[row["name"]], told, offered),
            notice=notices.get(row["name"]),
            assessment=_NOT_ASSESSED if assessed is None else assessed[row["name"]],
        )


def _is_outdated(member: EndpointPolicy, told: Reported, offered: FleetOffers) -> bool:
    return any(is_behind(member, told, offer) for _name, offer in offered.to(member))


def by_product(offered: FleetOffers) -> dict[str, dict[str, str]]:
    """Component versions of each product, as those have them who have no ring, or are in the last one."""
    return {name: versions_of(offer.items) for name, offer in offered.common.items()}


def last_deliveries(connection: sqlite3.Connection) -> dict[str, dict[str, Any]]:
    """The last delivery to each endpoint: SQLite takes the bare columns from the row with the maximum."""
    select = (
        "SELECT endpoint, campaign, status, result, reason, max(changed) AS changed FROM deliveries GROUP BY endpoint"
    )
    return {
        row["endpoint"]: {**{key: row[key] for key in _NOTICE}, "changed": iso(row["changed"])}
        for row in connection.execute(select)
    }


_NOT_ASSESSED = Assessment(EndpointState.NEVER_SEEN)
_NOTICE = ("campaign", "status", "result", "reason")
