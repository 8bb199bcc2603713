# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What lies at a path now, and how an entry is put there."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterable
from typing import Callable

from .._core.resources.diff import ActualState, Change, compare
from .._core.resources.resources import Absent, Directory, File, Link, Resource
from .accounts import ids_of
from .filesystem.open_directory import temporary_name
from .host import Host


def diff(host: Host, entries: Iterable[Resource]) -> tuple[Change, ...]:
    """What would change, in the order in which it has to be done."""
    found = (compare(entry, inspect(host, entry.path, owner=_owner(entry))) for entry in entries)
    return tuple(change for change in found if change is not None)


def owned_paths(host: Host, directory: str, *, ours: Callable[[str], bool]) -> tuple[str, ...]:
    """What to remove of a directory in which only some names are ``ours``: all of it where there are no others."""
    real = host.real(directory)
    names = sorted(os.listdir(real)) if os.path.isdir(real) else []
    own = tuple(f"{directory}/{name}" for name in names if ours(name))
    return own if len(own) < len(names) else (directory,)


def inspect(host: Host, path: str, *, owner: str | None = None) -> ActualState | None:
    """What is at ``path``, without following a link; None when nothing is. ``owner`` is whose it should be."""
    status = host.status(path)
    if status is None:
        return None
    if stat.S_ISLNK(status.st_mode):
        return ActualState(target=host.target(path))
    # In a directory that stands for a host the owner is who made it.
    foreign = host.live and (status.st_uid, status.st_gid) != (ids_of(owner) if owner else (0, 0))
    mode = stat.S_IMODE(status.st_mode)
    if stat.S_ISDIR(status.st_mode):
        return ActualState(mode=mode, foreign=foreign)
    if stat.S_ISREG(status.st_mode):
        return ActualState(content=host.read(path) or b"", mode=mode, foreign=foreign)
    return ActualState()


def apply(host: Host, entry: Resource) -> None:
    """Make the host hold this entry, atomically; a directory in a file's way is removed first."""
    if isinstance(entry, Absent):
        host.remove(entry.path)
        host.remove(temporary_name(entry.path))
    elif isinstance(entry, Directory):
        _clear_unless(host, entry.path, directory=True)
        host.mkdir(entry.path, mode=entry.mode, owner=_owner(entry) if host.live else None)
    elif isinstance(entry, Link):
        _clear_unless(host, entry.path, directory=False)
        host.link(entry.path, entry.target)
    elif isinstance(entry, File):
        _clear_unless(host, entry.path, directory=False)
        host.write(entry.path, entry.content, mode=entry.mode, owner=_owner(entry) if host.live else None)


def _owner(entry: Resource) -> str | None:
    return entry.owner if isinstance(entry, (Directory, File)) else None


def _clear_unless(host: Host, path: str, *, directory: bool) -> None:
    real = host.real(path)
    is_directory = os.path.isdir(real) and not os.path.islink(real)
    if host.exists(path) and is_directory is not directory:
        host.remove(path)
