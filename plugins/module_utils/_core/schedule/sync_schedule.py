# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""When an endpoint asks its update server for its configuration (SPEC S2)."""

from __future__ import annotations

from datetime import date, timedelta

from ..policy.enums import DAY, Spread
from ..timezones import date_exists, instant_of, local_date
from .calendars import IntervalCalendar
from .slots import even_slot, hashed_ordinal, random_slot
from .timetable import Timetable

OVERDUE = 26 * 3600
"""Seconds after which an endpoint should have asked, and reported: it does so once a day at least (C1, R4). The rest is
for a server or an endpoint that was away."""


def configuration_due(timetable: Timetable, *, now: float, last: float | None) -> bool:
    """Whether a scheduled run at ``now`` asks for the configuration; ``last`` is when it was last asked for."""
    instant = configuration_instant(timetable, now)
    # A last time in the future is a clock that was wrong, and no reason to be silent until then.
    return instant is None or last is None or last < instant or last > now


def configuration_instant(timetable: Timetable, now: float) -> int | None:
    """The latest instant, at or before ``now``, from which on a configuration counts as today's.

    Each endpoint has its own, spread over the local day as slots are over a window. None where the schedule knows
    none: every scheduled run asks for the configuration then.
    """
    schedule = timetable.grid.schedule
    if schedule.frequency.windowed or not schedule.configuration_once_per_day:
        return None
    today = local_date(now, timetable.zone)
    days = (today - timedelta(days=number) for number in range(4))
    instants = (_instant(timetable, day) for day in days if date_exists(day, timetable.zone))
    return next(instant for instant in instants if instant <= now)


def daily_calendar(endpoint: str, ordinal: int | None) -> IntervalCalendar:
    """When an endpoint that runs no scheduled update is woken to ask all the same: once a day, each at its own second.

    Otherwise nobody could ever switch its updates on again.
    """
    return IntervalCalendar(tick=DAY, phase=even_slot(hashed_ordinal(endpoint) if ordinal is None else ordinal, DAY))


def daily_due(calendar: IntervalCalendar, *, now: float, last: float | None) -> bool:
    """Whether it is time to ask, once in each of the calendar's days; ``last`` is when an answer came last."""
    instant = now - (now - calendar.phase) % calendar.tick
    return last is None or last < instant or last > now


def _instant(timetable: Timetable, day: date) -> int:
    grid = timetable.grid
    if grid.schedule.spread is Spread.RANDOM:
        offset = random_slot(grid.endpoint, f"configuration {day.isoformat()}", DAY)
    else:
        offset = even_slot(grid.ordinal, DAY)
    return instant_of(day, 0, timetable.zone).instant + offset
