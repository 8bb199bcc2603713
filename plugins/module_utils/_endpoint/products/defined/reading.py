# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What is installed of a product, read as its definition says."""

from __future__ import annotations

import fnmatch
import hashlib
import os
from collections.abc import Iterator

from ...._core.products.arguments import expanded
from ...._core.products.definition import Definition
from ...._core.products.versions import VersionReading, VersionSource, digest_version, told
from ...._core.results import UNREADABLE, Component
from ...._core.values import field, frozen
from ...._host.host import Host
from .commands import Commands

_LIMIT = 1024 * 1024
"""Bytes of a file in which a version is looked for."""
_MOST_FILES = 2000
_BLOCK = 1024 * 1024
_SUMS: dict[tuple[str, int, int, int], str] = {}
"""SHA-256 sums of files that have not changed since this process has read them: path, inode, size, time."""


@frozen
class Reader:
    """Reads versions; what one command prints is asked for once."""

    host: Host
    definition: Definition
    commands: Commands
    _printed: dict[tuple[tuple[str, ...], str], str | None] = field(default_factory=dict)

    def components(self) -> tuple[Component, ...]:
        """The components that are there, sorted by name; one that tells no version is ``unreadable``."""
        found = []
        for name, source in sorted(self.definition.components.items()):
            one = self._told(source)
            if one is not None:
                found.append(Component(name, one.version or UNREADABLE, one.built))
        return tuple(found)

    def _told(self, source: VersionSource) -> VersionReading | None:
        """What a source tells; None where there is nothing that could tell anything."""
        if source.digest:
            return self._digest(source)
        text = self._file(source.file) if source.file else self._output(source)
        return None if text is None else told(source, text, self.host.now())

    def _output(self, source: VersionSource) -> str | None:
        key = (source.command, source.user)
        if key not in self._printed:
            self._printed[key] = self._asked(source)
        return self._printed[key]

    def _asked(self, source: VersionSource) -> str | None:
        """The output of a version command; the empty text where it failed, None where there is no such program.

        Some programs tell their version where others tell errors: that counts where there is nothing else.
        """
        argv = expanded(source.command, self.commands.values)
        try:
            done = self.commands.run(argv, source.timeout, user=source.user)
        except FileNotFoundError:
            return None
        except OSError:
            return ""
        return (done.out if done.out.strip() else done.err) if done.code == 0 and not done.timed_out else ""

    def _file(self, pattern: str) -> str | None:
        """The text of a file, of several the last by name; the empty text for one that can't be read."""
        paths = self._paths(pattern)
        if not paths:
            return None
        content = self.host.peek(paths[-1], _LIMIT)
        return "" if content is None else content.decode("utf-8", "replace")

    def _paths(self, pattern: str) -> list[str]:
        """The paths that are there; none where a setting has made it no absolute path."""
        path = "".join(expanded((pattern,), self.commands.values))
        return list(paths_of(self.host, path)) if path.startswith("/") and "/../" not in path else []

    def _digest(self, source: VersionSource) -> VersionReading | None:
        paths = [path for pattern in source.digest for path in self._paths(pattern)]
        sums = {path: one for path in paths[:_MOST_FILES] if (one := self._sum(path)) is not None}
        if not paths:
            return None
        return VersionReading(digest_version(sums)) if sums and len(sums) == len(paths) else VersionReading()

    def _sum(self, path: str) -> str | None:
        real = self.host.real(path)
        try:
            with open(os.open(real, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC), "rb") as stream:
                state = os.fstat(stream.fileno())
                key = (real, state.st_ino, state.st_size, state.st_mtime_ns)
                if key not in _SUMS:
                    total = hashlib.sha256()
                    while block := stream.read(_BLOCK):
                        total.update(block)
                    _SUMS[key] = total.hexdigest()
                return _SUMS[key]
        except OSError:
            return None


def paths_of(host: Host, pattern: str) -> Iterator[str]:
    """The paths that a path with ``*`` in its names stands for, sorted; those that exist."""
    found = [""]
    for part in pattern.strip("/").split("/"):
        if "*" not in part:
            found = [f"{above}/{part}" for above in found]
            continue
        found = [
            f"{above}/{name}"
            for above in found
            for name in host.names(above or "/")
            if fnmatch.fnmatchcase(name, part) and not name.startswith(".")
        ]
    yield from (path for path in found if host.exists(path))
