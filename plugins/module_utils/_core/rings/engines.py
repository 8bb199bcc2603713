# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Versions of engine packages in the same rings, by the same rules (G1, G2, G4), as pure functions.

A server publishes no packages, so a version becomes known when an endpoint reports it. Each *stream* (a distribution on
an architecture) has a rollout of its own, and these rules beside those of ``decide``:

1. The first ring that has ever had an endpoint of the stream is *free*: it installs what its package sources offer,
   until a version is halted in it. What it reports is a new version. Rings that lose their endpoints pass nothing.
2. What endpoints of other rings have by other ways is no version.
3. A version is *confirmed* by two endpoints of the free ring that have it or a newer one, or by the only one. Of a
   version that is not, failures alone decide, and a confirmed one takes its place.
4. A ring does not go on with a version when a newer one may be offered to it: package sources often have the newest
   version alone, so the one before can't be finished.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from typing import Any

from ..metadata.engine_offers import CatalogEngine
from ..products.debian_versions import ordering
from ..settings.endpoint_keys import ProductKind
from ..settings.rollout import ProductRollout
from ..values import field, frozen, replace
from .decide import Decision, Event, EventKind, decide, has_halted, next_version
from .outcome import Tally
from .state import Phase, RingState, RolloutState

PRODUCTS = (ProductKind.CLAMAV,)
"""The products whose engine is packages of the operating system."""
INSTALLED = "installed"
"""What stands for whatever an endpoint had before its ring was offered a version."""
_BETWEEN = "/engine/"
_CONFIRMED_BY = 2


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


def free_ring(rings: Sequence[str], manned: Collection[str]) -> str:
    """The first ring that has ever had an endpoint of the stream; the first one of all where none has."""
    return next((name for name in rings if name in manned), rings[0])


def is_newer(version: str, than: str) -> bool:
    """Whether a version of packages comes after another one; all do after ``INSTALLED``."""
    return version != INSTALLED and (than in ("", INSTALLED) or ordering(version) > ordering(than))


@frozen
class Known:
    """What is known at ``now`` (Unix seconds), and whether it is a time for promotions.

    ``reports`` are the versions that each endpoint of the free ring that takes part has, or has tried. ``manned`` are
    the rings that have ever had an endpoint of the stream.
    """

    now: float
    reports: Sequence[Collection[str]] = ()
    promoting: bool = True
    manned: Collection[str] = field(default_factory=frozenset)

    def confirmed(self, version: str) -> bool:
        """Whether it takes more than one odd endpoint to report it, of those that there are."""
        having = sum(any(one == version or is_newer(one, version) for one in some) for some in self.reports)
        return having >= min(_CONFIRMED_BY, len(self.reports))

    def newest(self, above: str, stops: Collection[str]) -> str:
        """The newest confirmed version, else the newest of all; of those that come after ``above``."""
        found = {one for some in self.reports for one in some if one not in stops and is_newer(one, above)}
        return max([one for one in found if self.confirmed(one)] or found, key=ordering, default="")


def sighted(state: RolloutState, ring: str, known: Known) -> tuple[RolloutState, str]:
    """The state with the version that the free ring is to try by what is reported, and that version; empty for none."""
    mine = state.rings[ring]
    tries = state.phase(ring) is Phase.BAKING
    settled = mine.good if tries else mine.versions
    found = known.newest(max(settled, key=_place, default=""), state.stops)
    stays = tries and not _is_doubted(mine, known) and not is_newer(found, mine.candidate)
    if stays or not found:
        return state, ""
    listed = _listed(state, found)
    waits_unknown = has_halted(state, mine) and listed.newest != found  # it would be forgotten, and be news again
    return (state, "") if waits_unknown else (listed, found)


def decide_engine(rollout: ProductRollout, state: RolloutState, tallies: Mapping[str, Tally], known: Known) -> Decision:
    """The next state of a stream. As ``decide``: deciding again at the same time decides nothing more."""
    manned = {*known.manned, *(name for name, one in tallies.items() if one.members)}
    names = [ring.name for ring in rollout.rings]
    free = free_ring(names, manned)
    before, names = names[: names.index(free)], names[names.index(free) :]
    within = replace(rollout, rings=rollout.rings[len(before) :])
    begun, _found = sighted(_gated(state, names), free, known)
    counts = {name: replace(one, emptied=name in manned and not one.members) for name, one in tallies.items()}
    counts[free] = replace(counts[free], doubted=_is_doubted(begun.rings[free], known))
    first = decide(within, begun, counts, known.now, promoting=known.promoting)
    seen, found = sighted(first.state, free, known)  # what has passed or is halted by now is no news
    gone = _overtaken(names, seen, found, known)
    left = _without(seen, gone, found)
    second = decide(within, left, _recounted(begun, left, counts), known.now, promoting=known.promoting)
    news = (_published(state, begun), _published(replace(state, versions=(*state.versions, *begun.versions)), left))
    events = (*news[0], *first.events, *news[1], *_naming(second.events, gone))
    return Decision(_mirrored(second.state, before, free), events)


def _gated(state: RolloutState, names: Sequence[str]) -> RolloutState:
    """The state in which no later ring tries what the free one has not passed, as it does that was free before."""
    passed = max(state.rings[names[0]].good, key=_place, default="")
    for name in names[1:]:
        ring = state.rings[name]
        if state.phase(name) is Phase.BAKING and not ring.expedited and is_newer(ring.candidate, passed):
            state = state.with_ring(name, RingState(ring.good))
    return state


def _published(before: RolloutState, after: RolloutState) -> tuple[Event, ...]:
    return tuple(Event(EventKind.PUBLISHED, one) for one in after.versions if one not in before.versions)


def _place(version: str) -> tuple[Any, ...]:
    """A key by which versions are sorted, ``INSTALLED`` first."""
    return () if version == INSTALLED else ordering(version)


def _listed(state: RolloutState, found: str) -> RolloutState:
    """The state with this version, and of newer ones with those alone that rings try, have passed or are halted in."""
    used = {*state.stops, *(one for ring in state.rings.values() for one in ring.versions)}
    kept = {one for one in state.versions if one in used or not is_newer(one, found)}
    return replace(state, versions=tuple(sorted({*kept, found}, key=_place)))


def _is_doubted(ring: RingState, known: Known) -> bool:
    """Whether what the free ring tries is neither confirmed nor somebody's word."""
    return ring.candidate != "" and not ring.expedited and not known.confirmed(ring.candidate)


def _overtaken(names: Sequence[str], state: RolloutState, found: str, known: Known) -> dict[str, str]:
    """The rings that try a version where another one may be offered to them, with that version."""
    gone = {}
    for before, name in zip([None, *names], names):
        ring = state.rings[name]
        if state.phase(name) is not Phase.BAKING:
            continue
        if before is None and _gives_way(state, ring, found, known):
            gone[name] = ring.candidate
        if before is not None and known.promoting:
            coming = next_version(state.with_ring(name, RingState(ring.good)), before, name)
            if coming and state.newer(coming, ring.candidate):
                gone[name] = ring.candidate
    return gone


def _gives_way(state: RolloutState, ring: RingState, found: str, known: Known) -> bool:
    """Whether the free ring goes on to another version: to a newer one, or from one that is not confirmed."""
    if found in ("", ring.candidate) or has_halted(state, ring):
        return False
    return is_newer(found, ring.candidate) or _is_doubted(ring, known)


def _without(state: RolloutState, rings: Iterable[str], found: str) -> RolloutState:
    """The state once these rings try nothing any more."""
    for name in rings:
        state = state.with_ring(name, RingState(state.rings[name].good))
    return _listed(state, found) if found else state


def _mirrored(state: RolloutState, rings: Iterable[str], free: str) -> RolloutState:
    """The state in which rings that have never had an endpoint stand where the free one does."""
    for name in rings:
        state = state.with_ring(name, RingState(state.rings[free].good))
    return state


def _recounted(before: RolloutState, after: RolloutState, tallies: Mapping[str, Tally]) -> dict[str, Tally]:
    """The counts without those of rings that try something else by now."""
    trials = {name: (ring.candidate, ring.since) for name, ring in before.rings.items()}
    same = {name for name, ring in after.rings.items() if (ring.candidate, ring.since) == trials[name]}
    fresh = {name: Tally(members=one.members, emptied=one.emptied) for name, one in tallies.items()}
    return {name: one if name in same else fresh[name] for name, one in tallies.items()}


def _naming(events: Iterable[Event], gone: Mapping[str, str]) -> Iterator[Event]:
    """The events, each offer with the version that it overtakes."""
    for one in events:
        overtakes = gone.get(one.ring) if one.kind is EventKind.OFFERED else None
        yield replace(one, evidence={**one.evidence, "overtakes": overtakes}) if overtakes else one


def offered_engine(track: Track, rollout: ProductRollout, state: RolloutState, free: str) -> CatalogEngine:
    """What each ring may install, as the catalog says it; in a dry run all may install everything."""
    rings = {name: None if rollout.dry_run else _allowed(state, name, free) for name in state.rings}
    return CatalogEngine(track.product, track.stream, rings)


def _allowed(state: RolloutState, name: str, free: str) -> tuple[str, ...] | None:
    ring = state.rings[name]
    if name == free and not has_halted(state, ring):
        return None
    return tuple(one for one in ring.versions if one not in state.stops and one != INSTALLED)
