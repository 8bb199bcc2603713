# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The slots of interval schedules: every N minutes or hours, each endpoint at its own phase (S1).

The grid is counted from the Unix epoch, so zones and their changes do not touch it.
"""

from __future__ import annotations

from math import gcd

from ..policy.enums import DAY, Spread
from ..policy.policy import Schedule
from ..timestamps import iso
from ..values import frozen
from .calendars import IntervalCalendar
from .slots import Slot, even_slot, product_shift, random_slot

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .blackouts import BlackoutCalendar


@frozen
class IntervalGrid:
    """The slots of one endpoint in an interval schedule."""

    schedule: Schedule
    endpoint: str
    ordinal: int
    blackouts: BlackoutCalendar | None = None
    place: int = 0
    """That of its product in the endpoint's list."""

    patient = False
    """The next slot is never far: nobody catches up."""

    waiting = False

    @property
    def phase(self) -> int:
        """Seconds from the begin of an interval to the slot; a random one is drawn once, or intervals would vary."""
        period = self.schedule.period
        random = self.schedule.spread is Spread.RANDOM
        phase = random_slot(self.endpoint, "phase", period) if random else even_slot(self.ordinal, period)
        return (phase + product_shift(self.place, period)) % period

    def around(self, now: float) -> list[Slot]:
        """The slots of the interval of ``now``, the two before and the two after, in order."""
        period = self.schedule.period
        current = int(now // period)
        return [self._slot(number * period) for number in range(current - 2, current + 3)]

    def calendar(self, year: int) -> IntervalCalendar:
        """When to be woken, the same for every year."""
        del year
        tick = gcd(self.schedule.period, DAY)
        return IntervalCalendar(tick, self.phase % tick)

    def _slot(self, start: int) -> Slot:
        at = start + self.phase
        swallowed = self.blackouts is not None and self.blackouts.at(at) is not None
        return Slot(iso(start), start, at, start + self.schedule.period, swallowed)
