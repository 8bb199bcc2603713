# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Who is told by which publication, and when each begins (E1, N1, N2, L3)."""

from __future__ import annotations

from typing import Any

from ansible_collections.epp.autoupdate.plugins.module_utils._core.results import Trigger
from ansible_collections.epp.autoupdate.plugins.module_utils._core.rollout.command import UpdateCommand
from ansible_collections.epp.autoupdate.plugins.module_utils._core.rollout.delivery import (
    NEVER,
    Delivery,
    DeliveryMode,
    DeliveryStatus,
)
from ansible_collections.epp.autoupdate.plugins.module_utils._server.campaigns.publishing.plan import (
    DueCampaign,
    Limits,
    publications,
)
from ansible_collections.epp.autoupdate.plugins.module_utils._server.campaigns.publishing.timing import Starts
from hypothesis import given
from hypothesis import strategies as st

NOW = 1_000_000
FLEET = {f"n{number}": number for number in range(40)}
LIMITS = Limits(cap=10, run=30)


def due(*names: str, trigger: Trigger = Trigger.DOWNLOAD, ring: str = "", **more: Any) -> DueCampaign:
    deliveries = tuple(Delivery(name, **more) for name in names)
    return DueCampaign(UpdateCommand("c-campaign", "2", trigger), "files", ring, deliveries, FLEET)


def at_once(starts: list[int], run: int) -> int:
    return max(sum(one <= moment < one + run for one in starts) for moment in starts)


def test_one_publication_tells_a_fleet_and_the_cap_holds() -> None:
    (made,) = publications([due(*FLEET)], [], now=NOW, limits=LIMITS)
    assert (made.audience.product, made.audience.ring, made.audience.endpoint) == ("files", "", "")
    assert set(made.starts) == set(FLEET)
    assert at_once(list(made.starts.values()), 30) <= 9, "one place is left for single endpoints"
    assert made.start == NOW
    assert made.spread >= 40 * 30 / 10


def test_a_few_of_many_are_told_one_by_one() -> None:
    made = publications([due("n1", "n2", "n3")], [], now=NOW, limits=LIMITS)
    assert [one.audience.endpoint for one in made] == ["n1", "n2", "n3"]
    assert {one.spread for one in made} == {0}


def test_who_is_told_again_has_a_publication_of_its_own() -> None:
    campaign = due("n1", status=DeliveryStatus.RETRYING, tries=1)
    (made,) = publications([campaign], [], now=NOW, limits=LIMITS)
    assert (made.audience.endpoint, made.start) == ("n1", NOW)


def test_a_publication_that_may_not_have_been_made_is_made_again_for_all() -> None:
    campaign = due(*FLEET, status=DeliveryStatus.IN_FLIGHT, tries=1, due=NEVER)
    (made,) = publications([campaign], [], now=NOW, limits=LIMITS)
    assert not made.audience.endpoint


def test_update_now_fits_in_beside_a_fleet() -> None:
    (fleet,) = publications([due(*FLEET)], [], now=NOW, limits=LIMITS)
    one = due("n7", trigger=Trigger.MANUAL, mode=DeliveryMode.NOW, until=NOW + 600.0)
    (made,) = publications([one], list(fleet.starts.values()), now=NOW + 10, limits=LIMITS)
    assert made.start == NOW + 10


def test_a_second_fleet_begins_after_the_first() -> None:
    (first,) = publications([due(*FLEET)], [], now=NOW, limits=LIMITS)
    (second,) = publications([due(*FLEET)], list(first.starts.values()), now=NOW + 5, limits=LIMITS)
    assert second.start == max(first.starts.values()) + 30
    both = [*first.starts.values(), *second.starts.values()]
    assert at_once(both, 30) <= 10


def test_what_would_be_over_by_its_start_is_left_out() -> None:
    busy = [NOW] * 10
    one = due("n1", trigger=Trigger.MANUAL, mode=DeliveryMode.NOW, until=NOW + 20.0)
    assert publications([one], busy, now=NOW, limits=LIMITS) == ()


def test_slots_that_the_server_keeps_are_told_one_by_one() -> None:
    campaign = due(*FLEET, trigger=Trigger.SCHEDULE, mode=DeliveryMode.SLOT, until=NOW + 7200.0)
    made = publications([campaign], [], now=NOW, limits=LIMITS)
    assert len(made) == 40
    assert {one.audience.product for one in made} == {""}
    assert at_once([one.start for one in made], 30) <= 10


@given(st.lists(st.integers(0, 400), max_size=40), st.integers(1, 8), st.integers(1, 60), st.integers(1, 20))
def test_places_are_found_without_breaking_the_cap(known: list[int], cap: int, run: int, more: int) -> None:
    """Those on record may break it already, as after a change of the cap; nobody makes it worse."""
    starts = Starts(known, cap=cap, run=run)
    placed = [starts.place(100) for _one in range(more)]
    assert min(placed) >= 100
    everything = [*known, *placed]
    for one in placed:
        for moment in {one, *(other for other in everything if one <= other < one + run)}:
            assert sum(other <= moment < other + run for other in everything) <= cap
