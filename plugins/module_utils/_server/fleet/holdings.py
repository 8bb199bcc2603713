# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The components of endpoints, as reported, compared with what is published for them (E1)."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Mapping

from ..._core.metadata.catalog import CatalogItem
from ..._core.results import Trigger
from ..._core.rollout.outdated import Holding, Offer, is_outdated
from ..._core.settings.endpoint_keys import ProductKind
from ..._core.values import frozen
from .policies import EndpointPolicy


@frozen
class Reported:
    """The components of one endpoint by product, and when it last reported (Unix seconds)."""

    holdings: Mapping[str, Holding]
    at: float | None = None


def holdings(connection: sqlite3.Connection) -> dict[str, Reported]:
    """What each endpoint has, of those that have reported."""
    found: dict[str, tuple[dict[str, Holding], float]] = {}
    for row in connection.execute("SELECT endpoint, product, versions, version, at FROM holdings"):
        mine, at = found.get(row["endpoint"], ({}, 0.0))
        mine[row["product"]] = Holding(json.loads(row["versions"]), row["version"])
        found[row["endpoint"]] = (mine, max(at, row["at"]))
    return {name: Reported(mine, at) for name, (mine, at) in found.items()}


def offers(connection: sqlite3.Connection, published: Iterable[CatalogItem]) -> dict[str, Offer]:
    """The published content by product, each with the version of its newest campaign."""
    items: dict[str, list[CatalogItem]] = {}
    for item in published:
        items.setdefault(item.product, []).append(item)
    return {name: Offer(ProductKind(name), offered(connection, name), tuple(some)) for name, some in items.items()}


def offered(connection: sqlite3.Connection, product: str) -> str:
    """The version of the last announcement of a product to everybody; empty where there was none."""
    select = "SELECT version, ring FROM campaigns WHERE trigger = ? AND product = ? ORDER BY rowid DESC LIMIT 1"
    row = connection.execute(select, (Trigger.DOWNLOAD.value, product)).fetchone()
    return "" if row is None or row["ring"] else str(row["version"])


def is_behind(member: EndpointPolicy, reported: Reported | None, offer: Offer) -> bool:
    """Whether an endpoint lacks something of an offer that it should have.

    Its products come from the registry, else from its reports; an endpoint that never reported may have any product.
    """
    reports = reported.holdings if reported else {}
    if not member.has(offer.product.value, reports):
        return False
    return is_outdated(offer, member.wish(offer.product), reports.get(offer.product.value, Holding()))
