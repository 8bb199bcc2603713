# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The rollout of one stream of engine packages: from versions that reports tell of to what rings may install (G2)."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Mapping

from ..._core.results import ENGINE
from ..._core.rings.by_hand import NotPossible
from ..._core.rings.decide import Event, EventKind, may_promote
from ..._core.rings.engines import INSTALLED, PRODUCTS, Known, Track, beginning, decide_engine
from ..._core.rings.state import Phase, RolloutState, StopKind, aligned
from ..._core.rollout.outdated import Offer
from ..._core.settings.endpoint_keys import ProductKind
from ..._core.settings.rollout import ProductRollout
from ..._core.values import frozen
from ..._host.host import Host
from ..channels import store
from ..database.database import transaction
from ..fleet.engines import streams
from .engine_fleet import EngineFleet
from .members import Trial, tallies
from .product_job import ProductJob

MOST_STREAMS = 40
"""How many streams of a product that endpoints report have a rollout."""


@frozen
class EngineJob(ProductJob):
    """One stream of a product's engine; to be used under the lock of rollouts. It has no files and no notices: what
    rings may install is in the catalog alone, and endpoints ask for it in their windows."""

    host: Host
    connection: sqlite3.Connection
    product: ProductKind
    rollout: ProductRollout
    stream: str

    @property
    def track(self) -> Track:
        return Track(self.product.value, self.stream)

    @property
    def name(self) -> str:
        return self.track.name

    def fleet(self) -> EngineFleet:
        return EngineFleet.of(self.connection, self.track, self.rollout)

    def state(self) -> RolloutState:
        """The state on record, with the rings of the settings."""
        return aligned(store.read_state(self.connection, self.name) or beginning(self.rollout), self.rollout)

    def decide(self) -> tuple[Event, ...]:
        """Take in what reports tell, count, and decide: one transaction."""
        now = self.host.now()
        promoting = may_promote(self.rollout.promotion, now, self.zone())
        with transaction(self.connection):
            state, fleet = self.state(), self.fleet()
            counted = tallies(self.connection, fleet, state, self.trials(state), now)
            reports = fleet.reports(now=now, silence=self._silence(fleet.free))
            decision = decide_engine(self.rollout, state, counted, Known(now, reports, promoting, fleet.manned))
            for event in decision.events:
                if event.kind is EventKind.PUBLISHED:
                    store.keep_version(self.connection, self.name, event.version, "", now)
            if store.manned_rings(self.connection, self.name) != fleet.manned:
                store.keep_manned(self.connection, self.name, fleet.manned)
            self.record(decision, now)
            self._forget()
        return decision.events

    def trials(self, state: RolloutState) -> dict[str, Trial]:
        """What each ring tries, of those that try something."""
        found = {}
        for ring in self.rollout.rings:
            mine = state.rings[ring.name]
            if state.phase(ring.name) is Phase.BAKING:
                offer = Offer(self.product, mine.candidate, ())
                new = {ENGINE: mine.candidate}
                found[ring.name] = Trial(ring.name, offer, new, mine.since, ring.thresholds.silence)
        return found

    def new_components(self, version: str) -> dict[str, str]:
        """The version as endpoints tell of it; raises NotPossible where it is none of a package."""
        if version == INSTALLED:
            raise NotPossible(f"{INSTALLED} stands for what endpoints had before: name a version of the packages")
        return {ENGINE: version}

    def fill(self) -> None:
        """There is nothing to fill."""

    def notify(self) -> Iterator[str]:
        """Nobody is notified: packages have windows of their own."""
        return iter(())

    def _silence(self, name: str) -> float:
        return next(ring.thresholds.silence for ring in self.rollout.rings if ring.name == name)

    def _forget(self) -> None:
        """Forget versions that no ring needs any more."""
        used, known = self.state().used(), store.contents(self.connection, self.name)
        store.drop_versions(self.connection, self.name, [one for one in known if one not in used])


def engine_jobs(host: Host, jobs: Mapping[str, ProductJob]) -> dict[str, ProductJob]:
    """The streams of products that have rings."""
    found: dict[str, ProductJob] = {}
    for job in (jobs[kind.value] for kind in PRODUCTS if kind.value in jobs):
        for stream in _streams(job):
            one = EngineJob(host, job.connection, job.product, job.rollout, stream)
            found[one.name] = one
    return found


def _streams(job: ProductJob) -> list[str]:
    """The streams in which somebody holds a version, and of those that endpoints report the ones with most endpoints:
    each endpoint may name a stream of its own, and what nobody reports any more ends."""
    reported = streams(job.connection, job.product.value)
    states = {
        track.stream: store.read_state(job.connection, track.name)
        for track in store.engine_tracks(job.connection, job.product.value)
    }
    held = {one for one, state in states.items() if state is not None and _holds(state)}
    others = sorted(set(reported) - held, key=lambda one: (-reported[one], one not in states, one))
    return sorted({*held, *others[:MOST_STREAMS]})


def _holds(state: RolloutState) -> bool:
    return any(stop.kind is StopKind.HELD for stop in state.stops.values())
