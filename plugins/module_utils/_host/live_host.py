# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Private: this machine, or a directory that stands for one, through the operating system's own calls."""

from __future__ import annotations

import os
import stat
import time
from collections.abc import Sequence

from .._core.foreign import LONGEST_LINE, shown
from . import process
from .accounts import group_exists, ids_of
from .process import Completed

AGENT = "epp-agent"
SANDBOX_LOG = f"/var/log/{AGENT}.log"


def temporary_name(path: str) -> str:
    """Where new content lies until it replaces the old; a fixed name, so that a killed writer leaves one file only."""
    directory, name = os.path.split(path)
    return os.path.join(directory, f".{name}.epp-new")


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
        parent = os.path.realpath(os.path.dirname(joined))
        if parent != os.path.realpath(self.root) and not parent.startswith(os.path.realpath(self.root) + "/"):
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
            with open(self._inside(path), "rb") as file:
                return file.read()
        except (FileNotFoundError, NotADirectoryError, IsADirectoryError):
            return None

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

    def write(self, path: str, content: bytes, *, mode: int = 0o644, owner: str | None = None) -> None:
        identity = _identity(owner)
        target, temporary = self._inside(path), temporary_name(self._inside(path))
        self.mkdir_parents(path)
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
        _unlink(temporary)  # a killed writer's, or planted in a directory that others may write: never opened
        try:
            descriptor = os.open(temporary, flags, 0o600)
            try:
                os.fchmod(descriptor, mode)
                _own(descriptor, identity)
                _write_all(descriptor, content)
                os.fsync(descriptor)
            finally:
                os.close(descriptor)
            os.replace(temporary, target)
        except BaseException:
            _unlink(temporary)
            raise
        _sync_directory(os.path.dirname(target))

    def link(self, path: str, target: str) -> None:
        real, temporary = self._inside(path), temporary_name(self._inside(path))
        self.mkdir_parents(path)
        _unlink(temporary)
        os.symlink(target, temporary)
        os.replace(temporary, real)
        _sync_directory(os.path.dirname(real))

    def mkdir(self, path: str, *, mode: int = 0o755, owner: str | None = None) -> None:
        identity = _identity(owner)
        real = self._inside(path)
        self.mkdir_parents(path)
        if not os.path.isdir(real):
            os.mkdir(real)
        descriptor = os.open(real, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            os.fchmod(descriptor, mode)
            _own(descriptor, identity)
        finally:
            os.close(descriptor)

    def mkdir_parents(self, path: str) -> None:
        """Make the directories above a path that are missing (0755, whatever the umask of this process is)."""
        missing, directory = [], os.path.dirname(self._inside(path))
        while not os.path.isdir(directory):
            missing.append(directory)
            directory = os.path.dirname(directory)
        for directory in reversed(missing):
            _make_directory(directory)

    def remove(self, path: str) -> None:
        real = self._inside(path)
        try:
            if stat.S_ISDIR(os.lstat(real).st_mode):
                import shutil

                shutil.rmtree(real)
            else:
                os.unlink(real)
        except (FileNotFoundError, NotADirectoryError):
            pass

    def log(self, level: int, message: str) -> None:
        line = shown(message.replace("\n", " | "), LONGEST_LINE)
        if self.live:
            import syslog

            syslog.openlog(self.program, syslog.LOG_PID, syslog.LOG_DAEMON)
            syslog.syslog(level, line)
            return
        from .._core.timestamps import iso

        log = f"/var/log/{self.program}.log"
        self.mkdir_parents(log)
        with open(self._inside(log), "a", encoding="utf-8") as file:
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


def _make_directory(path: str) -> None:
    try:
        os.mkdir(path, 0o700)
    except FileExistsError:  # another process was faster; anything but a directory fails where it is used
        return
    descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
    try:
        os.fchmod(descriptor, 0o755)
    finally:
        os.close(descriptor)


def _own(descriptor: int, identity: tuple[int, int] | None) -> None:
    if identity is not None:
        os.fchown(descriptor, *identity)


def _write_all(descriptor: int, content: bytes) -> None:
    view = memoryview(content)
    while view:
        view = view[os.write(descriptor, view) :]


def _unlink(path: str) -> None:
    try:
        os.unlink(path)
    except FileNotFoundError:
        pass


def _sync_directory(path: str) -> None:
    descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
