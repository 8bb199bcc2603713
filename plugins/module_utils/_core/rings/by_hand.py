# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What people decide: resume, abort, hold, release, expedite (G4 to G6). Each gives a new state, or says why not."""

from __future__ import annotations

from collections.abc import Mapping

from ..values import frozen, replace
from .decide import Decision, Event, EventKind
from .state import RingState, RolloutState, Stop, StopKind


class NotPossible(ValueError):
    """A decision can't be made as things stand; the message says why, and what can be done."""


@frozen
class Word:
    """Somebody's word: why, who (the name of an account), and when (Unix seconds)."""

    reason: str
    by: str
    at: float


def resume(state: RolloutState, version: str, word: Word) -> Decision:
    """Go on with a halted version: its rings are offered it anew, so counts and times begin again."""
    stop = _halted(state, version)
    rings = {
        name: replace(ring, since=word.at, reached=None) if ring.candidate == version else ring
        for name, ring in state.rings.items()
    }
    stops = {one: other for one, other in state.stops.items() if one != version}
    event = Event(EventKind.RESUMED, version, stop.ring, word.reason, {"by": word.by, "was": stop.reason})
    return Decision(replace(state, rings=rings, stops=stops), (event,))


def abort(state: RolloutState, version: str, word: Word, components: Mapping[str, str]) -> Decision:
    """Take a halted or tried version back, and hold it; ``components`` are the versions that are new in it."""
    tried = [name for name, ring in state.rings.items() if ring.candidate == version]
    if not tried and version not in state.stops:
        raise NotPossible(f"{version} is not being rolled out (hold takes back a version that all rings have)")
    return _held(state, version, word, components, EventKind.ABORTED)


def hold(state: RolloutState, version: str, word: Word, components: Mapping[str, str]) -> Decision:
    """Hold any version: whoever has it goes back, and nobody takes it."""
    if version not in state.versions:
        raise NotPossible(f"{version} was not published here{_known(state)}")
    return _held(state, version, word, components, EventKind.HELD)


def release(state: RolloutState, version: str, word: Word) -> Decision:
    """Lift a hold: the version may be offered again, to the first ring first."""
    stop = state.stops.get(version)
    if stop is None or stop.kind is not StopKind.HELD:
        held = ", ".join(one for one, other in state.stops.items() if other.kind is StopKind.HELD)
        raise NotPossible(f"{version} is not held ({f'held: {held}' if held else 'nothing is'})")
    stops = {one: other for one, other in state.stops.items() if one != version}
    event = Event(EventKind.RELEASED, version, "", word.reason, {"by": word.by, "was": stop.reason})
    return Decision(replace(state, stops=stops), (event,))


def expedite(state: RolloutState, version: str, word: Word) -> Decision:
    """Offer a version to all rings at once; a version that they try gives way, and a halt on it ends."""
    if version not in state.versions:
        raise NotPossible(f"{version} was not published here{_known(state)}")
    stop = state.stops.get(version)
    if stop is not None and stop.kind is StopKind.HELD:
        raise NotPossible(f"{version} is held ({stop.reason}): release it first")
    stops = {one: other for one, other in state.stops.items() if one != version}
    rings = {name: _expedited(state, ring, version, word.at) for name, ring in state.rings.items()}
    if rings == state.rings:
        raise NotPossible(f"all rings have {version}, or a newer version")
    names = [name for name, ring in rings.items() if ring != state.rings[name]]
    event = Event(EventKind.EXPEDITED, version, "", word.reason, {"by": word.by, "rings": names})
    return Decision(replace(state, rings=rings, stops=stops), (event,))


def _expedited(state: RolloutState, ring: RingState, version: str, now: float) -> RingState:
    if version in ring.good or (ring.good and state.newer(ring.good[0], version)):
        return ring
    return replace(ring, candidate=version, since=now, reached=None, expedited=True)


def _held(state: RolloutState, version: str, word: Word, components: Mapping[str, str], kind: EventKind) -> Decision:
    rings = {name: ring.without(version) for name, ring in state.rings.items()}
    stop = Stop(StopKind.HELD, "", word.reason, word.at, word.by, components=components)
    after = replace(state, rings=rings, stops={**state.stops, version: stop})
    offered = {name: after.offered(name) for name in rings}
    bare = [name for name, one in offered.items() if not one and state.rings[name].versions]
    if bare:
        raise NotPossible(f"there is no other version for {', '.join(bare)} to go back to")
    stop = replace(stop, restore=next(iter(offered.values()), ""))
    before = state.stops.get(version)
    evidence = {"by": word.by, "restore": stop.restore, "was": before.reason if before else ""}
    after = replace(after, stops={**after.stops, version: stop})
    return Decision(after, (Event(kind, version, "", word.reason, evidence),))


def _halted(state: RolloutState, version: str) -> Stop:
    stop = state.stops.get(version)
    if stop is None or not stop.kind.by_itself:
        halted = ", ".join(one for one, other in state.stops.items() if other.kind.by_itself)
        raise NotPossible(f"{version} is not halted ({f'halted: {halted}' if halted else 'nothing is'})")
    return stop


def _known(state: RolloutState) -> str:
    return f" (known: {', '.join(state.versions)})" if state.versions else ""
