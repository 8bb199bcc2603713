# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Calendars in systemd's notation, read back by systemd itself."""

from __future__ import annotations

import re
import shutil
import subprocess
from datetime import datetime, timezone
from functools import cache
from math import gcd
from zoneinfo import ZoneInfo

import pytest
from ansible_collections.epp.autoupdate.plugins.module_utils._core.policy.policy import (
    Frequency,
    Policy,
    Schedule,
    Weekday,
)
from ansible_collections.epp.autoupdate.plugins.module_utils._core.schedule.calendars import (
    DailyCalendar,
    IntervalCalendar,
    UtcRule,
)
from ansible_collections.epp.autoupdate.plugins.module_utils._core.schedule.timetable import Timetable
from ansible_collections.epp.autoupdate.plugins.module_utils._core.timezones import offset_changes
from ansible_collections.epp.autoupdate.plugins.module_utils._core.values import replace
from ansible_collections.epp.autoupdate.plugins.module_utils._host.systemd.calendar import on_calendar
from ansible_collections.epp.autoupdate.tests.unit.plugins.module_utils._host.samples import DAILY

DAY = 86400
MINUTE_TICKS = sorted({gcd(60 * minutes, DAY) for minutes in range(1, 60)})
OTHER_ZONES = ("America/New_York", "Africa/Casablanca", "Australia/Lord_Howe")
HOUR_TICKS = sorted({gcd(3600 * hours, DAY) for hours in range(1, 24)})

needs_systemd_analyze = pytest.mark.skipif(
    shutil.which("systemd-analyze") is None, reason="systemd-analyze is not installed"
)


def test_a_daily_rule_keeps_its_zone_and_adds_rules_in_utc():
    assert on_calendar(DAILY) == ("*-*-* 12:34:56 Europe/Berlin", "Sun *-03-25..31 01:30:00 UTC")


def test_rules_are_written_with_ranges():
    some = UtcRule((Weekday.SATURDAY, Weekday.SUNDAY), (3, 4), (1, 26, 27, 30), 3 * 3600 + 5)
    wandering = UtcRule((Weekday.SUNDAY,), tuple(range(1, 13)), tuple(range(1, 32)), 60)
    rules = on_calendar(replace(DAILY, extra=(some, wandering)))[1:]
    assert rules == ("Sat,Sun *-03..04-01,26..27,30 03:00:05 UTC", "Sun *-*-* 00:01:00 UTC")


def test_a_weekly_rule_names_its_day():
    assert on_calendar(replace(DAILY, weekday=Weekday.SUNDAY, extra=())) == ("Sun *-*-* 12:34:56 Europe/Berlin",)


def test_the_host_s_own_zone_needs_no_name():
    assert on_calendar(DailyCalendar(None, 1, 2, 3, "local")) == ("*-*-* 01:02:03",)


@pytest.mark.parametrize(
    "tick", [tick for tick in (*MINUTE_TICKS, *HOUR_TICKS) if 3600 % tick == 0 or tick % 3600 == 0]
)
def test_a_tick_that_divides_an_hour_or_is_whole_hours_is_one_expression(tick):
    assert len(on_calendar(IntervalCalendar(tick, tick - 1))) == 1


@pytest.mark.parametrize("tick", MINUTE_TICKS)
def test_no_tick_needs_many_expressions(tick):
    assert len(on_calendar(IntervalCalendar(tick, 59))) <= 8


def test_examples():
    assert on_calendar(IntervalCalendar(60, 7)) == ("*-*-* *:*:07 UTC",)
    assert on_calendar(IntervalCalendar(1200, 67)) == ("*-*-* *:01,21,41:07 UTC",)
    assert on_calendar(IntervalCalendar(7200, 3661)) == ("*-*-* 01,03,05,07,09,11,13,15,17,19,21,23:01:01 UTC",)


@needs_systemd_analyze
@pytest.mark.parametrize("phase_of_tick", [0.0, 0.5, 0.9999])
@pytest.mark.parametrize("tick", sorted({*MINUTE_TICKS, *HOUR_TICKS}))
def test_systemd_elapses_at_every_tick_and_at_no_other_instant(tick, phase_of_tick):
    phase = int(tick * phase_of_tick)
    calendar = IntervalCalendar(tick, phase)
    count = min(DAY // tick, 200)
    elapses = sorted(moment for expression in on_calendar(calendar) for moment in systemd_elapses(expression, count))
    assert {moment % tick for moment in elapses} == {phase}
    first = elapses[: count - 1]
    assert first == list(range(first[0], first[0] + tick * len(first), tick))


@needs_systemd_analyze
def test_systemd_reads_daily_rules():
    rule = on_calendar(DAILY)[0]
    assert {datetime.fromtimestamp(moment, timezone.utc).minute for moment in systemd_elapses(rule, 3)} == {34}


@needs_systemd_analyze
@pytest.mark.parametrize(
    "name", ["Europe/Berlin", *(pytest.param(name, marks=pytest.mark.heavy) for name in OTHER_ZONES)]
)
@pytest.mark.parametrize(("frequency", "window"), [(Frequency.DAILY, 4 * 3600), (Frequency.WEEKLY, 6 * 86400)])
def test_systemd_elapses_at_the_slot_of_each_day_on_which_the_clock_changes(name, frequency, window):
    zone, year = ZoneInfo(name), datetime.now(timezone.utc).year + 1
    schedule = Schedule(frequency=frequency, day=Weekday.WEDNESDAY, start=1800, window=window, timezone=name)
    timetable = Timetable.of(schedule, endpoint="n1", ordinal=2, zone=zone)
    rules = on_calendar(timetable.calendar(year - 1))
    elapses = {moment for rule in rules for moment in systemd_elapses(rule, 1000)}
    begin, end = (int(datetime(y, 1, 1, tzinfo=timezone.utc).timestamp()) for y in (year, year + 2))
    changes = offset_changes(begin, end, zone)
    assert changes
    for change in changes:
        slots = [slot for slot in timetable.grid.around(change) if abs(slot.at - change) < 8 * DAY]
        assert {slot.at for slot in slots} <= elapses


@needs_systemd_analyze
@pytest.mark.parametrize("other", [None, "America/New_York"])
def test_systemd_elapses_at_each_slot_that_blackouts_leave(other):
    """G7: cut every week, in a zone whose clock changes on other days, and once at both ends of a freeze."""
    zone, year = ZoneInfo("Europe/Berlin"), datetime.now(timezone.utc).year + 1
    weekly = {"days": ["monday", "thursday"], "from": "01:00", "to": "03:30", **({"timezone": other} if other else {})}
    freeze = {"from": f"{year}-05-10T02:00", "to": f"{year}-05-20T01:45"}
    policy = {
        "schedule": {"start": "01:30", "window": "8h", "timezone": "Europe/Berlin", "blackouts": [weekly, freeze]}
    }
    timetable = Timetable.of(Policy.from_dict(policy).schedule, endpoint="n1", ordinal=2, zone=zone)
    rules = on_calendar(timetable.calendar(year - 1))
    elapses = {moment for rule in rules for moment in systemd_elapses(rule, 1000)}
    begin, end = (int(datetime(y, 1, 1, tzinfo=timezone.utc).timestamp()) for y in (year, year + 1))
    at, slots = begin, []
    while (slot := timetable.next_slot(at)) is not None and slot.at < end:
        slots.append(slot.at)
        at = slot.at
    assert 340 < len(slots) < 366
    assert len({(slot - begin) % DAY for slot in slots}) >= 4
    assert set(slots) <= elapses


@cache
def systemd_elapses(expression: str, count: int) -> tuple[int, ...]:
    """The next ``count`` instants at which systemd says the expression elapses."""
    argv = ["systemd-analyze", "calendar", f"--iterations={count}", expression]
    told = subprocess.run(argv, capture_output=True, text=True, check=True, env={"TZ": "UTC", "LC_ALL": "C"}).stdout
    stamps = re.findall(r"(?:Next elapse|Iter\. #\d+): \w+ (\d+-\d+-\d+ \d+:\d+:\d+) UTC", told)
    return tuple(
        int(datetime.strptime(stamp, "%Y-%m-%d %H:%M:%S").replace(tzinfo=timezone.utc).timestamp()) for stamp in stamps
    )
