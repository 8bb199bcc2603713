# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The cap by arithmetic: whatever the ordinals of a ring are, no more than the cap are at work at once (N1, L3)."""

from __future__ import annotations

from ansible_collections.epp.autoupdate.plugins.module_utils._core.rollout.spread import most_at_once, run_time, spread
from ansible_collections.epp.autoupdate.plugins.module_utils._core.schedule.slots import even_slot
from hypothesis import given
from hypothesis import strategies as st


@given(st.sets(st.integers(0, 50_000), min_size=1, max_size=300), st.integers(1, 60), st.integers(1, 120))
def test_the_cap_holds_for_any_ring(ordinals: set[int], cap: int, run: int) -> None:
    seconds = spread(ordinals, cap=cap, run=run)
    assert seconds is not None
    starts = [even_slot(ordinal, seconds) for ordinal in ordinals]
    at_work = (sum(start <= moment < start + run for start in starts) for moment in set(starts))
    assert max(at_work) == most_at_once(ordinals, seconds, run) <= cap


def test_a_dense_fleet_takes_hardly_longer_than_it_must() -> None:
    """10,000 endpoints, 250 at once, a minute each: forty minutes at least."""
    seconds = spread(range(10_000), cap=250, run=60)
    assert seconds is not None
    assert 2400 <= seconds <= 2400 * 1.06


def test_where_a_day_is_too_short_there_is_no_spread() -> None:
    """300 endpoints, one at once, five minutes each: a day and an hour."""
    assert spread(range(300), cap=1, run=300) is None
    assert spread(range(100), cap=1, run=300) is not None


def test_few_begin_within_the_time_of_one_run() -> None:
    assert spread(range(10), cap=250, run=60) in (1, 2, 3)


def test_the_measured_time_counts_once_there_is_enough_of_it() -> None:
    assert run_time([5.0] * 19, default=60) == 60
    assert run_time([5.0] * 95 + [90.0] * 5, default=60) == 91
    assert run_time([5.0] * 96 + [90.0] * 4, default=60) == 6
    assert run_time([0.0] * 20, default=60) == 1
