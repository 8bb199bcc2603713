# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The endpoints of one stream of engine packages by ring, and what their reports say of a version (G2)."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator, Mapping

from ..._core.results import ReasonKind
from ..._core.rings.engines import Track, free_ring, is_newer
from ..._core.rings.membership import RingMembership
from ..._core.rings.outcome import Evidence
from ..._core.settings.rollout import ProductRollout
from ..._core.values import frozen
from ..channels import store
from ..fleet.engines import ReportedEngine, reported_engines
from ..fleet.policies import EndpointPolicy
from .members import AWAY, Messages, Trial, failed_run


@frozen
class EngineFleet:
    """The endpoints that report an engine of this stream, by ring.

    ``manned`` are the rings that have, or have had, any. ``anew`` has when versions were last offered anew by hand.
    """

    track: Track
    rings: Mapping[str, tuple[EndpointPolicy, ...]]
    engines: Mapping[str, ReportedEngine]
    manned: frozenset[str]
    anew: Mapping[str, float]

    @classmethod
    def of(cls, connection: sqlite3.Connection, track: Track, rollout: ProductRollout) -> EngineFleet:
        """The stream as it is on record."""
        engines = {one.name: one for one in reported_engines(connection, track.product, track.stream)}
        membership = RingMembership(rollout)
        rings: dict[str, list[EndpointPolicy]] = {ring.name: [] for ring in rollout.rings}
        for one in engines.values():
            member = EndpointPolicy(one.name, one.ordinal, None, domain=one.domain)
            rings[membership.ring_of(one.name, one.domain, one.ordinal)].append(member)
        known = store.manned_rings(connection, track.name)
        manned = frozenset(name for name, some in rings.items() if some or name in known)
        anew = store.begun_anew(connection, track.name)
        return cls(track, {name: tuple(some) for name, some in rings.items()}, engines, manned, anew)

    @property
    def name(self) -> str:
        return self.track.name

    @property
    def free(self) -> str:
        """The ring that installs what its package sources offer."""
        return free_ring(list(self.rings), self.manned)

    def gap(self) -> str:
        """Why no new version becomes known, though endpoints wait for one; empty where it does."""
        if self.rings[self.free] or not any(self.rings.values()):
            return ""
        return f"no endpoint of the ring {self.free} is left, which tries new versions for all others"

    def reports(self, *, now: float, silence: float) -> tuple[frozenset[str], ...]:
        """What each endpoint of the free ring that takes part has, or has tried."""
        names = self.eligible(self.free, now=now, silence=silence)
        return tuple(versions for versions in (self.engines[name].versions for name in names) if versions)

    def eligible(self, ring: str, *, now: float, silence: float) -> Iterator[str]:
        """The members of a ring that count for a version that is offered now: not off, not roaming."""
        for member in self.rings[ring]:
            engine = self.engines[member.name]
            if now - engine.received <= silence and engine.state not in AWAY:
                yield member.name

    def evidence(self, member: EndpointPolicy, trial: Trial, messages: Messages) -> Evidence:
        """What is known of one member.

        Its failure with the version counts until it tries that again, whenever the ring was offered the version; but
        not one of before it was in the stream, or before somebody has offered the version anew. That one keeps it from
        trying the version, so it does not take part. An installed version is what it is, whenever that was told.
        """
        engine, version = self.engines[member.name], trial.offer.version
        about = engine.has_failed and engine.tried == version
        if about and engine.ended <= self.anew.get(version, 0.0):
            return Evidence(away=True)
        has = engine.version == version or is_newer(engine.version, version)
        failed, reason = None, str(engine.outcome.get("reason", ""))
        if about:
            failed = max(engine.ended, trial.since)
        elif engine.has_failed and not engine.tried:
            failed = engine.ended
        elif has and messages.content is not None and (messages.received or 0.0) >= trial.since:
            failed, reason = failed_run(json.loads(messages.content)["status"])
        return Evidence(
            heard=engine.received,
            has=has,
            told=max(engine.received, trial.since),
            failed=failed,
            probed=failed if about and engine.outcome.get("kind") == ReasonKind.PROBE.value else None,
            reason=reason,
            away=engine.state in AWAY,
        )
