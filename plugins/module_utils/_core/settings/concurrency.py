# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""How many endpoints may be in flight at an instant, by class of hour (N1)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, tzinfo
from enum import Enum

from ..values import frozen

DEFAULT_CAP = 250
DAY = 86400
_ALLOWED = "not hours of the day (try 08:00-18:00)"


class HourClass(str, Enum):
    """The classes of hours."""

    NORMAL = "normal"
    PEAK = "peak"
    OFF_PEAK = "off_peak"


@frozen
class HourRange:
    """A part of the day in seconds after local midnight, half-open; one that ends before it begins goes on past
    midnight."""

    start: int
    end: int

    @classmethod
    def parse(cls, text: str) -> HourRange:
        """Read ``08:00-18:00``; ValueError for anything else, and for an empty span."""
        first, dash, last = text.partition("-")
        start, end = _clock(first), _clock(last)
        if not dash or start in (end, DAY):
            raise ValueError(_ALLOWED)
        return cls(start, end)

    def holds(self, second: int) -> bool:
        if self.start < self.end:
            return self.start <= second < self.end
        return second >= self.start or second < self.end

    def __str__(self) -> str:
        return "-".join(f"{second // 3600:02}:{second % 3600 // 60:02}" for second in (self.start, self.end))


@frozen
class ConcurrencyLimits:
    """The caps of the three classes and their hours; where spans of both overlap, it is peak."""

    normal: int = DEFAULT_CAP
    peak: int = DEFAULT_CAP
    off_peak: int = DEFAULT_CAP
    peak_hours: Sequence[HourRange] = ()
    off_peak_hours: Sequence[HourRange] = ()

    @property
    def most(self) -> int:
        """The cap of the class that has the highest."""
        return max(self.normal, self.peak, self.off_peak)

    def class_at(self, now: float, zone: tzinfo) -> HourClass:
        """The class of an instant, by the clock of ``zone``."""
        local = datetime.fromtimestamp(now, zone)
        second = local.hour * 3600 + local.minute * 60 + local.second
        if any(span.holds(second) for span in self.peak_hours):
            return HourClass.PEAK
        if any(span.holds(second) for span in self.off_peak_hours):
            return HourClass.OFF_PEAK
        return HourClass.NORMAL

    def at(self, now: float, zone: tzinfo) -> int:
        """How many endpoints may be in flight at an instant."""
        return {
            HourClass.NORMAL: self.normal,
            HourClass.PEAK: self.peak,
            HourClass.OFF_PEAK: self.off_peak,
        }[self.class_at(now, zone)]


def _clock(text: str) -> int:
    """Seconds after midnight of ``HH:MM``; ``24:00`` is the day's end."""
    hours, colon, minutes = text.strip().partition(":")
    if not (colon and len(hours) == 2 and len(minutes) == 2 and (hours + minutes).isdigit() and text.isascii()):
        raise ValueError(_ALLOWED)
    second = int(hours) * 3600 + int(minutes) * 60
    if int(minutes) > 59 or second > DAY:
        raise ValueError(_ALLOWED)
    return second
