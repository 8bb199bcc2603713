# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The course of a campaign out of the places of its endpoints (N1)."""

from __future__ import annotations

from ansible_collections.epp.autoupdate.plugins.module_utils._server.fleet_report.curves import course
from hypothesis import given
from hypothesis import strategies as st

AT = 1_795_348_800
spans = st.lists(st.tuples(st.integers(0, 500), st.integers(0, 300)), min_size=1, max_size=30)


def test_a_place_that_becomes_free_is_taken_at_the_same_instant() -> None:
    flights = [(AT + 0.0, AT + 10.0), (AT + 10.0, AT + 20.0)]
    found = course(flights, [AT + 10.0, AT + 20.0], lambda _instant: 1)
    assert found is not None
    assert (found["peak"], found["finished"][-1], found["step"]) == (1, 2, 1)


def test_who_was_never_sent_anything_has_no_course() -> None:
    assert course([], [], lambda _instant: 1) is None


@given(spans)
def test_the_most_at_a_time_is_what_counting_every_second_finds(some: list[tuple[int, int]]) -> None:
    flights = [(float(AT + since), float(AT + since + length)) for since, length in some if length]
    if not flights:
        return
    found = course(flights, (end for _since, end in flights), lambda _instant: 7)
    assert found is not None
    seconds = range(AT, AT + 801)
    running = {second: sum(since <= second < end for since, end in flights) for second in seconds}
    assert found["peak"] == max(running.values())
    first = min(since for since, _end in flights)
    for number, most in enumerate(found["in_flight"]):
        inside = [
            running[int(first) + number * found["step"] + second]
            for second in range(found["step"])
            if int(first) + number * found["step"] + second in running
        ]
        assert most >= max(inside, default=0)
    assert found["finished"] == sorted(found["finished"])
    assert found["finished"][-1] == len(flights)
    assert len(found["in_flight"]) <= 61
