# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""S5: dense ordinals fill slots evenly, whoever joins later moves nobody."""

from __future__ import annotations

from collections import Counter
from math import gcd

import pytest
from ansible_collections.epp.autoupdate.plugins.module_utils._core.schedule.slots import (
    even_slot,
    hashed_ordinal,
    product_shift,
    random_slot,
    stride,
)
from hypothesis import given
from hypothesis import strategies as st

SLOTS = st.integers(1, 7 * 86400 - 1)


@given(SLOTS)
def test_the_step_is_coprime_and_near_the_golden_section(slots: int) -> None:
    found = stride(slots)
    assert gcd(found, slots) == 1
    assert abs(found - slots * 0.6180339887498949) < 35


@given(st.integers(0, 3000), st.integers(1, 700))
def test_any_number_of_endpoints_fills_slots_with_a_difference_of_one_at_most(endpoints: int, slots: int) -> None:
    counts = Counter(even_slot(ordinal, slots) for ordinal in range(endpoints))
    full = [counts[slot] for slot in range(slots)]
    assert max(full) - min(full) <= 1


@given(st.integers(0, 10**9), st.integers(1, 2000), SLOTS)
def test_endpoints_in_a_row_anywhere_never_share_a_slot_while_there_are_free_ones(
    first: int, endpoints: int, slots: int
) -> None:
    endpoints = min(endpoints, slots)
    taken = {even_slot(ordinal, slots) for ordinal in range(first, first + endpoints)}
    assert len(taken) == endpoints


@given(st.integers(1, 500), st.integers(0, 500), SLOTS)
def test_nobody_moves_when_the_fleet_grows(endpoints: int, more: int, slots: int) -> None:
    before = {ordinal: even_slot(ordinal, slots) for ordinal in range(endpoints)}
    after = {ordinal: even_slot(ordinal, slots) for ordinal in range(endpoints + more)}
    assert before.items() <= after.items()


@given(st.integers(0, 2**64), st.text(max_size=20), st.text(max_size=10), SLOTS)
def test_every_slot_lies_in_the_window(ordinal: int, name: str, occurrence: str, slots: int) -> None:
    name = name.encode("utf-8", "replace").decode()
    occurrence = occurrence.encode("utf-8", "replace").decode()
    assert 0 <= even_slot(ordinal, slots) < slots
    assert 0 <= random_slot(name, occurrence, slots) < slots


@pytest.mark.parametrize("window", [1800, 3600, 5400, 7200, 10800, 14400, 21600, 28800, 43200, 86399])
@pytest.mark.parametrize("endpoints", [60, 240, 600, 1000])
def test_a_window_that_is_far_from_full_is_flat_too(window: int, endpoints: int) -> None:
    """The golden section's worth: no twelfth of a window has a third more or less than its share."""
    twelfths = Counter(even_slot(ordinal, window) * 12 // window for ordinal in range(endpoints))
    share = endpoints / 12
    assert all(abs(twelfths[number] - share) <= max(share / 3, 2) for number in range(12))


def test_the_default_window_leaves_no_minute_empty_with_600_endpoints() -> None:
    minutes = Counter(even_slot(ordinal, 7200) // 60 for ordinal in range(600))
    assert set(minutes.values()) == {5}


def test_random_slots_are_drawn_anew_for_every_occurrence_and_uniformly() -> None:
    draws = Counter(random_slot("n1", f"2026-01-{day:02}", 10) for day in range(1, 32))
    assert len(draws) > 5
    tenths = Counter(random_slot(f"n{number}", "2026-03-29", 7200) // 720 for number in range(5000))
    assert all(abs(count - 500) < 100 for count in tenths.values())


def test_a_hashed_ordinal_stays_for_good() -> None:
    assert hashed_ordinal("n1") == 7452203632095078013


@pytest.mark.parametrize(("slots", "ordinal"), [(0, 1), (-1, 1), (10, -1)])
def test_numbers_without_a_meaning_are_refused(slots: int, ordinal: int) -> None:
    with pytest.raises(ValueError, match=r"slot|ordinal"):
        even_slot(ordinal, slots)


@given(SLOTS, st.integers(2, 16))
def test_products_of_one_endpoint_lie_apart(slots: int, products: int) -> None:
    found = sorted(product_shift(place, slots) for place in range(products))
    apart = min(later - earlier for earlier, later in zip(found, [*found[1:], found[0] + slots]))
    assert apart >= slots // (3 * products) - 1
    assert product_shift(0, slots) == 0
    assert all(0 <= one < slots for one in found)


@given(st.integers(0, 1500), st.integers(1, 500), st.integers(0, 8))
def test_each_product_fills_its_slots_as_evenly_as_the_first(endpoints: int, slots: int, place: int) -> None:
    shift = product_shift(place, slots)
    counts = Counter((even_slot(ordinal, slots) + shift) % slots for ordinal in range(endpoints))
    full = [counts[slot] for slot in range(slots)]
    assert max(full) - min(full) <= 1
