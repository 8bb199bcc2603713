# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The client tree: states by domain, and the policy of each with the source of every value (P2)."""

from __future__ import annotations

import sqlite3
from collections import Counter
from collections.abc import Iterable
from typing import Any

from ..._core.masking import without_secrets
from ..._core.policy.inheritance import resolve
from ..._core.policy.of_products import general
from ..._core.policy.overrides import flat
from ..._core.reports.states import EndpointState
from ..._core.validation.errors import InvalidDocument
from ..fleet.explain import sources
from ..fleet.nodes import Nodes, ancestry, layers, read_nodes
from .facts import EndpointFacts

MOST = 200
"""How many domains are told of, those of most endpoints."""


def domains(connection: sqlite3.Connection, facts: Iterable[EndpointFacts]) -> tuple[list[dict[str, Any]], int]:
    """Each domain with its endpoints and those below it, the root first; and how many domains are left out."""
    nodes = read_nodes(connection)
    counts: dict[str, Counter[str]] = {path: Counter() for path in nodes}
    for one in facts:
        for path in ["", *ancestry(one.domain)]:
            counts.setdefault(path, Counter())[one.health.assessment.state.value] += 1
    largest = sorted(counts, key=lambda path: (-sum(counts[path].values()), path))[:MOST]
    told = [_domain(path, counts[path], nodes) for path in sorted(largest)]
    return told, len(counts) - len(told)


def _domain(path: str, counts: Counter[str], nodes: Nodes) -> dict[str, Any]:
    states = {state.value: counts[state.value] for state in EndpointState}
    about: dict[str, Any] = {"domain": path, "endpoints": sum(counts.values()), "states": states}
    try:
        found = resolve(general(layers(nodes, path)), stored=True)
    except InvalidDocument as error:
        return {**about, "policy": [], "error": str(error.errors[0])}
    values, origins = flat(found.policy.to_dict()), sources(found, nodes)
    policy = [{"key": key, "value": _text(values.get(key)), "source": origin} for key, origin in origins.items()]
    return {**about, "policy": policy, "error": ""}


def _text(value: Any) -> str:
    """A value as people read it; a customer's key in a URL is not for everybody who gets the report."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (list, tuple)):
        return without_secrets(", ".join(map(str, value)))
    return "" if value is None else without_secrets(str(value))
