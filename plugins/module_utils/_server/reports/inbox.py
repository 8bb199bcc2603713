# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The inbox: what a web server wrote, which may be anything, taken out of its reach and read.

A file is moved into a directory of the server's own before it is read, and removed when what came of it is on record.
So whatever ends this in between loses nothing, and what arrives meanwhile stays.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager

from ..._core.reports.report import MAX_SIZE
from ..._host.filesystem.open_directory import OpenDirectory
from ..._host.filesystem.removal import remove
from ..._host.filesystem.safe_paths import open_directory
from ..._host.host import Host
from .. import paths
from .verdict import Arrival


class Inbox:
    """The directory that the web server fills, and the one in which its files are read, both open."""

    def __init__(self, arrived: OpenDirectory, claimed: OpenDirectory) -> None:
        self._arrived = arrived
        self._claimed = claimed
        self._stuck: set[str] = set()

    def waiting(self) -> list[str]:
        """What has arrived, without what can't be taken out."""
        return [name for name in self._arrived.names() if name not in self._stuck]

    @property
    def stuck(self) -> int:
        """How many entries there are that can be neither taken out nor removed."""
        return len(self._stuck)

    def interrupted(self) -> list[str]:
        """What was claimed by somebody who was ended."""
        return self._claimed.names()

    def claim(self, names: Iterable[str]) -> Iterator[Arrival]:
        """Take what lies under these names out, and read it. What is gone by now is left out."""
        for name in names:
            try:
                self._arrived.rename(name, self._claimed, name)
            except FileNotFoundError:
                continue
            except OSError as error:
                yield Arrival(name, fault=self._remove_in_place(name, error))
            else:
                yield self.read(name)

    def read(self, name: str, *, again: bool = False) -> Arrival:
        """What was claimed under a name."""
        try:
            descriptor = self._claimed.open(name)
        except OSError as error:
            return Arrival(name, fault=error.strerror or str(error), again=again)
        with open(descriptor, "rb", buffering=0) as file:
            content = bytearray()
            while len(content) <= MAX_SIZE and (part := file.read(MAX_SIZE + 1 - len(content))):
                content += part
        return Arrival(name, bytes(content), again=again)

    def drop(self, names: Iterable[str]) -> None:
        """Remove what was claimed, of whatever kind it is."""
        for name in names:
            try:
                self._claimed.unlink(name)
            except OSError:
                remove(self._claimed, name)

    def _remove_in_place(self, name: str, error: OSError) -> str:
        """Remove a directory of somebody else's, which can't be moved; where that fails, note it. Returns the fault."""
        for removal in (self._arrived.rmdir, self._remove_all):  # what is empty need not be readable
            try:
                removal(name)
            except OSError:
                continue
            return "it is no file"
        self._stuck.add(name)
        return f"it is no file, and only root can remove it ({error.strerror})"

    def _remove_all(self, name: str) -> None:
        remove(self._arrived, name)


def deliver(host: Host, name: str, content: bytes) -> None:
    """Put a report into the inbox as the web server does: written elsewhere, and moved there when it is complete.

    Raises OSError.
    """
    for path in (paths.INCOMING, paths.INBOX):
        if not host.exists(path):  # as in a directory that stands for a host: elsewhere a converge makes it
            host.mkdir(path, mode=0o700)
    with _opened(host, paths.INCOMING) as incoming, _opened(host, paths.INBOX) as arrived:
        incoming.write(name, content, mode=0o600)
        incoming.rename(name, arrived, name)


@contextmanager
def open_inbox(host: Host) -> Iterator[Inbox | None]:
    """The inbox of this host; None where there is none. Raises OSError."""
    if not host.exists(paths.INBOX):
        yield None
        return
    if not host.exists(paths.CLAIMED):  # as in a directory that stands for a host
        host.mkdir(paths.CLAIMED, mode=0o700)
    with _opened(host, paths.INBOX) as arrived, _opened(host, paths.CLAIMED) as claimed:
        yield Inbox(arrived, claimed)


def _opened(host: Host, path: str) -> OpenDirectory:
    return open_directory(host.real(path), below=host.root)
