# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Calendars and intervals in systemd's own notation (systemd.time(7))."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence

from ..._core.policy.enums import Weekday
from ..._core.schedule.calendars import Calendar, DailyCalendar, IntervalCalendar, UtcRule, hours_by_minutes
from ..timezone import LOCAL

_HOURS, _MINUTES = 24, 60


def on_calendar(calendar: Calendar) -> tuple[str, ...]:
    """The ``OnCalendar=`` values which together elapse at the calendar's instants, to the second.

    A daily rule is written in its zone, where systemd follows the changes of its offset; the days of a change, which
    it would get wrong (systemd skips a local time that does not exist), have rules of their own in UTC. Intervals are
    written in UTC, where a day always has 86400 s.
    """
    if isinstance(calendar, IntervalCalendar):
        return intervals(calendar.tick, calendar.phase % calendar.tick)
    cut = (_local(rule.weekdays, rule.second, calendar.zone_name) for rule in calendar.cut)
    return (_daily(calendar), *cut, *(_rule(rule) for rule in calendar.extra))


def intervals(every: int, phase: int) -> tuple[str, ...]:
    """The ``OnCalendar=`` values of instants ``every`` seconds (whole minutes), the first ``phase`` after midnight UTC.

    In UTC a day always has 86400 s. One expression where the interval divides an hour, a few otherwise.
    """
    return tuple(
        f"*-*-* {_listed(hours, _HOURS)}:{_listed(minutes, _MINUTES)}:{phase % 60:02} UTC"
        for minutes, hours in hours_by_minutes(every, phase).items()
    )


def _daily(calendar: DailyCalendar) -> str:
    days = () if calendar.weekday is None else (calendar.weekday,)
    return _local(days, calendar.hour * 3600 + calendar.minute * 60 + calendar.second, calendar.zone_name)


def _local(weekdays: Sequence[Weekday], second: int, zone_name: str) -> str:
    """A time of these days (none: of all) in a zone."""
    day = f"{','.join(map(_short, weekdays))} " if 0 < len(weekdays) < len(Weekday) else ""
    zone = "" if zone_name == LOCAL else f" {zone_name}"
    return f"{day}*-*-* {_clock(second)}{zone}"


def _clock(second: int) -> str:
    return f"{second // 3600:02}:{second // 60 % 60:02}:{second % 60:02}"


def _rule(rule: UtcRule) -> str:
    weekdays = ",".join(map(_short, rule.weekdays))
    months = "*" if rule.every_month else ",".join(_ranges(rule.months))
    days = "*" if rule.every_day else ",".join(_ranges(rule.days))
    return f"{weekdays} *-{months}-{days} {_clock(rule.second)} UTC"


def _short(weekday: Weekday) -> str:
    return weekday.value[:3].capitalize()


def _ranges(numbers: Sequence[int]) -> Iterator[str]:
    """Sorted numbers as systemd writes them: ``03``, ``25..31``."""
    first = 0
    for index, number in enumerate(numbers):
        if index + 1 == len(numbers) or numbers[index + 1] != number + 1:
            yield f"{number:02}" if first == index else f"{numbers[first]:02}..{number:02}"
            first = index + 1


def _listed(numbers: Collection[int], whole: int) -> str:
    return "*" if len(numbers) == whole else ",".join(f"{number:02}" for number in numbers)
