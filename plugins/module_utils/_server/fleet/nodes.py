# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The recorded client tree: what root and domains set, and whether everything below is consistent (P2)."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from ..._core.canonical import canonical_json
from ..._core.policy.inheritance import ENDPOINT, ROOT, Layer, resolve
from ..._core.policy.of_products import general, named, of_product
from ..._core.policy.overrides import Node, Values
from ..._core.validation.errors import InvalidDocument, ValidationError, ValidationErrors
from ..._core.values import frozen

Nodes = Mapping[str, Node]
"""Every node by its path; the root, an empty path, is always there."""


@frozen
class PolicySample:
    """One combination of a domain and an endpoint's own values; ``name`` is an endpoint with this combination."""

    domain: str
    name: str = ""
    policy: Values | None = None


def read_nodes(connection: sqlite3.Connection) -> dict[str, Node]:
    """All nodes."""
    rows = connection.execute("SELECT path, own, born, future FROM nodes ORDER BY path")
    found = {row["path"]: Node(*(_read(row[column]) for column in ("own", "born", "future"))) for row in rows}
    return {"": Node(), **found}


def write_nodes(connection: sqlite3.Connection, before: Nodes, after: Nodes) -> None:
    """Record the changed nodes; runs in the caller's transaction."""
    gone = [(path,) for path in before if path not in after]
    connection.executemany("DELETE FROM nodes WHERE path = ?", gone)
    new = [
        (path, *(text(part) for part in (node.own, node.born, node.future)))
        for path, node in after.items()
        if before.get(path) != node
    ]
    connection.executemany("INSERT OR REPLACE INTO nodes (path, own, born, future) VALUES (?, ?, ?, ?)", new)


def text(values: Values | None) -> str | None:
    """Values as the database stores them; equal values have equal texts, no values none."""
    return canonical_json(values).decode() if values else None


def layers(nodes: Nodes, domain: str, name: str = "", policy: Values | None = None) -> list[Layer]:
    """The layers of an endpoint in this domain, the outermost first."""
    found = [Layer(ROOT, nodes[""].own, "root")]
    found += [Layer(path, nodes[path].values, f"domains[{path}]") for path in ancestry(domain) if path in nodes]
    return found + ([Layer(ENDPOINT, policy, f"endpoints[{name}].policy")] if policy else [])


def ancestry(domain: str) -> list[str]:
    """A domain and its parents, the outermost first: ``emea``, ``emea/finance``."""
    names = domain.split("/") if domain else []
    return ["/".join(names[: depth + 1]) for depth in range(len(names))]


def policy_samples(connection: sqlite3.Connection, below: str = "") -> Iterator[PolicySample]:
    """Each combination of domain and own values among the endpoints below a node, with the name of one of them."""
    select = "SELECT domain, policy, min(name) AS name FROM endpoints WHERE policy IS NOT NULL GROUP BY domain, policy"
    for row in connection.execute(select):
        if is_below(row["domain"], below):
            yield PolicySample(row["domain"], row["name"], json.loads(row["policy"]))


def is_below(domain: str, node: str) -> bool:
    """Whether a domain is this node or inside it."""
    return not node or domain == node or domain.startswith(node + "/")


def errors_in(nodes: Nodes, places: Iterable[PolicySample]) -> ValidationErrors:
    """Every inconsistency, each once."""
    # What domains that are made later will be born with has to fit below root as well.
    root = Layer(ROOT, nodes[""].own, "root")
    stacks = [layers(nodes, place.domain, place.name, place.policy) for place in places]
    found: dict[ValidationError, None] = {}
    for stack in [*stacks, [root, Layer("future", nodes[""].future, "future_domains")]]:
        for one in (general(stack), *(of_product(stack, name) for name in named(stack))):
            try:
                resolve(one, stored=True)
            except InvalidDocument as invalid:
                found.update(dict.fromkeys(invalid.errors))
    errors = ValidationErrors()
    errors.add_all(tuple(found))
    return errors


def _read(column: str | None) -> dict[str, Any]:
    return dict(json.loads(column)) if column else {}
