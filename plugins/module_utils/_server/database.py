# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Private: the server's database: opened, and brought to this version's schema."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from urllib.parse import quote

from .._core.published_shard import SHARDS, shard_of
from .._host.host import Host
from . import places
from .schema import MIGRATIONS

_BUSY_S = 30.0


class NewerDatabase(OSError):
    """A later version of this program has written the database."""


def open_database(host: Host) -> sqlite3.Connection:
    """The database of this host, made or migrated if need be; the caller begins and ends transactions."""
    host.mkdir(os.path.dirname(places.DATABASE), mode=0o750)
    connection = sqlite3.connect(host.real(places.DATABASE), timeout=_BUSY_S, isolation_level=None)
    connection.execute("PRAGMA journal_mode = WAL")
    return _prepared(connection)


def open_copy(host: Host) -> sqlite3.Connection:
    """A copy of the database in memory, for those who want to know what would be; nothing on the host changes."""
    memory = sqlite3.connect(":memory:", isolation_level=None)
    if host.exists(places.DATABASE):
        with closing(sqlite3.connect(f"file:{quote(host.real(places.DATABASE))}?mode=ro", uri=True)) as original:
            original.backup(memory)
    return _prepared(memory)


@contextmanager
def transaction(connection: sqlite3.Connection) -> Iterator[sqlite3.Connection]:
    """One change of the records: all of it, or nothing where something fails on the way."""
    connection.execute("BEGIN IMMEDIATE")
    try:
        yield connection
    except BaseException:
        connection.rollback()
        raise
    connection.commit()


def _prepared(connection: sqlite3.Connection) -> sqlite3.Connection:
    connection.row_factory = sqlite3.Row
    connection.execute("PRAGMA foreign_keys = ON")
    connection.create_function("shard_of", 1, lambda name: shard_of(name, SHARDS), deterministic=True)
    _migrate(connection)
    return connection


def _migrate(connection: sqlite3.Connection) -> None:
    if _version(connection) == len(MIGRATIONS):
        return
    with transaction(connection):
        # Asked again: after an update of this program, its timers and a converge open the database at one time.
        for script in MIGRATIONS[_version(connection) :]:
            for statement in filter(None, map(str.strip, script.split(";"))):
                connection.execute(statement)
        connection.execute(f"PRAGMA user_version = {len(MIGRATIONS)}")


def _version(connection: sqlite3.Connection) -> int:
    version = int(connection.execute("PRAGMA user_version").fetchone()[0])
    if version > len(MIGRATIONS):
        raise NewerDatabase(f"{places.DATABASE} has version {version}, this program knows {len(MIGRATIONS)}: update it")
    return version
