# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Versions of engine packages in rings where a single endpoint reports what no other one has (G2)."""

from __future__ import annotations

from random import Random

import pytest
from ansible_collections.epp.autoupdate.plugins.module_utils._core.rings.decide import Decision
from ansible_collections.epp.autoupdate.plugins.module_utils._core.rings.engines import (
    INSTALLED,
    Known,
    beginning,
    decide_engine,
    free_ring,
)
from ansible_collections.epp.autoupdate.plugins.module_utils._core.rings.outcome import Tally
from ansible_collections.epp.autoupdate.plugins.module_utils._core.rings.state import (
    Phase,
    RingState,
    RolloutState,
    forgotten,
)

from .test_engines import HOUR, RINGS, T0, V1, V2, V3, kinds, rollout, tally, told, trying

ODD = "99:9-1"
PERCENT = {"failure_threshold": "50%"}


def test_what_a_single_endpoint_reports_stops_no_version_that_others_have() -> None:
    state = trying(V2)
    decision = told(state, [V2], [V2], [ODD], canary=tally(3, healthy=2))
    assert (decision.events, decision.state.versions[-1]) == ((), V2)
    later = told(decision.state, [V2], [V2], [ODD], canary=tally(3, healthy=3), now=T0 + 5 * HOUR)
    passed = told(later.state, [V2], [V2], [ODD], canary=tally(3, healthy=3), now=T0 + 9 * HOUR)
    assert ("passed", V2, "canary") in kinds(passed)
    assert ("offered", V2, "early") in kinds(passed)


def test_what_a_single_endpoint_reports_neither_passes_nor_runs_out_and_gives_way_to_what_others_have() -> None:
    state = RolloutState((INSTALLED, V1), {name: RingState((V1,)) for name in RINGS})
    state = told(state, [V1], [V1], [ODD]).state
    assert state.rings["canary"].candidate == ODD
    for at in (T0 + 9 * HOUR, T0 + 99 * HOUR):
        lax = {"success_threshold": 10, **PERCENT}
        assert told(state, [V1], [V1], [ODD], canary=tally(3, healthy=1), now=at, rollout=lax).events == ()
    for count in (tally(3, healthy=1), tally(3, failed=1)):
        decision = told(state, [V2], [V1], [ODD], canary=count, now=T0 + 99 * HOUR, rollout=PERCENT)
        assert kinds(decision) == [("published", V2, ""), ("offered", V2, "canary")]
        assert ODD not in decision.state.versions


def test_the_first_endpoint_that_fails_with_a_new_version_halts_it_before_others_have_it() -> None:
    state = RolloutState((INSTALLED, V1), {name: RingState((V1,)) for name in RINGS})
    state = told(state, [V1, V2], [V1], [ODD]).state
    assert state.rings["canary"].candidate == V2
    state = told(state, [V1, V2], [V1], [V1], canary=tally(3, failed=1)).state
    assert state.phase("canary") is Phase.HALTED


def test_the_only_endpoint_that_takes_part_confirms_a_version() -> None:
    state = RolloutState((INSTALLED, V1), {name: RingState((V1,)) for name in RINGS})
    state = told(state, [V2], canary=Tally(members=2)).state
    state = told(state, [V2], canary=tally(1, healthy=1), now=T0 + 2).state
    assert ("passed", V2, "canary") in kinds(told(state, [V2], canary=tally(1, healthy=1), now=T0 + 5 * HOUR))


def test_what_is_seen_beside_a_version_that_halts_is_news_in_the_same_decision() -> None:
    state = trying(V2)
    decision = told(state, [V2], [V2], [V3], canary=tally(3, failed=1))
    assert kinds(decision) == [("halted", V2, "canary"), ("published", V3, "")]
    again = told(decision.state, [V2], [V2], [V3], canary=tally(3, failed=1))
    assert (again.events, again.state) == ((), decision.state)


def test_a_ring_that_is_not_the_free_one_any_more_tries_nothing_that_the_free_one_has_not_passed() -> None:
    """There is a canary now; before, the next ring was the free one."""
    state = RolloutState((INSTALLED, V1, ODD), {name: RingState((V1,)) for name in RINGS})
    state = state.with_ring("early", RingState((V1,), ODD, T0))
    decision = told(state, [V1], [V1], early=tally(3, healthy=3), now=T0 + 99 * HOUR)
    assert kinds(decision) == [("offered", ODD, "canary")]
    assert decision.state.phase("early") is Phase.IDLE


def test_what_endpoints_had_before_is_no_news() -> None:
    state = RolloutState((V1, V2), {name: RingState((V2, V1)) for name in RINGS})
    assert kinds(told(state, [V3], [V2])) == [("published", V3, ""), ("offered", V3, "canary")]


class Fuzzed:
    """A rollout of three endpoints that follow one package source, and one that reports whatever it likes."""

    def __init__(self, seed: int) -> None:
        self.random = Random(seed)
        self.now, self.state = T0, beginning(rollout(**PERCENT))
        self.newest = 1
        self.honest = [1, 1, 1]
        self.odd = 1
        self.manned: set[str] = set()
        self.canaries = self.random.random() < 0.7

    def step(self) -> tuple[Decision, Decision]:
        """What is decided next, and what is decided again at the same time."""
        self.now += self.random.choice([60, HOUR, 2 * HOUR, 11 * HOUR])
        self.newest = min(self.newest + (self.random.random() < 0.3), 8)
        self.honest = [self.newest if self.random.random() < 0.5 else one for one in self.honest]
        self.odd = self.random.choice([1, 2, 5, 8, 98, 99])
        self.canaries ^= self.random.random() < 0.05
        here = {"canary": self.canaries, "early": False, "broad": True}
        self.manned |= {name for name, some in here.items() if some}
        there = here[free_ring(list(here), self.manned)]
        reports = [{f"1.{one}-1"} for one in (*self.honest, self.odd)] if there else []
        known = Known(self.now, reports, self.random.random() < 0.8, frozenset(self.manned))
        counts = {name: self.count(name) if some else Tally() for name, some in here.items()}
        first = decide_engine(rollout(**PERCENT), self.state, counts, known)
        before, self.state = self.state, forgotten(first.state)
        trials = {name: (ring.candidate, ring.since) for name, ring in before.rings.items()}
        for name, ring in self.state.rings.items():
            if trials[name] != (ring.candidate, ring.since):
                counts[name] = Tally(members=counts[name].members)
        return first, decide_engine(rollout(**PERCENT), self.state, counts, known)

    def count(self, name: str) -> Tally:
        if self.state.phase(name) is not Phase.BAKING:
            return Tally(members=4)
        healthy = self.random.randint(0, 4)
        return tally(4, healthy=healthy, failed=min(self.random.choice([0, 0, 0, 1]), 4 - healthy))


@pytest.mark.parametrize("seed", range(40))
def test_deciding_again_decides_nothing_more_and_what_one_endpoint_invents_goes_nowhere(seed: int) -> None:
    world = Fuzzed(seed)
    for _step in range(40):
        first, again = world.step()
        assert (again.events, forgotten(again.state)) == ((), world.state)
        invented = [one for one in first.events if one.version in ("1.98-1", "1.99-1")]
        assert {one.kind.value for one in invented if one.ring != "canary"} <= {"published", "offered"}
        assert "passed" not in {one.kind.value for one in invented}
