# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""One change of the client tree: at the root for all or for future domains, at a domain, or at an endpoint (P2)."""

from __future__ import annotations

import json
import sqlite3
from typing import Any

from ..._core.policy.change import ApplyTo, TreeChange, TreeScope
from ..._core.policy.overrides import Node, Values, changed, replaced_by, without
from ..._core.validation.errors import InvalidDocument, ValidationError, show, suggestion
from ..._core.values import frozen, replace
from . import dirty_shards
from .nodes import Nodes, PolicySample, errors_in, is_below, policy_samples, read_nodes, text, write_nodes


@frozen
class Changed:
    """The values of a node before and after a change.

    ``reached`` are the domains that give up their initial values; ``future`` tells whether later domains do. ``kept``
    tells whether a domain sets its initial values itself from now on: they stay the same, and win over those of the
    root.
    """

    before: Values
    after: Values
    reached: tuple[str, ...] = ()
    future: bool = False
    kept: bool = False

    @property
    def changed(self) -> bool:
        return self.before != self.after or bool(self.reached) or self.future or self.kept

    def to_result(self) -> dict[str, Any]:
        plain: dict[str, Any] = {"changed": self.changed, "before": self.before, "after": self.after}
        return {**plain, "domains": list(self.reached)}


def set_values(connection: sqlite3.Connection, change: TreeChange) -> Changed:
    """Make the change in the caller's transaction, which has to be rolled back after InvalidDocument."""
    if change.scope is TreeScope.ENDPOINT:
        return _at_endpoint(connection, change)
    before = read_nodes(connection)
    if change.scope is TreeScope.DOMAIN:
        after, made = _at_domain(before, change)
    elif change.apply_to is ApplyTo.FUTURE_DOMAINS:
        after, made = _for_future_domains(before, change)
    else:
        after, made = _for_all(before, change)
    if made.changed:
        below = change.name
        reached = [*(PolicySample(path) for path in after if is_below(path, below)), *policy_samples(connection, below)]
        errors_in(after, reached).check()
        write_nodes(connection, before, after)
    return made


def _for_all(nodes: Nodes, change: TreeChange) -> tuple[dict[str, Node], Changed]:
    """Own values of domains and endpoints still win; initial values of domains do not."""
    root, keys = nodes[""], replaced_by(change.values, change.inherit)
    after = {path: replace(node, born=without(node.born, keys)) for path, node in nodes.items()}
    own, future = changed(root.own, change.values, change.inherit), without(root.future, keys)
    after[""] = Node(own=own, future=future)
    reached = tuple(path for path in nodes if path and after[path] != nodes[path])
    return after, Changed(root.own, own, reached, future != root.future)


def _for_future_domains(nodes: Nodes, change: TreeChange) -> tuple[dict[str, Node], Changed]:
    root = nodes[""]
    future = changed(root.future, change.values, change.inherit)
    return {**nodes, "": replace(root, future=future)}, Changed(root.future, future)


def _at_domain(nodes: Nodes, change: TreeChange) -> tuple[dict[str, Node], Changed]:
    if change.name not in nodes:
        near = suggestion(change.name, [path for path in nodes if path])
        raise InvalidDocument((ValidationError("name", show(change.name), f"a registered domain{near}"),))
    node = nodes[change.name]
    # A key that is to be inherited again is inherited from the tree, not from the day on which the domain was made.
    after = Node(changed(node.own, change.values, change.inherit), without(node.born, change.inherit))
    return {**nodes, change.name: after}, Changed(node.values, after.values, kept=after != node)


def _at_endpoint(connection: sqlite3.Connection, change: TreeChange) -> Changed:
    row = connection.execute("SELECT domain, policy FROM endpoints WHERE name = ?", (change.name,)).fetchone()
    if row is None:
        raise InvalidDocument((ValidationError("name", show(change.name), "a registered endpoint"),))
    before = json.loads(row["policy"]) if row["policy"] else {}
    after = changed(before, change.values, change.inherit)
    if after != before:
        errors_in(read_nodes(connection), [PolicySample(row["domain"], change.name, after)]).check()
        connection.execute("UPDATE endpoints SET policy = ? WHERE name = ?", (text(after), change.name))
        dirty_shards.mark(connection, [change.name])
    return Changed(before, after)
