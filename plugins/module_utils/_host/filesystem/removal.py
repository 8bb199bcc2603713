# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A directory removed with all that it holds, while somebody else may be at work in it.

No link is followed. Directories that are in a directory come up to the top before they are emptied: however deep a tree
is, two of it are open at a time.
"""

from __future__ import annotations

import errno
import os
import stat

from .open_directory import OpenDirectory

_MOST_ROUNDS = 1 << 16


def remove(directory: OpenDirectory, name: str) -> None:
    """Remove an entry of whatever kind; nothing there is fine. Raises OSError."""
    if not _is_directory(directory, name):
        directory.unlink(name)
        return
    with directory.inner(name) as top:
        _empty(top)
    directory.rmdir(name)


def _empty(top: OpenDirectory) -> None:
    for _round in range(_MOST_ROUNDS):
        names = top.names()
        if not names:
            return
        for name in names:
            if _is_directory(top, name):
                with top.inner(name) as directory:
                    _raise_directories(directory, top)
                top.rmdir(name)
            else:
                top.unlink(name)
    raise OSError(errno.ENOTEMPTY, "it is nested too deep, or is filled while it is removed", top.path)


def _raise_directories(directory: OpenDirectory, top: OpenDirectory) -> None:
    """Empty a directory; what directories it has, and are not empty themselves, move up to the top."""
    for name in directory.names():
        if not _is_directory(directory, name):
            directory.unlink(name)
            continue
        try:
            directory.rmdir(name)
        except OSError:
            directory.rename(name, top, f".{os.urandom(8).hex()}.epp-removed")


def _is_directory(directory: OpenDirectory, name: str) -> bool:
    state = directory.status(name)
    return state is not None and stat.S_ISDIR(state.st_mode)
