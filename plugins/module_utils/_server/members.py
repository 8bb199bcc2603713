# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Private: the registered endpoints with their effective policies, as campaigns need them (P2)."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator
from typing import Any

from .._core.faults import InvalidDocument
from .._core.policy import Policy
from .._core.tree import layers_of, resolve
from .._core.values import value


@value
class Member:
    """One endpoint: ``policy`` is None, and ``fault`` says why, where the tree gives it none that holds together."""

    name: str
    ordinal: int
    policy: Policy | None
    fault: str = ""


def members(connection: sqlite3.Connection) -> Iterator[Member]:
    """Every registered endpoint. Endpoints of one domain without values of their own share one policy."""
    nodes = {row["path"]: _merged(row["born"], row["own"]) for row in connection.execute("SELECT * FROM nodes")}
    known: dict[tuple[str, str], tuple[Policy | None, str]] = {}
    for row in connection.execute("SELECT name, domain, ordinal, policy FROM endpoints ORDER BY name"):
        key = (row["domain"] or "", row["policy"] or "")
        if key not in known:
            known[key] = _policy(key[0], nodes, json.loads(key[1]) if key[1] else None)
        policy, fault = known[key]
        yield Member(row["name"], row["ordinal"], policy, fault)


def _policy(domain: str, nodes: dict[str, dict[str, Any]], own: dict[str, Any] | None) -> tuple[Policy | None, str]:
    domains = {path: values for path, values in nodes.items() if path}
    try:
        return resolve(layers_of(domain, root=nodes.get("", {}), domains=domains, endpoint=own)).policy, ""
    except InvalidDocument as error:
        return None, str(error.faults[0])


def _merged(born: str | None, own: str | None) -> dict[str, Any]:
    """What a node was born with (P2, future domains only) under its own values, key by key."""
    values: dict[str, Any] = json.loads(born) if born else {}
    for section, keys in (json.loads(own) if own else {}).items():
        values[section] = {**values.get(section, {}), **keys}
    return values
