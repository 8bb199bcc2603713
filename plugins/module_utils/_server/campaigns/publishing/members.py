# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Who is in which ring, by the server's settings."""

from __future__ import annotations

import sqlite3

from ...._core.rings.membership import RingMembership
from ...._host.host import Host
from ...components.configured import rollout_settings
from .records import Members, fleet_ordinals


def members_now(host: Host, connection: sqlite3.Connection) -> Members:
    """The fleet as it is registered now."""
    rows = fleet_ordinals(connection)
    rings: dict[tuple[str, str], dict[str, int]] = {}
    for product, rollout in rollout_settings(host).products.items():
        membership, name = RingMembership(rollout), getattr(product, "value", product)
        for row in rows:
            ring = membership.ring_of(row["name"], row["domain"], row["ordinal"])
            rings.setdefault((str(name), ring), {})[row["name"]] = row["ordinal"]
    return Members({row["name"]: row["ordinal"] for row in rows}, rings)
