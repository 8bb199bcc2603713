# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Schedules with blackouts, and what a wall clock says of them: no arithmetic of the library's own."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from ansible_collections.epp.autoupdate.plugins.module_utils._core.policy.blackouts import WeeklyBlackout
from ansible_collections.epp.autoupdate.plugins.module_utils._core.policy.policy import Policy, Schedule
from ansible_collections.epp.autoupdate.plugins.module_utils._core.schedule.timetable import Timetable
from hypothesis import strategies as st

ZONES = ("UTC", "Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Africa/Casablanca")
CHANGES = {
    "UTC": datetime(2026, 3, 29, tzinfo=ZoneInfo("UTC")),
    "Europe/Berlin": datetime(2026, 10, 25, tzinfo=ZoneInfo("Europe/Berlin")),
    "America/New_York": datetime(2026, 3, 8, tzinfo=ZoneInfo("America/New_York")),
    "Australia/Lord_Howe": datetime(2026, 4, 5, tzinfo=ZoneInfo("Australia/Lord_Howe")),
    "Africa/Casablanca": datetime(2026, 2, 15, tzinfo=ZoneInfo("Africa/Casablanca")),
}
"""A local day on which the zone changes its offset (UTC: on which others do)."""
DAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")


def schedule_of(**keys: Any) -> Schedule:
    return Policy.from_dict({"schedule": keys}).schedule


def table(schedule: Schedule, ordinal: int = 0) -> Timetable:
    zone = ZoneInfo(schedule.timezone)
    return Timetable.of(schedule, endpoint=f"n{ordinal}", ordinal=ordinal, zone=zone)


def is_blacked_out(schedule: Schedule, instant: float) -> bool:
    """Whether a wall clock in the zone of any blackout shows a time that lies in it."""
    return any(_shows(one, one.timezone or schedule.timezone, instant) for one in schedule.blackouts)


def _shows(one: Any, zone: str, instant: float) -> bool:
    wall = datetime.fromtimestamp(instant, ZoneInfo(zone))
    if isinstance(one, WeeklyBlackout):
        second = wall.hour * 3600 + wall.minute * 60 + wall.second
        numbers = {day.number for day in one.days}
        today = wall.weekday() in numbers and one.start <= second < one.end
        return today or ((wall.weekday() - 1) % 7 in numbers and one.start <= second + 86400 < one.end)
    if one.start.utc:
        return bool(one.start.seconds <= instant < one.end.seconds)
    naive = (wall.replace(tzinfo=None, fold=0) - datetime(1970, 1, 1)).total_seconds()  # noqa: DTZ001  # both sides are local
    return bool(one.start.seconds <= naive < one.end.seconds)


def _clock(minute: int) -> str:
    return f"{minute // 60:02}:{minute % 60:02}"


MINUTES = st.integers(0, 1439).map(_clock)
WEEKLY = st.fixed_dictionaries(
    {"from": MINUTES, "to": MINUTES},
    optional={
        "days": st.lists(st.sampled_from(DAYS), min_size=1, max_size=3, unique=True),
        "timezone": st.sampled_from(ZONES),
    },
)


@st.composite
def schedules(draw: st.DrawFn) -> Schedule:
    """A schedule with windows that weekly blackouts and one with a date may cut, in a zone near a change."""
    zone = draw(st.sampled_from(ZONES))
    begin = CHANGES[zone].replace(tzinfo=None) + timedelta(minutes=draw(st.integers(-4 * 1440, 4 * 1440)))
    end = begin + timedelta(minutes=draw(st.integers(1, 5 * 1440)))
    dated = {"from": begin.isoformat(timespec="minutes"), "to": end.isoformat(timespec="minutes")}
    weekly = draw(st.lists(WEEKLY, min_size=0, max_size=2, unique_by=str))
    keys: dict[str, Any] = {"timezone": zone, "start": draw(MINUTES), "window": f"{draw(st.integers(1, 1439))}m"}
    if draw(st.booleans()):
        keys.update(frequency="weekly", day=draw(st.sampled_from(DAYS)), window=f"{draw(st.integers(1, 3 * 1440))}m")
    try:
        return schedule_of(**keys, blackouts=[*weekly, *([dated] if draw(st.booleans()) or not weekly else [])])
    except ValueError:  # the two take the whole week
        return schedule_of(**keys, blackouts=[dated])
