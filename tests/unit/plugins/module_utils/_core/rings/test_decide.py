# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""When a ring passes, halts, or waits: each boundary, on the exact second and endpoint (G2, G4)."""

from __future__ import annotations

from datetime import timezone
from typing import Any

import pytest
from ansible_collections.epp.autoupdate.plugins.module_utils._core.rings.decide import decide, is_idle, may_promote
from ansible_collections.epp.autoupdate.plugins.module_utils._core.rings.outcome import Tally
from ansible_collections.epp.autoupdate.plugins.module_utils._core.rings.state import (
    Phase,
    RingState,
    RolloutState,
    StopKind,
    aligned,
    published,
)
from ansible_collections.epp.autoupdate.plugins.module_utils._core.settings.rollout import (
    ProductRollout,
    RolloutSettings,
)

HOUR = 3600
T0 = 1_000_000.0


def rollout(**more: Any) -> ProductRollout:
    raw = {"rings": [{"name": "canary", "percent": 1}, {"name": "broad"}], "bake_time": "4h", "deadline": "1d", **more}
    return RolloutSettings.from_dict({"files": raw}).products["files"]


def trying(reached: float | None = None) -> RolloutState:
    """Version 2 on trial in the first ring since T0."""
    rings = {"canary": RingState(("1",), "2", T0, reached), "broad": RingState(("1",))}
    return RolloutState(("1", "2"), rings)


def tally(eligible: int, healthy: int = 0, failed: int = 0) -> Tally:
    return Tally(members=max(eligible, 1), eligible=eligible, healthy=healthy, failed=failed)


def after(settings: ProductRollout, count: Tally, *, at: float = T0 + 1, reached: float | None = None) -> RolloutState:
    return decide(settings, trying(reached), {"canary": count, "broad": tally(10)}, at).state


@pytest.mark.parametrize(
    ("threshold", "eligible", "most"),
    [
        (0, 10, 0),
        (1, 10, 1),
        (3, 3, 3),
        ("10%", 1, 0),
        ("10%", 2, 0),
        ("10%", 3, 0),
        ("10%", 10, 1),
        ("50%", 1, 0),
        ("50%", 2, 1),
        ("50%", 3, 1),
        ("50%", 10, 5),
        ("34%", 3, 1),
        ("33%", 3, 0),
        ("100%", 10, 10),
    ],
)
def test_one_failure_more_than_the_threshold_halts(threshold: int | str, eligible: int, most: int) -> None:
    settings = rollout(failure_threshold=threshold)
    assert after(settings, tally(eligible, failed=most)).phase("canary") is Phase.BAKING
    if most < eligible:
        state = after(settings, tally(eligible, failed=most + 1))
        assert state.phase("canary") is Phase.HALTED
        assert (state.stops["2"].kind, state.stops["2"].ring) == (StopKind.HALTED, "canary")
        assert {ring: state.offered(ring) for ring in state.rings} == {"canary": "1", "broad": "1"}


@pytest.mark.parametrize(
    ("threshold", "eligible", "least"),
    [
        *((95, count, count) for count in (1, 2, 3, 10)),
        *((95, 20, 19), (90, 10, 9), (34, 3, 2), (33, 3, 1), (1, 100, 1), (1, 101, 2), (100, 3, 3)),
        *((50, 1, 1), (50, 2, 1), (50, 3, 2), (50, 10, 5)),
    ],
)
def test_one_healthy_endpoint_fewer_than_the_threshold_does_not_pass(threshold: int, eligible: int, least: int) -> None:
    settings, late = rollout(success_threshold=threshold, failure_threshold="100%"), T0 + 5 * HOUR
    ready = after(settings, tally(eligible, least), at=late, reached=T0 + HOUR)
    assert ready.rings["canary"].good[0] == "2"
    waits = after(settings, tally(eligible, least - 1), at=late, reached=T0 + HOUR)
    assert waits.phase("canary") is Phase.BAKING
    assert waits.rings["canary"].reached is None


@pytest.mark.parametrize(("finished", "counts"), [(0, False), (4, False), (5, True), (6, True)])
def test_percentages_count_from_the_minimum_of_finished_endpoints_on(finished: int, counts: bool) -> None:
    settings = rollout(minimum_finished=5, success_threshold=1, failure_threshold="0%")
    failed = after(settings, tally(100, failed=finished))
    assert (failed.phase("canary") is Phase.HALTED) is counts
    healthy = after(settings, tally(100, healthy=finished), at=T0 + 5 * HOUR, reached=T0 + HOUR)
    assert (healthy.phase("canary") is Phase.IDLE) is counts


@pytest.mark.parametrize("eligible", [1, 2, 3, 4])
def test_a_ring_that_is_smaller_than_the_minimum_has_all_of_it_finished(eligible: int) -> None:
    settings, late = rollout(minimum_finished=5), T0 + 5 * HOUR
    assert after(settings, tally(eligible, eligible), at=late, reached=T0).rings["canary"].good[0] == "2"
    assert after(settings, tally(eligible, eligible - 1), at=late, reached=T0).phase("canary") is Phase.BAKING


def test_a_count_of_failures_needs_no_minimum() -> None:
    settings = rollout(minimum_finished=50, failure_threshold=2)
    assert after(settings, tally(100, failed=2)).phase("canary") is Phase.BAKING
    assert after(settings, tally(100, failed=3)).phase("canary") is Phase.HALTED


@pytest.mark.parametrize(("seconds", "passed"), [(0, False), (4 * HOUR - 1, False), (4 * HOUR, True), (5 * HOUR, True)])
def test_the_bake_time_runs_from_when_enough_were_healthy(seconds: int, passed: bool) -> None:
    reached = T0 + 3 * HOUR
    state = after(rollout(), tally(10, 10), at=reached + seconds, reached=reached)
    assert (state.phase("canary") is Phase.IDLE) is passed
    assert state.rings["broad"].candidate == ("2" if passed else "")


def test_the_bake_time_begins_again_where_too_few_are_healthy_in_between() -> None:
    settings = rollout(failure_threshold="50%")
    state = decide(settings, trying(), {"canary": tally(10, 10)}, T0 + HOUR).state
    assert state.rings["canary"].reached == T0 + HOUR
    state = decide(settings, state, {"canary": tally(10, 9, 1)}, T0 + 2 * HOUR).state
    assert state.rings["canary"].reached is None
    state = decide(settings, state, {"canary": tally(10, 10)}, T0 + 3 * HOUR).state
    assert decide(settings, state, {"canary": tally(10, 10)}, T0 + 7 * HOUR - 1).state.phase("canary") is Phase.BAKING
    assert decide(settings, state, {"canary": tally(10, 10)}, T0 + 7 * HOUR).state.phase("canary") is Phase.IDLE


@pytest.mark.parametrize(("seconds", "phase"), [(24 * HOUR - 1, Phase.BAKING), (24 * HOUR, Phase.INCONCLUSIVE)])
def test_what_is_neither_success_nor_failure_by_the_deadline_is_inconclusive(seconds: int, phase: Phase) -> None:
    state = after(rollout(), tally(10, 5), at=T0 + seconds)
    assert state.phase("canary") is phase
    assert state.offered("canary") == ("2" if phase is Phase.BAKING else "1")


def test_what_passes_at_its_deadline_has_passed_and_what_fails_there_has_failed() -> None:
    end = T0 + 24 * HOUR
    assert after(rollout(), tally(10, 10), at=end, reached=T0).phase("canary") is Phase.IDLE
    assert after(rollout(), tally(10, 9, 1), at=end).phase("canary") is Phase.HALTED


def test_a_ring_of_none_is_a_success_and_a_ring_that_is_all_off_is_none() -> None:
    empty = decide(rollout(), trying(), {"canary": Tally(), "broad": Tally(members=3)}, T0).state
    assert empty.rings["canary"].good[0] == "2"
    assert empty.rings["broad"].candidate == "2"
    off = Tally(members=3, eligible=0)
    assert decide(rollout(), trying(), {"canary": off}, T0 + 23 * HOUR).state.phase("canary") is Phase.BAKING
    assert decide(rollout(), trying(), {"canary": off}, T0 + 24 * HOUR).state.phase("canary") is Phase.INCONCLUSIVE


def test_rings_of_none_are_gone_through_at_once() -> None:
    state = published(RolloutState(("1",), {"canary": RingState(("1",)), "broad": RingState(("1",))}), "2")
    decision = decide(rollout(), state, {}, T0)
    assert [(one.kind.value, one.ring) for one in decision.events] == [
        ("offered", "canary"),
        ("passed", "canary"),
        ("offered", "broad"),
        ("passed", "broad"),
    ]
    assert is_idle(rollout(), decision.state)


def test_two_versions_bake_at_once_in_two_rings() -> None:
    rings = {"canary": RingState(("2", "1"), "3", T0), "broad": RingState(("1",), "2", T0)}
    state = RolloutState(("1", "2", "3"), rings)
    done = decide(rollout(), state, {"canary": tally(1, 0, 1), "broad": tally(10, 10)}, T0 + HOUR)
    assert (done.state.phase("canary"), done.state.phase("broad")) == (Phase.HALTED, Phase.BAKING)
    later = decide(rollout(), done.state, {"canary": tally(1, 0, 1), "broad": tally(10, 10)}, T0 + 5 * HOUR)
    assert later.state.rings["broad"].good[0] == "2"
    assert later.state.offered("canary") == "2"


def test_versions_that_are_overtaken_while_a_ring_bakes_are_left_out() -> None:
    state = trying(reached=T0)
    for version in ("3", "4", "5"):
        state = published(state, version)
    assert decide(rollout(), state, {"canary": tally(1, 1)}, T0 + HOUR).state.rings["canary"].candidate == "2"
    done = decide(rollout(), state, {"canary": tally(1, 1), "broad": tally(9)}, T0 + 4 * HOUR).state
    assert (done.rings["canary"].candidate, done.rings["broad"].candidate) == ("5", "2")


def test_a_newer_version_waits_during_a_halt_in_every_ring_that_had_the_halted_one() -> None:
    halted = decide(rollout(), trying(), {"canary": tally(2, 0, 2)}, T0 + 1).state
    newer = published(halted, "3")
    assert decide(rollout(), newer, {"canary": tally(2)}, T0 + 99 * HOUR).state == newer
    rings = {"canary": RingState(("2", "1")), "broad": RingState(("1",), "2", T0)}
    halted = decide(rollout(), RolloutState(("1", "2"), rings), {"broad": tally(2, 0, 2)}, T0 + 1).state
    assert halted.offered("canary") == "1"
    newer = published(halted, "3")
    assert decide(rollout(), newer, {"canary": tally(2)}, T0 + 99 * HOUR).state == newer


@pytest.mark.parametrize(
    ("hours", "days", "open_at"),
    [
        ([], [], range(24)),
        (["08:00-18:00"], [], range(8, 18)),
        (["22:00-04:00"], [], (22, 23, 0, 1, 2, 3)),
        ([], ["tuesday"], ()),
        (["08:00-10:00"], ["monday", "tuesday"], (8, 9)),
    ],
)
def test_promotions_keep_to_their_days_and_hours(hours: list[str], days: list[str], open_at: Any) -> None:
    settings = rollout(promotion={"hours": hours, "days": days})
    monday = 4 * 86400.0  # 5 January 1970
    found = [hour for hour in range(24) if may_promote(settings.promotion, monday + hour * HOUR, timezone.utc)]
    assert sorted(found) == sorted(open_at)


def test_outside_its_hours_nothing_is_promoted_but_the_first_ring_is_offered_what_is_new() -> None:
    ready = decide(rollout(), trying(T0), {"canary": tally(1, 1)}, T0 + 4 * HOUR, promoting=False).state
    assert (ready.rings["canary"].good[0], ready.rings["broad"].candidate) == ("2", "")
    newer = decide(rollout(), published(ready, "3"), {"canary": tally(1)}, T0 + 5 * HOUR, promoting=False).state
    assert newer.rings["canary"].candidate == "3"
    inside = decide(rollout(), ready, {"broad": tally(9)}, T0 + 5 * HOUR).state
    assert inside.rings["broad"].candidate == "2"


def test_deciding_again_at_the_same_time_decides_nothing_more() -> None:
    counts = {"canary": tally(10, 10), "broad": tally(10)}
    first = decide(rollout(), published(trying(T0), "3"), counts, T0 + 4 * HOUR)
    again = decide(rollout(), first.state, {"canary": Tally(members=10), "broad": Tally(members=10)}, T0 + 4 * HOUR)
    assert first.events
    assert (again.state, again.events) == (first.state, ())


def test_a_new_ring_begins_with_what_the_ring_behind_it_has() -> None:
    rings = {"canary": RingState(("2", "1"), "3", T0), "broad": RingState(("1",))}
    more = [{"name": "canary", "percent": 1}, {"name": "early", "percent": 5}, {"name": "broad"}, {"name": "late"}]
    more[2]["percent"] = 50
    state = aligned(RolloutState(("1", "2", "3"), rings), rollout(rings=more))
    assert {name: state.offered(name) for name in state.rings} == {
        "canary": "3",
        "early": "1",
        "broad": "1",
        "late": "1",
    }
    without = aligned(RolloutState(("1", "2", "3"), rings), rollout(rings=[{"name": "broad"}]))
    assert list(without.rings) == ["broad"]
