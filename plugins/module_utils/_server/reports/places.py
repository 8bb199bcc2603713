# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The places of endpoints: an empty file for each registered name, without which the web server takes no report.

A change makes and removes those that it is about; a publication compares all of them with the registry.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Collection

from ..._host.filesystem.open_directory import OpenDirectory
from ..._host.filesystem.removal import remove
from ..._host.filesystem.safe_paths import open_directory
from ..._host.host import Host
from .. import paths


def update_places(host: Host, *, made: Collection[str], removed: Collection[str]) -> None:
    """Make and remove places; one that is there already, or is gone, is fine. Raises OSError."""
    if not made and not removed:
        return
    with _places(host) as directory:
        for name in removed:
            remove(directory, name)
        for name in made:
            _make(directory, name)


def mend_places(host: Host, connection: sqlite3.Connection) -> int:
    """Let there be exactly the places of the registered endpoints; returns how many were made or removed."""
    wanted = {row["name"] for row in connection.execute("SELECT name FROM endpoints")}
    with _places(host) as directory:
        found = set(directory.names())
    made, removed = sorted(wanted - found), sorted(found - wanted)
    update_places(host, made=made, removed=removed)
    return len(made) + len(removed)


def _places(host: Host) -> OpenDirectory:
    if not host.exists(paths.PLACES):  # as in a directory that stands for a host: elsewhere a converge makes it
        host.mkdir(paths.PLACES)
    return open_directory(host.real(paths.PLACES), below=host.root)


def _make(directory: OpenDirectory, name: str) -> None:
    try:
        os.close(directory.create(name, 0o644))
    except FileExistsError:
        pass
