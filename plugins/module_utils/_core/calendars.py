# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Private: when a scheduler has to wake the agent, in a form that every scheduler can be told.

A calendar may wake too often, never too seldom: what is due at a waking, ``Timetable.decide`` says.
"""

from __future__ import annotations

from typing import Union

from .policy_words import DAY, Weekday
from .values import value


@value
class DailyCalendar:
    """A local time every day, or every week on ``weekday``, and the instants at which that rule does not serve.

    ``zone_name`` is an IANA name or ``local``. ``extra`` are Unix seconds, on the days of a change of daylight saving
    time: a scheduler that only knows local time would leave the day out, or take the wrong one of two instants.
    ``utc_minutes`` are the minutes of a UTC hour in which all these instants lie, for schedulers without zones.
    """

    weekday: Weekday | None
    hour: int
    minute: int
    second: int
    zone_name: str
    extra: tuple[int, ...] = ()
    utc_minutes: tuple[int, ...] = ()


@value
class IntervalCalendar:
    """Every ``tick`` seconds, whenever Unix time modulo ``tick`` is ``phase``; a day is a whole number of ticks."""

    tick: int
    phase: int


Calendar = Union[DailyCalendar, IntervalCalendar]


def hours_by_minutes(every: int, phase: int) -> dict[tuple[int, ...], list[int]]:
    """The instants of a day (seconds ``phase``, ``phase + every`` ... after midnight) as minutes and hours.

    Hours that share their minutes are together. Where ``every`` does not divide a day, its last interval is shorter.
    """
    minutes_of_hour: dict[int, list[int]] = {}
    for second in range(phase, DAY, every):
        minutes_of_hour.setdefault(second // 3600, []).append(second % 3600 // 60)
    grouped: dict[tuple[int, ...], list[int]] = {}
    for hour, minutes in minutes_of_hour.items():
        grouped.setdefault(tuple(minutes), []).append(hour)
    return grouped
