# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""At which minutes of the hour a scheduler that has neither seconds nor zones has to wake the agent."""

from __future__ import annotations

from collections.abc import Iterable
from math import gcd
from typing import TYPE_CHECKING

from ..._core.schedule.calendars import Calendar, IntervalCalendar
from ..host import Host
from ..timezone import clock_zone

if TYPE_CHECKING:
    from datetime import tzinfo

_HOUR = 3600
_SAMPLE_S = 10 * 86400
_SAMPLES = 75
"""Every ten days for about two years: no offset that comes back each year is missed."""
_EVERY_OFFSET = frozenset((0, 900, 1800, 2700))


def minutes_of_hour(calendar: Calendar, host: Host) -> tuple[int, ...]:
    """The minutes, in the host's own time, of every hour in which one of the calendar's instants can lie.

    Cron runs in the host's local time and knows no other. The hours stay open: which one it is depends on zones and on
    the season, and the agent's timetable knows. The minutes move only by what the host's offset from UTC leaves of an
    hour: nothing nearly everywhere, a half or a quarter in India or Nepal, now this and now that on Lord Howe Island
    with its half hour of summer time. Every minute that can occur is in the result.
    """
    offsets = _offsets(host)
    return tuple(sorted({(second + offset) % _HOUR // 60 for second in _utc_seconds(calendar) for offset in offsets}))


def _utc_seconds(calendar: Calendar) -> Iterable[int]:
    """Seconds of a UTC hour. A tick that does not divide an hour comes at other ones each hour, which all recur."""
    if isinstance(calendar, IntervalCalendar):
        tick = gcd(calendar.tick, _HOUR)
        return range(calendar.phase % tick, _HOUR, tick)
    return tuple(60 * minute for minute in calendar.utc_minutes)


def _offsets(host: Host) -> frozenset[int]:
    """What the host's zone adds to UTC, in seconds of an hour; every quarter where its file is damaged."""
    zone = clock_zone(host)
    if zone is None:
        return _EVERY_OFFSET
    first = int(host.now())
    instants = range(first, first + _SAMPLES * _SAMPLE_S, _SAMPLE_S)
    return frozenset(_offset(zone, instant) % _HOUR for instant in instants)


def _offset(zone: tzinfo, instant: int) -> int:
    from datetime import datetime, timedelta

    return int((datetime.fromtimestamp(instant, zone).utcoffset() or timedelta()).total_seconds())
