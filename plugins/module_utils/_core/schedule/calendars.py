# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""When a scheduler has to wake the agent, in a form that every scheduler can be told.

A calendar may wake too often, never too seldom: what is due at a waking, ``Timetable.decide`` says.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timezone
from typing import Union

from ..policy.enums import DAY, Weekday
from ..values import frozen

_MONTHS, _DAYS = tuple(range(1, 13)), tuple(range(1, 32))
_FEW_MONTHS = 3


@frozen
class UtcRule:
    """A second of certain days of every year, in UTC: of those of ``days`` in ``months`` that are ``weekdays``."""

    weekdays: tuple[Weekday, ...]
    months: tuple[int, ...]
    days: tuple[int, ...]
    second: int

    @property
    def every_month(self) -> bool:
        return self.months == _MONTHS

    @property
    def every_day(self) -> bool:
        return self.days == _DAYS


def rules_of(instants: Iterable[int]) -> tuple[UtcRule, ...]:
    """Few rules that hold for all of these Unix seconds, and for what comes after them as it came before.

    For changes of daylight saving time: the last Sunday of March is a Sunday from the 25th to the 31st, and so says no
    year. Changes that follow another calendar, as in Morocco, wander through the year: all of it is looked at.
    """
    by_second: dict[int, list[datetime]] = {}
    for instant in instants:
        by_second.setdefault(instant % DAY, []).append(datetime.fromtimestamp(instant, timezone.utc))
    return tuple(_rule(second, moments) for second, moments in sorted(by_second.items()))


def _rule(second: int, moments: list[datetime]) -> UtcRule:
    numbers = {moment.weekday() for moment in moments}
    weekdays = tuple(day for day in Weekday if day.number in numbers)
    months = tuple(sorted({moment.month for moment in moments}))
    if len(months) > _FEW_MONTHS:
        return UtcRule(weekdays, _MONTHS, _DAYS, second)
    return UtcRule(weekdays, months, tuple(sorted({moment.day for moment in moments})), second)


@frozen
class LocalRule:
    """A second of certain days of the week, counted from midnight by the clock of a zone."""

    weekdays: tuple[Weekday, ...]
    second: int


@frozen
class DailyCalendar:
    """A local time every day, or every week on ``weekday``, and the rules for when that one does not serve.

    ``zone_name`` is an IANA name or ``local``. ``extra`` is for the days of a change of daylight saving time: a
    scheduler that only knows local time would leave the day out, or take the wrong one of two instants. ``cut`` are
    the local times of windows that blackouts cut every week, ``extra`` also those of windows that one with a date cuts.
    ``utc_minutes`` are the minutes of a UTC hour in which all these instants lie, for schedulers without zones.
    """

    weekday: Weekday | None
    hour: int
    minute: int
    second: int
    zone_name: str
    extra: tuple[UtcRule, ...] = ()
    utc_minutes: tuple[int, ...] = ()
    cut: tuple[LocalRule, ...] = ()


@frozen
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
