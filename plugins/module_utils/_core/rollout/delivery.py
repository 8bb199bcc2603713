# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A campaign as a state machine: which endpoints are notified when, and what becomes of each (E1, N1-N4, S6).

Every function takes ``now`` (Unix seconds) and gives values; who calls them keeps the values and sends the notices.

The rule by which each endpoint is notified exactly once per version, whatever is killed when:

1. A notice is recorded as ``in_flight`` before it is sent, and its answer is recorded after it came.
2. Each notice carries its campaign's id. An endpoint writes down the id before it begins and the answer when it ends;
   the same id again makes it repeat that answer. So to send a notice again is to ask what became of it.
3. After a restart everything that is ``in_flight`` is asked so (``interrupted``). Nothing else is ever sent twice.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from enum import Enum

from ..results import Result
from ..settings.retries import Limits
from ..values import frozen, replace

NEVER = float("inf")
LONGEST_SLOT = 3600.0
"""How far ahead a slot may lie that the server has put on record: slots are planned for minutes (S6)."""


class Stage(str, Enum):
    """Where one endpoint stands in a campaign."""

    WAITING = "queued"
    """Not notified yet: its turn or its slot is still to come."""
    IN_FLIGHT = "in_flight"
    """Notified, or about to be; it holds one of the server's places until it reports (N1)."""
    RETRY = "retrying"
    """Not reached; it is tried again (N2)."""
    PENDING = "deferred"
    """Offline, and to be notified when it is reachable again (E1a)."""
    DONE = "finished"
    GAVE_UP = "failed"
    SKIPPED = "skipped"

    @property
    def open(self) -> bool:
        return self not in (Stage.DONE, Stage.GAVE_UP, Stage.SKIPPED)


class Mode(str, Enum):
    """By which rule an endpoint takes part."""

    EVENT = "event"
    """E1: tried again as N2 says, then given up until E2."""
    KEPT = "kept"
    """E1a: after N2 the notice is kept until the endpoint is reachable or its time is over."""
    SLOT = "slot"
    """S6: notified once, at its slot; an endpoint that is off then is not made to catch up (S4)."""
    NOW = "now"
    """Update Now: notified once, while somebody waits for it."""


class Heard(str, Enum):
    """What the server learned by sending one notice."""

    REPORTED = "reported"
    NOT_REACHED = "not_reached"
    """No connection, so certainly nothing was begun by this sending."""
    REFUSED = "refused"
    """The endpoint is up and its sshd does not let the server in; nothing was begun either. It is tried again as N2
    says, since whoever mends it tells the server nothing."""
    LOST = "lost"
    """The notice was sent and no answer came: what it did is to be asked."""
    HOST_KEY = "host_key_changed"
    """Another host answers at its address: it is told nothing, and asked nothing again."""


@frozen
class Notice:
    """One endpoint's part in a campaign.

    ``due`` is when it is to be sent, or asked again while in flight; ``until`` when it is no longer sent at all.
    ``since`` is when it took its place, ``tries`` how many sendings have begun. ``result`` is a word of ``Result``, of
    ``Heard`` or ``expired``; ``why`` one sentence.
    """

    endpoint: str
    mode: Mode = Mode.EVENT
    stage: Stage = Stage.WAITING
    due: float = 0.0
    until: float | None = None
    since: float | None = None
    tries: int = 0
    result: str = ""
    why: str = ""

    def ready(self, now: float) -> bool:
        """Whether it is to be sent, or asked, now."""
        return self.stage.open and self.due <= now

    def expired(self, now: float) -> bool:
        """Whether its time is over. What is in flight is never over before it was asked."""
        late = self.until is not None and now >= self.until
        return late and self.stage.open and self.stage is not Stage.IN_FLIGHT


@frozen
class Reply:
    """What one sending came to; ``result`` and ``why`` are the endpoint's own words if it reported."""

    heard: Heard
    result: str = ""
    why: str = ""


@frozen
class Step:
    """What is to be done now: notices that are over, notices to send (as they are to be recorded before), and when to
    look again at the latest (None: not before something is heard)."""

    over: tuple[Notice, ...]
    send: tuple[Notice, ...]
    wake: float | None


def event_notice(endpoint: str, *, created: float, kept: bool, limits: Limits) -> Notice:
    """The notice of an endpoint that is behind a new version (E1; ``kept``: E1a)."""
    if not kept:
        return Notice(endpoint, due=created)
    return Notice(endpoint, Mode.KEPT, due=created, until=created + limits.offline_ttl)


def slot_notice(endpoint: str, *, at: float, end: float) -> Notice:
    """The notice of an endpoint whose slot the server keeps (S6); not sent any more when its window has ended."""
    return Notice(endpoint, Mode.SLOT, due=at, until=end)


def now_notice(endpoint: str, *, created: float, until: float) -> Notice:
    """The notice of an endpoint that is to update at once; not sent any more when nobody waits for it."""
    return Notice(endpoint, Mode.NOW, due=created, until=until)


def skipped(endpoint: str, why: str) -> Notice:
    """The record of an endpoint that takes no part."""
    return Notice(endpoint, stage=Stage.SKIPPED, result=Result.SKIPPED.value, why=why)


def step(
    notices: Iterable[Notice], *, now: float, cap: int, in_flight: int, busy: Collection[str] = frozenset()
) -> Step:
    """What to do now with these notices, of which each endpoint has one at most.

    ``in_flight`` counts the places taken, whatever took them (N3). ``busy`` are endpoints that are being talked to, for
    this campaign or another: they are left alone.
    """
    open_ones = [notice for notice in notices if notice.stage.open]
    over = tuple(_over(notice) for notice in open_ones if notice.expired(now))
    living = [notice for notice in open_ones if not notice.expired(now) and notice.endpoint not in busy]
    ready = sorted((notice for notice in living if notice.ready(now)), key=_rank)
    asked = [notice for notice in ready if notice.stage is Stage.IN_FLIGHT]
    fresh = [notice for notice in ready if notice.stage is not Stage.IN_FLIGHT][: max(0, cap - in_flight)]
    coming = [notice.due for notice in living if now < notice.due < NEVER]
    coming += [notice.until for notice in living if notice.until is not None and notice.until > now]
    return Step(over, tuple(begun(notice, now) for notice in (*asked, *fresh)), min(coming, default=None))


def begun(notice: Notice, now: float) -> Notice:
    """The notice as it must be on record before it is sent; one that is asked again keeps its place's beginning."""
    asked = notice.stage is Stage.IN_FLIGHT and notice.since is not None
    return replace(
        notice,
        stage=Stage.IN_FLIGHT,
        since=notice.since if asked else now,
        due=NEVER,  # nobody else asks while somebody listens
        tries=notice.tries if asked else notice.tries + 1,
    )


def interrupted(notice: Notice, now: float) -> Notice:
    """The notice after its sender was killed: to whom somebody listened is asked at once, all else is as it was."""
    return replace(notice, due=now) if notice.stage is Stage.IN_FLIGHT and notice.due == NEVER else notice


def bounded(notice: Notice, now: float, limits: Limits) -> Notice:
    """The notice with no deadline later than one that could be asked for now.

    What lies further ahead was put on record by a clock that was ahead; without this it would wait for years.
    """
    if not notice.stage.open:
        return notice
    since = None if notice.since is None else min(notice.since, now)
    if notice.stage is Stage.IN_FLIGHT:
        asked = notice.due if notice.due == NEVER else min(notice.due, now + limits.lease)
        return replace(notice, since=since, due=asked)
    if notice.mode is Mode.SLOT:
        far = notice.due > now + LONGEST_SLOT
        return replace(notice, since=since, until=now if far else notice.until)
    later = now + limits.retry_delay if notice.stage in (Stage.RETRY, Stage.PENDING) else now
    until = None if notice.until is None else min(notice.until, now + limits.offline_ttl)
    return replace(notice, since=since, due=min(notice.due, later), until=until)


def heard(notice: Notice, reply: Reply, *, now: float, limits: Limits) -> Notice:
    """The notice after an answer, or after there was none."""
    if reply.heard is Heard.REPORTED:
        stage = Stage.SKIPPED if reply.result == Result.SKIPPED.value else Stage.DONE
        return replace(notice, stage=stage, result=reply.result, why=reply.why)
    if reply.heard is Heard.HOST_KEY:
        return replace(notice, stage=Stage.GAVE_UP, result=reply.heard.value, why=reply.why)
    released = now if notice.since is None else notice.since + limits.lease
    if reply.heard is Heard.LOST and now < released:
        return replace(notice, due=min(now + limits.retry_delay, released), why=reply.why)
    return _again(notice, reply, now, limits)


def returned(notice: Notice, now: float) -> Notice:
    """The notice after a sign of life of its endpoint: one that waits for it is due at once."""
    return replace(notice, due=now) if notice.stage in (Stage.RETRY, Stage.PENDING) else notice


def superseded(notice: Notice, version: str) -> Notice:
    """The notice after a newer version got a campaign of its own; what is in flight still gets its answer."""
    if not notice.stage.open or notice.stage is Stage.IN_FLIGHT:
        return notice
    why = f"version {version} came before this endpoint was reached"
    return replace(notice, stage=Stage.SKIPPED, result="superseded", why=why)


def patience(notice: Notice, now: float, limits: Limits) -> float:
    """How many seconds a sending may take: not beyond the hold of its place, and a moment at least."""
    held = limits.lease if notice.since is None else notice.since + limits.lease - now
    return max(1.0, min(limits.deadline, held))


def _again(notice: Notice, reply: Reply, now: float, limits: Limits) -> Notice:
    """What becomes of an endpoint that was not reached, or did not let the server in (N2, E1a, S6, Update Now)."""
    notice = replace(notice, since=None, result=reply.heard.value, why=reply.why)
    if notice.mode is Mode.SLOT:
        return replace(notice, stage=Stage.SKIPPED)
    later = now + limits.retry_delay
    if notice.tries <= limits.retries and notice.mode is not Mode.NOW:
        return replace(notice, stage=Stage.RETRY, due=later)
    if notice.mode is Mode.KEPT:
        return replace(notice, stage=Stage.PENDING, due=later)
    return replace(notice, stage=Stage.GAVE_UP)


def _over(notice: Notice) -> Notice:
    if notice.mode is Mode.SLOT:
        return replace(notice, stage=Stage.SKIPPED, result="expired", why="its window ended before its turn came")
    if notice.mode is Mode.NOW:
        return replace(notice, stage=Stage.GAVE_UP, result="expired", why="the time to wait ended before its turn came")
    return replace(notice, stage=Stage.GAVE_UP, result="expired", why="it was not reachable while the notice was kept")


def _rank(notice: Notice) -> tuple[int, float, str]:
    """Who comes first: those not tried yet, so that a dead endpoint never takes a living one's place (N2)."""
    return (notice.tries, notice.due, notice.endpoint)
