# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Private: calendars in systemd's own notation (systemd.time(7))."""

from __future__ import annotations

from ..._core.calendars import Calendar, DailyCalendar, IntervalCalendar
from ..._host.systemd_times import intervals
from ..zones import LOCAL


def on_calendar(calendar: Calendar) -> tuple[str, ...]:
    """The ``OnCalendar=`` values which together elapse at the calendar's instants, to the second.

    A daily rule is written in its zone, where systemd follows the changes of its offset; the instants that it would
    get wrong (systemd skips a day whose local time does not exist) are added one by one in UTC. Intervals are written
    in UTC, where a day always has 86400 s.
    """
    if isinstance(calendar, IntervalCalendar):
        return intervals(calendar.tick, calendar.phase % calendar.tick)
    return (_daily(calendar), *(_instant(moment) for moment in calendar.extra))


def _daily(calendar: DailyCalendar) -> str:
    day = "" if calendar.weekday is None else f"{calendar.weekday.value[:3].capitalize()} "
    zone = "" if calendar.zone_name == LOCAL else f" {calendar.zone_name}"
    return f"{day}*-*-* {calendar.hour:02}:{calendar.minute:02}:{calendar.second:02}{zone}"


def _instant(moment: int) -> str:
    from datetime import datetime, timezone

    return f"{datetime.fromtimestamp(moment, timezone.utc):%Y-%m-%d %H:%M:%S} UTC"
