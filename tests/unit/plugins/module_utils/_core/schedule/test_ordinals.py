# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Ordinals are dense, the lowest free one comes first, and nobody's changes while it is registered (S5)."""

from __future__ import annotations

from ansible_collections.epp.autoupdate.plugins.module_utils._core.schedule.ordinals import conflicts, give
from hypothesis import given
from hypothesis import strategies as st

HELD = st.dictionaries(st.integers(0, 60), st.integers(0, 40).map("old{}".format), max_size=40)


@given(st.sets(st.integers(0, 60)), st.integers(0, 40))
def test_the_lowest_free_ones_are_given_in_order(held: set[int], newcomers: int) -> None:
    names = [f"new{number}" for number in range(newcomers)]
    given_ones = give(held, {}, names)
    assert list(given_ones) == names
    free = [number for number in range(200) if number not in held]
    assert list(given_ones.values()) == free[:newcomers]


@given(st.lists(st.one_of(st.integers(1, 9).map("join {}".format), st.integers(0, 50).map("leave {}".format))))
def test_joining_and_leaving_keeps_everybodys_ordinal_and_fills_each_gap(events: list[str]) -> None:
    registered: dict[str, int] = {}
    for step, event in enumerate(events):
        word, _blank, number = event.partition(" ")
        if word == "join":
            before = dict(registered)
            gaps = sorted(set(range(len(registered) + int(number))) - set(registered.values()))[: int(number)]
            registered.update(give(registered.values(), {}, [f"n{step}-{one}" for one in range(int(number))]))
            assert all(registered[name] == ordinal for name, ordinal in before.items())
            assert sorted(set(registered.values()) - set(before.values())) == gaps
        elif registered:
            registered.pop(sorted(registered)[int(number) % len(registered)])
        assert len(set(registered.values())) == len(registered)


@given(HELD, st.dictionaries(st.sampled_from("abcdef"), st.integers(0, 60)))
def test_who_chooses_gets_it_unless_somebody_has_it(held: dict[int, str], claimed: dict[str, int]) -> None:
    refused = conflicts(held, claimed)
    for name, ordinal in claimed.items():
        others = [other for other in claimed if other != name and claimed[other] == ordinal and other not in refused]
        assert (name in refused) == (ordinal in held or bool(others))
    kept = {name: ordinal for name, ordinal in claimed.items() if name not in refused}
    given_ones = give(held, kept, [*claimed, "new"])
    assert all(given_ones[name] == ordinal for name, ordinal in kept.items())
    assert len({*held, *given_ones.values()}) == len(held) + len(given_ones)
