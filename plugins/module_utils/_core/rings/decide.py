# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What each ring is offered next, what is halted, and why (G2, G4), as a pure function of all that decides it.

The rules, in their order, for a ring that tries a version:

1. Failures beyond ``failure_threshold`` halt the version. A percentage counts once ``minimum_finished`` have finished.
2. It has passed when at least ``success_threshold`` percent have been healthy for ``bake_time``. A ring without any
   member passes at once; one whose members are all off or roaming does not, nor one that is ``emptied``.
3. What is neither by ``deadline`` is inconclusive, which is a halt, too. Of a version that is ``doubted``, failures
   alone decide.

A ring takes a version when it tries none, from what the ring before it has passed; versions that are overtaken
meanwhile are left out. No ring that was ever offered a halted version takes another one.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime, tzinfo
from enum import Enum
from typing import Any

from ..durations import format_duration
from ..settings.rollout import ProductRollout, PromotionHours, Thresholds
from ..values import field, frozen, replace
from .outcome import Tally
from .state import Phase, RingState, RolloutState, Stop, StopKind

_MOST_MINUTES = 8 * 24 * 60


class EventKind(str, Enum):
    """What is decided; the words of the audit (G8)."""

    PUBLISHED = "published"
    OFFERED = "offered"
    PASSED = "passed"
    HALTED = "halted"
    INCONCLUSIVE = "inconclusive"
    RESUMED = "resumed"
    ABORTED = "aborted"
    HELD = "held"
    RELEASED = "released"
    EXPEDITED = "expedited"


@frozen
class Event:
    """One decision; ``evidence`` is what it was decided by."""

    kind: EventKind
    version: str
    ring: str = ""
    reason: str = ""
    evidence: Mapping[str, Any] = field(default_factory=dict)


@frozen
class Decision:
    """The state after a decision, and what was decided, in its order."""

    state: RolloutState
    events: tuple[Event, ...] = ()


def decide(
    rollout: ProductRollout,
    state: RolloutState,
    tallies: Mapping[str, Tally],
    now: float,
    *,
    promoting: bool = True,
) -> Decision:
    """The next state. ``tallies`` has a count for each ring; ``promoting``: whether it is a time for promotions.

    The same arguments give the same decision, and deciding again on its state at the same time decides nothing more.
    """
    events: list[Event] = []
    for ring in rollout.rings:
        judged = _judged(ring.name, ring.thresholds, state, tallies.get(ring.name, Tally()), now)
        state = judged.state
        events += judged.events
    while True:
        step = _offer(rollout, state, tallies, now, promoting=promoting)
        if step is None:
            return Decision(state, tuple(events))
        state = step.state
        events += step.events


def may_promote(hours: PromotionHours, now: float, zone: tzinfo) -> bool:
    """Whether an instant is in the days and hours of promotion, by the clock of ``zone``."""
    local = datetime.fromtimestamp(now, zone)
    second = local.hour * 3600 + local.minute * 60 + local.second
    in_hours = not hours.hours or any(span.holds(second) for span in hours.hours)
    return in_hours and (not hours.days or local.weekday() in [day.number for day in hours.days])


def next_promotion(hours: PromotionHours, now: float, zone: tzinfo) -> float | None:
    """When versions may be offered next, to the minute: ``now`` where they may; None where that is over a week away."""
    if may_promote(hours, now, zone):
        return now
    minutes = range(int(now) // 60 + 1, int(now) // 60 + 1 + _MOST_MINUTES)
    return next((float(one * 60) for one in minutes if may_promote(hours, one * 60, zone)), None)


def enough_finished(limits: Thresholds, count: Tally) -> bool:
    """Whether percentages count."""
    return count.eligible > 0 and count.finished >= min(limits.minimum_finished, count.eligible)


def too_many_failed(limits: Thresholds, count: Tally) -> bool:
    """Whether a ring has more failures than it may have."""
    threshold = limits.failure_threshold
    counts = threshold.count is not None or enough_finished(limits, count)
    return counts and threshold.exceeded(count.failed, count.eligible)


def enough_healthy(limits: Thresholds, count: Tally) -> bool:
    """Whether so many are healthy that the bake time runs."""
    return enough_finished(limits, count) and count.healthy * 100 >= limits.success_threshold * count.eligible


def _judged(name: str, limits: Thresholds, state: RolloutState, count: Tally, now: float) -> Decision:
    """The state after a look at the version that one ring tries."""
    if state.phase(name) is not Phase.BAKING:
        return Decision(state)
    ring = state.rings[name]
    if too_many_failed(limits, count):
        why = f": {count.reason}" if count.reason else ""
        stop = Stop(StopKind.HALTED, name, f"{count.failed} of {count.eligible} failed{why}", now)
        return _stopped(state, stop, count)
    healthy = enough_healthy(limits, count) and not count.doubted
    reached = (now if ring.reached is None else min(ring.reached, now)) if healthy else None
    if count.passes_at_once and count.eligible == 0:
        return _passed(state, name, "the ring has no endpoints", count)
    if reached is not None and now - reached >= limits.bake_time:
        words = f"{count.healthy} of {count.eligible} healthy for {format_duration(limits.bake_time)}"
        return _passed(state, name, words, count)
    if now - ring.since >= limits.deadline and not count.doubted:
        words = f"{count.healthy} of {count.eligible} healthy, {count.failed} failed, {count.pending} unheard"
        why = f"neither success nor failure within {format_duration(limits.deadline)}: {words}"
        return _stopped(state, Stop(StopKind.INCONCLUSIVE, name, why, now), count)
    return Decision(state if ring.reached == reached else state.with_ring(name, replace(ring, reached=reached)))


def _stopped(state: RolloutState, stop: Stop, count: Tally) -> Decision:
    version = state.rings[stop.ring].candidate
    event = Event(EventKind(stop.kind.value), version, stop.ring, stop.reason, count.to_dict())
    return Decision(replace(state, stops={**state.stops, version: stop}), (event,))


def _passed(state: RolloutState, name: str, why: str, count: Tally) -> Decision:
    ring = state.rings[name]
    event = Event(EventKind.PASSED, ring.candidate, name, why, count.to_dict())
    return Decision(state.with_ring(name, ring.passed()), (event,))


def _offer(
    rollout: ProductRollout, state: RolloutState, tallies: Mapping[str, Tally], now: float, *, promoting: bool
) -> Decision | None:
    """One ring offered its next version, the first ring that may be; None where none may."""
    names = [ring.name for ring in rollout.rings]
    for before, name in zip([None, *names], names):
        if before is not None and not promoting:
            break
        version = next_version(state, before, name)
        if version:
            return _offered(state, name, version, tallies.get(name, Tally()), now)
    return None


def next_version(state: RolloutState, before: str | None, name: str) -> str:
    """The version that a ring is to try next; empty for none."""
    ring = state.rings[name]
    if ring.candidate or has_halted(state, ring):
        return ""
    source = reversed(state.versions) if before is None else iter(state.rings[before].good)
    version = next((one for one in source if one not in state.stops), "")
    newest_of_its_own = ring.good[0] if ring.good else ""
    return version if version and state.newer(version, newest_of_its_own) else ""


def has_halted(state: RolloutState, ring: RingState) -> bool:
    """Whether a ring was offered a version that waits for somebody's word."""
    return any(one in state.stops and state.stops[one].kind.by_itself for one in ring.versions)


def _offered(state: RolloutState, name: str, version: str, count: Tally, now: float) -> Decision:
    ring = replace(state.rings[name], candidate=version, since=now, reached=None, expedited=False)
    events = [Event(EventKind.OFFERED, version, name, "", {"members": count.members})]
    state = state.with_ring(name, ring)
    if count.passes_at_once:
        passed = _passed(state, name, "the ring has no endpoints", count)
        return Decision(passed.state, (*events, *passed.events))
    return Decision(state, tuple(events))


def is_idle(rollout: ProductRollout, state: RolloutState) -> bool:
    """Whether no ring tries a version, and none could be offered one: then there is nothing to count."""
    names = [ring.name for ring in rollout.rings]
    trying = any(state.phase(name) is Phase.BAKING for name in names)
    return not trying and not any(next_version(state, before, name) for before, name in zip([None, *names], names))


def waiting(rollout: ProductRollout, state: RolloutState) -> Iterator[tuple[str, str]]:
    """The rings that would be offered a version if it were a time for promotions, with that version."""
    names = [ring.name for ring in rollout.rings]
    for before, name in zip(names, names[1:]):
        version = next_version(state, before, name)
        if version:
            yield name, version
