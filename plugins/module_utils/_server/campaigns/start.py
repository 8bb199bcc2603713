# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""How campaigns begin: with a version that was not there before (E1), and at the slots of endpoints whose
schedule the server keeps (S6)."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator
from datetime import tzinfo
from typing import Callable

from ..._core.canonical import digest
from ..._core.policy.policy import Initiator
from ..._core.results import Trigger
from ..._core.rollout.delivery import Delivery, event_delivery, skipped, slot_delivery
from ..._core.rollout.outdated import Offer
from ..._core.schedule.slots import Slot
from ..._core.schedule.timetable import Timetable
from ..._core.settings.endpoint_keys import ProductKind
from ..._core.settings.retries import RetryPolicy
from ..._core.values import frozen, replace
from ..components.base import Published
from ..fleet.holdings import holdings, is_behind
from ..fleet.policies import EndpointPolicy, endpoint_policies
from .store import CampaignKey, CampaignStore

SCHEDULE = "schedule"
"""Stands for the product in campaigns of slots: a scheduled update is of all that an endpoint has."""
NO_ADDRESS = "it has no address: it is not notified, and asks by itself"
_HORIZON_S = 600.0


@frozen
class RingMembers:
    """The endpoints of a ring, and since when (Unix seconds) it has been offered what it is offered.

    Those that are behind are notified; all of them where they were ``chosen`` for it.
    """

    name: str
    since: float
    members: tuple[EndpointPolicy, ...]
    chosen: bool = False


def start_campaign(
    connection: sqlite3.Connection, product: str, published: Published, *, now: float, limits: RetryPolicy
) -> str | None:
    """Begin the campaign for what is published, unless it has one; returns its id if it is new.

    Called after every fetch, not only after those that brought something: it also resumes after a crash between fetch
    and announcement.
    """
    content = digest([item.to_dict() for item in published.items])
    key = CampaignKey(Trigger.DOWNLOAD, product, published.version, content)
    store = CampaignStore(connection)
    if store.exists(key):
        return None
    offer, known = Offer(ProductKind(product), published.version, published.items), holdings(connection)
    told = (member for member in endpoint_policies(connection) if member.is_notified_of(product))
    fleet = (member for member in told if is_behind(member, known.get(member.name), offer))
    deliveries = list(_event_deliveries(fleet, product, now=now, limits=limits))
    return key.id if store.create(key, deliveries, now=now) else None


def start_ring_campaign(
    connection: sqlite3.Connection, offer: Offer, ring: RingMembers, *, now: float, limits: RetryPolicy
) -> str | None:
    """Begin the campaign of what a ring is offered, unless it has begun; returns its id if it is new."""
    key = ring_key(connection, offer, ring.name, ring.since)
    if key is None:
        return None
    known = {} if ring.chosen else holdings(connection)
    told = (member for member in ring.members if member.is_notified_of(offer.product.value))
    fleet = (member for member in told if ring.chosen or is_behind(member, known.get(member.name), offer))
    deliveries = list(_event_deliveries(fleet, offer.product.value, now=now, limits=limits))
    return key.id if CampaignStore(connection).create(key, deliveries, now=now) else None


def ring_key(connection: sqlite3.Connection, offer: Offer, ring: str, since: float) -> CampaignKey | None:
    """The campaign of what a ring is offered since then; None where it has begun."""
    content = digest([item.to_dict() for item in offer.items])
    key = CampaignKey(Trigger.DOWNLOAD, offer.product.value, offer.version, content, ring)
    number, begun = CampaignStore(connection).round(key, since)
    return None if begun else replace(key, round=number)


def plan_slots(connection: sqlite3.Connection, *, now: float, zone_of: Callable[[str], tzinfo]) -> int:
    """Put the slots of the next minutes on record as campaigns, one an occurrence; returns how many are new."""
    by_occurrence: dict[str, list[Delivery]] = {}
    for member in endpoint_policies(connection):
        for slot in _due_slots(member, now, zone_of):
            timely = slot_delivery(member.name, at=slot.at, end=slot.end)
            delivery = timely if member.notified else skipped(member.name, NO_ADDRESS)
            by_occurrence.setdefault(slot.occurrence, []).append(delivery)
    store = CampaignStore(connection)
    return sum(
        store.join(CampaignKey(Trigger.SCHEDULE, SCHEDULE, occurrence), deliveries, now=now)
        for occurrence, deliveries in sorted(by_occurrence.items())
    )


def _event_deliveries(
    fleet: Iterable[EndpointPolicy],
    product: str,
    *,
    now: float,
    limits: RetryPolicy,
) -> Iterator[Delivery]:
    """Who of those that are behind is notified; who is left out by policy is on record with the reason."""
    for member in fleet:
        policy = member.policy_of(product)
        if policy is None:
            yield skipped(member.name, f"its policy is not valid: {member.error}")
        elif not member.notified:
            yield skipped(member.name, NO_ADDRESS)
        elif not policy.events.update_after_download:
            yield skipped(member.name, "events.update_after_download is off")
        else:
            kept = policy.events.include_roaming_and_offline
            yield event_delivery(member.name, created=now, kept=kept, limits=limits)


def _due_slots(member: EndpointPolicy, now: float, zone_of: Callable[[str], tzinfo]) -> Iterator[Slot]:
    policy = member.policy_of(member.product)
    if policy is None or policy.schedule.initiator is not Initiator.SERVER:
        return
    schedule = policy.schedule
    try:
        zone = zone_of(schedule.timezone)
        timetable = Timetable.of(schedule, endpoint=member.name, ordinal=member.ordinal, zone=zone, zone_of=zone_of)
    except KeyError:
        return
    near = (slot for slot in timetable.grid.around(now) if now - _HORIZON_S <= slot.at <= now + _HORIZON_S)
    # Slots that went by while no dispatcher ran are not made up for (S4): the window may be open, the slot is not.
    yield from (slot for slot in near if not slot.swallowed)
