# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A scheduler in a few lines: it wakes at a calendar's instants as systemd does, or at minutes of the hour as cron.

systemd leaves a local time out that a time change skips; of one that comes twice it may take either, so it is tried
with the first, with the second and with both.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime, timedelta, timezone, tzinfo

from ansible_collections.epp.autoupdate.plugins.module_utils._core.schedule.calendars import DailyCalendar, UtcRule
from ansible_collections.epp.autoupdate.plugins.module_utils._core.schedule.timetable import Action, Timetable
from ansible_collections.epp.autoupdate.plugins.module_utils._core.values import replace

PASSES = ((0,), (1,), (0, 1))


def systemd_wakings(
    calendar: DailyCalendar, zone: tzinfo, *, first: date, last: date, passes: tuple[int, ...]
) -> list[float]:
    """The instants of a timer with the calendar's local rule and those in UTC, on these local dates."""
    wakings = set()
    for number in range((last - first).days + 1):
        day = first + timedelta(days=number)
        if calendar.weekday is None or day.weekday() == calendar.weekday.number:
            wakings.update(_base(calendar, zone, day, passes))
        for rule in calendar.cut:
            if day.weekday() in [weekday.number for weekday in rule.weekdays]:
                hour, rest = divmod(rule.second, 3600)
                local = replace(calendar, hour=hour, minute=rest // 60, second=rest % 60)
                wakings.update(_base(local, zone, day, passes))
    begin, end = (datetime(day.year, day.month, day.day, tzinfo=zone).timestamp() for day in (first, last))
    wakings.update(instant for rule in calendar.extra for instant in utc_wakings(rule, first, last))
    return sorted(waking for waking in wakings if begin <= waking <= end + 86400)


def utc_wakings(rule: UtcRule, first: date, last: date) -> Iterator[float]:
    """The instants of a rule from the day before ``first`` to the day after ``last``."""
    for number in range(-1, (last - first).days + 2):
        day = first + timedelta(days=number)
        numbers = [weekday.number for weekday in rule.weekdays]
        if day.month in rule.months and day.day in rule.days and day.weekday() in numbers:
            yield datetime(day.year, day.month, day.day, tzinfo=timezone.utc).timestamp() + rule.second


def _base(calendar: DailyCalendar, zone: tzinfo, day: date, passes: tuple[int, ...]) -> Iterator[float]:
    for fold in passes:
        wall = datetime(
            day.year, day.month, day.day, calendar.hour, calendar.minute, calendar.second, tzinfo=zone, fold=fold
        )
        instant = wall.timestamp()
        # Aware times of one zone compare by their wall clocks.
        if datetime.fromtimestamp(instant, zone).replace(fold=0) == wall.replace(fold=0):
            yield instant


def cron_wakings(calendar: DailyCalendar, *, begin: float, end: float) -> list[float]:
    """The instants of an hourly cron entry with the calendar's minutes, on a host in UTC."""
    hours = range(int(begin // 3600), int(end // 3600) + 1)
    return sorted(hour * 3600.0 + minute * 60 for hour in hours for minute in calendar.utc_minutes)


def runs(timetable: Timetable, wakings: list[float], *, latency: float = 0.3) -> list[tuple[str, float]]:
    """The occurrences that an agent runs when it is woken so, each with the instant."""
    done: list[tuple[str, float]] = []
    for waking in wakings:
        decision = timetable.decide(waking + latency, [done[-1][0]] if done else [], lambda: 0.5)
        if decision.action in (Action.RUN, Action.WAIT):
            done.append((decision.slot.occurrence, decision.at))
    return done
