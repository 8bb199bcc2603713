# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Versions of engine packages in the same rings, by the same rules (G1, G2, G4), as pure functions.

A server publishes no packages, so a version becomes known when an endpoint reports it. Each *stream* (a distribution on
an architecture) has a rollout of its own, and these rules beside those of ``decide``:

1. The first ring that has any endpoint of the stream is *free*: it installs what its package sources offer, until a
   version is halted in it. What it reports is a new version, tried there since it was first seen.
2. What endpoints of other rings have by other ways is no version.
3. A ring does not go on with a version when a newer one may be offered to it: package sources often have the newest
   version alone, so the one before can't be finished.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

from ..metadata.engine_offers import CatalogEngine
from ..products.debian_versions import ordering
from ..settings.endpoint_keys import ProductKind
from ..settings.rollout import ProductRollout
from ..values import frozen, replace
from .decide import Decision, Event, EventKind, decide, has_halted, next_version
from .outcome import Tally
from .state import Phase, RingState, RolloutState

PRODUCTS = (ProductKind.CLAMAV,)
"""The products whose engine is packages of the operating system."""
INSTALLED = "installed"
"""What stands for whatever an endpoint had before its ring was offered a version."""
_BETWEEN = "/engine/"


@frozen
class Track:
    """One rollout of engine versions: a product and a stream."""

    product: str
    stream: str

    @property
    def name(self) -> str:
        """One word, where a rollout of components has the name of its product."""
        return f"{self.product}{_BETWEEN}{self.stream}"

    @classmethod
    def of(cls, name: str) -> Track | None:
        """The track of a name; None for a product's name."""
        product, between, stream = name.partition(_BETWEEN)
        return cls(product, stream) if between else None


def beginning(rollout: ProductRollout) -> RolloutState:
    """A stream of which no version is known."""
    return RolloutState((INSTALLED,), {ring.name: RingState((INSTALLED,)) for ring in rollout.rings})


def free_ring(rings: Sequence[str], members: Mapping[str, int]) -> str:
    """The first ring that has an endpoint of the stream; the first one of all where none has."""
    return next((name for name in rings if members.get(name)), rings[0])


def is_newer(version: str, than: str) -> bool:
    """Whether a version of packages comes after another one; all do after ``INSTALLED``."""
    return version != INSTALLED and (than in ("", INSTALLED) or ordering(version) > ordering(than))


def sighted(state: RolloutState, ring: str, versions: Iterable[str]) -> RolloutState:
    """The state with the newest of the versions that endpoints of the free ring have, where that is a new one."""
    found = sorted((one for one in versions if one not in state.versions), key=ordering)
    mine = state.rings[ring]
    than = state.newest if has_halted(state, mine) else state.offered(ring)
    if not found or not is_newer(found[-1], than):
        return state
    known = [one for one in state.versions if one != INSTALLED]
    return replace(state, versions=(INSTALLED, *sorted((*known, found[-1]), key=ordering)))


@frozen
class Known:
    """What is known at ``now``, and whether it is a time for promotions. ``seen``: since when the server knows of
    versions in the free ring. Instants are Unix seconds."""

    now: float
    seen: Mapping[str, float]
    promoting: bool = True


def decide_engine(rollout: ProductRollout, state: RolloutState, tallies: Mapping[str, Tally], known: Known) -> Decision:
    """The next state of a stream. As ``decide``: deciding again at the same time decides nothing more."""
    names = [ring.name for ring in rollout.rings]
    free = free_ring(names, {name: one.members for name, one in tallies.items()})
    begun = sighted(state, free, known.seen)
    news = tuple(Event(EventKind.PUBLISHED, one) for one in begun.versions if one not in state.versions)
    first = decide(rollout, begun, tallies, known.now, promoting=known.promoting)
    gone = _overtaken(names, first.state, promoting=known.promoting)
    second = Decision(first.state)
    if gone:
        left = _without(first.state, gone)
        counts = _recounted(begun, left, tallies)
        second = decide(rollout, left, counts, known.now, promoting=known.promoting)
    whole = Decision(second.state, (*news, *first.events, *_naming(second.events, gone)))
    return replace(whole, state=_since_seen(state, whole.state, free, known))


def _overtaken(names: Sequence[str], state: RolloutState, *, promoting: bool) -> dict[str, str]:
    """The rings that try a version where a newer one may be offered to them, with that version."""
    found = {}
    for before, name in zip([None, *names], names):
        ring = state.rings[name]
        if state.phase(name) is Phase.BAKING and (before is None or promoting):
            coming = next_version(state.with_ring(name, RingState(ring.good)), before, name)
            if coming and state.newer(coming, ring.candidate):
                found[name] = ring.candidate
    return found


def _without(state: RolloutState, rings: Iterable[str]) -> RolloutState:
    """The state once these rings try nothing any more."""
    for name in rings:
        state = state.with_ring(name, RingState(state.rings[name].good))
    return state


def _recounted(before: RolloutState, after: RolloutState, tallies: Mapping[str, Tally]) -> dict[str, Tally]:
    """The counts without those of rings that try something else by now."""
    trials = {name: (ring.candidate, ring.since) for name, ring in before.rings.items()}
    same = {name for name, ring in after.rings.items() if (ring.candidate, ring.since) == trials[name]}
    return {name: one if name in same else Tally(members=one.members) for name, one in tallies.items()}


def _naming(events: Iterable[Event], gone: Mapping[str, str]) -> Iterator[Event]:
    """The events, each offer with the version that it overtakes."""
    for one in events:
        overtakes = gone.get(one.ring) if one.kind is EventKind.OFFERED else None
        yield replace(one, evidence={**one.evidence, "overtakes": overtakes}) if overtakes else one


def _since_seen(before: RolloutState, after: RolloutState, free: str, known: Known) -> RolloutState:
    """The free ring tries a version since it was seen, which is before the server has decided anything about it."""
    was, ring = before.rings[free], after.rings[free]
    if ring.candidate not in known.seen or (ring.candidate, ring.since) == (was.candidate, was.since):
        return after
    return after.with_ring(free, replace(ring, since=min(known.seen[ring.candidate], known.now)))


def offered_engine(track: Track, rollout: ProductRollout, state: RolloutState, free: str) -> CatalogEngine:
    """What each ring may install, as the catalog says it; in a dry run all may install everything."""
    rings = {name: None if rollout.dry_run else _allowed(state, name, free) for name in state.rings}
    return CatalogEngine(track.product, track.stream, rings)


def _allowed(state: RolloutState, name: str, free: str) -> tuple[str, ...] | None:
    ring = state.rings[name]
    if name == free and not has_halted(state, ring):
        return None
    return tuple(one for one in ring.versions if one not in state.stops and one != INSTALLED)
