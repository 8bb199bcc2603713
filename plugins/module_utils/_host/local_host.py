# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""This machine, or a directory that stands for one, through the operating system's own calls."""

from __future__ import annotations

import os
import stat
import time
from collections.abc import Collection, Sequence

from .._core.masking import without_secrets
from .._core.untrusted_text import LONGEST_LINE, shown
from . import process, running
from .accounts import group_exists, ids_of
from .filesystem.open_directory import NotRegular, OpenDirectory
from .filesystem.removal import remove
from .filesystem.safe_paths import open_file, open_own_directory, open_parent
from .process import Completed
from .systemd import bus

AGENT = "epp-agent"
SANDBOX_LOG = f"/var/log/{AGENT}.log"


class LocalHost:
    """The ``Host`` of both programs. ``root`` is a directory that stands for ``/``; empty means the running system.

    ``program`` is the name by which it speaks in the journal.
    """

    def __init__(self, root: str = "", *, program: str = AGENT) -> None:
        self.program = program
        absolute = os.path.abspath(root) if root else ""
        self.root = "" if absolute == "/" else absolute

    @property
    def live(self) -> bool:
        return not self.root

    def now(self) -> float:
        return time.time()

    def real(self, path: str) -> str:
        """The path with the root prefix, for programs and libraries that need one."""
        return self._inside(path)

    def _inside(self, path: str) -> str:
        """The path below the root; a link in its way that leads out of the root is refused with PermissionError."""
        if not self.root:
            return path
        joined = self.root + path
        parent, top = os.path.realpath(os.path.dirname(joined)), os.path.realpath(self.root)
        if parent != top and not parent.startswith(top + "/"):
            raise PermissionError(f"{path}: a symbolic link leads out of the root directory {self.root}")
        return joined

    def run(
        self,
        argv: Sequence[str],
        *,
        timeout: float,
        stdin: bytes = b"",
        env: dict[str, str] | None = None,
        keep: int = process.OUTPUT_LIMIT,
    ) -> Completed:
        return process.run(argv, timeout=timeout, stdin=stdin, env=env, keep=keep)

    def read(self, path: str) -> bytes | None:
        try:
            descriptor = open_file(self.root + path, below=self.root)
        except (FileNotFoundError, NotADirectoryError, IsADirectoryError, NotRegular):
            return None
        with open(descriptor, "rb") as file:
            return file.read()

    def peek(self, path: str, limit: int) -> bytes | None:
        try:
            descriptor = os.open(self._inside(path), os.O_RDONLY | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC)
        except OSError:
            return None
        try:
            return os.read(descriptor, limit) if stat.S_ISREG(os.fstat(descriptor).st_mode) else None
        except OSError:
            return None
        finally:
            os.close(descriptor)

    def names(self, path: str) -> tuple[str, ...]:
        try:
            return tuple(sorted(os.listdir(self._inside(path))))
        except OSError:
            return ()

    def exists(self, path: str) -> bool:
        return os.path.lexists(self._inside(path))

    def status(self, path: str) -> os.stat_result | None:
        try:
            return os.lstat(self._inside(path))
        except (FileNotFoundError, NotADirectoryError):
            return None

    def target(self, path: str) -> str | None:
        try:
            return os.readlink(self._inside(path))
        except OSError:
            return None

    def group_exists(self, name: str) -> bool:
        return group_exists(name)

    def executable(self, path: str) -> bool:
        return os.access(self._inside(path), os.X_OK)

    def runs(self, names: Collection[str]) -> bool:
        return running.process_of(names) != running.NONE

    def units_in_memory(self, patterns: Sequence[str]) -> bus.Answer:
        return bus.units_in_memory(patterns, socket=self.root + bus.SOCKET)

    def write(self, path: str, content: bytes, *, mode: int = 0o644, owner: str | None = None) -> None:
        identity = _identity(owner)
        with self._parent(path, make=True) as directory:
            directory.write(os.path.basename(path), content, mode=mode, identity=identity)

    def link(self, path: str, target: str) -> None:
        with self._parent(path, make=True) as directory:
            directory.link(os.path.basename(path), target)

    def mkdir(self, path: str, *, mode: int = 0o755, owner: str | None = None) -> None:
        identity = _identity(owner)
        try:
            directory = open_own_directory(self.root + path, below=self.root)
        except FileNotFoundError:
            with self._parent(path, make=True) as parent:
                parent.mkdir(os.path.basename(path))
            directory = open_own_directory(self.root + path, below=self.root)
        with directory:
            directory.set_attributes(mode, identity)

    def remove(self, path: str) -> None:
        try:
            directory = self._parent(path)
        except (FileNotFoundError, NotADirectoryError):
            return
        with directory:
            remove(directory, os.path.basename(path))

    def _parent(self, path: str, *, make: bool = False) -> OpenDirectory:
        """The directory that holds a path; ``make`` makes it where it is missing."""
        return open_parent(self.root + path, make=make, below=self.root)

    def log(self, level: int, message: str) -> None:
        line = shown(without_secrets(message.replace("\n", " | ")), LONGEST_LINE)
        if self.live:
            import syslog

            syslog.openlog(self.program, syslog.LOG_PID, syslog.LOG_DAEMON)
            syslog.syslog(level, line)
            return
        from .._core.timestamps import iso

        with self._parent(f"/var/log/{self.program}.log", make=True) as directory:
            descriptor = directory.appendable(f"{self.program}.log")
        with open(descriptor, "a", encoding="utf-8") as file:
            file.write(f"{iso(self.now())} <{level}> {line}\n")


def _identity(owner: str | None) -> tuple[int, int] | None:
    """User and group of an owner, found out before anything is made for it; KeyError when there is no such user.

    None: whoever makes it owns it, as nobody but root can give it away.
    """
    if owner is None or os.geteuid() != 0:
        return None
    ids = ids_of(owner)
    if ids is None:
        raise KeyError(f"there is no user or group {owner}")
    return ids
