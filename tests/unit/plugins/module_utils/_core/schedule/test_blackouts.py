# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""G7: no start in a blackout, the rest of a window shared evenly, and the plan says what each endpoint does."""

from __future__ import annotations

from collections import Counter
from datetime import datetime, timezone
from zoneinfo import ZoneInfo

import pytest
from ansible_collections.epp.autoupdate.plugins.module_utils._core.policy.policy import Frequency, Schedule
from ansible_collections.epp.autoupdate.plugins.module_utils._core.schedule.capacity import Fleet, make_plan
from ansible_collections.epp.autoupdate.plugins.module_utils._core.schedule.openings import openings
from ansible_collections.epp.autoupdate.plugins.module_utils._core.schedule.slots import Slot
from ansible_collections.epp.autoupdate.plugins.module_utils._core.schedule.timetable import Action, Timetable
from hypothesis import given, settings
from hypothesis import strategies as st

from .blackout_samples import CHANGES, is_blacked_out, schedule_of, schedules, table
from .fake_scheduler import PASSES, cron_wakings, runs, systemd_wakings

DAY = 86400


def near(schedule: Schedule, days: float = 0) -> float:
    return CHANGES[schedule.timezone].timestamp() + days * DAY


def occurrences(one: Timetable, begin: float, end: float) -> list[Slot]:
    """All slots of a time, swallowed ones as well."""
    found = {slot.occurrence: slot for day in range(int(begin), int(end), 2 * DAY) for slot in one.grid.around(day)}
    return sorted((slot for slot in found.values() if begin <= slot.start < end), key=lambda slot: slot.start)


def chain(one: Timetable, begin: float, end: float) -> list[int]:
    """The starts as ``next_run`` tells them, one after the other."""
    starts: list[int] = []
    slot = one.next_slot(begin - 1)
    while slot is not None and slot.at < end:
        starts.append(slot.at)
        slot = one.next_slot(slot.at)
    return starts


@settings(max_examples=50, deadline=None)
@given(schedules(), st.integers(0, 5000))
def test_no_endpoint_starts_in_a_blackout_and_each_has_its_place_in_the_window(
    schedule: Schedule, ordinal: int
) -> None:
    one = table(schedule, ordinal)
    begin, end = near(schedule, -8), near(schedule, 8)
    slots = occurrences(one, begin - 4 * DAY, end + 4 * DAY)
    starts = [slot.at for slot in slots if not slot.swallowed]
    for slot in slots:
        assert slot.start <= slot.at < slot.end
        assert is_blacked_out(schedule, slot.at) <= slot.swallowed
    assert chain(one, begin, end) == sorted(at for at in starts if begin <= at < end)


@settings(max_examples=25, deadline=None)
@given(schedules(), st.integers(2, 90))
def test_any_number_of_endpoints_fills_what_remains_evenly_and_as_planned(schedule: Schedule, endpoints: int) -> None:
    """S5 in what remains: any second of it has as many as any other, or one more; S8: the plan has them all."""
    now = near(schedule, -10)
    zone = ZoneInfo(schedule.timezone)
    shapes = openings(schedule, zone, ZoneInfo, now)
    tables = [table(schedule, ordinal) for ordinal in range(endpoints)]
    for shape in shapes[:3]:
        occurrence = shape.occurrences[0]
        noon = datetime.fromisoformat(occurrence).replace(hour=12, tzinfo=zone).timestamp()
        slots = [next(s for s in one.grid.around(noon) if s.occurrence == occurrence) for one in tables]
        assert all(slot.swallowed for slot in slots) is not bool(shape.parts)
        if not shape.parts:
            continue
        seconds = Counter(slot.at - slot.start for slot in slots)
        left = [second for begin, end in shape.parts for second in range(begin, end)]
        assert set(seconds) <= set(left)
        counts = [seconds[second] for second in left]
        assert max(counts) - min(counts) <= 1
        plan = make_plan(schedule, Fleet(endpoints, 0, 1), bucket=1, parts=shape.parts)
        assert {second: count for second, count in enumerate(plan.curve) if count} == dict(seconds)


@settings(max_examples=30, deadline=None)
@given(schedules(), st.integers(0, 5000), st.sampled_from(PASSES))
def test_timers_run_what_the_timetable_says_and_nothing_else(
    schedule: Schedule, ordinal: int, passes: tuple[int, ...]
) -> None:
    one, zone = table(schedule, ordinal), ZoneInfo(schedule.timezone)
    begin, end = near(schedule, -9), near(schedule, 9)
    known = (slot for slot in occurrences(one, begin - 4 * DAY, end) if not slot.swallowed)
    expected = [slot for slot in known if begin <= slot.at < end - 4 * DAY]
    first, last = (datetime.fromtimestamp(at, zone).date() for at in (begin - DAY, end))
    calendar = one.calendar(2026)
    done = runs(one, systemd_wakings(calendar, zone, first=first, last=last, passes=passes))
    told = [(occurrence, at) for occurrence, at in done if begin <= at < end - 4 * DAY]
    assert [occurrence for occurrence, _at in told] == [slot.occurrence for slot in expected]
    assert all(0 <= at - slot.at <= 1 for (_occurrence, at), slot in zip(told, expected))


@settings(max_examples=6, deadline=None)
@given(schedules(), st.integers(0, 5000))
def test_cron_runs_the_same(schedule: Schedule, ordinal: int) -> None:
    one = table(schedule, ordinal)
    begin, end = near(schedule, -5), near(schedule, 7)
    expected = [slot for slot in occurrences(one, begin, end) if not slot.swallowed and slot.at < end - 3 * DAY]
    done = runs(one, cron_wakings(one.calendar(2026), begin=begin - 3600, end=end))
    wanted = {slot.occurrence: slot.at for slot in expected}
    told = dict(done)
    assert len(told) == len(done)
    assert wanted.keys() <= told.keys()
    # A window that has shrunk to less than a minute after the waking is run at its second all the same.
    assert all(0 <= told[occurrence] - at <= 60 for occurrence, at in wanted.items())


@settings(max_examples=60, deadline=None)
@given(schedules(), st.floats(-6 * DAY, 6 * DAY), st.floats(0, 1, exclude_max=True), st.integers(0, 5000))
def test_whatever_the_time_is_nothing_is_begun_in_a_blackout(
    schedule: Schedule, offset: float, draw: float, ordinal: int
) -> None:
    """S4 too: who missed its slot gets an instant in what remains of the window."""
    now = near(schedule) + offset
    decision = table(schedule, ordinal).decide(now, [], lambda: draw)
    if decision.action in (Action.RUN, Action.WAIT):
        assert not is_blacked_out(schedule, decision.at)
        assert decision.slot.start <= decision.at < max(decision.slot.end, decision.slot.at + 91)
    if decision.action is Action.BLACKED_OUT:
        assert is_blacked_out(schedule, now)
        assert decision.at > now


def berlin(text: str) -> float:
    return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo("Europe/Berlin")).timestamp()


FREEZE = {"name": "freeze", "from": "2026-06-10T00:00", "to": "2026-06-12T13:00"}
CUT = {"name": "lunch", "from": "12:30", "to": "13:30"}


def summer(**keys: object) -> Timetable:
    """A window from noon to two in Berlin, of an endpoint whose slot is right at its start."""
    return table(schedule_of(timezone="Europe/Berlin", **keys))


@pytest.mark.parametrize(
    ("blackout", "now", "action", "at"),
    [
        (FREEZE, "2026-06-09T12:00", Action.RUN, "2026-06-09T12:00"),
        (FREEZE, "2026-06-09T23:59", Action.NOT_DUE, "2026-06-12T13:00"),
        # Swallowed: told at the waking, with the end of the blackout.
        (FREEZE, "2026-06-10T12:00", Action.BLACKED_OUT, "2026-06-12T13:00"),
        (FREEZE, "2026-06-11T13:59", Action.BLACKED_OUT, "2026-06-12T13:00"),
        (FREEZE, "2026-06-11T14:00", Action.NOT_DUE, "2026-06-12T13:00"),
        # Cut: the waking of ordinary days is too early, the one in what remains is right.
        (FREEZE, "2026-06-12T12:00", Action.NOT_DUE, "2026-06-12T13:00"),
        (FREEZE, "2026-06-12T12:59:30", Action.WAIT, "2026-06-12T13:00"),
        (FREEZE, "2026-06-12T13:00:01", Action.RUN, "2026-06-12T13:00:01"),
        # Missed: half of what is left of the window, whose middle is taken.
        (CUT, "2026-06-12T12:10", Action.WAIT, "2026-06-12T13:35"),
        # Missed, and in the blackout: waits for what comes after it.
        (CUT, "2026-06-12T13:00", Action.WAIT, "2026-06-12T13:45"),
        (CUT | {"to": "14:00"}, "2026-06-12T13:00", Action.BLACKED_OUT, "2026-06-12T14:00"),
        # The window opens in a blackout.
        (CUT | {"from": "12:00", "to": "13:00"}, "2026-06-12T12:00", Action.NOT_DUE, "2026-06-12T13:00"),
    ],
)
def test_what_a_waking_means(blackout: dict[str, str], now: str, action: Action, at: str) -> None:
    decision = summer(blackouts=[blackout]).decide(berlin(now), [], lambda: 0.5)
    assert (decision.action, decision.at) == (action, berlin(at))
    if action is Action.BLACKED_OUT:
        assert decision.reason == blackout["name"]


def test_a_blackout_that_begins_right_after_the_slot_ends_its_grace() -> None:
    """A slot may be run up to 90 seconds late, but not in a blackout."""
    one = summer(blackouts=[{"name": "noon", "from": "12:01", "to": "14:00"}])
    assert one.decide(berlin("2026-06-12T12:00:59"), [], lambda: 0.5).action is Action.RUN
    late = one.decide(berlin("2026-06-12T12:01:05"), [], lambda: 0.5)
    assert (late.action, late.at) == (Action.BLACKED_OUT, berlin("2026-06-12T14:00"))


@pytest.mark.parametrize(
    ("begin", "end", "day", "seconds", "hours"),
    [
        # Clocks go back at 03:00 to 02:00: both passes lie in it, and a boundary takes the wider one.
        ("02:00", "03:00", "2026-10-25", ("02:00", "03:00"), 2),
        ("01:00", "02:30", "2026-10-25", ("01:00", "02:30"), 2.5),
        ("02:30", "04:00", "2026-10-25", ("02:30", "04:00"), 2.5),
        # Clocks go forward at 02:00 to 03:00: a boundary in the skipped hour is the change.
        ("02:00", "03:00", "2026-03-29", None, 0),
        ("01:00", "02:30", "2026-03-29", ("01:00", "03:00"), 1),
        ("02:30", "04:00", "2026-03-29", ("03:00", "04:00"), 1),
        ("00:00", "00:00", "2026-03-29", ("00:00", "23:59"), 23),
        ("00:00", "00:00", "2026-10-25", ("00:00", "23:59"), 25),
    ],
)
def test_a_blackout_on_the_days_of_a_change(
    begin: str, end: str, day: str, seconds: tuple[str, str] | None, hours: float
) -> None:
    blackout = {"days": ["sunday"], "from": begin, "to": end}
    one = summer(blackouts=[blackout])
    assert one.blackouts is not None
    noon = int(berlin(f"{day}T12:00"))
    spans = one.blackouts.spans(noon - DAY, noon + DAY)
    assert [(span.end - span.start) / 3600 for span in spans] == ([hours] if seconds else [])
    if seconds:
        assert spans[0].start == berlin(f"{day}T{seconds[0]}")


def test_blackouts_that_touch_are_one_and_have_all_their_names() -> None:
    night = {"name": "night", "from": "22:00", "to": "06:00"}
    day = {"name": "day", "from": "06:00", "to": "12:00", "days": ["wednesday"]}
    one = summer(blackouts=[night, day, FREEZE])
    assert one.blackouts is not None
    found = one.blackouts.at(berlin("2026-06-09T23:00"))
    assert found is not None
    assert (found.start, found.end) == (berlin("2026-06-09T22:00"), berlin("2026-06-12T13:00"))
    assert found.name == "night, freeze, day"
    assert one.blackouts.at(berlin("2026-06-09T21:59:59.900")) is None


def test_an_interval_schedule_leaves_out_what_a_blackout_takes() -> None:
    office = {"name": "office", "days": ["friday"], "from": "08:00", "to": "18:00"}
    schedule = schedule_of(frequency="hours", interval=1, timezone="Europe/Berlin", blackouts=[office])
    one = table(schedule, 7)
    begin, end = berlin("2026-06-11T00:00"), berlin("2026-06-14T00:00")
    starts = chain(one, begin, end)
    assert len(starts) == 72 - 10
    assert not any(is_blacked_out(schedule, at) for at in starts)
    decision = one.decide(berlin("2026-06-12T09:00") + one.grid.around(0)[2].at % 3600, [], lambda: 0.5)
    assert (decision.action, decision.at) == (Action.BLACKED_OUT, berlin("2026-06-12T18:00"))
    assert decision.reason == "office"


def test_a_long_interval_that_always_meets_blackouts_has_no_next_run() -> None:
    """Every 12 hours at one phase, and both times are taken."""
    one = table(schedule_of(frequency="hours", interval=12, blackouts=[{"from": "00:00", "to": "06:00"}]), 0)
    assert one.next_slot(near(Schedule())) is not None
    both = [{"from": "00:00", "to": "06:00"}, {"from": "12:00", "to": "18:00"}]
    none = table(schedule_of(frequency="hours", interval=12, blackouts=both), 0)
    assert none.next_slot(near(Schedule())) is None
    decision = none.decide(near(Schedule()) + 7 * 3600, [], lambda: 0.5)
    assert (decision.action, decision.reason) == (Action.NOT_DUE, "blackouts leave no slot")


def test_a_window_that_is_always_swallowed_has_no_next_run_but_where_clocks_change() -> None:
    always = schedule_of(start="02:00", window="1h", blackouts=[{"from": "01:00", "to": "04:00"}])
    assert table(always).next_slot(near(always)) is None
    berlins = [{"from": "02:30", "to": "03:30"}]
    shifted = schedule_of(start="02:30", window="1h", timezone="Europe/Berlin", blackouts=berlins)
    slot = table(shifted).next_slot(berlin("2026-06-01T00:00"))
    assert slot is not None
    assert slot.occurrence in ("2026-10-25", "2027-03-28")


def test_the_next_run_of_an_endpoint_in_a_long_freeze_is_after_it() -> None:
    freeze = {"from": "2026-06-10T00:00", "to": "2027-02-01T00:00"}
    slot = summer(blackouts=[freeze]).next_slot(berlin("2026-06-20T00:00"))
    assert slot is not None
    assert slot.at == berlin("2027-02-01T12:00")


def test_a_calendar_with_blackouts_stays_the_same_from_year_to_year() -> None:
    """A unit file that changed each new year would be drift on every host."""
    weekly = {"days": ["monday", "friday"], "from": "11:00", "to": "13:00"}
    for blackouts in ([weekly], [weekly | {"timezone": "America/New_York"}], [weekly, FREEZE]):
        one = summer(blackouts=blackouts)
        assert len({one.calendar(year) for year in range(2025, 2031)}) == 1


@pytest.mark.parametrize("spread", ["even", "random"])
def test_random_slots_stay_in_what_remains_too(spread: str) -> None:
    schedule = schedule_of(spread=spread, blackouts=[{"from": "12:20", "to": "13:50"}])
    zone = timezone.utc
    slots = [
        Timetable.of(schedule, endpoint=f"n{number}", ordinal=number, zone=zone).next_slot(near(Schedule()))
        for number in range(300)
    ]
    offsets = [slot.at - slot.start for slot in slots if slot is not None]
    assert len(offsets) == 300
    assert all(at < 1200 or at >= 6600 for at in offsets)
    assert 150 < sum(at < 1200 for at in offsets) < 250


def test_the_fleet_of_a_frequency_without_windows_has_no_openings() -> None:
    hourly = Schedule(frequency=Frequency.HOURS, blackouts=schedule_of(blackouts=[CUT]).blackouts)
    assert openings(hourly, timezone.utc, ZoneInfo, 0) == ()
    far = schedule_of(blackouts=[{"from": "20:00", "to": "21:00"}])
    assert openings(far, timezone.utc, ZoneInfo, 0) == ()
