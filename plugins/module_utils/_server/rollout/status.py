# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Where each rollout stands, as one document of plain data: that of the command, of the module and of the report."""

from __future__ import annotations

import shlex
import sqlite3
from collections.abc import Iterator
from typing import Any

from ..._core.rings.decide import next_promotion, waiting
from ..._core.rings.state import Phase, Stop
from ..._core.settings.rollout import Ring
from ..._core.timestamps import iso, iso_or_none
from ..._core.untrusted_text import shown
from ..._host.host import Host
from ..channels import store
from .standing import Standing, standings

EVENTS = 20
"""How many of the last decisions are told."""


def rollouts(host: Host, connection: sqlite3.Connection, *, events: int = EVENTS) -> list[dict[str, Any]]:
    """The rollout of each product that has rings, and of the packages of its engine."""
    return [document(connection, one, now=host.now(), events=events) for one in standings(host, connection)]


def document(connection: sqlite3.Connection, one: Standing, *, now: float, events: int = EVENTS) -> dict[str, Any]:
    """One rollout at an instant."""
    rollout, state = one.job.rollout, one.state
    soon, at = dict(waiting(rollout, state)), store.published_at(connection, one.product)
    opens = next_promotion(rollout.promotion, now, one.job.zone()) if soon else None
    return {
        "product": one.product,
        "dry_run": rollout.dry_run,
        "newest": state.newest,
        "published": iso_or_none(at.get(state.newest)),
        "rings": [_ring(ring, one, soon.get(ring.name, ""), opens) for ring in rollout.rings],
        "stops": [_stop(one.product, version, stop) for version, stop in state.stops.items()],
        "events": store.recent_events(connection, one.product, events),
    }


def _ring(ring: Ring, standing: Standing, soon: str, opens: float | None) -> dict[str, Any]:
    state, count = standing.state, standing.counts[ring.name]
    mine, limits, phase = state.rings[ring.name], ring.thresholds, state.phase(ring.name)
    tries = phase is not Phase.IDLE
    bakes = phase is Phase.BAKING and mine.reached is not None
    bake_ends = (mine.reached or 0.0) + limits.bake_time if bakes else None
    deadline = mine.since + limits.deadline if phase is Phase.BAKING else None
    counts = {key: getattr(count, key) for key in ("eligible", "healthy", "failed", "pending")}
    return {
        "name": ring.name,
        "phase": phase.value,
        "offered": state.offered(ring.name),
        "candidate": mine.candidate,
        "since": iso(mine.since) if tries else None,
        "bake_ends": iso_or_none(bake_ends),
        "deadline": iso_or_none(deadline),
        "good": list(mine.good),
        "next": soon,
        "next_at": iso_or_none(opens) if soon else None,
        "endpoints": count.members,
        "counts": {**counts, "not_counted": standing.not_counted(ring.name)} if tries else None,
        "reason": count.reason if tries else "",
    }


def _stop(product: str, version: str, stop: Stop) -> dict[str, Any]:
    plain = {key: value for key, value in stop.to_dict().items() if key != "since"}
    return {"version": version, **plain, "since": iso(stop.since), "commands": list(_commands(product, version, stop))}


def _commands(product: str, version: str, stop: Stop) -> Iterator[str]:
    """What can be typed about a stopped version, the careful way first."""
    for action in ("abort", "resume") if stop.kind.by_itself else ("release",):
        which = shlex.join([action, version, "--product", product])
        yield shown(f"epp-server rollout {which} --reason 'WHY'")
