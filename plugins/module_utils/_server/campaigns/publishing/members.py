# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Who hears what is published to a ring, or to all endpoints of a product, and is meant by it (E1, G1, L3)."""

from __future__ import annotations

import sqlite3
from collections.abc import Collection, Mapping

from ...._core.policy.enums import Scope
from ...._core.rings.membership import RingMembership
from ...._core.values import field, frozen
from ...._host.host import Host
from ...components.configured import rollout_settings
from ...fleet.policies import EndpointPolicy, endpoint_policies


@frozen
class Group:
    """The members of a group by name, with their ordinals, and the ``scopes`` that their policies have; none is named
    where every scope is meant."""

    ordinals: Mapping[str, int] = field(default_factory=dict)
    scopes: tuple[Scope, ...] = ()


class Members:
    """The registered endpoints that are told of new versions, by what makes them members of a group; read when a group
    is asked for, and once."""

    def __init__(self, host: Host, connection: sqlite3.Connection) -> None:
        self._host = host
        self._connection = connection
        self._told: tuple[EndpointPolicy, ...] | None = None
        self._reported: dict[str, set[str]] = {}

    def group(self, product: str, ring: str, behind: Collection[str]) -> Group:
        """The endpoints of a product, in a ring of it where one is named, that take what made these ones ``behind``."""
        able = [member for member in self._able() if self._is_told(member, product)]
        if ring:
            rings = self._rings(product)
            able = [one for one in able if rings and rings.ring_of(one.name, one.domain, one.ordinal) == ring]
        scope_of = {member.name: member.scope_of(product) for member in able}
        scopes = {scope for name, scope in scope_of.items() if name in behind}
        named = () if scopes == set(Scope) else tuple(scope for scope in Scope if scope in scopes)
        ordinals = {member.name: member.ordinal for member in able if scope_of[member.name] in scopes}
        return Group(ordinals, named)

    def _rings(self, product: str) -> RingMembership | None:
        """The rings of a product; None where it has none any more."""
        rollout = rollout_settings(self._host).products.get(product)
        return None if rollout is None else RingMembership(rollout)

    def _able(self) -> tuple[EndpointPolicy, ...]:
        if self._told is None:
            everybody = endpoint_policies(self._connection)
            self._told = tuple(member for member in everybody if member.notified)
            for row in self._connection.execute("SELECT endpoint, product FROM holdings"):
                self._reported.setdefault(row["endpoint"], set()).add(row["product"])
        return self._told

    def _is_told(self, member: EndpointPolicy, product: str) -> bool:
        policy = member.policy_of(product)
        if policy is None or not policy.events.update_after_download:
            return False
        return member.is_notified_of(product) and member.has(product, self._reported.get(member.name, ()))
