# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The directory that holds ClamAV's databases: made when missing, cleared of leftovers, asked what ails it."""

from __future__ import annotations

import os
import re
import stat
import time
from contextlib import suppress

from ...._core.settings.endpoint import ClamavSettings
from ...._host.filesystem.removal import remove
from ...._host.filesystem.safe_paths import UnsafePath, open_directory
from ...._host.host import Host

_LEFTOVER = re.compile(r"tmp\.[0-9a-f]{10}")
_LEFTOVER_AGE_S = 3600.0
"""Younger ones may belong to a freshclam that somebody runs by hand."""
_RELOAD_S, _LONGEST_RELOAD_S = 3.0, 180.0
_RELOADED_PER_S = 4_000_000
"""A reload of 30 MB of signatures took 1.6 s here, five times faster than this."""
_FULL = 64 * 1024
"""Less free space than this, in bytes, explains a failure."""


def prepare(host: Host, settings: ClamavSettings) -> str:
    """Make the directory where it is missing and sweep it; returns why it can't be used, or nothing."""
    directory = settings.database_directory
    if not host.exists(directory):
        try:
            host.mkdir(directory, owner=settings.database_owner if host.live else None)
        except KeyError:
            return f"the user {settings.database_owner} does not exist"
    try:
        sweep(host.real(directory), older_than=_LEFTOVER_AGE_S)
    except UnsafePath as error:  # nor can be read what freshclam would bring
        return str(error)
    return ""


def sweep(directory: str, *, older_than: float) -> None:
    """Remove what freshclams that were killed left in a (real) directory: nobody else would, and they are large.

    Raises UnsafePath; what can't be opened or removed otherwise stays.
    """
    try:
        with open_directory(directory) as opened:
            for name in filter(_LEFTOVER.fullmatch, opened.names()):
                state = opened.status(name)
                if state is not None and stat.S_ISDIR(state.st_mode) and time.time() - state.st_mtime >= older_than:
                    with suppress(OSError):
                        remove(opened, name)
    except UnsafePath:
        raise
    except OSError:
        return


def await_reload(directory: str, limit: float) -> None:
    """Wait until a clamd that was told to reload has done so, for all that can be known, at most ``limit`` seconds.

    clamd reloads beside its work: for seconds to a minute, by the databases' size, it goes on scanning with the old
    ones, and it has no command that tells. So this waits as long as a slow machine takes, since the newest file came.
    """
    files = [item.stat() for item in os.scandir(directory) if item.is_file() and not item.name.endswith(".dat")]
    newest = max((state.st_ctime for state in files), default=0.0)
    needed = _RELOAD_S + sum(state.st_size for state in files) / _RELOADED_PER_S
    age = max(0.0, time.time() - newest)
    time.sleep(max(0.0, min(needed - age, _LONGEST_RELOAD_S, limit)))


def error(directory: str) -> str:
    """What the file system of a (real) directory says against writing there; empty when nothing."""
    try:
        state = os.statvfs(directory)
    except OSError as error:
        return f"{directory}: {error.strerror}"
    if state.f_flag & os.ST_RDONLY:
        return f"the file system of {directory} is read-only"
    if state.f_bavail * state.f_frsize < _FULL:
        return f"no space left on the file system of {directory}"
    return ""
