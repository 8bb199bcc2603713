# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""S1, S3, S4: slots, and what a waking means."""

from __future__ import annotations

from collections import Counter
from datetime import datetime, timezone

import pytest
from ansible_collections.epp.autoupdate.plugins.module_utils._core.policy.policy import (
    Frequency,
    Schedule,
    Spread,
    Weekday,
)
from ansible_collections.epp.autoupdate.plugins.module_utils._core.schedule.calendars import (
    DailyCalendar,
    IntervalCalendar,
    UtcRule,
)
from ansible_collections.epp.autoupdate.plugins.module_utils._core.schedule.timetable import Action, Decision, Timetable
from ansible_collections.epp.autoupdate.plugins.module_utils._core.timezones import year_of, zone_of
from hypothesis import given
from hypothesis import strategies as st

UTC = timezone.utc


def unix(text: str) -> float:
    return datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp()


def timetable(schedule: Schedule | None = None, *, endpoint: str = "n1", ordinal: int | None = 4) -> Timetable:
    return Timetable.of(schedule or Schedule(), endpoint=endpoint, ordinal=ordinal, zone=UTC)


def decide(table: Timetable, now: float, last: str | None = None, draw: float = 0.5) -> Decision:
    return table.decide(now, [] if last is None else [last], lambda: draw)


MINUTES = st.integers(1, 59).map(lambda n: Schedule(frequency=Frequency.MINUTES, interval=n))
HOURS = st.integers(1, 23).map(lambda n: Schedule(frequency=Frequency.HOURS, interval=n))
DAILY = st.builds(Schedule, start=st.integers(0, 1439).map(lambda n: n * 60), window=st.integers(1, 86399))
WEEKLY = st.builds(
    Schedule,
    frequency=st.just(Frequency.WEEKLY),
    day=st.sampled_from(Weekday),
    start=st.integers(0, 1439).map(lambda n: n * 60),
    window=st.integers(1, 7 * 86400 - 1),
    spread=st.sampled_from(Spread),
)
NOW = st.floats(0, 4_000_000_000)


@given(MINUTES | HOURS | DAILY | WEEKLY, st.integers(0, 10**6), NOW)
def test_the_next_slot_is_later_in_its_window_and_before_a_period_is_over(
    schedule: Schedule, ordinal: int, now: float
) -> None:
    slot = timetable(schedule, ordinal=ordinal).next_slot(now)
    assert slot.at > now
    assert slot.start <= slot.at < slot.end
    most = schedule.period * (2 if schedule.spread is Spread.RANDOM else 1)
    assert slot.at - now <= most


@given(MINUTES | HOURS | DAILY | WEEKLY, st.integers(0, 10**6), NOW)
def test_a_waking_at_the_slot_is_a_run_and_a_second_one_is_not(schedule: Schedule, ordinal: int, now: float) -> None:
    table = timetable(schedule, ordinal=ordinal)
    slot = table.next_slot(now)
    first = decide(table, slot.at + 0.5)
    assert (first.action, first.slot) == (Action.RUN, slot)
    again = decide(table, slot.at + 1.5, slot.occurrence)
    assert again.slot.occurrence != slot.occurrence
    assert again.action is not Action.RUN


@given(MINUTES | HOURS, st.integers(0, 10**6), NOW)
def test_an_interval_calendar_wakes_at_every_slot(schedule: Schedule, ordinal: int, now: float) -> None:
    table = timetable(schedule, ordinal=ordinal)
    calendar = table.calendar(year_of(now))
    assert isinstance(calendar, IntervalCalendar)
    assert 86400 % calendar.tick == 0
    assert table.next_slot(now).at % calendar.tick == calendar.phase


@given(DAILY | WEEKLY, st.integers(0, 10**6), NOW)
def test_a_calendar_in_utc_is_the_slot_to_the_second(schedule: Schedule, ordinal: int, now: float) -> None:
    table = timetable(schedule, ordinal=ordinal)
    slot = table.next_slot(now)
    calendar = table.calendar(year_of(now))
    assert isinstance(calendar, DailyCalendar)
    assert calendar.extra == ()
    at = datetime.fromtimestamp(slot.start if schedule.spread is Spread.RANDOM else slot.at, UTC)
    assert (calendar.hour, calendar.minute, calendar.second) == (at.hour, at.minute, at.second)
    assert calendar.weekday is None or calendar.weekday.number == at.weekday()
    assert calendar.utc_minutes == (at.minute,)


def test_a_zone_has_one_calendar_for_all_years() -> None:
    """What people see in a unit file: no instant that has passed, few lines, and the same ones next year."""
    table = Timetable.of(Schedule(start=1800, window=4 * 3600), endpoint="n1", ordinal=1, zone=zone_of("Europe/Berlin"))
    calendar = table.calendar(2026)
    assert all(table.calendar(year) == calendar for year in range(2020, 2040))
    assert isinstance(calendar, DailyCalendar)
    assert calendar.extra == (
        UtcRule((Weekday.SUNDAY,), (10,), tuple(range(25, 32)), 58 * 60 + 17),
        UtcRule((Weekday.SUNDAY,), (3,), tuple(range(25, 32)), 3600 + 58 * 60 + 17),
    )


@pytest.mark.parametrize(
    "name", ["America/New_York", "Africa/Cairo", "Africa/Casablanca", "Asia/Gaza", "America/Santiago", "Asia/Tehran"]
)
@pytest.mark.parametrize("frequency", [Frequency.DAILY, Frequency.WEEKLY])
def test_few_rules_do_for_the_changes_of_any_zone(name: str, frequency: Frequency) -> None:
    weekly = {"day": Weekday.WEDNESDAY, "window": 6 * 86400} if frequency is Frequency.WEEKLY else {"window": 14400}
    schedule = Schedule(frequency=frequency, start=1800, timezone=name, **weekly)
    table = Timetable.of(schedule, endpoint="n1", ordinal=2, zone=zone_of(name))
    calendars = {table.calendar(year) for year in (2025, 2026, 2027, 2030, 2036)}
    assert len(calendars) == 1
    (calendar,) = calendars
    assert isinstance(calendar, DailyCalendar)
    assert len(calendar.extra) <= 2


def test_a_zone_that_no_longer_changes_its_clock_has_no_rule_for_it() -> None:
    """Mexico did until 2022."""
    schedule = Schedule(start=1800, window=4 * 3600, timezone="America/Mexico_City")
    table = Timetable.of(schedule, endpoint="n1", ordinal=1, zone=zone_of("America/Mexico_City"))
    now = table.calendar(2026)
    assert isinstance(now, DailyCalendar)
    assert now.extra == ()
    before = table.calendar(2015)
    assert isinstance(before, DailyCalendar)
    assert before.extra


@pytest.mark.parametrize("spread", list(Spread))
def test_a_fleet_is_flat_over_an_interval(spread: Spread) -> None:
    schedule = Schedule(frequency=Frequency.HOURS, interval=1, spread=spread)
    slots = [timetable(schedule, endpoint=f"n{n}", ordinal=n).next_slot(0).at % 3600 for n in range(3600)]
    minutes = Counter(slot // 60 for slot in slots)
    assert set(minutes.values()) == {60} if spread is Spread.EVEN else min(minutes.values()) > 30


def test_an_endpoint_without_an_ordinal_keeps_the_slot_of_its_name() -> None:
    table = timetable(ordinal=None)
    assert table.next_slot(unix("2026-05-01")).at == unix("2026-05-01") + (table.next_slot(0).at)


NOON = unix("2026-05-01T12:00")
SLOT = int(timetable().next_slot(NOON).at)


@pytest.mark.parametrize(
    ("now", "last", "action", "at"),
    [
        (NOON - 3600, None, Action.NOT_DUE, SLOT),
        (NOON + 1, None, Action.NOT_DUE, SLOT),
        (SLOT - 61, None, Action.NOT_DUE, SLOT),
        (SLOT - 59, None, Action.WAIT, SLOT),
        (SLOT, None, Action.RUN, SLOT),
        (SLOT + 90, "2026-04-30", Action.RUN, SLOT + 90),
        (SLOT, "2026-05-01", Action.NOT_DUE, SLOT + 86400),
        # Missed: an instant in what remains of the window (S4).
        (SLOT + 91, "2026-04-30", Action.WAIT, (SLOT + 91 + NOON + 7200) / 2),
        (SLOT + 91, "2026-05-01", Action.NOT_DUE, SLOT + 86400),
        # Back after the window: the scheduler makes up for nothing.
        (NOON + 7200, "2026-04-30", Action.NOT_DUE, SLOT + 86400),
        (NOON + 9000, None, Action.NOT_DUE, SLOT + 86400),
        # A clock that was wrong for a while must not stop updates for years, nor for days.
        (SLOT, "2031-01-01", Action.RUN, SLOT),
        (SLOT, "2026-05-04", Action.RUN, SLOT),
        (SLOT, "2026-05-02", Action.RUN, SLOT),
        (SLOT, "1970-01-01", Action.RUN, SLOT),
        # One that was an hour ahead has run this occurrence, though its window opens only now.
        (NOON - 3600, "2026-05-01", Action.NOT_DUE, SLOT + 86400),
        # Another frequency's occurrence says nothing about this one's.
        (SLOT, "2026-05-01T11:00:00Z", Action.RUN, SLOT),
    ],
)
def test_what_a_waking_means(now: float, last: str | None, action: Action, at: float) -> None:
    decision = decide(timetable(), now, last)
    assert (decision.action, decision.at) == (action, at)
    assert decision.reason


def test_what_a_clock_that_was_behind_has_run_does_not_hide_what_was_run_before() -> None:
    """The host ran this occurrence, started anew with its clock in 1970, ran one of that day, and is right again."""
    ran = ["1970-01-01", "2026-05-01"]
    assert timetable().decide(SLOT + 1800, ran, lambda: 0.5).action is Action.NOT_DUE
    assert timetable().decide(SLOT + 86400, ran, lambda: 0.5).action is Action.RUN


@given(MINUTES | HOURS | DAILY | WEEKLY, st.integers(0, 10**6), NOW, st.integers(-40 * 365 * 86400, 40 * 365 * 86400))
def test_whatever_the_clock_was_the_schedule_goes_on(schedule: Schedule, ordinal: int, now: float, error: int) -> None:
    """After a run by a wrong clock: of the next two occurrences one is run at its slot, and the one after it too."""
    table = timetable(schedule, ordinal=ordinal)
    wrong = decide(table, table.next_slot(now + error).at).slot
    first = table.next_slot(now)
    second = table.next_slot(first.at)
    third = table.next_slot(second.at)
    ran = [wrong.occurrence]
    done = []
    for slot in (first, second, third):
        if table.decide(slot.at, ran, lambda: 0.5).action is Action.RUN:
            ran.insert(0, slot.occurrence)
            done.append(slot)
    assert done[-2:] in ([first, third], [second, third])


@given(st.floats(91, 7199), st.floats(0, 1, exclude_max=True))
def test_a_missed_slot_is_made_up_for_inside_the_window_only(late: float, draw: float) -> None:
    table = timetable(ordinal=0)
    decision = decide(table, NOON + late, None, draw)
    assert decision.action is Action.WAIT
    assert NOON + late <= decision.at < NOON + 7200


def test_random_wakes_at_the_start_and_waits_for_an_instant_that_a_reboot_does_not_change() -> None:
    table = timetable(Schedule(spread=Spread.RANDOM))
    calendar = table.calendar(2026)
    assert isinstance(calendar, DailyCalendar)
    assert (calendar.hour, calendar.minute, calendar.second) == (12, 0, 0)
    slot = table.next_slot(NOON)
    first = decide(table, NOON + 0.5)
    assert (first.action, first.at) == (Action.WAIT, slot.at)
    assert decide(table, slot.at - 1).at == slot.at
    assert decide(table, slot.at).action is Action.RUN
    assert decide(table, NOON - 3600).action is Action.NOT_DUE
    assert table.next_slot(slot.at).at - slot.at != 86400


@pytest.mark.parametrize("interval", [1, 2, 7])
@pytest.mark.parametrize("ordinal", range(0, 60, 7))
def test_cron_on_whole_minutes_keeps_the_phase_of_short_intervals(interval: int, ordinal: int) -> None:
    table = timetable(Schedule(frequency=Frequency.MINUTES, interval=interval), ordinal=ordinal)
    begin = int(unix("2026-05-01T00:00"))
    last: str | None = None
    instants = []
    late: list[float] = []
    for minute in range(60 * interval):
        decision = decide(table, begin + minute * 60 + 0.2, last)
        if decision.action is not Action.NOT_DUE:
            last = decision.slot.occurrence
            instants.append(decision.at)
            late.append(decision.at - decision.slot.at)
    assert 59 <= len(instants) <= 61
    # The first waking of all may come late to a slot.
    assert all(0 <= seconds <= 5.5 for seconds in late[1:])
    assert len({int(at // 60) for at in instants}) == len(instants)


def test_a_missed_interval_is_not_made_up_for() -> None:
    table = timetable(Schedule(frequency=Frequency.HOURS, interval=4))
    slot = table.next_slot(NOON)
    decision = decide(table, slot.at + 600)
    assert (decision.action, decision.at) == (Action.NOT_DUE, slot.at + 4 * 3600)
