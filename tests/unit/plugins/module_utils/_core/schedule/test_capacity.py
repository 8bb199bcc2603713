# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""S8: the load that a schedule makes, and the number that would fit where one does not."""

from __future__ import annotations

from collections import Counter

import pytest
from ansible_collections.epp.autoupdate.plugins.module_utils._core.policy.policy import Frequency, Schedule, Spread
from ansible_collections.epp.autoupdate.plugins.module_utils._core.schedule import capacity
from ansible_collections.epp.autoupdate.plugins.module_utils._core.schedule.capacity import (
    DoesNotFit,
    Fleet,
    check_fit,
    load_curve,
    make_plan,
    shortest_window,
)
from ansible_collections.epp.autoupdate.plugins.module_utils._core.schedule.slots import even_slot
from hypothesis import given, settings
from hypothesis import strategies as st

MBIT = 125_000
FLEETS = st.builds(
    Fleet,
    endpoints=st.integers(0, 120),
    size=st.integers(0, 50_000_000),
    link=st.integers(10_000, 20_000_000),
    duration=st.integers(1, 600),
)
SCHEDULES = st.builds(Schedule, window=st.integers(1, 7200), spread=st.sampled_from(Spread)) | st.builds(
    Schedule, frequency=st.just(Frequency.MINUTES), interval=st.integers(1, 59), spread=st.sampled_from(Spread)
)


def test_a_plan_tells_curve_peak_and_finish() -> None:
    plan = make_plan(Schedule(), Fleet(endpoints=600, size=10_000_000, link=100 * MBIT, duration=30))
    assert plan.curve == (5,) * 120
    assert (plan.peak_starts, plan.fits) == (5, True)
    assert plan.peak_running == 4
    assert plan.peak_rate == 1_333_334
    assert 7200 - 60 < plan.finish <= 7200 + 30


@settings(deadline=None)
@given(SCHEDULES, FLEETS, st.integers(1, 600))
def test_a_curve_holds_every_endpoint(schedule: Schedule, fleet: Fleet, bucket: int) -> None:
    plan = make_plan(schedule, fleet, bucket=bucket)
    assert sum(plan.curve) == fleet.endpoints
    assert len(plan.curve) == -(-plan.window // bucket)
    assert plan.peak_starts == max(plan.curve)
    assert plan.finish <= plan.window - 1 + fleet.run


@settings(deadline=None)
@given(st.integers(1, 900), st.integers(1, 200), st.integers(1, 400))
def test_the_peak_is_that_of_counting_every_second(window: int, endpoints: int, duration: int) -> None:
    plan = make_plan(Schedule(window=window), Fleet(endpoints, 1000, 10**9, duration))
    running: Counter[int] = Counter()
    for ordinal in range(endpoints):
        slot = even_slot(ordinal, window)
        running.update(range(slot, slot + duration))
    assert plan.peak_running == max(running.values())


@settings(deadline=None)
@given(st.integers(1, 900), st.lists(st.integers(0, 2**64 - 1), min_size=1, max_size=60), st.integers(1, 400))
def test_the_peak_of_known_ordinals_is_that_of_counting_every_second(
    window: int, known: list[int], duration: int
) -> None:
    plan = make_plan(Schedule(window=window), Fleet(len(known), 1000, 10**9, duration, tuple(known)), bucket=7)
    slots = [even_slot(ordinal, window) for ordinal in known]
    running: Counter[int] = Counter()
    for slot in slots:
        running.update(range(slot, slot + duration))
    assert plan.peak_running == max(running.values())
    assert plan.finish == max(slots) + duration
    assert plan.curve == load_curve(slots, length=window, bucket=7)


@pytest.mark.parametrize("interval", [1, 3])
@pytest.mark.parametrize("duration", [10, 59, 61, 200])
def test_the_runs_of_an_interval_meet_those_of_the_one_before(interval: int, duration: int) -> None:
    schedule = Schedule(frequency=Frequency.MINUTES, interval=interval)
    plan = make_plan(schedule, Fleet(7, 1000, 10**9, duration))
    running: Counter[int] = Counter()
    for ordinal in range(7):
        for number in range(10):
            slot = even_slot(ordinal, 60 * interval) + number * 60 * interval
            running.update(range(slot, slot + duration))
    assert plan.peak_running >= max(running.values())
    if duration < 60 * interval:
        assert plan.peak_running == max(running.values())


@settings(deadline=None)
@given(SCHEDULES, FLEETS)
def test_what_does_not_fit_is_refused_with_numbers_that_would(schedule: Schedule, fleet: Fleet) -> None:
    plan = make_plan(schedule, fleet)
    if plan.fits:
        assert check_fit(schedule, fleet) == plan
        return
    with pytest.raises(DoesNotFit) as refused:
        check_fit(schedule, fleet)
    found = refused.value
    assert make_plan(schedule, Fleet(found.endpoints, fleet.size, fleet.link, fleet.duration)).fits
    assert not make_plan(schedule, Fleet(found.endpoints + 1, fleet.size, fleet.link, fleet.duration)).fits
    assert (found.link is None) == (fleet.duration > schedule.period)
    if found.link is not None:
        assert make_plan(schedule, Fleet(fleet.endpoints, fleet.size, found.link, fleet.duration)).fits
    if found.window is not None:
        assert make_plan(_with_window(schedule, found.window), fleet).fits
        shorter = found.window - 60
        assert shorter < 1 or not make_plan(_with_window(schedule, shorter), fleet).fits


@pytest.mark.parametrize("ordinals", [(), tuple(range(3, 100_003))], ids=["dense", "known"])
@pytest.mark.parametrize("link", [0.7, 12, 125])
def test_a_refusal_costs_few_plans(link: float, ordinals: tuple[int, ...], monkeypatch: pytest.MonkeyPatch) -> None:
    """However long the fleet's window would have to be: counted in endpoints that are looked at, as time would be."""
    looked_at = [0]

    def counted(fleet: Fleet, window: int) -> list[int]:
        looked_at[0] += fleet.endpoints
        return counting(fleet, window)

    counting = capacity._even_starts
    monkeypatch.setattr(capacity, "_even_starts", counted)
    fleet = Fleet(100_000, 20_000_000, int(link * MBIT * 8), 30, ordinals)
    make_plan(Schedule(), fleet)
    plan, looked_at[0] = looked_at[0], 0
    with pytest.raises(DoesNotFit):
        check_fit(Schedule(), fleet)
    assert looked_at[0] <= 20 * plan


def _with_window(schedule: Schedule, seconds: int) -> Schedule:
    if schedule.frequency.windowed:
        return Schedule(window=seconds, spread=schedule.spread)
    assert seconds % 60 == 0
    return Schedule(frequency=Frequency.MINUTES, interval=seconds // 60, spread=schedule.spread)


def test_the_shortest_window_is_nearly_that_of_the_link_alone() -> None:
    """4000 endpoints with 50 MB over 200 Mbit/s are 8000 s of a full link."""
    fleet = Fleet(4000, 50_000_000, 200 * MBIT, 60)
    window = shortest_window(Schedule(), fleet)
    assert window is not None
    assert 8000 - 60 <= window <= 8000 * 1.05
    assert not make_plan(Schedule(window=window - 60), fleet).fits


def test_a_refusal_reads_like_every_other() -> None:
    with pytest.raises(DoesNotFit) as refused:
        check_fit(Schedule(), Fleet(4000, 50_000_000, 200 * MBIT, 60))
    text = str(refused.value)
    assert text.startswith("schedule.window: 2h is not long enough for 4000 endpoints with 50000000 bytes each")
    assert refused.value.error.path == "schedule.window"


def test_what_no_window_of_a_day_carries() -> None:
    fleet = Fleet(100_000, 1_000_000_000, 100 * MBIT, 60)
    assert shortest_window(Schedule(), fleet) is None
    with pytest.raises(DoesNotFit) as refused:
        check_fit(Schedule(), fleet)
    assert refused.value.window is None
    assert (refused.value.link or 0) > fleet.link


def test_a_random_spread_is_planned_for_its_bad_days() -> None:
    fleet = Fleet(1000, 1_000_000, 100 * MBIT, 60)
    even = make_plan(Schedule(), fleet)
    drawn = make_plan(Schedule(spread=Spread.RANDOM), fleet)
    assert even.peak_running == 9
    assert 15 < drawn.peak_running < 50


def test_a_curve_of_real_instants_leaves_out_what_lies_outside() -> None:
    assert load_curve([0, 59, 60, 150, 180, -1], length=180, bucket=60) == (2, 1, 1)


@pytest.mark.parametrize("numbers", [(-1, 1, 1, 1), (1, -1, 1, 1), (1, 1, 0, 1), (1, 1, 1, 0)])
def test_fleets_that_cannot_be(numbers: tuple[int, int, int, int]) -> None:
    with pytest.raises(ValueError, match="fleet"):
        Fleet(*numbers)
