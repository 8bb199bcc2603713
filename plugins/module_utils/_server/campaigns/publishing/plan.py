# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Who is told by which publication, and when each begins: a pure function of what is due (E1, N1, N2, L3).

A campaign of a version tells its ring, or the fleet, by one publication where half of it has still to be told; whoever
is told again, Update Now and slots that the server keeps (S6) have publications of their own.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

from ...._core.results import Trigger
from ...._core.rollout.command import UpdateCommand
from ...._core.rollout.delivery import Delivery, DeliveryMode, DeliveryStatus
from ...._core.rollout.order import LONGEST_SPREAD, Audience
from ...._core.rollout.spread import spread
from ...._core.schedule.slots import even_slot
from ...._core.values import frozen
from .members import Group
from .timing import Starts

_RESERVE = 10
"""One in so many of the cap's places is left free by groups, for single endpoints meanwhile."""
_LEAST = 2
OF_VERSIONS = (DeliveryMode.EVENT, DeliveryMode.RETAINED)


@frozen
class DueCampaign:
    """What is to be told of a campaign, which was ``created`` then (Unix seconds).

    ``deliveries`` are those that are due. ``coming`` are first tellings that a group takes along: of endpoints that
    another campaign has told just now, or that are due within minutes. ``group`` are all that it is for.
    """

    command: UpdateCommand
    product: str
    ring: str
    created: int
    deliveries: tuple[Delivery, ...]
    coming: tuple[Delivery, ...] = ()
    group: Group = Group()


@frozen
class Publication:
    """One publication. ``starts`` tells of each delivery when its endpoint begins; ``spread`` is 0 for a single one."""

    command: UpdateCommand
    created: int
    audience: Audience
    start: int
    spread: int
    starts: Mapping[str, int]
    until: float | None = None
    retained: bool = False


@frozen
class Plan:
    """What to publish now. ``over_cap`` are the campaigns of groups that are too large for one publication: the cap
    would not hold in the longest spread."""

    made: tuple[Publication, ...]
    over_cap: tuple[DueCampaign, ...] = ()


@frozen
class Limits:
    """``cap`` endpoints at once, each for ``run`` seconds."""

    cap: int
    run: int


def is_first(told: Delivery) -> bool:
    """Whether a version is still to be told for the first time, as far as is known: its first publication may not have
    been made."""
    unsure = told.tries == 1 and told.status is DeliveryStatus.IN_FLIGHT
    return told.mode in OF_VERSIONS and (told.tries == 0 or unsure)


def publications(due: Sequence[DueCampaign], known: Sequence[int], *, now: int, limits: Limits) -> Plan:
    """What to publish now. ``known`` are the starts of those who were told before.

    A delivery is left out whose time would be over by its start, and one that would begin in more than a day: it is due
    as before.
    """
    starts = Starts(known, cap=limits.cap, run=limits.run)
    made: list[Publication] = []
    over_cap: list[DueCampaign] = []
    for campaign in due:
        grouped: Collection[str] = ()
        told = _told_together(campaign)
        if told:
            begin, seconds = _span(campaign, starts, now=now, limits=limits)
            if seconds is None:
                over_cap.append(campaign)
            else:
                grouped = {one.endpoint for one in told}
                made += _to_group(campaign, told, starts, begin, seconds) if begin - now <= LONGEST_SPREAD else []
        for one in campaign.deliveries:
            if one.endpoint not in grouped:
                made += _to_one(campaign, one, starts, now=now)
    return Plan(tuple(made), tuple(over_cap))


def _told_together(campaign: DueCampaign) -> list[Delivery]:
    """Those that one order tells; none where the campaign has no group, or too little of it is left."""
    members = campaign.group.ordinals
    due = [one for one in campaign.deliveries if one.endpoint in members and is_first(one)]
    told = [*due, *(one for one in campaign.coming if one.endpoint in members)]
    is_group = campaign.command.trigger is Trigger.DOWNLOAD and len(told) >= _LEAST and 2 * len(told) >= len(members)
    return told if due and is_group else []


def _span(campaign: DueCampaign, starts: Starts, *, now: int, limits: Limits) -> tuple[int, int | None]:
    """When an order to all begins and how long it is spread: at once beside a few others, and after them where they are
    many, or where some of them are among its members."""
    last, usual = starts.last(), max(1, limits.cap - limits.cap // _RESERVE)
    free, begin = limits.cap - len(starts), now
    if last is not None and (free < max(1, usual // 2) or campaign.coming):
        free, begin = usual, max(now, last + limits.run)
    return begin, spread(campaign.group.ordinals.values(), cap=min(free, usual), run=limits.run)


def _to_group(
    campaign: DueCampaign, told: Sequence[Delivery], starts: Starts, begin: int, seconds: int
) -> list[Publication]:
    ordinals = campaign.group.ordinals
    at = {one.endpoint: begin + even_slot(ordinals[one.endpoint], seconds) for one in told}
    starts.add(at.values())
    retained = any(one.mode is DeliveryMode.RETAINED for one in told)
    audience = Audience(campaign.product, campaign.ring, scopes=campaign.group.scopes)
    return [Publication(campaign.command, campaign.created, audience, begin, seconds, at, retained=retained)]


def _to_one(campaign: DueCampaign, told: Delivery, starts: Starts, *, now: int) -> list[Publication]:
    horizon = now + LONGEST_SPREAD
    at = starts.place(now, before=horizon if told.until is None else min(horizon, told.until))
    if at is None:
        return []
    product = campaign.product if campaign.command.trigger is Trigger.DOWNLOAD else ""
    audience = Audience(product, endpoint=told.endpoint)
    return [Publication(campaign.command, campaign.created, audience, at, 0, {told.endpoint: at}, until=told.until)]
