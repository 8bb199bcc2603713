# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The rollout of each product on record: its state, the content of its versions, and what was decided."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Mapping
from typing import Any

from ..._core.rings.decide import Event, EventKind
from ..._core.rings.engines import Track
from ..._core.rings.state import RolloutState
from ..._core.timestamps import iso


def read_state(connection: sqlite3.Connection, product: str) -> RolloutState | None:
    """The state of a product's rollout; None where it has none."""
    row = connection.execute("SELECT state FROM rollouts WHERE product = ?", (product,)).fetchone()
    return None if row is None else RolloutState.from_dict(json.loads(row["state"]))


def write_state(connection: sqlite3.Connection, product: str, state: RolloutState) -> None:
    """Keep the state, in the caller's transaction."""
    text = json.dumps(state.to_dict(), sort_keys=True)
    connection.execute("INSERT OR REPLACE INTO rollouts VALUES (?, ?)", (product, text))


def keep_version(connection: sqlite3.Connection, product: str, version: str, content: str, now: float) -> None:
    """Keep what a product publishes as a version, in the caller's transaction; what is known stays as it is."""
    values = (product, version, now, content)
    connection.execute("INSERT OR IGNORE INTO rollout_versions VALUES (?, ?, ?, ?)", values)


def contents(connection: sqlite3.Connection, product: str) -> dict[str, str]:
    """The content of each version that is kept."""
    rows = connection.execute("SELECT version, content FROM rollout_versions WHERE product = ?", (product,))
    return {row["version"]: row["content"] for row in rows}


def published_at(connection: sqlite3.Connection, product: str) -> dict[str, float]:
    """When each version that is kept was published (Unix seconds)."""
    rows = connection.execute("SELECT version, at FROM rollout_versions WHERE product = ?", (product,))
    return {row["version"]: row["at"] for row in rows}


def drop_versions(connection: sqlite3.Connection, product: str, versions: Iterable[str]) -> None:
    """Forget the content of versions, in the caller's transaction."""
    them = [(product, version) for version in versions]
    connection.executemany("DELETE FROM rollout_versions WHERE product = ? AND version = ?", them)


def forget(connection: sqlite3.Connection, product: str) -> None:
    """Remove all that is on record of a product's rollout but its events, in the caller's transaction."""
    connection.execute("DELETE FROM rollouts WHERE product = ?", (product,))
    connection.execute("DELETE FROM rollout_versions WHERE product = ?", (product,))
    connection.execute("DELETE FROM rollout_members WHERE product = ?", (product,))
    connection.execute("DELETE FROM engine_rings WHERE track = ?", (product,))


def staged_products(connection: sqlite3.Connection) -> set[str]:
    """The products that have a rollout on record."""
    return {row["product"] for row in connection.execute("SELECT product FROM rollouts")}


def engine_tracks(connection: sqlite3.Connection, product: str) -> list[Track]:
    """The streams of a product's engine that have a rollout on record."""
    found = (Track.of(name) for name in sorted(staged_products(connection)))
    return [one for one in found if one is not None and one.product == product]


def manned_rings(connection: sqlite3.Connection, track: str) -> set[str]:
    """The rings that have ever had an endpoint of a stream."""
    return {row["ring"] for row in connection.execute("SELECT ring FROM engine_rings WHERE track = ?", (track,))}


def keep_manned(connection: sqlite3.Connection, track: str, rings: Iterable[str]) -> None:
    """Keep that these rings have had an endpoint of a stream, and no other ones, in the caller's transaction."""
    connection.execute("DELETE FROM engine_rings WHERE track = ?", (track,))
    connection.executemany("INSERT INTO engine_rings VALUES (?, ?)", [(track, ring) for ring in rings])


def begun_anew(connection: sqlite3.Connection, product: str) -> dict[str, float]:
    """The versions that somebody has offered anew, and when that was last: failures of before count no more."""
    select = (
        "SELECT version, max(at) AS at FROM rollout_events WHERE product = ? AND kind IN (?, ?, ?) GROUP BY version"
    )
    kinds = (EventKind.RESUMED.value, EventKind.RELEASED.value, EventKind.EXPEDITED.value)
    return {row["version"]: row["at"] for row in connection.execute(select, (product, *kinds))}


def add_events(connection: sqlite3.Connection, product: str, events: Iterable[Event], now: float) -> None:
    """Keep what was decided, in the caller's transaction."""
    rows = [
        (
            now,
            product,
            one.version,
            one.ring,
            one.kind.value,
            one.reason,
            json.dumps(dict(one.evidence), sort_keys=True),
        )
        for one in events
    ]
    insert = (
        "INSERT INTO rollout_events (at, product, version, ring, kind, reason, evidence) VALUES (?, ?, ?, ?, ?, ?, ?)"
    )
    connection.executemany(insert, rows)


def recent_events(connection: sqlite3.Connection, product: str, most: int) -> list[dict[str, Any]]:
    """The last decisions about a product, the newest first."""
    select = "SELECT * FROM rollout_events WHERE product = ? ORDER BY id DESC LIMIT ?"
    return [_told(row) for row in connection.execute(select, (product, most))]


def unnoted(connection: sqlite3.Connection) -> list[Mapping[str, Any]]:
    """The decisions that are not in the audit yet, in their order."""
    rows = connection.execute("SELECT * FROM rollout_events WHERE noted = 0 ORDER BY id").fetchall()
    return [{**dict(row), "evidence": json.loads(row["evidence"])} for row in rows]


def mark_noted(connection: sqlite3.Connection, event: int) -> None:
    connection.execute("UPDATE rollout_events SET noted = 1 WHERE id = ?", (event,))


def _told(row: sqlite3.Row) -> dict[str, Any]:
    plain = {key: row[key] for key in ("product", "version", "ring", "kind", "reason")}
    return {"at": iso(row["at"]), **plain, "evidence": json.loads(row["evidence"])}


_ANEW = """
SELECT version, max(at) AS last FROM rollout_events WHERE product = ? AND kind IN (?, ?, ?) GROUP BY version
"""
