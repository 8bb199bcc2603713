# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Cron's minutes in the host's zone: never one too few, whatever the zones and the season."""

from __future__ import annotations

from datetime import datetime, timezone
from math import gcd
from zoneinfo import ZoneInfo, available_timezones

import pytest
from ansible_collections.epp.autoupdate.plugins.module_utils._core.policy.policy import Policy
from ansible_collections.epp.autoupdate.plugins.module_utils._core.schedule.calendars import IntervalCalendar
from ansible_collections.epp.autoupdate.plugins.module_utils._core.schedule.timetable import Timetable
from ansible_collections.epp.autoupdate.plugins.module_utils._host.cron.minutes import minutes_of_hour
from ansible_collections.epp.autoupdate.tests.unit.plugins.module_utils._host.samples import DAILY, Sandbox

DAY = 86400
NOW = int(datetime(2026, 1, 1, tzinfo=timezone.utc).timestamp())
HOST_ZONES = ("UTC", "Europe/Berlin", "Asia/Kolkata", "Asia/Kathmandu", "Australia/Lord_Howe", "America/St_Johns")
SCHEDULE_ZONES = ("UTC", "Europe/Berlin", "Asia/Kolkata", "Australia/Lord_Howe", "Pacific/Chatham")
ZONE_FILES = "/usr/share/zoneinfo/"


def host_in(tmp_path, zone):
    host = Sandbox(str(tmp_path), now=NOW)
    with open(ZONE_FILES + zone, "rb") as file:
        host.write("/etc/localtime", file.read())
    return host


@pytest.fixture(autouse=True)
def _zones():
    if "Asia/Kolkata" not in available_timezones():
        pytest.skip("no time zone database")


@pytest.mark.parametrize(
    ("zone", "minutes"),
    [
        ("UTC", (34,)),
        ("Europe/Berlin", (34,)),
        ("Asia/Kolkata", (4,)),
        ("Asia/Kathmandu", (19,)),
        ("Australia/Lord_Howe", (4, 34)),
    ],
)
def test_a_daily_instant_in_the_host_s_own_minutes(tmp_path, zone, minutes):
    assert minutes_of_hour(DAILY, host_in(tmp_path, zone)) == minutes


def test_a_host_without_a_zone_lives_in_utc(tmp_path):
    assert minutes_of_hour(DAILY, Sandbox(str(tmp_path))) == (34,)


def test_a_damaged_zone_could_be_any(tmp_path):
    host = Sandbox(str(tmp_path))
    host.write("/etc/localtime", b"no zone")
    assert minutes_of_hour(DAILY, host) == (4, 19, 34, 49)


def test_quarters_of_an_hour_do_not_matter_to_short_ticks(tmp_path):
    calendar = IntervalCalendar(300, 61)
    expected = tuple(range(1, 60, 5))
    assert {minutes_of_hour(calendar, host_in(tmp_path / zone, zone)) for zone in HOST_ZONES} == {expected}


@pytest.mark.parametrize("host_zone", HOST_ZONES)
@pytest.mark.parametrize("tick", sorted({gcd(60 * minutes, DAY) for minutes in (1, 7, 9, 16, 20, 45, 48, 60, 300)}))
def test_cron_wakes_in_the_minute_of_every_tick(tmp_path, host_zone, tick):
    zone = ZoneInfo(host_zone)
    calendar = IntervalCalendar(tick, tick * 2 // 3)
    minutes = minutes_of_hour(calendar, host_in(tmp_path, host_zone))
    for day in range(0, 366, 61):
        first = NOW + day * DAY + (calendar.phase - NOW) % tick
        for moment in range(first, first + DAY, tick):
            assert datetime.fromtimestamp(moment, zone).minute in minutes


@pytest.mark.parametrize("host_zone", HOST_ZONES)
@pytest.mark.parametrize("zone", SCHEDULE_ZONES)
def test_cron_wakes_in_the_minute_of_every_slot_of_two_years(tmp_path, host_zone, zone):
    values = {"frequency": "daily", "start": "01:10", "window": "3h", "timezone": zone}
    schedule = Policy.from_dict({"schedule": values}).schedule
    timetable = Timetable.of(schedule, endpoint="n1", ordinal=4, zone=ZoneInfo(zone))
    minutes = minutes_of_hour(timetable.calendar(2026), host_in(tmp_path, host_zone))
    for day in telling_days(ZoneInfo(zone), ZoneInfo(host_zone)):
        slot = timetable.next_slot(day)
        assert datetime.fromtimestamp(slot.at, ZoneInfo(host_zone)).minute in minutes


def telling_days(*zones):
    """The start of every thirtieth day of two years, and of those around a change of one of the zones' offsets."""
    days = [NOW + day * DAY for day in range(-3, 730)]
    offsets = [[datetime.fromtimestamp(day, zone).utcoffset() for zone in zones] for day in days]
    changes = [index for index in range(len(days) - 1) if offsets[index] != offsets[index + 1]]
    around = {days[near] for index in changes for near in range(index - 1, index + 3) if 0 <= near < len(days)}
    assert len(around) >= 4 * len(changes) - 4
    return sorted(around.union(days[::30]))
