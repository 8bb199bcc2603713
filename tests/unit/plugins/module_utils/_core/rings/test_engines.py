# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Versions of engine packages in rings: the boundaries of each rule that is not that of components (G1, G2, G4)."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

import pytest
from ansible_collections.epp.autoupdate.plugins.module_utils._core.rings import by_hand
from ansible_collections.epp.autoupdate.plugins.module_utils._core.rings.decide import Decision
from ansible_collections.epp.autoupdate.plugins.module_utils._core.rings.engines import (
    INSTALLED,
    Known,
    Track,
    beginning,
    decide_engine,
    free_ring,
    offered_engine,
    sighted,
)
from ansible_collections.epp.autoupdate.plugins.module_utils._core.rings.outcome import Tally
from ansible_collections.epp.autoupdate.plugins.module_utils._core.rings.state import (
    Phase,
    RingState,
    RolloutState,
    StopKind,
    forgotten,
)
from ansible_collections.epp.autoupdate.plugins.module_utils._core.settings.rollout import (
    ProductRollout,
    RolloutSettings,
)

HOUR = 3600
T0 = 1_000_000.0
TRACK = Track("clamav", "debian-13-x86_64")
V1, V2, V3, V4 = (f"1.{number}.0+dfsg-1" for number in range(1, 5))
RINGS = {"canary": Tally(members=2), "early": Tally(members=3), "broad": Tally(members=5)}


def rollout(**more: Any) -> ProductRollout:
    rings = [{"name": "canary", "percent": 1}, {"name": "early", "percent": 9}, {"name": "broad"}]
    raw = {"rings": rings, "bake_time": "4h", "deadline": "1d", "failure_threshold": 0, **more}
    return RolloutSettings.from_dict({"clamav": raw}).products["clamav"]


def trying(version: str, *, ring: str = "canary", good: str = V1, since: float = T0) -> RolloutState:
    """All rings have ``good``, and one tries ``version``."""
    rings = {name: RingState((good, INSTALLED)) for name in RINGS}
    rings[ring] = RingState((good, INSTALLED), version, since)
    return RolloutState((INSTALLED, good, version), rings)


def after(state: RolloutState, *seen: str, now: float = T0 + 1, promoting: bool = True, **tallies: Tally) -> Decision:
    """After both endpoints of the free ring have told of these versions."""
    return told(state, seen, seen, now=now, promoting=promoting, **tallies)


def told(state: RolloutState, *reports: Collection[str], now: float = T0 + 1, **more: Any) -> Decision:
    """After each endpoint of the free ring has told of versions of its own."""
    known = Known(now, reports, more.pop("promoting", True), more.pop("manned", frozenset()))
    return decide_engine(rollout(**more.pop("rollout", {})), state, {**RINGS, **more}, known)


def allowed(state: RolloutState, free: str = "canary", **more: Any) -> dict[str, tuple[str, ...] | None]:
    return dict(offered_engine(TRACK, rollout(**more), state, free).channels)


def tally(eligible: int, healthy: int = 0, failed: int = 0) -> Tally:
    return Tally(members=eligible, eligible=eligible, healthy=healthy, failed=failed)


def kinds(decision: Decision) -> list[tuple[str, str, str]]:
    return [(one.kind.value, one.version, one.ring) for one in decision.events]


def test_names_of_tracks() -> None:
    assert TRACK.name == "clamav/engine/debian-13-x86_64"
    assert Track.of(TRACK.name) == TRACK
    assert Track.of("clamav") is None


def test_before_any_is_known_the_first_ring_is_free_and_the_others_install_nothing() -> None:
    assert allowed(beginning(rollout())) == {"canary": None, "early": (), "broad": ()}
    assert allowed(beginning(rollout()), dry_run=True) == dict.fromkeys(RINGS)


def test_the_first_version_that_is_ever_seen_has_to_pass_the_first_ring_too() -> None:
    """As nobody knows whether the others have it: of components, the first version is what all rings have."""
    decision = after(beginning(rollout()), V1)
    assert kinds(decision) == [("published", V1, ""), ("offered", V1, "canary")]
    assert decision.state.rings["canary"].since == T0 + 1
    assert allowed(decision.state) == {"canary": None, "early": (), "broad": ()}
    assert after(decision.state, V1).events == ()


def test_a_version_goes_through_the_rings_and_each_is_allowed_it_in_its_turn() -> None:
    state = trying(V2)
    state = after(state, V2, canary=tally(2, healthy=2), now=T0 + HOUR).state
    late = T0 + 5 * HOUR
    decision = after(state, V2, canary=tally(2, healthy=2), now=late - 1)
    assert (decision.events, allowed(decision.state)["early"]) == ((), (V1,))
    decision = after(state, V2, canary=tally(2, healthy=2), now=late)
    assert kinds(decision) == [("passed", V2, "canary"), ("offered", V2, "early")]
    assert allowed(decision.state) == {"canary": None, "early": (V2, V1), "broad": (V1,)}
    expired = after(state, V2, canary=tally(2, healthy=2), now=late, promoting=False)
    assert kinds(expired) == [("passed", V2, "canary")]
    assert allowed(expired.state)["early"] == (V1,)


@pytest.mark.parametrize(("failed", "phase"), [(0, Phase.BAKING), (1, Phase.HALTED)])
def test_one_failure_more_than_the_threshold_halts_it_and_ends_the_freedom(failed: int, phase: Phase) -> None:
    state = after(trying(V2), V2, canary=tally(2, failed=failed)).state
    assert state.phase("canary") is phase
    assert allowed(state)["canary"] == (None if phase is Phase.BAKING else (V1,))
    assert allowed(state)["early"] == (V1,)


@pytest.mark.parametrize(("at", "phase"), [(24 * HOUR - 1, Phase.BAKING), (24 * HOUR, Phase.INCONCLUSIVE)])
def test_what_is_neither_by_its_deadline_is_inconclusive(at: float, phase: Phase) -> None:
    assert after(trying(V2), V2, canary=tally(2, healthy=1), now=T0 + at).state.phase("canary") is phase


def test_while_one_is_halted_a_newer_one_waits_and_goes_on_after_the_abort() -> None:
    halted = after(trying(V2), V2, canary=tally(2, failed=1)).state
    decision = after(halted, V2, V3)
    assert kinds(decision) == [("published", V3, "")]
    assert allowed(decision.state)["canary"] == (V1,)
    assert after(decision.state, V2, V3).events == ()
    word = by_hand.Word("clamd crashes", "operator", T0 + 2)
    aborted = by_hand.abort(decision.state, V2, word, {"engine": V2}).state
    assert (aborted.stops[V2].kind, aborted.stops[V2].restore) == (StopKind.HELD, V1)
    assert allowed(aborted)["canary"] is None
    decision = after(forgotten(aborted), V2, V3)
    assert kinds(decision) == [("offered", V3, "canary")]


def test_the_only_version_that_is_known_can_be_taken_back_to_what_endpoints_had() -> None:
    state = after(beginning(rollout()), V1).state
    stop = by_hand.abort(state, V1, by_hand.Word("bad", "operator", T0), {"engine": V1}).state.stops[V1]
    assert stop.restore == INSTALLED


def test_a_resumed_version_is_tried_anew_and_a_released_one_as_well() -> None:
    halted = after(trying(V2), V2, canary=tally(2, failed=1)).state
    word = by_hand.Word("that host is full", "operator", T0 + HOUR)
    resumed = by_hand.resume(halted, V2, word).state
    assert after(resumed, V2, now=T0 + HOUR).state.rings["canary"].since == T0 + HOUR
    held = forgotten(by_hand.abort(halted, V2, word, {"engine": V2}).state)
    assert after(held, V2).events == ()
    released = by_hand.release(held, V2, word).state
    state = after(released, V2, now=T0 + HOUR).state
    assert (state.rings["canary"].candidate, state.rings["canary"].since) == (V2, T0 + HOUR)


def test_expedite_allows_it_everywhere() -> None:
    state = by_hand.expedite(trying(V2), V2, by_hand.Word("an outbreak", "operator", T0 + 1)).state
    assert allowed(state) == {"canary": None, "early": (V2, V1), "broad": (V2, V1)}
    halted = after(state, V2, broad=tally(5, failed=1)).state
    assert allowed(halted) == dict.fromkeys(RINGS, (V1,))


def test_a_newer_version_overtakes_in_the_free_ring_for_its_endpoints_have_gone_on() -> None:
    decision = after(trying(V2), V2, V3, canary=tally(2, healthy=2), now=T0 + 9)
    assert kinds(decision) == [("published", V3, ""), ("offered", V3, "canary")]
    assert decision.events[-1].evidence["overtakes"] == V2
    ring = decision.state.rings["canary"]
    assert (ring.candidate, ring.since, ring.reached) == (V3, T0 + 9, None)  # what was counted was another version


def test_a_version_that_fails_is_halted_before_another_one_overtakes_it() -> None:
    decision = after(trying(V2), V2, V3, canary=tally(2, healthy=1, failed=1))
    assert decision.state.phase("canary") is Phase.HALTED
    assert ("offered", V3, "canary") not in kinds(decision)


@pytest.mark.parametrize("promoting", [True, False])
def test_a_later_ring_goes_on_with_the_newest_that_the_ring_before_has_passed(promoting: bool) -> None:
    """Package sources often have the newest version alone."""
    state = trying(V2, ring="early")
    state = state.with_ring("canary", RingState((V3, V2, V1)))
    state = RolloutState((INSTALLED, V1, V2, V3), state.rings)
    decision = after(state, V3, early=tally(3, healthy=1), promoting=promoting)
    assert kinds(decision) == ([("offered", V3, "early")] if promoting else [])
    assert allowed(decision.state)["early"] == ((V3, V1) if promoting else (V2, V1))


def test_what_ring_tries_meanwhile_keeps_its_bake_time_when_another_one_is_overtaken() -> None:
    state = trying(V2, ring="early")
    state = state.with_ring("broad", RingState((INSTALLED,), V1, T0))
    state = RolloutState((INSTALLED, V1, V2, V3), {**state.rings, "canary": RingState((V3, V2, V1))})
    decision = after(state, V3, early=tally(3), broad=tally(5, healthy=5), now=T0 + 7)
    assert decision.state.rings["early"].candidate == V3
    assert decision.state.rings["broad"].reached == T0 + 7


def test_an_older_version_that_somebody_reports_late_is_none() -> None:
    state = trying(V3)
    assert after(state, V2, V3).events == ()
    assert after(state, V1).events == ()


def test_a_version_that_nobody_can_have_is_got_rid_of_by_a_hold() -> None:
    """An endpoint may report what it likes: what is held stands in no other's way, whatever its number."""
    invented = "99:9-1"
    state = after(trying(V1, good="1.0-1"), invented).state
    assert state.rings["canary"].candidate == invented
    held = by_hand.abort(state, invented, by_hand.Word("invented", "operator", T0), {"engine": invented}).state
    decision = after(forgotten(held), V2, invented)
    assert kinds(decision) == [("published", V2, ""), ("offered", V2, "canary")]
    assert decision.state.versions[-1] == invented


def test_the_free_ring_is_the_first_that_has_ever_had_an_endpoint_of_the_stream() -> None:
    assert free_ring(["canary", "early"], {"early"}) == "early"
    assert free_ring(["canary", "early"], {}) == "canary"
    decision = after(beginning(rollout()), V1, canary=Tally(), promoting=False)
    assert kinds(decision) == [("published", V1, ""), ("offered", V1, "early")]
    assert allowed(decision.state, "early") == {"canary": (), "early": None, "broad": ()}
    passed = after(decision.state, V1, canary=Tally(), early=tally(3, healthy=3), now=T0 + 2).state
    passed = after(passed, V1, canary=Tally(), early=tally(3, healthy=3), now=T0 + 9 * HOUR).state
    assert allowed(passed, "early") == {"canary": (V1,), "early": None, "broad": (V1,)}


def test_a_ring_that_has_lost_its_endpoints_stays_the_gate() -> None:
    """The only canary was removed: nobody has tried what the next ring would install."""
    state = trying(V2)
    emptied: Any = {"canary": Tally(), "manned": ("canary",)}
    decision = told(state, now=T0 + 23 * HOUR, **emptied)
    assert (decision.events, allowed(decision.state)["early"]) == ((), (V1,))
    decision = told(state, now=T0 + 24 * HOUR, **emptied)
    assert kinds(decision) == [("inconclusive", V2, "canary")]
    assert allowed(decision.state)["early"] == (V1,)


def test_a_later_ring_that_has_lost_its_endpoints_passes_nothing_to_the_next_one() -> None:
    state = trying(V2, ring="early").with_ring("canary", RingState((V2, V1)))
    gone = told(state, [V2], [V2], early=Tally(), manned=("early",))
    assert gone.events == ()
    never = told(state, [V2], [V2], early=Tally())
    assert kinds(never) == [("passed", V2, "early"), ("offered", V2, "broad")]
    offered = told(state.with_ring("early", RingState((V1,))), [V2], [V2], early=Tally(), manned=("early",))
    assert kinds(offered) == [("offered", V2, "early")]


def test_a_version_that_has_waited_behind_a_halt_has_all_its_time_from_its_offer_on() -> None:
    halted = after(trying(V2), V2, canary=tally(2, failed=1)).state
    halted = after(halted, V2, V3).state
    word = by_hand.Word("clamd crashes", "operator", T0 + 50 * HOUR)
    free = forgotten(by_hand.abort(halted, V2, word, {"engine": V2}).state)
    state = after(free, V2, V3, now=T0 + 50 * HOUR).state
    assert state.phase("canary") is Phase.BAKING
    assert after(state, V2, V3, now=T0 + 51 * HOUR).events == ()


def test_what_endpoints_of_other_rings_have_is_no_version() -> None:
    """``reports`` has the versions of the free ring alone; without any, nothing is known."""
    assert sighted(beginning(rollout()), "canary", Known(T0)) == (beginning(rollout()), "")
