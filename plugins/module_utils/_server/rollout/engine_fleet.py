# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The endpoints of one stream of engine packages by ring, and what their reports say of a version (G2)."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator, Mapping

from ..._core.rings.engines import Track, free_ring, is_newer
from ..._core.rings.membership import RingMembership
from ..._core.rings.outcome import Evidence
from ..._core.settings.rollout import ProductRollout
from ..._core.values import frozen
from ..fleet.engines import ReportedEngine, reported_engines
from ..fleet.policies import EndpointPolicy
from .members import AWAY, Notice, Trial, failed_run


@frozen
class EngineFleet:
    """The endpoints that report an engine of this stream, by ring."""

    track: Track
    rings: Mapping[str, tuple[EndpointPolicy, ...]]
    engines: Mapping[str, ReportedEngine]

    @classmethod
    def of(cls, connection: sqlite3.Connection, track: Track, rollout: ProductRollout) -> EngineFleet:
        """The stream as it is on record."""
        engines = {one.name: one for one in reported_engines(connection, track.product, track.stream)}
        membership = RingMembership(rollout)
        rings: dict[str, list[EndpointPolicy]] = {ring.name: [] for ring in rollout.rings}
        for one in engines.values():
            member = EndpointPolicy(one.name, one.ordinal, None, domain=one.domain)
            rings[membership.ring_of(one.name, one.domain, one.ordinal)].append(member)
        return cls(track, {name: tuple(some) for name, some in rings.items()}, engines)

    @property
    def name(self) -> str:
        return self.track.name

    @property
    def free(self) -> str:
        """The ring that installs what its package sources offer."""
        return free_ring(list(self.rings), {name: len(some) for name, some in self.rings.items()})

    def seen(self) -> dict[str, float]:
        """The versions that endpoints of the free ring have or have tried, and since when they are known."""
        found: dict[str, float] = {}
        for engine in (self.engines[member.name] for member in self.rings[self.free]):
            for version, at in ((engine.version, engine.received), (engine.tried, engine.ended)):
                if version:
                    found[version] = min(at, found.get(version, at))
        return found

    def eligible(self, ring: str, *, now: float, silence: float) -> Iterator[str]:
        """The members of a ring that count for a version that is offered now: not off, not roaming."""
        for member in self.rings[ring]:
            engine = self.engines[member.name]
            if now - engine.received <= silence and engine.state not in AWAY:
                yield member.name

    def evidence(self, member: EndpointPolicy, trial: Trial, row: sqlite3.Row, notice: Notice | None) -> Evidence:  # noqa: ARG002  nobody is notified of packages
        """What is known of one member. A failure that is older than the offer keeps it from trying the version again,
        so that it does not count: the rollout was resumed without it."""
        engine, version = self.engines[member.name], trial.offer.version
        about = engine.has_failed and engine.tried == version
        if about and engine.ended < trial.since:
            return Evidence(away=True)
        has = engine.version == version or is_newer(engine.version, version)
        failed = engine.ended if engine.has_failed and engine.tried in ("", version) else None
        reason = str(engine.run.get("reason", ""))
        if failed is None and has and row["content"] is not None and row["received"] >= trial.since:
            failed, reason = failed_run(json.loads(row["content"])["status"])
        return Evidence(
            heard=engine.received,
            has=has,
            told=engine.received,
            failed=failed,
            probed=failed if about and engine.run.get("kind") == "probe" else None,
            reason=reason,
            away=engine.state in AWAY,
        )
