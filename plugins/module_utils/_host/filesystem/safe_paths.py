# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Paths walked component by component, so that nobody can lead root elsewhere by a symbolic link.

Some directories that we write to belong to others (node_exporter's, ClamAV's, the server's state). Whoever may write in
a directory may replace what is in it by a link at any moment, also between a check and a use. So each component is
opened from the one before, without following links; a link is read and followed only where root or ourselves made it,
in a directory in which nobody else may write. Thus ``/var/run``, ``/lib`` or a ``/root`` elsewhere lead where the
system says. What comes after is done by descriptor (``open_directory.py``).
"""

from __future__ import annotations

import errno
import os
import stat

from .open_directory import READ, SEARCH, NotRegular, OpenDirectory, checked_regular, made

_MOST_LINKS = 40
"""As many as the kernel follows."""


class UnsafePath(PermissionError):
    """On the way of a path there is a link that somebody made, or could replace, whom this process does not trust."""

    def __init__(self, path: str, why: str) -> None:
        super().__init__(errno.EPERM, why, path)

    def __str__(self) -> str:
        return f"{self.filename}: {self.strerror}"


def open_directory(path: str, *, make: bool = False, below: str = "") -> OpenDirectory:
    """The directory at an absolute path; ``make`` makes the components that are missing (0755).

    ``below`` is the path's beginning out of which links may not lead. Raises UnsafePath, or another OSError.
    """
    with _Walk(path, below) as walk:
        walk.all(make=make)
        return walk.last()


def open_own_directory(path: str, *, below: str = "") -> OpenDirectory:
    """As ``open_directory``, and found out whether it is in an exposed place: for one that is given to its owner."""
    with _Walk(path, below) as walk:
        walk.all(make=False)
        exposed = walk.exposed()
        return walk.last(exposed=exposed)


def open_parent(path: str, *, make: bool = False, below: str = "") -> OpenDirectory:
    """The directory in which an absolute path ends: as ``open_directory``."""
    return open_directory(os.path.dirname(path), make=make, below=below)


def open_file(path: str, *, below: str = "") -> int:
    """A descriptor to read the regular file at an absolute path; raises NotRegular for what would block, or OSError."""
    with _Walk(path, below) as walk:
        return walk.file()


class _Walk:
    """The directories through which a path leads from ``/``, all open."""

    def __init__(self, path: str, below: str) -> None:
        if not path.startswith("/"):
            raise ValueError(f"{path}: it is not an absolute path")
        self._path = path
        self._below = below
        self._root: list[str] = []
        self._trail = [os.open("/", SEARCH)]
        self._names: list[str] = []
        self._links = 0

    def __enter__(self) -> _Walk:
        return self

    def __exit__(self, _kind: object, error: object, _at: object) -> None:
        for descriptor in self._trail:
            os.close(descriptor)
        if isinstance(error, OSError) and not isinstance(error, UnsafePath):
            error.filename = self._path  # the system knows but one component

    def all(self, *, make: bool) -> None:
        """Walk all of the path."""
        self._pass(self._from_root(make=make), make=make)
        self._check_inside()

    def exposed(self) -> bool:
        """Whether somebody who is not trusted may write in a directory on the way."""
        return any(_writer(os.fstat(descriptor)) for descriptor in self._trail[:-1])

    def last(self, *, exposed: bool = True) -> OpenDirectory:
        """The directory in which the walk has ended."""
        return OpenDirectory(self._trail.pop(), self._path, exposed=exposed)

    def file(self) -> int:
        """Walk to the file in which the path ends, and open it. That may be a link to what is read outside of a root,
        such as ``/etc/localtime``."""
        *parents, name = self._from_root(make=False) or ["."]
        self._pass(parents)
        self._check_inside()
        while True:
            try:
                return checked_regular(os.open(name, READ, dir_fd=self._trail[-1]))
            except OSError as error:
                if error.errno == errno.ENXIO:  # a socket
                    raise NotRegular(errno.EINVAL, "it is not a regular file") from error
                if not self._is_link(name):
                    raise
            *parents, name = self._followed(name) or ["."]
            self._pass(parents)

    def _from_root(self, *, make: bool) -> list[str]:
        """The components of the path; where it begins with the root that it must not leave, those that come then."""
        self._pass(_components(self._below), make=make)
        self._root = list(self._names)
        return _components(self._path[len(self._below) :])

    def _pass(self, names: list[str], *, make: bool = False) -> None:
        """Go through components, and make them where that is wanted; what a link names is never made."""
        steps = [(name, make) for name in reversed(names)]
        while steps:
            name, may_make = steps.pop()
            if name == "..":
                self._leave()
            elif not self._enter(name, make=may_make):
                steps += [(one, False) for one in reversed(self._followed(name))]

    def _enter(self, name: str, *, make: bool) -> bool:
        """Open a component; False for a link."""
        try:
            descriptor = os.open(name, SEARCH, dir_fd=self._trail[-1])
        except FileNotFoundError:
            if not make:
                raise
            self._check_inside()
            descriptor = made(name, self._trail[-1])
        except OSError:  # ENOTDIR or ELOOP, as the system likes
            if not self._is_link(name):
                raise
            return False
        self._trail.append(descriptor)
        self._names.append(name)
        return True

    def _leave(self) -> None:
        if self._names:
            self._names.pop()
            os.close(self._trail.pop())

    def _is_link(self, name: str) -> bool:
        return stat.S_ISLNK(os.lstat(name, dir_fd=self._trail[-1]).st_mode)

    def _followed(self, name: str) -> list[str]:
        """The components that a link leads through from here, or from ``/``, where this walk is then."""
        self._links += 1
        if self._links > _MOST_LINKS:
            raise OSError(errno.ELOOP, os.strerror(errno.ELOOP))
        who = _owner(os.lstat(name, dir_fd=self._trail[-1])) or _writer(os.fstat(self._trail[-1]))
        if who:
            link = "/" + "/".join([*self._names, name])
            raise UnsafePath(self._path, _refusal(link, who))
        target = os.readlink(name, dir_fd=self._trail[-1])
        if target.startswith("/"):
            while self._names:
                self._leave()
        return _components(target)

    def _check_inside(self) -> None:
        if self._names[: len(self._root)] != self._root:
            why = f"a symbolic link leads out of the root directory {self._below}"
            raise UnsafePath(self._path[len(self._below) :], why)


def _components(path: str) -> list[str]:
    return [name for name in path.split("/") if name not in ("", ".")]


def _owner(state: os.stat_result) -> str:
    """Who owns it, in words; empty for those who are trusted.

    The owner of ``/`` is: in a container or a user namespace that need not be user 0, and its owner can do anything.
    """
    if state.st_uid == 0 or state.st_uid == os.geteuid() or state.st_uid == os.stat("/").st_uid:
        return ""
    import pwd

    try:
        return f"the user {pwd.getpwuid(state.st_uid).pw_name}"
    except KeyError:
        return f"the user with uid {state.st_uid}"


def _writer(state: os.stat_result) -> str:
    """Who may write in a directory beside those who are trusted, in words; empty for nobody.

    Of an ordinary user, the own group is trusted: on many systems it holds nobody else. Root's is not: the group's bits
    also stand for access control lists.
    """
    owner = _owner(state)
    if owner or not state.st_mode & (stat.S_IWGRP | stat.S_IWOTH):
        return owner
    if state.st_mode & stat.S_IWOTH:
        return "every user"
    if os.geteuid() != 0 and state.st_gid == os.getegid():
        return ""
    return f"the group with gid {state.st_gid}"


def _refusal(link: str, who: str) -> str:
    trusted = "root" if os.geteuid() == 0 else "root or to the user of this process"
    return (
        f"{link} is a symbolic link that {who} could have made, so it is not followed: make it a directory, or give "
        f"the link and the directory around it to {trusted}, with nobody else who may write there"
    )
