# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Where each version of a product stands: what each ring has passed and tries, and what is stopped (G2, G4, G5)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from enum import Enum
from typing import Any

from ..settings.rollout import ProductRollout
from ..values import asdict, field, frozen, replace

KEPT = 3
"""How many versions that it has passed each ring keeps, so that it can go back."""


class StopKind(str, Enum):
    """Why no endpoint begins a version any more."""

    HALTED = "halted"
    """Too many failures in a ring (G4)."""
    INCONCLUSIVE = "inconclusive"
    """A ring had neither success nor failure by its deadline."""
    HELD = "held"
    """By hand: endpoints that have it go back (G5)."""

    @property
    def by_itself(self) -> bool:
        """Whether it waits for ``resume`` or ``abort``."""
        return self is not StopKind.HELD


class Phase(str, Enum):
    """Where a ring stands."""

    IDLE = "idle"
    """It has what it was offered last, for good."""
    BAKING = "baking"
    """It was offered a version that it has not passed yet."""
    HALTED = "halted"
    INCONCLUSIVE = "inconclusive"


@frozen
class Stop:
    """A stopped version; ``ring`` is where it was stopped, empty where a person did it. ``since`` is Unix seconds.

    ``restore`` is the version that the first ring goes back to; empty where nobody goes back.
    """

    kind: StopKind
    ring: str
    reason: str
    since: float
    by: str = ""
    restore: str = ""
    components: Mapping[str, str] = field(default_factory=dict)

    def to_dict(self) -> dict[str, Any]:
        return {**asdict(self), "kind": self.kind.value}

    @classmethod
    def from_dict(cls, raw: Mapping[str, Any]) -> Stop:
        return cls(**{**raw, "kind": StopKind(raw["kind"])})


@frozen
class RingState:
    """One ring: ``good`` are the versions that it has passed, the newest first; ``candidate`` is the one that it tries.

    ``since`` is when the candidate was offered, ``reached`` since when enough members have been healthy with it (None:
    they are not), and ``expedited`` whether it was offered by hand to all rings at once. Instants are Unix seconds.
    """

    good: tuple[str, ...] = ()
    candidate: str = ""
    since: float = 0.0
    reached: float | None = None
    expedited: bool = False

    def to_dict(self) -> dict[str, Any]:
        return {**asdict(self), "good": list(self.good)}

    @classmethod
    def from_dict(cls, raw: Mapping[str, Any]) -> RingState:
        return cls(**{**raw, "good": tuple(raw["good"])})

    @property
    def versions(self) -> tuple[str, ...]:
        """What it has been offered and may go back to, the newest first."""
        return (self.candidate, *self.good) if self.candidate else self.good

    def passed(self) -> RingState:
        """The ring after its candidate has passed."""
        kept = (self.candidate, *(one for one in self.good if one != self.candidate))[:KEPT]
        return RingState(kept, expedited=self.expedited)

    def without(self, version: str) -> RingState:
        """The ring as if it had never been offered a version."""
        good = tuple(one for one in self.good if one != version)
        return RingState(good) if self.candidate == version else replace(self, good=good)


@frozen
class RolloutState:
    """One product: ``versions`` in the order in which they were published, ``rings`` in the order of the settings."""

    versions: tuple[str, ...] = ()
    rings: Mapping[str, RingState] = field(default_factory=dict)
    stops: Mapping[str, Stop] = field(default_factory=dict)

    def to_dict(self) -> dict[str, Any]:
        return {
            "versions": list(self.versions),
            "rings": [[name, ring.to_dict()] for name, ring in self.rings.items()],
            "stops": {version: stop.to_dict() for version, stop in self.stops.items()},
        }

    @classmethod
    def from_dict(cls, raw: Mapping[str, Any]) -> RolloutState:
        """Read what ``to_dict`` wrote."""
        rings = {name: RingState.from_dict(ring) for name, ring in raw["rings"]}
        stops = {version: Stop.from_dict(stop) for version, stop in raw["stops"].items()}
        return cls(tuple(raw["versions"]), rings, stops)

    @property
    def newest(self) -> str:
        """The version that was published last; empty before the first one."""
        return self.versions[-1] if self.versions else ""

    def offered(self, ring: str) -> str:
        """What a ring is offered: the newest version that it was ever offered and that is not stopped."""
        return next((one for one in self.rings[ring].versions if one not in self.stops), "")

    def phase(self, ring: str) -> Phase:
        """Where a ring stands."""
        mine = self.rings[ring]
        if not mine.candidate:
            return Phase.IDLE
        stop = self.stops.get(mine.candidate)
        return Phase.BAKING if stop is None else Phase(stop.kind.value)

    def newer(self, version: str, than: str) -> bool:
        """Whether one version was published after another; one that is not known is older than all."""
        return self._place(version) > self._place(than)

    def with_ring(self, name: str, ring: RingState) -> RolloutState:
        return replace(self, rings={**self.rings, name: ring})

    def used(self) -> set[str]:
        """The versions whose content is still needed."""
        return {self.newest, *self.stops, *(one for ring in self.rings.values() for one in ring.versions)} - {""}

    def _place(self, version: str) -> int:
        return self.versions.index(version) if version in self.versions else -1


def published(state: RolloutState, version: str) -> RolloutState:
    """The state after a version was published; the first one ever is what all rings have, for there is no other."""
    if version in state.versions:
        return state
    known = replace(state, versions=(*state.versions, version))
    if not state.versions:
        return replace(known, rings={name: RingState((version,)) for name in state.rings})
    return known


def aligned(state: RolloutState, rollout: ProductRollout) -> RolloutState:
    """The state with the rings of the settings: a new one begins with what the ring behind it has, or before it."""
    names = [ring.name for ring in rollout.rings]
    if list(state.rings) == names:
        return state
    return replace(state, rings={name: state.rings.get(name) or _newcomer(state, names, name) for name in names})


def forgotten(state: RolloutState) -> RolloutState:
    """The state without versions that nobody needs any more, and without holds that a higher version has ended (G5)."""
    over = [
        version
        for version, stop in state.stops.items()
        if stop.kind is StopKind.HELD and all(state.newer(state.offered(name), version) for name in state.rings)
    ]
    lasting = replace(state, stops={version: stop for version, stop in state.stops.items() if version not in over})
    used = lasting.used()
    return replace(lasting, versions=tuple(one for one in state.versions if one in used))


def _newcomer(state: RolloutState, names: list[str], name: str) -> RingState:
    place = names.index(name)
    near = next(_known(state, (*names[place + 1 :], *reversed(names[:place]), *reversed(list(state.rings)))), None)
    return RingState() if near is None else RingState(near.good)


def _known(state: RolloutState, names: Iterable[str]) -> Iterator[RingState]:
    yield from (state.rings[name] for name in names if name in state.rings)
