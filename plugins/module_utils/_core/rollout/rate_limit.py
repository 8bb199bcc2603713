# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""How many requests a vendor may still be sent (guard of a component source). Times are Unix seconds."""

from __future__ import annotations

from ..values import frozen, replace

HOUR = 3600.0
LONGEST = 7 * 24 * HOUR
"""A cool-down that ends later than this was written down by a clock that was ahead: no vendor asks for so long."""


@frozen
class RateLimit:
    """The requests of the last hour, one instant each, and the end of a cool-down that the vendor asked for."""

    spent: tuple[float, ...] = ()
    until: float = 0.0

    def free_at(self, now: float, *, limit: int, cost: int) -> float:
        """When ``cost`` more requests fit into ``limit`` an hour and no cool-down is on; ``now`` if at once.

        A limit of 0 is none. What costs more than a whole hour's limit waits for an hour without any request.
        """
        recent = sorted(self._recent(now))
        over = len(recent) + cost - limit if limit else 0
        fits = now if over <= 0 or not recent else recent[min(over, len(recent)) - 1] + HOUR
        return max(now, self.until if self.cooling(now) else now, fits)

    def cooling(self, now: float) -> bool:
        """Whether a cool-down is on."""
        return now < self.until <= now + LONGEST

    def spend(self, now: float, cost: int) -> RateLimit:
        """The budget after ``cost`` requests at ``now``."""
        return replace(self, spent=(*self._recent(now), *[now] * cost))

    def cooled(self, until: float, now: float) -> RateLimit:
        """The budget under a cool-down until then; an earlier end never shortens a later one that is on."""
        return replace(self, until=max(self.until, until) if self.cooling(now) else until)

    def _recent(self, now: float) -> list[float]:
        # Instants in the future are of a clock that went wrong: they must not silence the server for years.
        return [instant for instant in self.spent if now - HOUR < instant <= now]
