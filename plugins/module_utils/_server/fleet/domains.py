# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The domains of the tree after a registration: created on use, removed only on request (P2)."""

from __future__ import annotations

from collections.abc import Collection

from ..._core.policy.overrides import Node
from ..._core.settings.registration import Registration
from ..._core.validation.errors import ValidationError
from ..._core.values import replace
from .nodes import Nodes, ancestry, is_below


def plan_domains(
    nodes: Nodes, wanted: Registration, *, used: Collection[str]
) -> tuple[dict[str, Node], tuple[ValidationError, ...]]:
    """All nodes after the registration, and an error for each domain to be removed that still has endpoints.

    ``used`` are the domains of endpoints.
    """
    named = wanted.domains or {}
    needed = {path for domain in (*named, *used) for path in ancestry(domain)}
    after = dict(nodes)
    for path in sorted(needed - set(nodes)):
        after[path] = _born(nodes, path)
    if wanted.root is not None:
        after[""] = replace(nodes[""], own=wanted.root)
    for path, policy in named.items():
        if policy is not None:
            after[path] = replace(after[path], own=policy)
    return _purged(after, wanted, used) if wanted.purge and wanted.domains is not None else (after, ())


def _born(nodes: Nodes, path: str) -> Node:
    """A new domain: at the top it starts with the root's values for future domains; inside another one it inherits."""
    return Node() if "/" in path else Node(born=nodes[""].future)


def _purged(
    nodes: Nodes, wanted: Registration, used: Collection[str]
) -> tuple[dict[str, Node], tuple[ValidationError, ...]]:
    """Without the domains that are neither named nor contain a named one.

    Where the document names the endpoints too, the domain of each remaining endpoint counts as named.
    """
    domains = {*(wanted.domains or {}), *(used if wanted.endpoints is not None else ())}
    kept = {"", *(path for domain in domains for path in ancestry(domain))}
    errors = []
    for path in (path for path in nodes if path not in kept):
        inside = sorted(domain for domain in used if is_below(domain, path))
        if inside:
            errors.append(
                ValidationError(f"domains[{path}]", "its absence", f"possible while endpoints are in {inside[0]}")
            )
    return {path: node for path, node in nodes.items() if path in kept}, tuple(errors)
