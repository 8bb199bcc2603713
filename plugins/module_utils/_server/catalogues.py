# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Private: the catalogue published: one signed file, issued anew when it changes and before it expires (C1)."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable

from .._core.canonical import digest
from .._core.catalogue import MAX_SIZE, NAMESPACE, Catalogue, CatalogueItem
from .._core.faults import InvalidDocument
from .._core.signed import Malformed, TooLarge, seal, unseal
from .._host.host import Host
from .._host.signatures import sign
from . import campaign_places

LIFETIME_S = 14 * 86400
_NAME = "catalogue"


def publish_catalogue(host: Host, connection: sqlite3.Connection, items: Iterable[CatalogueItem]) -> bool:
    """Publish what there is; returns whether a new catalogue was issued. Raises OSError when it can't be signed.

    The serial is on record before it is published: a server that is killed between the two skips one, and never
    publishes two catalogues under one serial.
    """
    now, current = int(host.now()), published_catalogue(host)
    wanted = Catalogue.of(items, serial=0, issued=now, expires=now + LIFETIME_S)
    fresh = current is not None and current.expires - now > LIFETIME_S // 2
    if current is not None and fresh and current.same_content(wanted):
        return False
    serial = _next_serial(connection, digest([item.to_dict() for item in wanted.components]), current)
    document = Catalogue(serial, now, now + LIFETIME_S, wanted.components).to_bytes()
    signature = sign(host, document, campaign_places.SIGNING_KEY, NAMESPACE)
    host.write(campaign_places.CATALOGUE, seal(document, signature, NAMESPACE))
    return True


def published_catalogue(host: Host) -> Catalogue | None:
    """The catalogue that readers find now; None when there is none that can be read. The server trusts its own file."""
    content = host.read(campaign_places.CATALOGUE)
    try:
        return None if content is None else Catalogue.from_bytes(unseal(content, limit=2 * MAX_SIZE).document)
    except (Malformed, TooLarge, InvalidDocument):
        return None


def _next_serial(connection: sqlite3.Connection, content: str, current: Catalogue | None) -> int:
    """The serial after the last one that was used, by the records or, should those be older, by what is published."""
    connection.execute("BEGIN IMMEDIATE")
    row = connection.execute("SELECT serial FROM serials WHERE name = ?", (_NAME,)).fetchone()
    serial = 1 + max(row["serial"] if row else 0, current.serial if current else 0)
    connection.execute("INSERT OR REPLACE INTO serials VALUES (?, ?, ?)", (_NAME, serial, content))
    connection.commit()
    return serial
