# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Private: a file below a user's home directory, changed without trusting what that user may do meanwhile.

Whoever owns a directory can put a link there at any moment. So each step is taken from a directory that is open
already, no link is followed, and what belongs to somebody else than the user or root is left alone.
"""

from __future__ import annotations

import os
import stat
from typing import Callable

from .host import Host

_DIRECTORY = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_READ = os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK
_WRITE = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
_LONGEST = 1 << 20


class Account:
    """A user as far as his files are concerned. ``uid`` and ``gid`` are None where owners do not matter (a sandbox)."""

    def __init__(self, home: str, uid: int | None, gid: int | None) -> None:
        self.home = home
        self.uid = uid
        self.gid = gid


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
    home = os.open(host.real(owner.home), _DIRECTORY)
    try:
        directory = _opened_folder(home, owner, folder)
        try:
            content, mode, ids = _read(directory, owner, name)
            wanted = change(content)
            if wanted != content:
                _replace(directory, name, wanted, mode, ids)
        finally:
            os.close(directory)
    finally:
        os.close(home)


def _opened_folder(home: int, owner: Account, folder: str) -> int:
    try:
        directory = os.open(folder, _DIRECTORY, dir_fd=home)
    except FileNotFoundError:
        os.mkdir(folder, 0o700, dir_fd=home)
        directory = os.open(folder, _DIRECTORY, dir_fd=home)
        if owner.uid is not None and owner.gid is not None:
            os.fchown(directory, owner.uid, owner.gid)
        os.fsync(home)
    _check_owner(os.fstat(directory), owner, folder)
    return directory


def _read(directory: int, owner: Account, name: str) -> tuple[bytes, int, tuple[int, int] | None]:
    try:
        descriptor = os.open(name, _READ, dir_fd=directory)
    except FileNotFoundError:
        return b"", 0o600, None if owner.uid is None or owner.gid is None else (owner.uid, owner.gid)
    try:
        state = os.fstat(descriptor)
        _check_owner(state, owner, name)
        if not stat.S_ISREG(state.st_mode) or state.st_size > _LONGEST:
            raise OSError(f"{name} is not a regular file of at most {_LONGEST} bytes")
        content = os.read(descriptor, _LONGEST + 1)
        ids = None if owner.uid is None else (state.st_uid, state.st_gid)
        return content, stat.S_IMODE(state.st_mode), ids
    finally:
        os.close(descriptor)


def _check_owner(state: os.stat_result, owner: Account, name: str) -> None:
    if owner.uid is not None and state.st_uid not in (owner.uid, 0):
        raise PermissionError(f"{name} belongs to somebody else (uid {state.st_uid})")


def _replace(directory: int, name: str, content: bytes, mode: int, ids: tuple[int, int] | None) -> None:
    temporary = f".{name}.epp-new"
    try:
        os.unlink(temporary, dir_fd=directory)
    except FileNotFoundError:
        pass
    descriptor = os.open(temporary, _WRITE, 0o600, dir_fd=directory)
    try:
        if ids is not None:
            os.fchown(descriptor, *ids)
        os.fchmod(descriptor, mode)
        view = memoryview(content)
        while view:
            view = view[os.write(descriptor, view) :]
        os.fsync(descriptor)
        os.replace(temporary, name, src_dir_fd=directory, dst_dir_fd=directory)
    except BaseException:
        os.unlink(temporary, dir_fd=directory)
        raise
    finally:
        os.close(descriptor)
    os.fsync(directory)
