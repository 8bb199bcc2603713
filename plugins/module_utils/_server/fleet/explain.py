# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The effective policy of an endpoint, with the source of each value (P2)."""

from __future__ import annotations

import sqlite3
from typing import Any

from ..._core.policy.inheritance import DEFAULT, ENDPOINT, ROOT, Effective, resolve
from ..._core.policy.of_products import PRODUCTS, general, named, of_product
from ..._core.policy.overrides import flat
from ..._core.policy.policy import Policy
from ..._core.values import frozen
from .nodes import Nodes, layers, read_nodes
from .registry import EndpointRow, find


@frozen
class Explanation:
    """``origins`` names the source of each key: ``endpoint``, ``domain emea``, ``domain emea (born)``, ``root``...

    ``products`` are those for which something is set, each with its policy and sources.
    """

    endpoint: EndpointRow
    policy: Policy
    origins: dict[str, str]
    products: dict[str, tuple[Policy, dict[str, str]]]

    def to_dict(self) -> dict[str, Any]:
        who = {"endpoint": self.endpoint.name, "domain": self.endpoint.domain, "ordinal": self.endpoint.ordinal}
        products = {name: _plain(policy, origins) for name, (policy, origins) in self.products.items()}
        return {**who, **_plain(self.policy, self.origins), **({"products": products} if products else {})}


def _plain(policy: Policy, origins: dict[str, str]) -> dict[str, Any]:
    return {"policy": policy.to_dict(), "provenance": origins}


def explain(connection: sqlite3.Connection, name: str) -> Explanation:
    """The values of one endpoint and their sources; raises InvalidDocument where it is not registered."""
    endpoint, nodes = find(connection, name), read_nodes(connection)
    stack = layers(nodes, endpoint.domain, name, endpoint.policy)
    found = resolve(general(stack), stored=True)
    own = {product: resolve(of_product(stack, product), stored=True) for product in named(stack)}
    products = {product: (one.policy, sources(one, nodes, product)) for product, one in own.items()}
    return Explanation(endpoint, found.policy, sources(found, nodes), products)


def sources(found: Effective, nodes: Nodes, product: str = "") -> dict[str, str]:
    """The source of each key of a policy, or of that of a product, as ``Explanation.origins`` names it."""
    return {key: _words(key, origin, nodes, product) for key, origin in found.origins.items()}


def _words(key: str, origin: str, nodes: Nodes, product: str) -> str:
    if origin in (DEFAULT, ROOT, ENDPOINT):
        return origin
    own, born = flat(nodes[origin].own), flat(nodes[origin].born)
    keys = (f"{PRODUCTS}.{product}.{key}", key) if product else (key,)
    set_there = next((one for one in keys if one in own or one in born), key)
    return f"domain {origin}" if set_there in own else f"domain {origin} (born)"
