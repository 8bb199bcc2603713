# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A million endpoints on a virtual clock: who begins a version when, and how few begin a bad one (G2, G4)."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from ansible_collections.epp.autoupdate.plugins.module_utils._core.rings.simulate import (
    Assumptions,
    Course,
    Member,
    simulate,
    with_bad_version,
)
from ansible_collections.epp.autoupdate.plugins.module_utils._core.settings.rollout import (
    ProductRollout,
    RolloutSettings,
)

HOUR = 3600
RAW = {
    "rings": [{"name": "canary", "percent": 0.1}, {"name": "early", "percent": 10}, {"name": "broad"}],
    "bake_time": "4h",
    "failure_threshold": "5%",
    "silence": "6h",
}


def rings(**more: object) -> ProductRollout:
    return RolloutSettings.from_dict({"files": {**RAW, **more}}).products["files"]


def fleet(count: int) -> Iterator[Member]:
    return (Member(f"n{ordinal}", "", ordinal) for ordinal in range(count))


def course(count: int, assumed: Assumptions, **more: object) -> Course:
    return simulate(rings(**more), fleet(count), assumed)


@pytest.mark.heavy
@pytest.mark.parametrize("bad", [False, True])
def test_a_million_endpoints(bad: bool) -> None:
    assumed = Assumptions(update_within=4 * HOUR, lost=0.001, off=0.1)
    found = course(1_000_000, with_bad_version(assumed) if bad else assumed)
    canary, early, broad = found.rings
    assert (canary.endpoints, early.endpoints, broad.endpoints) == (1_000, 100_000, 899_000)
    assert found.halted is bad
    if bad:
        assert found.begun == canary.begun <= 100
        assert (early.offered, broad.offered) == (None, None)
    else:
        assert found.begun == sum(ring.eligible for ring in found.rings)
        assert canary.passed is not None
        assert 7 * HOUR <= canary.passed <= 8.5 * HOUR
        assert broad.passed == found.end


def test_the_last_ring_is_through_when_each_ring_had_its_updates_and_its_bake_time() -> None:
    shares = [{"name": "canary", "percent": 10}, {"name": "early", "percent": 10}, {"name": "broad"}]
    found = course(3_000, Assumptions(update_within=2 * HOUR, step=60), rings=shares)
    assert not found.halted
    first, second, third = (ring.passed for ring in found.rings)
    assert first is not None
    assert second is not None
    assert third is not None
    assert 5 * HOUR < first <= 6 * HOUR + 60
    assert 5 * HOUR < second - first <= 6 * HOUR + 60
    assert 5 * HOUR < third - second <= 6 * HOUR + 60


def test_endpoints_that_are_lost_after_the_update_halt_the_rollout_once_they_are_silent_too_long() -> None:
    found = course(20_000, Assumptions(update_within=HOUR, lost=0.2), bake_time="12h", silence="3h")
    (_at, event) = found.events[-1]
    assert (event.kind.value, event.ring) == ("halted", "canary")
    assert 3 * HOUR < found.end < 12 * HOUR
    assert found.rings[1].begun == 0


def test_a_ring_in_which_too_few_answer_is_inconclusive_at_its_deadline() -> None:
    found = course(3_000, Assumptions(update_within=30 * 86400), deadline="2d")
    assert found.events[-1][1].kind.value == "inconclusive"
    assert found.end == 2 * 86400
