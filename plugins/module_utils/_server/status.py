# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The server's own status: what is registered, published, reported, under way, and by which keys."""

from __future__ import annotations

import sqlite3
from typing import Any

from .._core.metadata import catalog
from .._core.metadata.policy_tree import KIND
from .._core.timestamps import iso, iso_or_none
from .._core.version import VERSION
from .._host.local_host import LocalHost
from .campaigns.queries import summaries
from .campaigns.store import CampaignStore
from .components.configured import rollout_settings
from .components.fetch_report import last_fetches
from .fleet import dirty_shards
from .fleet.inventory import by_product
from .fleet.offers import FleetOffers
from .publication.catalog import published_catalog
from .publication.keys import read_keyring
from .publication.signer import Record, records
from .reports.records import summary
from .settings import limits_zone, notify_settings


def server_status(host: LocalHost, connection: sqlite3.Connection) -> dict[str, Any]:
    """The status as one document."""
    settings, ring = notify_settings(host), read_keyring(host)
    offered = FleetOffers.of(connection, published_catalog(host), rollout_settings(host))
    store = CampaignStore(connection)
    return {
        "version": VERSION,
        "endpoints": _count(connection, "SELECT count(*) FROM endpoints"),
        "domains": _count(connection, "SELECT count(*) FROM nodes WHERE path <> ''"),
        "unpinned": _count(connection, "SELECT count(*) FROM endpoints WHERE coalesce(host_key, '') = ''"),
        "published": by_product(offered),
        "fetches": last_fetches(host),
        "campaigns": [one.to_dict() for one in summaries(connection) if one.open],
        "reports": summary(connection, host.now()),
        "in_flight": store.count_in_flight(),
        "max_in_flight": settings.caps.at(host.now(), limits_zone(host, settings)),
        "documents": _documents(connection),
        "signing_keys": ring.to_result()["keys"] if ring else [],
    }


def _documents(connection: sqlite3.Connection) -> dict[str, Any]:
    """Serial and end of tree and catalog; of the shards how many there are and the first end of all."""
    known = records(connection)
    single = {name: _header(known[name]) for name in (KIND, catalog.KIND) if name in known}
    shards = [record for name, record in known.items() if name.startswith(dirty_shards.PREFIX)]
    waiting = {name for name, record in known.items() if record.file is None} | dirty_shards.marked(connection)
    ends = min((record.expires for record in shards), default=None)
    return {**single, "shards": {"count": len(shards), "expires": iso_or_none(ends)}, "waiting": sorted(waiting)}


def _header(record: Record) -> dict[str, Any]:
    return {"serial": record.serial, "issued": iso(record.issued), "expires": iso(record.expires)}


def _count(connection: sqlite3.Connection, select: str) -> int:
    return int(connection.execute(select).fetchone()[0])
