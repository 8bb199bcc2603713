# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Private: the registered endpoints as far as the server knows them: place, versions, last notice."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from .._core.catalogue import CatalogueItem, versions_of
from .._core.outdated import is_outdated
from .._core.policy_words import Scope
from .._core.values import value
from .members import members
from .tree_store import is_below


@value
class Known:
    """One endpoint. ``versions`` are what it reported, by product; ``notice`` is its part in its last campaign.

    ``outdated``: it does not have what is published for it (``is_outdated``), or it never reported anything.
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

    def to_dict(self) -> dict[str, Any]:
        who: dict[str, Any] = {"name": self.name, "domain": self.domain, "ordinal": self.ordinal}
        where = {"source": self.source, "address": self.address, "pinned": self.pinned}
        what = {"versions": self.versions, "reported": self.reported, "outdated": self.outdated}
        return {**who, **where, **what, "notice": self.notice}


def known_endpoints(
    connection: sqlite3.Connection, published: Iterable[CatalogueItem], *, domain: str = ""
) -> Iterator[Known]:
    """Every endpoint in this domain or below it, by name."""
    offered = _items_of(published)
    scopes = {member.name: member.scope for member in members(connection)}
    reports, notices = _reports(connection), _notices(connection)
    for row in connection.execute("SELECT * FROM endpoints ORDER BY name"):
        if not is_below(row["domain"], domain):
            continue
        versions, reported = reports.get(row["name"], ({}, None))
        yield Known(
            name=row["name"],
            domain=row["domain"],
            ordinal=row["ordinal"],
            source=row["source"],
            address=row["address"] or "",
            pinned=bool(row["host_key"]),
            versions=versions,
            reported=reported,
            outdated=_outdated(versions, offered, scopes[row["name"]]),
            notice=notices.get(row["name"]),
        )


def by_product(published: Iterable[CatalogueItem]) -> dict[str, dict[str, str]]:
    """Component versions of each product."""
    return {product: versions_of(some) for product, some in _items_of(published).items()}


def _items_of(published: Iterable[CatalogueItem]) -> dict[str, list[CatalogueItem]]:
    items: dict[str, list[CatalogueItem]] = {}
    for item in published:
        items.setdefault(item.product, []).append(item)
    return items


def _outdated(
    versions: Mapping[str, Mapping[str, str]], offered: Mapping[str, Sequence[CatalogueItem]], scope: Scope
) -> bool:
    """Which product an endpoint has is known by what it reports."""
    return not versions or any(
        is_outdated(one, versions[one], offered[one], scope) for one in versions if one in offered
    )


def _reports(connection: sqlite3.Connection) -> dict[str, tuple[dict[str, dict[str, str]], float]]:
    found: dict[str, tuple[dict[str, dict[str, str]], float]] = {}
    for row in connection.execute("SELECT endpoint, product, versions, at FROM reports"):
        versions, at = found.get(row["endpoint"], ({}, 0.0))
        versions[row["product"]] = json.loads(row["versions"])
        found[row["endpoint"]] = (versions, max(at, row["at"]))
    return found


def _notices(connection: sqlite3.Connection) -> dict[str, dict[str, Any]]:
    """The last notice of each endpoint: of several rows SQLite takes the one that has the maximum."""
    select = "SELECT endpoint, campaign, stage, result, why, max(changed) AS changed FROM notices GROUP BY endpoint"
    return {row["endpoint"]: {key: row[key] for key in _NOTICE} for row in connection.execute(select)}


_NOTICE = ("campaign", "stage", "result", "why", "changed")
