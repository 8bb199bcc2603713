# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Whether the records are those that this server wrote last, or were brought back from a backup (C4).

Whenever documents are issued, a file beside the database gets a new token, and the database remembers the token with
that file's change time. No program can set that time: a file that was copied back has another one. A snapshot of the
whole disk keeps both; for that there is ``epp-server publish --anew``.
"""

from __future__ import annotations

import os
import sqlite3

from ..._host.host import Host
from .. import paths

MARK = paths.STATE_DIRECTORY + "/issued"


def came_back(host: Host, connection: sqlite3.Connection) -> bool:
    """Whether something was issued under these records in another place, or since; False before anything was."""
    row = connection.execute("SELECT mark FROM last_issue").fetchone()
    return row is not None and row["mark"] != _mark(host)


def note_issue(host: Host, connection: sqlite3.Connection) -> None:
    """Record that documents were issued; runs in the caller's transaction."""
    host.write(MARK, os.urandom(16).hex().encode(), mode=0o600)
    connection.execute("DELETE FROM last_issue")
    connection.execute("INSERT INTO last_issue VALUES (?)", (_mark(host),))


def _mark(host: Host) -> str:
    status = host.status(MARK)
    return "" if status is None else f"{(host.read(MARK) or b'').decode('ascii', 'replace')} {status.st_ctime_ns}"
