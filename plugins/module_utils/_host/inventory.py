# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Private: what lies at a path now, and how an entry is put there."""

from __future__ import annotations

import os
import stat

from .._core.changes import Found
from .._core.entries import Absent, Directory, Entry, File, Link
from .host import Host
from .live_host import temporary_name


def look(host: Host, path: str) -> Found | None:
    """What is at ``path``, without following a link; None when nothing is."""
    status = host.status(path)
    if status is None:
        return None
    if stat.S_ISLNK(status.st_mode):
        return Found(target=host.target(path))
    # Everything that a converge places is root's; in a directory that stands for a host the owner is who made it.
    foreign = host.live and (status.st_uid, status.st_gid) != (0, 0)
    mode = stat.S_IMODE(status.st_mode)
    if stat.S_ISDIR(status.st_mode):
        return Found(mode=mode, foreign=foreign)
    if stat.S_ISREG(status.st_mode):
        return Found(content=host.read(path) or b"", mode=mode, foreign=foreign)
    return Found()


def place(host: Host, entry: Entry) -> None:
    """Make the host hold this entry, atomically; a directory in a file's way is removed first."""
    if isinstance(entry, Absent):
        host.remove(entry.path)
        host.remove(temporary_name(entry.path))
    elif isinstance(entry, Directory):
        _clear_unless(host, entry.path, directory=True)
        host.mkdir(entry.path, mode=entry.mode, owner=entry.owner)
    elif isinstance(entry, Link):
        _clear_unless(host, entry.path, directory=False)
        host.link(entry.path, entry.target)
    elif isinstance(entry, File):
        _clear_unless(host, entry.path, directory=False)
        host.write(entry.path, entry.content, mode=entry.mode)


def _clear_unless(host: Host, path: str, *, directory: bool) -> None:
    real = host.real(path)
    is_directory = os.path.isdir(real) and not os.path.islink(real)
    if host.exists(path) and is_directory is not directory:
        host.remove(path)
