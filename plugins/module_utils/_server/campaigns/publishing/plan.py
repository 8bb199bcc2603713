# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Who is told by which publication, and when each begins: a pure function of what is due (E1, N1, N2, L3).

A campaign of a version tells its ring, or the fleet, by one publication where half of it has still to be told; whoever
is told again, Update Now and slots that the server keeps (S6) have publications of their own.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from ...._core.results import Trigger
from ...._core.rollout.command import UpdateCommand
from ...._core.rollout.delivery import Delivery, DeliveryMode, DeliveryStatus
from ...._core.rollout.order import Audience
from ...._core.rollout.spread import spread
from ...._core.schedule.slots import even_slot
from ...._core.values import frozen
from .timing import Starts

_RESERVE = 10
"""One in so many of the cap's places is left free by groups, for single endpoints meanwhile."""
_LEAST = 2
_OF_VERSIONS = (DeliveryMode.EVENT, DeliveryMode.RETAINED)


@frozen
class DueCampaign:
    """What is due of a campaign. ``members`` are the ordinals of the ring, or of the fleet, that it is for, by name."""

    command: UpdateCommand
    product: str
    ring: str
    deliveries: tuple[Delivery, ...]
    members: Mapping[str, int]


@frozen
class Publication:
    """One publication. ``starts`` tells of each delivery when its endpoint begins; ``spread`` is 0 for a single one."""

    command: UpdateCommand
    audience: Audience
    start: int
    spread: int
    starts: Mapping[str, int]
    until: float | None = None
    retained: bool = False


@frozen
class Limits:
    """``cap`` endpoints at once, each for ``run`` seconds."""

    cap: int
    run: int


def publications(
    due: Sequence[DueCampaign], known: Sequence[int], *, now: int, limits: Limits
) -> tuple[Publication, ...]:
    """What to publish now. ``known`` are the starts of those who were told before.

    A delivery whose time would be over by its start is left out.
    """
    starts = Starts(known, cap=limits.cap, run=limits.run)
    made: list[Publication] = []
    for campaign in due:
        fresh = tuple(one for one in campaign.deliveries if one.mode in _OF_VERSIONS and _is_first(one))
        group = fresh if _is_group(campaign, fresh) else ()
        if group:
            made.append(_to_group(campaign, group, starts, now=now, limits=limits))
        grouped = {one.endpoint for one in group}
        for one in campaign.deliveries:
            if one.endpoint not in grouped:
                single = _to_one(campaign, one, starts, now=now)
                made += [single] if single is not None else []
    return tuple(made)


def _is_first(told: Delivery) -> bool:
    """Whether it has not been told before, as far as is known: its first publication may not have been made."""
    return told.tries == 0 or (told.tries == 1 and told.status is DeliveryStatus.IN_FLIGHT)


def _is_group(campaign: DueCampaign, fresh: Sequence[Delivery]) -> bool:
    of_version = campaign.command.trigger is Trigger.DOWNLOAD
    return of_version and len(fresh) >= _LEAST and 2 * len(fresh) >= len(campaign.members)


def _to_group(
    campaign: DueCampaign, told: Sequence[Delivery], starts: Starts, *, now: int, limits: Limits
) -> Publication:
    """One order to all. It begins at once beside a few others, and after them where they are many."""
    last, usual = starts.last(), max(1, limits.cap - limits.cap // _RESERVE)
    free, begin = limits.cap - len(starts), now
    if last is not None and free < max(1, usual // 2):
        free, begin = usual, max(now, last + limits.run)
    seconds = spread(campaign.members.values(), cap=min(free, usual), run=limits.run)
    at = {one.endpoint: begin + even_slot(campaign.members.get(one.endpoint, 0), seconds) for one in told}
    for second in at.values():
        starts.add(second)
    retained = any(one.mode is DeliveryMode.RETAINED for one in told)
    audience = Audience(campaign.product, campaign.ring)
    return Publication(campaign.command, audience, begin, seconds, at, retained=retained)


def _to_one(campaign: DueCampaign, told: Delivery, starts: Starts, *, now: int) -> Publication | None:
    at = starts.place(now)
    if told.until is not None and at >= told.until:
        return None
    product = campaign.product if campaign.command.trigger is Trigger.DOWNLOAD else ""
    audience = Audience(product, endpoint=told.endpoint)
    return Publication(campaign.command, audience, at, 0, {told.endpoint: at}, until=told.until)
