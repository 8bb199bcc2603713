# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""S7: one run of each occurrence, at its instant, in every zone that changes its clock, for both changes."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime, timedelta, timezone
from functools import cache
from zoneinfo import ZoneInfo, available_timezones

import pytest
from ansible_collections.epp.autoupdate.plugins.module_utils._core.policy.policy import (
    Frequency,
    Schedule,
    Spread,
    Weekday,
)
from ansible_collections.epp.autoupdate.plugins.module_utils._core.schedule.calendars import DailyCalendar
from ansible_collections.epp.autoupdate.plugins.module_utils._core.schedule.timetable import Timetable
from ansible_collections.epp.autoupdate.plugins.module_utils._core.timezones import local_date, offset_changes

from .fake_scheduler import PASSES, cron_wakings, runs, systemd_wakings

YEARS = (2011, 2024, 2026, 2033)
"""The changes of one are tried every day."""
CLOCKS = (0, 1800, 5400, 2 * 3600 + 1800, 23 * 3600 + 2700)
# (window, ordinal, spread): short and long, slots right at the start and far from it.
SHAPES = (
    (3600, 0, Spread.EVEN),
    (4 * 3600, 7, Spread.EVEN),
    (86399, 3, Spread.EVEN),
    (86399, 0, Spread.RANDOM),
    (7200, 0, Spread.RANDOM),
)


def _changes(zone: ZoneInfo, year: int) -> list[int]:
    begin, end = (datetime(y, 1, 1, tzinfo=timezone.utc).timestamp() for y in (year, year + 1))
    return offset_changes(begin, end, zone)


@cache
def zones_with_changes() -> dict[tuple[tuple[float, ...], ...], str]:
    """A zone for each way to change the clock in these years; zones that change alike would be tried in vain."""
    classes: dict[tuple[tuple[float, ...], ...], str] = {}
    for name in sorted(available_timezones()):
        zone = ZoneInfo(name)
        changes = [change for year in YEARS for change in _changes(zone, year)]
        offsets = tuple(
            (
                change,
                *(
                    (datetime.fromtimestamp(change + at, zone).utcoffset() or timedelta()).total_seconds()
                    for at in (-1, 0)
                ),
            )
            for change in changes
        )
        if offsets:
            classes.setdefault(offsets, name)
    return classes


def _schedules(name: str, salt: int) -> Iterator[tuple[Schedule, int]]:
    """Some of all clocks and shapes, others for each zone and change, all of them over the zones."""
    for number in range(2):
        window, ordinal, spread = SHAPES[(salt + number) % len(SHAPES)]
        clock = CLOCKS[(salt // 2 + number * 2) % len(CLOCKS)]
        yield Schedule(start=clock, window=window, timezone=name, spread=spread), ordinal


def _expected(schedule: Schedule, first: date, last: date, zone: ZoneInfo) -> list[str]:
    days = (first + timedelta(days=number) for number in range((last - first).days + 1))
    weekly = schedule.frequency is Frequency.WEEKLY
    return [
        day.isoformat()
        for day in days
        if (not weekly or day.weekday() == schedule.day.number)
        # Asked of the calendar the other way round: is there an hour of UTC that has this local date?
        and any(
            local_date(datetime(day.year, day.month, day.day, tzinfo=timezone.utc).timestamp() + hour * 3600, zone)
            == day
            for hour in range(-15, 40)
        )
    ]


def _check(timetable: Timetable, done: list[tuple[str, float]], expected: list[str], *, late: float) -> None:
    inner = [(occurrence, at) for occurrence, at in done if expected[0] <= occurrence <= expected[-1]]
    assert [occurrence for occurrence, _at in inner] == expected
    for occurrence, at in inner:
        slot = next(slot for slot in timetable.grid.around(at) if slot.occurrence == occurrence)
        assert slot.start <= slot.at < slot.end
        assert slot.at <= at <= slot.at + late
    instants = [at for _occurrence, at in inner]
    assert instants == sorted(set(instants))


def test_there_are_zones_to_try() -> None:
    assert len(zones_with_changes()) > 40


@pytest.mark.parametrize("year", [pytest.param(year, marks=[pytest.mark.heavy] * (year != 2026)) for year in YEARS])
def test_one_run_of_each_occurrence_around_every_change(year: int) -> None:
    for salt, name in enumerate(zones_with_changes().values()):
        zone = ZoneInfo(name)
        for schedule, ordinal in _schedules(name, salt + year):
            timetable = Timetable.of(schedule, endpoint="n1", ordinal=ordinal, zone=zone)
            calendar = timetable.calendar(year)
            assert isinstance(calendar, DailyCalendar)
            for number, change in enumerate(_changes(zone, year)):
                day = local_date(change, zone)
                first, last = day - timedelta(days=3), day + timedelta(days=3)
                expected = _expected(schedule, day - timedelta(days=1), day + timedelta(days=1), zone)
                passes = PASSES[(salt + number) % 3]
                wakings = systemd_wakings(calendar, zone, first=first, last=last, passes=passes)
                _check(timetable, runs(timetable, wakings), expected, late=1)


def test_cron_that_knows_no_zones_runs_each_occurrence_once_too() -> None:
    year = 2026
    for salt, name in enumerate(zones_with_changes().values()):
        zone = ZoneInfo(name)
        schedule, ordinal = next(_schedules(name, salt))
        timetable = Timetable.of(schedule, endpoint="n1", ordinal=ordinal, zone=zone)
        calendar = timetable.calendar(year)
        assert isinstance(calendar, DailyCalendar)
        for change in _changes(zone, year):
            day = local_date(change, zone)
            expected = _expected(schedule, day - timedelta(days=1), day + timedelta(days=1), zone)
            wakings = cron_wakings(calendar, begin=change - 2.5 * 86400, end=change + 2.5 * 86400)
            _check(timetable, runs(timetable, wakings), expected, late=60)


@pytest.mark.parametrize("window", [3600, pytest.param(3 * 86400, marks=pytest.mark.heavy), 7 * 86400 - 1])
@pytest.mark.parametrize("spread", [Spread.EVEN, pytest.param(Spread.RANDOM, marks=pytest.mark.heavy)])
def test_weekly_windows_that_hold_a_change(window: int, spread: Spread) -> None:
    for salt, name in enumerate(zones_with_changes().values()):
        zone = ZoneInfo(name)
        for change in _changes(zone, 2026):
            day = local_date(change, zone)
            weekday = list(Weekday)[(day.weekday() - salt % 7) % 7]
            schedule = Schedule(
                frequency=Frequency.WEEKLY, day=weekday, start=9000, window=window, timezone=name, spread=spread
            )
            timetable = Timetable.of(schedule, endpoint=name, ordinal=salt, zone=zone)
            calendar = timetable.calendar(2026)
            assert isinstance(calendar, DailyCalendar)
            first, last = day - timedelta(days=21), day + timedelta(days=21)
            expected = _expected(schedule, day - timedelta(days=8), day + timedelta(days=8), zone)
            wakings = systemd_wakings(calendar, zone, first=first, last=last, passes=PASSES[salt % 3])
            _check(timetable, runs(timetable, wakings), expected, late=1)


def test_slots_stay_apart_on_the_days_of_a_change() -> None:
    """Never a pile-up at one instant: a fleet's instants are as many as its slots, on any day."""
    zone = ZoneInfo("Europe/Berlin")
    schedule = Schedule(start=9000, window=600, timezone="Europe/Berlin")
    for day in (date(2026, 3, 29), date(2026, 10, 25)):
        midnight = datetime(day.year, day.month, day.day, tzinfo=zone).timestamp()
        slots = [
            Timetable.of(schedule, endpoint="", ordinal=ordinal, zone=zone).next_slot(midnight)
            for ordinal in range(600)
        ]
        assert {slot.occurrence for slot in slots} == {day.isoformat()}
        assert len({slot.at for slot in slots}) == 600


def _near_spring(spread: Spread, endpoint: str, ordinal: int) -> Timetable:
    """A window of nearly a day, which on the day of 23 hours before noon reaches into the next one."""
    schedule = Schedule(window=86399, timezone="Europe/Berlin", spread=spread)
    return Timetable.of(schedule, endpoint=endpoint, ordinal=ordinal, zone=ZoneInfo("Europe/Berlin"))


SPRING = datetime(2026, 3, 29, 10, tzinfo=timezone.utc).timestamp()
"""Noon in Berlin, when the window of that day opens and that of the day before has an hour left."""


def test_draws_of_windows_that_overlap_stay_in_order() -> None:
    for number in range(400):
        slots = _near_spring(Spread.RANDOM, f"n{number}", 0).grid.around(SPRING)
        before = next(slot for slot in slots if slot.occurrence == "2026-03-28")
        assert before.at < SPRING < before.end


def test_a_slot_that_was_missed_is_made_up_for_in_the_newest_window() -> None:
    decision = _near_spring(Spread.EVEN, "n1", 0).decide(SPRING + 1800, ["2026-03-27"], lambda: 0.5)
    assert decision.slot.occurrence == "2026-03-29"
    assert decision.at > SPRING + 1800


def test_an_older_occurrence_is_not_run_after_a_newer_one() -> None:
    tables = [_near_spring(Spread.EVEN, "n1", ordinal) for ordinal in range(100)]
    found = ((table, slot) for table in tables for slot in table.grid.around(SPRING))
    table, late = next((table, slot) for table, slot in found if slot.occurrence == "2026-03-28" and slot.at > SPRING)
    assert table.decide(late.at, ["2026-03-27"], lambda: 0.5).slot == late
    assert table.decide(late.at, ["2026-03-29"], lambda: 0.5).slot.occurrence == "2026-03-30"
