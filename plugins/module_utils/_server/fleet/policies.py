# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The registered endpoints with their effective policies, as campaigns need them (P2)."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Collection, Iterator

from ..._core.policy.enums import Scope
from ..._core.policy.inheritance import resolve
from ..._core.policy.of_products import general
from ..._core.policy.policy import Components, Policy
from ..._core.rollout.outdated import Wish
from ..._core.settings.endpoint_keys import ProductKind
from ..._core.validation.errors import InvalidDocument
from ..._core.values import frozen
from .nodes import Nodes, layers, read_nodes


@frozen
class EndpointPolicy:
    """One endpoint. ``policy`` is None where its effective policy is invalid, and ``error`` says why.

    ``products`` and ``databases`` are registered settings; empty where nothing is registered. An endpoint without an
    address is not ``notified``: it asks by itself.
    """

    name: str
    ordinal: int
    policy: Policy | None
    error: str = ""
    products: tuple[str, ...] = ()
    databases: tuple[str, ...] = ()
    notified: bool = True
    domain: str = ""

    @property
    def product(self) -> str:
        """The first of its products, which is what a notice lets it update; empty where it is not known."""
        return self.products[0] if self.products else ""

    def has(self, product: str, reported: Collection[str] = ()) -> bool:
        """Whether it has a product: by the registry, else by what it ``reported``; without both it may have any."""
        known = self.products or reported
        return not known or product in known

    def is_notified_of(self, product: str) -> bool:
        """Whether a notice of a product's new version would let it update this one."""
        return self.product in ("", product)

    def wish(self, product: ProductKind) -> Wish:
        """The components of a product that it takes."""
        return Wish(self.scope, self.databases if product is ProductKind.CLAMAV else ())

    @property
    def scope(self) -> Scope:
        """Which components its updates may change; the default where its policy is invalid."""
        return Components().scope if self.policy is None else self.policy.components.scope


def endpoint_policies(connection: sqlite3.Connection) -> Iterator[EndpointPolicy]:
    """Every registered endpoint. Endpoints of one domain without values of their own share one policy object."""
    nodes = read_nodes(connection)
    known: dict[tuple[str, str], tuple[Policy | None, str]] = {}
    select = "SELECT name, domain, ordinal, policy, product, further, databases, address FROM endpoints ORDER BY name"
    for row in connection.execute(select):
        key = (row["domain"] or "", row["policy"] or "")
        if key not in known:
            known[key] = _policy(nodes, row["domain"] or "", row["name"], row["policy"])
        policy, error = known[key]
        databases = tuple(json.loads(row["databases"])) if row["databases"] else ()
        products, notified, domain = registered_products(row), bool(row["address"]), row["domain"] or ""
        yield EndpointPolicy(row["name"], row["ordinal"], policy, error, products, databases, notified, domain)


def registered_products(row: sqlite3.Row) -> tuple[str, ...]:
    """The products with which an endpoint is registered, its first one first; none where that one is not known."""
    return (row["product"], *json.loads(row["further"] or "[]")) if row["product"] else ()


def newcomer(connection: sqlite3.Connection) -> EndpointPolicy:
    """An endpoint registered at the root without values of its own."""
    policy, error = _policy(read_nodes(connection), "", "", None)
    return EndpointPolicy("", 0, policy, error)


def _policy(nodes: Nodes, domain: str, name: str, text: str | None) -> tuple[Policy | None, str]:
    own = json.loads(text) if text else None
    try:
        return resolve(general(layers(nodes, domain, name, own)), stored=True).policy, ""
    except InvalidDocument as error:
        return None, str(error.errors[0])
