# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Dirty shards: shards that differ from the registry, recorded in the transaction that changes it."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable

from ..._core.metadata.shard import SHARDS, shard_of

PREFIX = "shard-"


def document(shard: int) -> str:
    """The name under which a shard is recorded."""
    return f"{PREFIX}{shard}"


def counted(documents: Iterable[str]) -> dict[str, int]:
    """The number of documents of each kind: ``{"tree": 1, "shards": 3}``."""
    kinds = ["shards" if name.startswith(PREFIX) else name for name in documents]
    return {kind: kinds.count(kind) for kind in sorted(set(kinds))}


def mark(connection: sqlite3.Connection, endpoints: Iterable[str]) -> None:
    """Mark the shards of these endpoints as dirty, in the caller's transaction."""
    shards = {shard_of(name, SHARDS) for name in endpoints}
    rows = [(document(shard),) for shard in sorted(shards)]
    connection.executemany("INSERT OR IGNORE INTO dirty VALUES (?)", rows)


def marked(connection: sqlite3.Connection) -> set[str]:
    """The dirty documents."""
    return {row["document"] for row in connection.execute("SELECT document FROM dirty")}


def clear(connection: sqlite3.Connection, documents: Iterable[str]) -> None:
    """Mark these documents as published, in the caller's transaction."""
    connection.executemany("DELETE FROM dirty WHERE document = ?", [(name,) for name in documents])
