# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A campaign as a state machine: which endpoints are notified when, and what becomes of each (E1, N1-N4, S6).

Every function takes ``now`` (Unix seconds) and gives values; who calls them keeps the values and sends the notices.

The rule by which each endpoint is notified exactly once per version, whatever is killed when:

1. A delivery is recorded as ``in_flight`` before it is sent, and its answer is recorded after it came.
2. Each delivery carries its campaign's id. An endpoint writes down the id before it begins and the answer when it ends;
   the same id again makes it repeat that answer. So sending a delivery again queries its result.
3. After a restart everything that is ``in_flight`` is asked so (``interrupted``). Nothing else is ever sent twice.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from enum import Enum

from ..results import Result
from ..schedule.slots import random_slot
from ..settings.retries import RetryPolicy
from ..values import frozen, replace
from .command import AFTER_BLACKOUT

NEVER = float("inf")
LONGEST_SLOT = 3600.0
"""How far ahead a slot may lie that the server has put on record: slots are planned for minutes (S6)."""


LONGEST_BLACKOUT = 6 * 3600.0
"""After how long an endpoint in a blackout is notified again at the latest: its policy may be another one then."""


class DeliveryStatus(str, Enum):
    """Where one endpoint stands in a campaign."""

    QUEUED = "queued"
    """Not notified yet: its turn or its slot is still to come."""
    IN_FLIGHT = "in_flight"
    """Notified, or about to be; it holds one of the server's places until it reports (N1)."""
    RETRYING = "retrying"
    """Not reached; it is tried again (N2)."""
    DEFERRED = "deferred"
    """Offline, and to be notified when it is reachable again (E1a); or in a blackout, and to be notified after it
    (G7): its result is ``skipped`` then."""
    FINISHED = "finished"
    FAILED = "failed"
    SKIPPED = "skipped"

    @property
    def open(self) -> bool:
        return self not in (DeliveryStatus.FINISHED, DeliveryStatus.FAILED, DeliveryStatus.SKIPPED)


class DeliveryMode(str, Enum):
    """By which rule an endpoint takes part."""

    EVENT = "event"
    """E1: tried again as N2 says, then given up until E2."""
    RETAINED = "retained"
    """E1a: after the retries of N2 the delivery is retained until the endpoint is reachable or it expires."""
    SLOT = "slot"
    """S6: notified once, at its slot; an endpoint that is off then is not made to catch up (S4)."""
    NOW = "now"
    """Update Now: notified once, while the caller waits."""


class SendResult(str, Enum):
    """Outcome of one delivery attempt."""

    ACKNOWLEDGED = "acknowledged"
    NOT_REACHED = "not_reached"
    """No connection, so certainly nothing was begun by this sending."""
    REFUSED = "refused"
    """The endpoint is up and its sshd does not let the server in; nothing was begun either. It is tried again as N2
    says, since whoever mends it tells the server nothing."""
    NO_REPLY = "no_reply"
    """The command was sent and no response came: its effect is unknown and queried again."""
    HOST_KEY_CHANGED = "host_key_changed"
    """Another host answers at the address: nothing is sent to it, and the delivery fails."""


@frozen
class Delivery:
    """One endpoint's part in a campaign.

    ``due`` is when it is to be sent, or asked again while in flight; ``until`` when it is no longer sent at all.
    ``since`` is when it took its place, ``tries`` how many sendings have begun, ``tried`` when the one began that gave
    the result. ``result`` is a word of ``Result``, of ``SendResult`` or ``expired``; ``reason`` one sentence.
    """

    endpoint: str
    mode: DeliveryMode = DeliveryMode.EVENT
    status: DeliveryStatus = DeliveryStatus.QUEUED
    due: float = 0.0
    until: float | None = None
    since: float | None = None
    tried: float | None = None
    tries: int = 0
    result: str = ""
    reason: str = ""

    def ready(self, now: float) -> bool:
        """Whether it is to be sent, or asked, now."""
        return self.status.open and self.due <= now

    def expired(self, now: float) -> bool:
        """Whether its time is over. What is in flight is never over before it was asked."""
        late = self.until is not None and now >= self.until
        return late and self.status.open and self.status is not DeliveryStatus.IN_FLIGHT


@frozen
class SendOutcome:
    """The outcome of one delivery attempt; ``result`` and ``reason`` are those of the endpoint if it responded.

    ``until`` is the end of the blackout by which it skipped the update (Unix seconds).
    """

    send_result: SendResult
    result: str = ""
    reason: str = ""
    until: float | None = None


@frozen
class SendPlan:
    """What is due now: expired deliveries, deliveries to send (as recorded before), and when to look again at the
    latest (None: not before a response)."""

    expired: tuple[Delivery, ...]
    send: tuple[Delivery, ...]
    wake: float | None


def event_delivery(endpoint: str, *, created: float, kept: bool, limits: RetryPolicy) -> Delivery:
    """The delivery to an endpoint that lacks a new version (E1; ``kept``: E1a)."""
    if not kept:
        return Delivery(endpoint, due=created)
    return Delivery(endpoint, DeliveryMode.RETAINED, due=created, until=created + limits.offline_ttl)


def slot_delivery(endpoint: str, *, at: float, end: float) -> Delivery:
    """The delivery at a slot that the server schedules (S6); it expires at the end of the window."""
    return Delivery(endpoint, DeliveryMode.SLOT, due=at, until=end)


def immediate_delivery(endpoint: str, *, created: float, until: float) -> Delivery:
    """The delivery of Update Now; it expires when the caller stops waiting."""
    return Delivery(endpoint, DeliveryMode.NOW, due=created, until=until)


def skipped(endpoint: str, reason: str) -> Delivery:
    """The record of an endpoint that is not targeted."""
    return Delivery(endpoint, status=DeliveryStatus.SKIPPED, result=Result.SKIPPED.value, reason=reason)


def plan(
    deliveries: Iterable[Delivery], *, now: float, cap: int, in_flight: int, busy: Collection[str] = frozenset()
) -> SendPlan:
    """What is due now of these deliveries, of which each endpoint has one at most.

    ``in_flight`` counts the places taken, whatever took them (N3). ``busy`` are endpoints that are being talked to, for
    this campaign or another: they are left alone. Who is in flight and asked takes a place of the cap, too: a message
    broker has told more than the cap beforehand, each for an instant of its own.
    """
    open_ones = [delivery for delivery in deliveries if delivery.status.open]
    expired = tuple(expire(delivery) for delivery in open_ones if delivery.expired(now))
    living = [delivery for delivery in open_ones if not delivery.expired(now) and delivery.endpoint not in busy]
    ready = sorted((delivery for delivery in living if delivery.ready(now)), key=_priority)
    to_ask = [delivery for delivery in ready if delivery.status is DeliveryStatus.IN_FLIGHT]
    asked = to_ask[: max(0, cap - (in_flight - len(to_ask)))]
    fresh = [delivery for delivery in ready if delivery.status is not DeliveryStatus.IN_FLIGHT][
        : max(0, cap - in_flight)
    ]
    coming = [delivery.due for delivery in living if now < delivery.due < NEVER]
    coming += [delivery.until for delivery in living if delivery.until is not None and delivery.until > now]
    return SendPlan(
        expired, tuple(mark_sent(delivery, now) for delivery in (*asked, *fresh)), min(coming, default=None)
    )


def mark_sent(delivery: Delivery, now: float) -> Delivery:
    """The delivery as recorded before it is sent; one that is queried again keeps its ``since``."""
    asked = delivery.status is DeliveryStatus.IN_FLIGHT and delivery.since is not None
    return replace(
        delivery,
        status=DeliveryStatus.IN_FLIGHT,
        since=delivery.since if asked else now,
        due=NEVER,  # nobody else asks while somebody listens
        tries=delivery.tries if asked else delivery.tries + 1,
    )


def resume_after_restart(delivery: Delivery, now: float) -> Delivery:
    """The delivery after a crash of the dispatcher: in flight, it is queried at once."""
    return (
        replace(delivery, due=now)
        if delivery.status is DeliveryStatus.IN_FLIGHT and delivery.due == NEVER
        else delivery
    )


def told_ahead(delivery: Delivery, now: float, limits: RetryPolicy) -> bool:
    """Whether its endpoint was told beforehand to begin at an instant that is still to come (L3): its report is due
    more than a lease from now. One that was told in the future was told by a clock that was ahead."""
    told = delivery.since is not None and delivery.since <= now
    return delivery.status is DeliveryStatus.IN_FLIGHT and told and now + limits.lease < delivery.due < NEVER


def clamp_deadlines(delivery: Delivery, now: float, limits: RetryPolicy, *, ahead: float = 0.0) -> Delivery:
    """The delivery with deadlines limited to what could be set now, for an endpoint that begins ``ahead`` seconds later
    at most.

    What lies further ahead was put on record by a clock that was ahead; without this it would wait for years.
    """
    if not delivery.status.open:
        return delivery
    since = None if delivery.since is None else min(delivery.since, now)
    if delivery.status is DeliveryStatus.IN_FLIGHT:
        asked = delivery.due if delivery.due == NEVER else min(delivery.due, now + ahead + limits.lease)
        return replace(delivery, since=since, due=asked)
    if delivery.mode is DeliveryMode.SLOT:
        far = delivery.due > now + LONGEST_SLOT
        return replace(delivery, since=since, until=now if far else delivery.until)
    postponed = delivery.status in (DeliveryStatus.RETRYING, DeliveryStatus.DEFERRED)
    later = now + (LONGEST_BLACKOUT if _in_blackout(delivery) else limits.retry_delay if postponed else 0)
    until = None if delivery.until is None else min(delivery.until, now + limits.offline_ttl)
    return replace(delivery, since=since, due=min(delivery.due, later), until=until)


def apply_response(delivery: Delivery, outcome: SendOutcome, *, now: float, limits: RetryPolicy) -> Delivery:
    """The delivery after a response, or after a failed attempt."""
    delivery = replace(delivery, tried=delivery.since)
    if outcome.send_result is SendResult.ACKNOWLEDGED:
        if outcome.until is not None and delivery.mode in (DeliveryMode.EVENT, DeliveryMode.RETAINED):
            return _postponed(delivery, outcome, outcome.until, now)
        status = DeliveryStatus.SKIPPED if outcome.result == Result.SKIPPED.value else DeliveryStatus.FINISHED
        return replace(delivery, status=status, result=outcome.result, reason=outcome.reason)
    if outcome.send_result is SendResult.HOST_KEY_CHANGED:
        return replace(delivery, status=DeliveryStatus.FAILED, result=outcome.send_result.value, reason=outcome.reason)
    released = now if delivery.since is None else delivery.since + limits.lease
    if outcome.send_result is SendResult.NO_REPLY and now < released:
        return replace(delivery, due=min(now + limits.retry_delay, released), reason=outcome.reason)
    return _reschedule(delivery, outcome, now, limits)


def answers_earlier_telling(delivery: Delivery, outcome: SendOutcome) -> bool:
    """Whether an answer that came with a report is one from before: of a blackout whose end is waited for already, or
    that was over when the endpoint was told again. Reports bring the last answers, whichever came since."""
    if outcome.until is None:
        return False
    return _in_blackout(delivery) or (delivery.since is not None and outcome.until <= delivery.since)


def mark_reachable(delivery: Delivery, now: float) -> Delivery:
    """The delivery after contact with its endpoint: a postponed one is due at once, unless a blackout postponed it."""
    missed = delivery.status in (DeliveryStatus.RETRYING, DeliveryStatus.DEFERRED)
    return replace(delivery, due=now) if missed and not _in_blackout(delivery) else delivery


def superseded(delivery: Delivery, version: str) -> Delivery:
    """The delivery after a campaign of a newer version began; one in flight still gets its response."""
    if not delivery.status.open or delivery.status is DeliveryStatus.IN_FLIGHT:
        return delivery
    reason = f"version {version} came before this endpoint was reached"
    return replace(delivery, status=DeliveryStatus.SKIPPED, result="superseded", reason=reason)


def withdrawn(delivery: Delivery, reason: str) -> Delivery:
    """The delivery after its version was stopped; one in flight still gets its response."""
    if not delivery.status.open or delivery.status is DeliveryStatus.IN_FLIGHT:
        return delivery
    return replace(delivery, status=DeliveryStatus.SKIPPED, result=Result.HELD.value, reason=reason)


def send_timeout(delivery: Delivery, now: float, limits: RetryPolicy) -> float:
    """Seconds that a delivery attempt may take: at most the rest of its lease, at least one."""
    held = limits.lease if delivery.since is None else delivery.since + limits.lease - now
    return max(1.0, min(limits.deadline, held))


def _reschedule(delivery: Delivery, outcome: SendOutcome, now: float, limits: RetryPolicy) -> Delivery:
    """The next status after an endpoint was not reached, or refused the server (N2, E1a, S6, Update Now)."""
    delivery = replace(delivery, since=None, result=outcome.send_result.value, reason=outcome.reason)
    if delivery.mode is DeliveryMode.SLOT:
        return replace(delivery, status=DeliveryStatus.SKIPPED)
    later = now + limits.retry_delay
    if delivery.tries <= limits.retries and delivery.mode is not DeliveryMode.NOW:
        return replace(delivery, status=DeliveryStatus.RETRYING, due=later)
    if delivery.mode is DeliveryMode.RETAINED:
        return replace(delivery, status=DeliveryStatus.DEFERRED, due=later)
    return replace(delivery, status=DeliveryStatus.FAILED)


def _postponed(delivery: Delivery, outcome: SendOutcome, until: float, now: float) -> Delivery:
    """A notice that came in a blackout, which is kept until that is over (G7)."""
    after = until + random_slot(delivery.endpoint, "after a blackout", AFTER_BLACKOUT)
    return replace(
        delivery,
        status=DeliveryStatus.DEFERRED,
        due=min(max(after, now), now + LONGEST_BLACKOUT),
        since=None,
        tries=0,
        result=outcome.result,
        reason=outcome.reason,
    )


def _in_blackout(delivery: Delivery) -> bool:
    return delivery.status is DeliveryStatus.DEFERRED and delivery.result == Result.SKIPPED.value


def expire(delivery: Delivery) -> Delivery:
    """The delivery after its time was over."""
    if delivery.mode is DeliveryMode.SLOT:
        return replace(
            delivery, status=DeliveryStatus.SKIPPED, result="expired", reason="its window ended before its turn came"
        )
    if delivery.mode is DeliveryMode.NOW:
        return replace(
            delivery,
            status=DeliveryStatus.FAILED,
            result="expired",
            reason="the time to wait ended before its turn came",
        )
    return replace(
        delivery,
        status=DeliveryStatus.FAILED,
        result="expired",
        reason="it was not reachable while the notice was kept",
    )


def _priority(delivery: Delivery) -> tuple[int, float, str]:
    """The order of sending: untried deliveries first, so that dead endpoints never delay others (N2)."""
    return (delivery.tries, delivery.due, delivery.endpoint)
