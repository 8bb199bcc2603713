# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The registered endpoints with their effective policies, as campaigns need them (P2)."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Collection, Iterator, Mapping

from ..._core.policy.enums import Scope
from ..._core.policy.inheritance import resolve
from ..._core.policy.of_products import general, named, policies
from ..._core.policy.policy import Components, Policy
from ..._core.rollout.outdated import Wish
from ..._core.settings.endpoint_keys import ProductKind
from ..._core.validation.errors import InvalidDocument
from ..._core.values import field, frozen
from .nodes import Nodes, layers, read_nodes


@frozen
class EndpointPolicy:
    """One endpoint. ``policy`` is None where its effective policy is invalid, and ``error`` says why.

    ``of_products`` has the policies of products for which something is set. ``products`` and ``databases`` are
    registered settings; empty where nothing is registered. An endpoint without an address is not ``notified``: it asks
    by itself.
    """

    name: str
    ordinal: int
    policy: Policy | None
    error: str = ""
    products: tuple[str, ...] = ()
    databases: tuple[str, ...] = ()
    notified: bool = True
    domain: str = ""
    of_products: Mapping[str, Policy] = field(default_factory=dict)

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
        return Wish(self.scope_of(product.value), self.databases if product is ProductKind.CLAMAV else ())

    def policy_of(self, product: str) -> Policy | None:
        """Its effective policy for one of its products."""
        return self.of_products.get(product, self.policy)

    def scope_of(self, product: str) -> Scope:
        """Which components an update of a product may change; the default where its policy is invalid."""
        policy = self.policy_of(product)
        return Components().scope if policy is None else policy.components.scope


def endpoint_policies(connection: sqlite3.Connection) -> Iterator[EndpointPolicy]:
    """Every registered endpoint. Endpoints of one domain without values of their own share one policy object."""
    nodes = read_nodes(connection)
    known: dict[tuple[str, str], _Policies] = {}
    select = "SELECT name, domain, ordinal, policy, product, further, databases, address FROM endpoints ORDER BY name"
    for row in connection.execute(select):
        key = (row["domain"] or "", row["policy"] or "")
        if key not in known:
            known[key] = _policies(nodes, row["domain"] or "", row["name"], row["policy"])
        policies_of = known[key]
        databases = tuple(json.loads(row["databases"])) if row["databases"] else ()
        products, notified, domain = registered_products(row), bool(row["address"]), row["domain"] or ""
        about = (products, databases, notified, domain, policies_of.of_products)
        yield EndpointPolicy(row["name"], row["ordinal"], policies_of.policy, policies_of.error, *about)


def registered_products(row: sqlite3.Row) -> tuple[str, ...]:
    """The products with which an endpoint is registered, its first one first; none where that one is not known."""
    return (row["product"], *json.loads(row["further"] or "[]")) if row["product"] else ()


def newcomer(connection: sqlite3.Connection) -> EndpointPolicy:
    """An endpoint registered at the root without values of its own."""
    found = _policies(read_nodes(connection), "", "", None)
    return EndpointPolicy("", 0, found.policy, found.error, of_products=found.of_products)


@frozen
class _Policies:
    """An effective policy, None where it is invalid for any product, and those of products that have parts of it."""

    policy: Policy | None
    error: str = ""
    of_products: Mapping[str, Policy] = field(default_factory=dict)


def _policies(nodes: Nodes, domain: str, name: str, text: str | None) -> _Policies:
    stack = layers(nodes, domain, name, json.loads(text) if text else None)
    try:
        whole = resolve(general(stack), stored=True).policy
        return _Policies(whole, of_products=policies(stack, named(stack), stored=True))
    except InvalidDocument as error:
        return _Policies(None, str(error.errors[0]))
