# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""S2: the configuration once per day, at an endpoint's own time of the day."""

from __future__ import annotations

from collections import Counter
from datetime import datetime, timezone
from zoneinfo import ZoneInfo

import pytest
from ansible_collections.epp.autoupdate.plugins.module_utils._core.policy.policy import Frequency, Schedule, Spread
from ansible_collections.epp.autoupdate.plugins.module_utils._core.schedule.sync_schedule import (
    configuration_due,
    configuration_instant,
    daily_calendar,
    daily_due,
)
from ansible_collections.epp.autoupdate.plugins.module_utils._core.schedule.timetable import Timetable

NOON = int(datetime(2026, 5, 1, 12, tzinfo=timezone.utc).timestamp())
HOURLY = Schedule(frequency=Frequency.HOURS)


def table(schedule: Schedule, ordinal: int = 4, zone: str = "UTC") -> Timetable:
    return Timetable.of(schedule, endpoint=f"n{ordinal}", ordinal=ordinal, zone=ZoneInfo(zone))


@pytest.mark.parametrize(
    "schedule", [Schedule(), Schedule(frequency=Frequency.HOURS, configuration_once_per_day=False)]
)
def test_every_run_asks_where_there_is_no_once_per_day(schedule: Schedule) -> None:
    assert configuration_due(table(schedule), now=NOON, last=NOON - 1)
    assert configuration_instant(table(schedule), NOON) is None


@pytest.mark.parametrize("zone", ["UTC", "Europe/Berlin", "Pacific/Apia", "America/Havana"])
@pytest.mark.parametrize("spread", list(Spread))
def test_hourly_runs_ask_once_in_a_day(zone: str, spread: Spread) -> None:
    timetable = table(Schedule(frequency=Frequency.HOURS, timezone=zone, spread=spread), zone=zone)
    begin = int(datetime(2026, 3, 1, tzinfo=timezone.utc).timestamp())
    last: float | None = begin
    asked = []
    for hour in range(24 * 60):
        now = begin + hour * 3600 + 17
        if configuration_due(timetable, now=now, last=last):
            asked.append(now)
            last = now
    assert 59 <= len(asked) <= 61


def test_a_fleet_asks_all_over_the_day() -> None:
    instants = [configuration_instant(table(HOURLY, ordinal), NOON) for ordinal in range(240)]
    hours = [(NOON - instant) // 3600 for instant in instants if instant is not None]
    assert {hours.count(hour) for hour in range(24)} <= {9, 10, 11}


def test_an_endpoint_that_never_asked_or_asked_in_the_future_asks() -> None:
    assert configuration_due(table(HOURLY), now=NOON, last=None)
    assert configuration_due(table(HOURLY), now=NOON, last=NOON + 10**8)


def test_the_daily_waking_is_spread_and_due_once_a_day() -> None:
    calendars = [daily_calendar("n", ordinal) for ordinal in range(1440)]
    assert max(Counter(calendar.phase // 600 for calendar in calendars).values()) <= 12
    calendar = daily_calendar("n1", 7)
    instant = 1795348800 // 86400 * 86400 + calendar.phase
    assert daily_due(calendar, now=instant, last=None)
    assert daily_due(calendar, now=instant, last=instant - 1)
    assert not daily_due(calendar, now=instant + 86399, last=instant)
    assert not daily_due(calendar, now=instant - 1, last=instant - 86400)
    assert daily_due(calendar, now=instant, last=instant + 5), "a last time in the future is a clock that was wrong"
    assert daily_calendar("n1", None) != daily_calendar("n2", None)
