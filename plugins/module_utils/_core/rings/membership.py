# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which ring an endpoint is in: named by itself, by its domain, or by its share of the rest (G1).

A share follows the ordinal as slots do (S5): of each thousand ordinals in a row exactly so many are in it, ordinal 0
is in the first share, and whoever is in a smaller share is in the larger one.
"""

from __future__ import annotations

from ..schedule.slots import even_slot
from ..settings.rollout import ProductRollout

SHARES = 1000
"""A share is counted in tenths of a percent."""


class RingMembership:
    """The rings of one product, ready to be asked for many endpoints."""

    def __init__(self, rollout: ProductRollout) -> None:
        self._endpoints = {name: ring.name for ring in rollout.rings for name in ring.endpoints}
        self._domains = {path: ring.name for ring in rollout.rings for path in ring.domains}
        self._bounds: list[tuple[int, str]] = []
        self._last = rollout.rings[-1].name
        end = 0
        for ring in rollout.rings:
            end += ring.permille
            self._bounds += [(end, ring.name)] if ring.permille else []

    def ring_of(self, name: str, domain: str, ordinal: int) -> str:
        """The name of the one ring that an endpoint is in."""
        if name in self._endpoints:
            return self._endpoints[name]
        if self._domains:
            path = domain
            while path:
                if path in self._domains:
                    return self._domains[path]
                path = path.rpartition("/")[0]
        if self._bounds:
            place = even_slot(max(ordinal, 0), SHARES)
            for end, ring in self._bounds:
                if place < end:
                    return ring
        return self._last
