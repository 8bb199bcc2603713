# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What rings may install of the packages of engines, by the records alone: as the catalog says it (G1)."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator

from ..._core.metadata.channels import CatalogHold
from ..._core.results import ENGINE
from ..._core.rings.engines import PRODUCTS, Track, free_ring, offered_engine
from ..._core.rings.state import RolloutState
from ..._core.settings.rollout import ProductRollout
from ..._host.host import Host
from ..components.base import Published
from ..components.configured import rollout_settings
from . import store


def engines_now(host: Host, connection: sqlite3.Connection) -> Published | None:
    """What the catalog says of engines now; None where no endpoint has one that is staged. Raises InvalidDocument."""
    found = list(_staged(host, connection))
    if not found:
        return None
    engines = [offered_engine(*one, _free(connection, *one[:2])) for one in found]
    holds = [hold for track, rollout, state in found if not rollout.dry_run for hold in _holds(track, state)]
    return Published("", (), holds=tuple(holds), engines=tuple(engines))


def _staged(host: Host, connection: sqlite3.Connection) -> Iterator[tuple[Track, ProductRollout, RolloutState]]:
    for product, rollout in rollout_settings(host).products.items():
        for track in store.engine_tracks(connection, product) if product in _PRODUCTS else ():
            state = store.read_state(connection, track.name)
            if state is not None:
                yield track, rollout, state


def _free(connection: sqlite3.Connection, track: Track, rollout: ProductRollout) -> str:
    return free_ring([ring.name for ring in rollout.rings], store.manned_rings(connection, track.name))


def _holds(track: Track, state: RolloutState) -> Iterator[CatalogHold]:
    """A hold is of one stream: equal words are versions of their own on another distribution."""
    for version, stop in state.stops.items():
        yield CatalogHold(
            product=track.product,
            version=f"{ENGINE} {version}",
            components={ENGINE: version},
            restore=stop.restore,
            reason=stop.reason,
            since=int(stop.since),
            stream=track.stream,
        )


_PRODUCTS = frozenset(one.value for one in PRODUCTS)
