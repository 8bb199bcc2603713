# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What is done in a directory that is open already, so that nobody can put another one in its place meanwhile.

Entries are named by one component. No method follows a link, and none blocks on what is no regular file. OSErrors carry
the whole path.
"""

from __future__ import annotations

import errno
import os
import stat
from contextlib import contextmanager

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

SEARCH = os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC | getattr(os, "O_PATH", os.O_RDONLY)
"""Opens a directory through which to walk; no permission to list it is needed where the system has O_PATH."""
READ = os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK
_CHANGE = os.O_RDWR | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK
_LIST = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_NEW = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC


class NotRegular(OSError):
    """There is something at a path, which is no regular file."""


def temporary_name(path: str) -> str:
    """Where new content lies until it replaces the old; a fixed name, so that a killed writer leaves one file only."""
    directory, name = os.path.split(path)
    return os.path.join(directory, f".{name}.epp-new")


class OpenDirectory:
    """An open directory, closed at the end of its ``with`` block. ``path`` is what messages call it.

    ``exposed``: somebody other than root and ourselves could have put another directory of this machine in its place.
    """

    def __init__(self, descriptor: int, path: str, *, exposed: bool = True) -> None:
        self.descriptor = descriptor
        self.path = path
        self.exposed = exposed
        self._listable: int | None = None

    def __enter__(self) -> OpenDirectory:
        return self

    def __exit__(self, *_error: object) -> None:
        os.close(self.descriptor)
        if self._listable is not None:
            os.close(self._listable)

    def status(self, name: str) -> os.stat_result | None:
        """An entry's own status; None when there is nothing."""
        try:
            return os.lstat(name, dir_fd=self.descriptor)
        except FileNotFoundError:
            return None

    def names(self) -> list[str]:
        with self._telling():
            return os.listdir(self._readable())

    def descend(self, relative: str, *, make: bool = False) -> OpenDirectory:
        """A directory at a relative path below; ``make`` makes what is missing (0755)."""
        inner = OpenDirectory(os.dup(self.descriptor), self.path, exposed=self.exposed)
        for name in [name for name in relative.split("/") if name not in ("", ".")]:
            with inner as outer:
                inner = outer.inner(name, make=make)
        return inner

    def inner(self, name: str, *, make: bool = False) -> OpenDirectory:
        """A directory in this one; ``make`` makes it (0755) where it is missing."""
        with self._telling(name):
            try:
                descriptor = os.open(name, SEARCH, dir_fd=self.descriptor)
            except FileNotFoundError:
                if not make:
                    raise
                descriptor = made(name, self.descriptor)
        return OpenDirectory(descriptor, f"{self.path}/{name}", exposed=self.exposed)

    def open(self, name: str) -> int:
        """A descriptor to read a regular file from; raises NotRegular for anything else."""
        return self._regular(name, READ)

    def create(self, name: str, mode: int = 0o600) -> int:
        """A descriptor to write a new file; raises FileExistsError where there is anything."""
        with self._telling(name):
            return os.open(name, _NEW, mode, dir_fd=self.descriptor)

    def write(self, name: str, content: bytes, *, mode: int, identity: tuple[int, int] | None = None) -> None:
        """Replace a file atomically and durably (C3); ``identity`` are the user and the group to whom it is given."""
        with self.replacing(name, mode=mode, identity=identity) as descriptor:
            write_all(descriptor, content)

    @contextmanager
    def replacing(self, name: str, *, mode: int, identity: tuple[int, int] | None = None) -> Iterator[int]:
        """A descriptor to write what replaces a file when the block ends well, atomically and durably (C3).

        Until then nobody else may read it.
        """
        temporary = temporary_name(name)
        self.unlink(temporary)  # a killed writer's, or planted: never opened
        descriptor = self.create(temporary)
        try:
            try:
                yield descriptor
                if identity is not None:
                    os.fchown(descriptor, *identity)
                os.fchmod(descriptor, mode)
                os.fsync(descriptor)
            finally:
                os.close(descriptor)
            self.rename(temporary, self, name)
        except BaseException:
            self.unlink(temporary)
            raise
        self.sync()

    def writable(self, name: str, flags: int = 0) -> int:
        """A descriptor to read and change a regular file in place; raises NotRegular for one with another name, too:
        whoever owns this directory may have made that name for somebody else's file."""
        descriptor = self._regular(name, _CHANGE | flags)
        if os.fstat(descriptor).st_nlink == 1:
            return descriptor
        os.close(descriptor)
        raise NotRegular(errno.EINVAL, "it is a file with more than one name", f"{self.path}/{name}")

    def appendable(self, name: str) -> int:
        """A descriptor to add to a regular file, made (0644, whatever the umask is) where it is missing."""
        try:
            descriptor = self.create(name)
        except FileExistsError:
            return self.writable(name, os.O_APPEND)
        os.fchmod(descriptor, 0o644)
        os.close(descriptor)
        return self.writable(name, os.O_APPEND)

    def lockable(self, name: str) -> int:
        """A descriptor of a file to lock, made (0600) where it is missing."""
        with self._telling(name):
            return os.open(name, _CHANGE | os.O_CREAT, 0o600, dir_fd=self.descriptor)

    def link(self, name: str, target: str) -> None:
        """Replace a symbolic link atomically and durably."""
        temporary = temporary_name(name)
        self.unlink(temporary)
        with self._telling(temporary):
            os.symlink(target, temporary, dir_fd=self.descriptor)
        self.rename(temporary, self, name)
        self.sync()

    def rename(self, name: str, other: OpenDirectory, new: str) -> None:
        """Move an entry into another directory (or this one) under a new name, in place of a file or link there."""
        with other._telling(new):
            os.replace(name, new, src_dir_fd=self.descriptor, dst_dir_fd=other.descriptor)

    def hard_link(self, name: str, other: OpenDirectory, new: str) -> None:
        """Give a file a second name in another directory."""
        with other._telling(new):
            os.link(name, new, src_dir_fd=self.descriptor, dst_dir_fd=other.descriptor, follow_symlinks=False)

    def mkdir(self, name: str, mode: int = 0o700) -> None:
        """Make a directory; one that another process has made meanwhile is taken as it is."""
        with self._telling(name):
            try:
                os.mkdir(name, mode, dir_fd=self.descriptor)
            except FileExistsError:
                found = os.stat(name, dir_fd=self.descriptor, follow_symlinks=False)
                if not stat.S_ISDIR(found.st_mode):
                    raise

    def set_attributes(self, mode: int, identity: tuple[int, int] | None = None) -> None:
        """Give this directory its mode and owner.

        In an exposed place it may be another directory than the one that was made: it is given to somebody else only
        while it is empty. Raises PermissionError.
        """
        descriptor = self._readable()
        state = os.fstat(descriptor)
        if identity is not None and identity != (state.st_uid, state.st_gid):
            if self.exposed and state.st_uid != identity[0] and os.listdir(descriptor):
                why = f"it is not empty, belongs to uid {state.st_uid}, and lies where others may write"
                raise PermissionError(errno.EPERM, f"{why}: give it to uid {identity[0]} by hand", self.path)
            os.fchown(descriptor, *identity)
        if stat.S_IMODE(state.st_mode) != mode:  # which takes one more capability for what is given away by now
            os.fchmod(descriptor, mode)

    def unlink(self, name: str) -> None:
        """Remove what is no directory; nothing there is fine."""
        with self._telling(name):
            try:
                os.unlink(name, dir_fd=self.descriptor)
            except FileNotFoundError:
                pass

    def rmdir(self, name: str) -> None:
        """Remove an empty directory."""
        with self._telling(name):
            os.rmdir(name, dir_fd=self.descriptor)

    def sync(self) -> None:
        """Make the names in this directory durable."""
        os.fsync(self._readable())

    def _readable(self) -> int:
        if self._listable is None:
            self._listable = os.open(".", _LIST, dir_fd=self.descriptor)
        return self._listable

    def _regular(self, name: str, flags: int) -> int:
        with self._telling(name):
            try:
                return checked_regular(os.open(name, flags, dir_fd=self.descriptor))
            except OSError as error:
                if error.errno in (errno.ELOOP, errno.ENXIO):  # a link; a socket, or a fifo that nobody reads
                    raise NotRegular(errno.EINVAL, "it is not a regular file") from error
                raise

    def _telling(self, name: str = "") -> _Telling:
        return _Telling(f"{self.path}/{name}" if name else self.path)


class _Telling:
    """Gives an OSError the whole path, as the system knows but the last component of it."""

    __slots__ = ("path",)

    def __init__(self, path: str) -> None:
        self.path = path

    def __enter__(self) -> None:
        pass

    def __exit__(self, _kind: object, error: BaseException | None, _at: object) -> None:
        if isinstance(error, OSError) and not os.path.isabs(str(error.filename or "")):
            error.filename, error.filename2 = self.path, None


def made(name: str, directory: int) -> int:
    """Make a directory (0755, whatever the umask of this process is) in an open one; returns a descriptor for search.

    One that another process has made meanwhile is taken as it is.
    """
    try:
        os.mkdir(name, 0o755, dir_fd=directory)
    except FileExistsError:
        return os.open(name, SEARCH, dir_fd=directory)
    descriptor = os.open(name, _LIST, dir_fd=directory)
    try:
        state = os.fstat(descriptor)
        ours = state.st_uid == os.geteuid() and not os.listdir(descriptor)
        if ours and stat.S_IMODE(state.st_mode) & 0o777 != 0o755:
            os.fchmod(descriptor, 0o755)
        return os.open(".", SEARCH, dir_fd=descriptor)
    finally:
        os.close(descriptor)


def checked_regular(descriptor: int) -> int:
    """The descriptor of a regular file; that of anything else is closed, and NotRegular raised."""
    mode = os.fstat(descriptor).st_mode
    if stat.S_ISREG(mode):
        return descriptor
    os.close(descriptor)
    if stat.S_ISDIR(mode):
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR))
    raise NotRegular(errno.EINVAL, "it is not a regular file")


def write_all(descriptor: int, content: bytes) -> None:
    view = memoryview(content)
    while view:
        view = view[os.write(descriptor, view) :]
