# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Who is told by which publication, and when each begins (E1, N1, N2, L3)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pytest
from ansible_collections.epp.autoupdate.plugins.module_utils._core.policy.enums import Scope
from ansible_collections.epp.autoupdate.plugins.module_utils._core.results import Trigger
from ansible_collections.epp.autoupdate.plugins.module_utils._core.rollout.command import UpdateCommand
from ansible_collections.epp.autoupdate.plugins.module_utils._core.rollout.delivery import (
    NEVER,
    Delivery,
    DeliveryMode,
    DeliveryStatus,
)
from ansible_collections.epp.autoupdate.plugins.module_utils._server.campaigns.publishing.members import Group
from ansible_collections.epp.autoupdate.plugins.module_utils._server.campaigns.publishing.plan import (
    DueCampaign,
    Limits,
    Publication,
)
from ansible_collections.epp.autoupdate.plugins.module_utils._server.campaigns.publishing.plan import (
    publications as plan_of,
)
from ansible_collections.epp.autoupdate.plugins.module_utils._server.campaigns.publishing.timing import Starts
from hypothesis import given
from hypothesis import strategies as st

NOW = 1_000_000
FLEET = {f"n{number}": number for number in range(40)}
LIMITS = Limits(cap=10, run=30)


def due(
    *names: str,
    trigger: Trigger = Trigger.DOWNLOAD,
    coming: Sequence[str] = (),
    group: Mapping[str, int] = FLEET,
    **more: Any,
) -> DueCampaign:
    deliveries = tuple(Delivery(name, **more) for name in names)
    also = tuple(Delivery(name, **more) for name in coming)
    command = UpdateCommand("c-campaign", "2", trigger)
    return DueCampaign(command, "files", "", NOW, deliveries, also, Group(group, (Scope.ALL,)))


def publications(some: list[DueCampaign], known: list[int], *, now: int, limits: Limits) -> tuple[Publication, ...]:
    return plan_of(some, known, now=now, limits=limits).made


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


def test_a_version_that_appears_during_a_spread_is_one_publication_too() -> None:
    """Only some have finished the one before: the others are told along with them, to begin after it."""
    (first,) = publications([due(*FLEET)], [], now=NOW, limits=LIMITS)
    later = NOW + 40
    done = [name for name, at in first.starts.items() if at + 30 <= later]
    assert 0 < len(done) < len(FLEET) / 2
    others = [name for name in FLEET if name not in done]
    known = [first.starts[name] for name in others]
    (second,) = publications([due(*done, coming=others)], known, now=later, limits=LIMITS)
    assert set(second.starts) == set(FLEET)
    assert min(second.starts.values()) >= max(first.starts.values()) + 30
    assert at_once([*first.starts.values(), *second.starts.values()], 30) <= 10


def test_a_group_waits_for_the_first_of_it_that_is_due() -> None:
    assert publications([due(coming=list(FLEET))], [], now=NOW, limits=LIMITS) == ()


def test_who_is_no_member_is_told_by_itself() -> None:
    """Its ring, its product or its policy is another one by now: it does not hear what the group is told."""
    group, *single = publications([due(*FLEET, "stranger")], [], now=NOW, limits=LIMITS)
    assert set(group.starts) == set(FLEET)
    assert [(one.audience.endpoint, set(one.starts)) for one in single] == [("stranger", {"stranger"})]


@pytest.mark.parametrize("ordinals", [range(3000), range(0, 30_000, 10)])
def test_a_group_for_which_a_day_is_too_short_is_told_one_by_one_and_the_cap_holds(ordinals: Sequence[int]) -> None:
    fleet = {f"n{ordinal}": ordinal for ordinal in ordinals}
    campaign = due(*fleet, group=fleet)
    plan = plan_of([campaign], [], now=NOW, limits=Limits(cap=2, run=60))
    assert plan.over_cap == (campaign,)
    assert {one.spread for one in plan.made} == {0}
    starts = [at for one in plan.made for at in one.starts.values()]
    assert len(starts) == 2 * 86400 // 60, "as many as a day has places for; the others stay due"
    assert at_once(starts, 60) <= 2
    assert max(starts) < NOW + 86400


def test_a_group_behind_others_begins_within_a_day_or_is_published_later() -> None:
    long = [NOW + 3 * 86400] * 10
    assert publications([due(*FLEET)], long, now=NOW, limits=LIMITS) == ()


@given(st.lists(st.integers(0, 400), max_size=40), st.integers(1, 8), st.integers(1, 60), st.integers(1, 20))
def test_places_are_the_first_that_do_not_break_the_cap(known: list[int], cap: int, run: int, more: int) -> None:
    """Those on record may break it already, as after a change of the cap; nobody makes it worse."""
    starts, everything = Starts(known, cap=cap, run=run), list(known)

    def fits(at: int) -> bool:
        moments = {at, *(other for other in everything if at <= other < at + run)}
        return all(sum(other <= moment < other + run for other in everything) < cap for moment in moments)

    for _one in range(more):
        placed = starts.place(100, before=10**6)
        assert placed is not None
        assert placed == next(at for at in range(100, 10**6) if fits(at))
        everything.append(placed)
    assert (len(starts), starts.last()) == (len(everything), max(everything))


def test_a_place_that_would_be_too_late_is_none() -> None:
    starts = Starts([100], cap=1, run=10)
    assert [starts.place(95, before=110), starts.place(95, before=111)] == [None, 110]
