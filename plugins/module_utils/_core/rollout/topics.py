# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The topics by which an update server reaches its endpoints over a message broker, and their ids there (L3).

Brokers differ in what a topic may hold: dots close a connection to older NATS servers, ``/``, ``+`` and ``#`` have a
meaning of their own. So what a topic is made of has letters, digits, ``-`` and ``_`` alone.
"""

from __future__ import annotations

import re

from ..canonical import sha256_hex

_OTHER = re.compile(r"[^A-Za-z0-9_-]")
_DIGITS = 12


def endpoint_id(name: str) -> str:
    """What an endpoint is called at the broker: client id, user, and the last part of its own topic.

    A name with other characters has ``-`` instead of them, and the begin of its SHA-256, which keeps it apart from
    those that look the same then.
    """
    plain = _OTHER.sub("-", name)
    return plain if plain == name else f"{plain}-{sha256_hex(name.encode())[:_DIGITS]}"


def endpoint_topic(prefix: str, name: str) -> str:
    """The topic of one endpoint, which nobody else needs to read."""
    return f"{prefix}/endpoint/{endpoint_id(name)}"


def group_topic(prefix: str, product: str, ring: str) -> str:
    """The topic of a ring of a product; without a ring that of all endpoints."""
    return f"{prefix}/ring/{product}/{ring}" if ring else f"{prefix}/fleet"


def group_file(product: str, ring: str) -> str:
    """Where the last order to a group lies below the server's base URL. No name of a product or a ring has a dot."""
    return f"orders/ring.{product}.{ring}.json" if ring else f"orders/fleet.{product}.json"


def subscriptions(prefix: str, name: str, product: str, ring: str) -> tuple[str, ...]:
    """All that an endpoint listens to; none is a pattern. ``ring`` is empty where its product has no rings."""
    groups = (group_topic(prefix, product, ""), *((group_topic(prefix, product, ring),) if ring else ()))
    return (*groups, endpoint_topic(prefix, name))
