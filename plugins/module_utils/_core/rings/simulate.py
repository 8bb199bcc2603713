# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A rollout on a virtual clock: the decisions of the promotion job for a fleet of any size, of made-up endpoints (G2).

Endpoints of a ring update at an instant of their own after the offer, evenly spread over ``update_within``; some fail,
some are lost after the update. Counts come from these instants, so a step costs nothing per endpoint.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Mapping
from typing import Any

from ..schedule.slots import even_slot
from ..settings.rollout import ProductRollout, Ring
from ..values import frozen, replace
from .decide import Event, decide
from .membership import RingMembership
from .outcome import Tally
from .state import Phase, RingState, RolloutState

_OLD, _NEW = "before", "new"
_SLOTS = 10_000


@frozen
class Assumptions:
    """Shares are of all endpoints, from 0 to 1; times are seconds.

    ``off`` do not take part, ``failing`` fail the update, and ``lost`` are not heard of after it.
    """

    update_within: int = 86400
    failing: float = 0.0
    lost: float = 0.0
    off: float = 0.0
    step: int = 600
    longest: int = 90 * 86400


@frozen
class Member:
    """One endpoint; ``ordinal`` decides its share and its instant."""

    name: str
    domain: str
    ordinal: int


@frozen
class RingCourse:
    """What became of a ring: instants in seconds after the publication, None where it was not offered, or not passed.

    ``begun`` is how many endpoints began the version.
    """

    name: str
    endpoints: int
    eligible: int
    offered: float | None
    passed: float | None
    begun: int

    def to_dict(self) -> dict[str, Any]:
        keys = ("name", "endpoints", "eligible", "offered", "passed", "begun")
        return {key: getattr(self, key) for key in keys}


@frozen
class Course:
    """The whole rollout: its rings, what was decided when (seconds after the publication), and its end."""

    rings: tuple[RingCourse, ...]
    events: tuple[tuple[float, Event], ...]
    end: float
    halted: bool

    @property
    def begun(self) -> int:
        """How many endpoints began the version."""
        return sum(ring.begun for ring in self.rings)


class _Population:
    """The endpoints of one ring as sorted instants after the offer, so that counting is a search."""

    def __init__(self, members: list[int], assumed: Assumptions, silence: int) -> None:
        self.members = len(members)
        done, failed, lost = [], [], []
        for ordinal in members:
            place = even_slot(ordinal, _SLOTS) / _SLOTS
            kind = _draw(ordinal)
            if kind < assumed.off:
                continue
            at = place * assumed.update_within
            if kind < assumed.off + assumed.failing:
                failed.append(at)
            else:
                done.append(at)
                if kind < assumed.off + assumed.failing + assumed.lost:
                    lost.append(at + silence)
        self.eligible = len(done) + len(failed)
        self._done, self._failed, self._lost = sorted(done), sorted(failed), sorted(lost)

    def tally(self, since: float) -> Tally:
        """The count so many seconds after the offer."""
        lost = bisect_right(self._lost, since)
        failed = bisect_right(self._failed, since) + lost
        return Tally(self.members, self.eligible, bisect_right(self._done, since) - lost, failed, "assumed to fail")

    def begun(self, since: float) -> int:
        """How many have begun the version by then."""
        return bisect_right(self._done, since) + bisect_right(self._failed, since)


def simulate(rollout: ProductRollout, members: Iterator[Member], assumed: Assumptions) -> Course:
    """The course of one version through the rings, until it is through, halted, or ``longest`` is over."""
    fleet = _populations(rollout, members, assumed)
    rings = {ring.name: RingState((_OLD,)) for ring in rollout.rings}
    state, now, events = RolloutState((_OLD, _NEW), rings), 0.0, []
    offered: dict[str, float] = {}
    while now <= assumed.longest:
        decision = decide(rollout, state, _tallies(fleet, state, now), now)
        state = decision.state
        events += [(now, event) for event in decision.events]
        offered.update({event.ring: now for event in decision.events if event.kind.value == "offered"})
        if state.stops or all(ring.good[0] == _NEW for ring in state.rings.values()):
            break
        now += assumed.step
    passed = {event.ring: at for at, event in events if event.kind.value == "passed"}
    courses = tuple(_course(ring, fleet[ring.name], offered, passed, now) for ring in rollout.rings)
    return Course(courses, tuple(events), now, bool(state.stops))


def _populations(rollout: ProductRollout, members: Iterator[Member], assumed: Assumptions) -> dict[str, _Population]:
    membership = RingMembership(rollout)
    found: dict[str, list[int]] = {ring.name: [] for ring in rollout.rings}
    for member in members:
        found[membership.ring_of(member.name, member.domain, member.ordinal)].append(member.ordinal)
    silences = {ring.name: ring.thresholds.silence for ring in rollout.rings}
    return {name: _Population(some, assumed, silences[name]) for name, some in found.items()}


def _tallies(fleet: Mapping[str, _Population], state: RolloutState, now: float) -> dict[str, Tally]:
    return {
        name: one.tally(now - state.rings[name].since)
        if state.phase(name) is Phase.BAKING
        else Tally(members=one.members)
        for name, one in fleet.items()
    }


def _course(
    ring: Ring, one: _Population, offered: Mapping[str, float], passed: Mapping[str, float], end: float
) -> RingCourse:
    begin = offered.get(ring.name)
    begun = 0 if begin is None else one.begun(end - begin)
    return RingCourse(ring.name, one.members, one.eligible, begin, passed.get(ring.name), begun)


def _draw(ordinal: int) -> float:
    """A number from 0 to 1, the same for one endpoint each time, and unlike its share and its instant."""
    mixed = (ordinal + 1) * 0x9E3779B1 & 0xFFFFFFFF
    mixed = (mixed ^ mixed >> 15) * 0x85EBCA77 & 0xFFFFFFFF
    return (mixed ^ mixed >> 13) / 2**32


def with_bad_version(assumed: Assumptions) -> Assumptions:
    """The same fleet under a version that fails everywhere."""
    return replace(assumed, failing=1.0 - assumed.off, lost=0.0)
