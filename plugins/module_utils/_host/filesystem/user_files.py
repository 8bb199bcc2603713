# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A file below a user's home directory, changed without trusting what that user may do meanwhile.

Whoever owns a directory can put a link there at any moment. So each step is taken from a directory that is open
already, no link is followed, and what belongs to somebody else than the user or root is left alone.
"""

from __future__ import annotations

import os
import stat
from typing import Callable

from ..host import Host
from .open_directory import OpenDirectory
from .safe_paths import open_directory

_LONGEST = 1 << 20


class Account:
    """A user as far as his files are concerned. ``uid`` and ``gid`` are None where owners do not matter (a sandbox)."""

    def __init__(self, home: str, uid: int | None, gid: int | None) -> None:
        self.home = home
        self.uid = uid
        self.gid = gid

    @property
    def identity(self) -> tuple[int, int] | None:
        return None if self.uid is None or self.gid is None else (self.uid, self.gid)


def account(host: Host, user: str) -> Account:
    """A user of the host; raises LookupError for one that it does not have."""
    for line in (host.read("/etc/passwd") or b"").decode("utf-8", "replace").splitlines():
        fields = line.split(":")
        if len(fields) == 7 and fields[0] == user:
            return Account(fields[5], *((int(fields[2]), int(fields[3])) if host.live else (None, None)))
    if host.live:
        import pwd

        try:
            entry = pwd.getpwnam(user)  # of a directory service, which the file does not hold
        except KeyError:
            raise LookupError(f"there is no user {user} on this host") from None
        return Account(entry.pw_dir, entry.pw_uid, entry.pw_gid)
    return Account("/root" if user == "root" else f"/home/{user}", None, None)


def change_file(host: Host, owner: Account, folder: str, name: str, change: Callable[[bytes], bytes]) -> None:
    """Change the file ``name`` in ``folder`` of a home directory, atomically and durably (C3).

    Mode and owner are kept; a new file is the user's (0600), and so is a new folder (0700). Raises OSError for a link,
    or for what belongs to somebody else.
    """
    if not host.live and not host.exists(owner.home):  # a directory that stands for a host begins empty
        host.mkdir(owner.home, mode=0o700)
    with open_directory(host.real(owner.home)) as home, _opened_folder(home, owner, folder) as directory:
        content, mode, ids = _read(directory, owner, name)
        wanted = change(content)
        if wanted != content:
            directory.write(name, wanted, mode=mode, identity=ids)


def _opened_folder(home: OpenDirectory, owner: Account, folder: str) -> OpenDirectory:
    try:
        directory = home.descend(folder)
    except FileNotFoundError:
        home.mkdir(folder, 0o700)
        directory = home.descend(folder)
        directory.set_attributes(0o700, owner.identity)
        home.sync()
    _check_owner(os.fstat(directory.descriptor), owner, folder)
    return directory


def _read(directory: OpenDirectory, owner: Account, name: str) -> tuple[bytes, int, tuple[int, int] | None]:
    try:
        descriptor = directory.open(name)
    except FileNotFoundError:
        return b"", 0o600, owner.identity
    try:
        state = os.fstat(descriptor)
        _check_owner(state, owner, name)
        if state.st_size > _LONGEST:
            raise OSError(f"{name} has more than {_LONGEST} bytes")
        content = os.read(descriptor, _LONGEST + 1)
        ids = None if owner.uid is None else (state.st_uid, state.st_gid)
        return content, stat.S_IMODE(state.st_mode), ids
    finally:
        os.close(descriptor)


def _check_owner(state: os.stat_result, owner: Account, name: str) -> None:
    if owner.uid is not None and state.st_uid not in (owner.uid, 0):
        raise PermissionError(f"{name} belongs to somebody else (uid {state.st_uid})")
