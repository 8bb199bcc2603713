# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The server's database: opened, and created with its schema where it is missing."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from urllib.parse import quote

from ..._core.metadata.shard import SHARDS, shard_of
from ..._host.host import Host
from .. import paths
from .schema import SCHEMA, VERSION

_BUSY_S = 30.0
_NO_DAMAGE = (
    sqlite3.DataError,
    sqlite3.IntegrityError,
    sqlite3.InternalError,
    sqlite3.NotSupportedError,
    sqlite3.OperationalError,
    sqlite3.ProgrammingError,
)


class NewerDatabase(OSError):
    """A later version of this program has written the database."""


class DamagedDatabase(OSError):
    """The file is no database, or a part of one; the message says what to do."""


def open_database(host: Host) -> sqlite3.Connection:
    """The database of this host, created if need be; the caller begins and ends transactions."""
    host.mkdir(os.path.dirname(paths.DATABASE), mode=0o750)
    connection = sqlite3.connect(host.real(paths.DATABASE), timeout=_BUSY_S, isolation_level=None)
    with _told(connection):
        connection.execute("PRAGMA journal_mode = WAL")
        return _prepared(connection)


def open_copy(host: Host) -> sqlite3.Connection:
    """A copy of the database in memory, for those who want to know what would be; nothing on the host changes.

    Whoever reads a database makes two files beside it where nobody else has it open, and only who may write to it
    removes them again. Where they are there already, who may write to it would carry their content over at its end.
    """
    memory = sqlite3.connect(":memory:", isolation_level=None)
    if host.exists(paths.DATABASE):
        mode = "ro" if host.exists(f"{paths.DATABASE}-wal") else "rw"
        address = f"file:{quote(host.real(paths.DATABASE))}?mode={mode}"
        with _told(memory), closing(sqlite3.connect(address, uri=True)) as original:
            original.backup(memory)
    with _told(memory):
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


@contextmanager
def _told(connection: sqlite3.Connection) -> Iterator[None]:
    """Translate errors of a damaged database, and close the connection then."""
    try:
        yield
    except sqlite3.DatabaseError as error:
        connection.close()
        raise explained(error) from error


def explained(error: sqlite3.Error) -> Exception:
    """A DamagedDatabase with the file and what to do, where this is damage; else the error itself.

    A database that is busy, or a disk that is full, is not damage: sqlite3 has classes of their own for those.
    """
    if not isinstance(error, sqlite3.DatabaseError) or isinstance(error, _NO_DAMAGE):
        return error
    return DamagedDatabase(
        f"{paths.DATABASE} is damaged ({error}): put a backup in its place, or move it away, and run the playbook "
        "epp.autoupdate.site; the guide has the steps (The update server is lost)"
    )


def _prepared(connection: sqlite3.Connection) -> sqlite3.Connection:
    connection.row_factory = sqlite3.Row
    connection.execute("PRAGMA foreign_keys = ON")
    connection.create_function("shard_of", 1, lambda name: shard_of(name, SHARDS), deterministic=True)
    _create_schema(connection)
    return connection


def _create_schema(connection: sqlite3.Connection) -> None:
    if _version(connection) == VERSION:
        return
    with transaction(connection):
        # Checked again under the lock: timers and a converge may open a new database at the same time.
        if _version(connection) == VERSION:
            return
        for statement in filter(None, map(str.strip, SCHEMA.split(";"))):
            connection.execute(statement)
        connection.execute(f"PRAGMA user_version = {VERSION}")


def _version(connection: sqlite3.Connection) -> int:
    version = int(connection.execute("PRAGMA user_version").fetchone()[0])
    if version > VERSION:
        raise NewerDatabase(f"{paths.DATABASE} has version {version}, this program knows {VERSION}: update it")
    return version
