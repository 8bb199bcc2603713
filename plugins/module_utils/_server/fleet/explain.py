# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The effective policy of an endpoint, with the source of each value (P2)."""

from __future__ import annotations

import sqlite3
from typing import Any

from ..._core.policy.inheritance import DEFAULT, ENDPOINT, ROOT, Effective, resolve
from ..._core.policy.overrides import flat
from ..._core.policy.policy import Policy
from ..._core.values import frozen
from .nodes import Nodes, layers, read_nodes
from .registry import EndpointRow, find


@frozen
class Explanation:
    """``origins`` names the source of each key: ``endpoint``, ``domain emea``, ``domain emea (born)``, ``root``..."""

    endpoint: EndpointRow
    policy: Policy
    origins: dict[str, str]

    def to_dict(self) -> dict[str, Any]:
        who = {"endpoint": self.endpoint.name, "domain": self.endpoint.domain, "ordinal": self.endpoint.ordinal}
        return {**who, "policy": self.policy.to_dict(), "provenance": self.origins}


def explain(connection: sqlite3.Connection, name: str) -> Explanation:
    """The values of one endpoint and their sources; raises InvalidDocument where it is not registered."""
    endpoint, nodes = find(connection, name), read_nodes(connection)
    found = resolve(layers(nodes, endpoint.domain, name, endpoint.policy), stored=True)
    return Explanation(endpoint, found.policy, sources(found, nodes))


def sources(found: Effective, nodes: Nodes) -> dict[str, str]:
    """The source of each key of a policy, as ``Explanation.origins`` names it."""
    return {key: _words(key, origin, nodes) for key, origin in found.origins.items()}


def _words(key: str, origin: str, nodes: Nodes) -> str:
    if origin in (DEFAULT, ROOT, ENDPOINT):
        return origin
    return f"domain {origin}" if key in flat(nodes[origin].own) else f"domain {origin} (born)"
