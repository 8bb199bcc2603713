# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Detects published content that is out of scope for every endpoint."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable

from ..._core.metadata.catalog import CatalogItem
from ..._core.policy.enums import Scope
from ..._core.rollout.outdated import KINDS
from ..._core.settings.endpoint_keys import ProductKind
from .policies import endpoint_policies, newcomer


def out_of_scope(connection: sqlite3.Connection, items: Iterable[CatalogItem]) -> str:
    """The fault, and the setting to change, where no ``components.scope`` of the fleet takes any of these files; else
    empty.

    Without endpoints, the policy of a newly registered one counts.
    """
    kinds = {item.kind for item in items}
    files = ProductKind.FILES.value
    fleet = [one for one in endpoint_policies(connection) if one.has(files)] or [newcomer(connection)]
    scopes = {member.scope_of(files) for member in fleet}
    if not kinds or any(kinds & set(KINDS[scope]) for scope in scopes):
        return ""
    there = " and ".join(sorted(kind.value for kind in kinds))
    words = " and ".join(sorted(scope.value for scope in scopes))
    taking = next(word.value for word in Scope if kinds <= set(KINDS[word]))
    why = f"no endpoint takes any of it: it is of kind {there}, and components.scope is {words} everywhere"
    return f"{why} (set {taking}, or declare other kinds in the source)"
