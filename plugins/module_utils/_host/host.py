# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The host as the library sees it: a small interface that the agent, the modules and the tests provide."""

from __future__ import annotations

import os
from collections.abc import Collection, Sequence
from typing import TYPE_CHECKING, Protocol

from .process import OUTPUT_LIMIT, Completed

if TYPE_CHECKING:
    from .systemd.bus import Answer

__all__ = ("Completed", "Host")


class Host(Protocol):
    """Processes and files of one host, or of a directory that stands for one.

    Paths are absolute and without the root prefix; the host adds it. Everything raises OSError as the system does.
    """

    root: str
    """The directory that stands for ``/``; the empty string on a live host."""

    @property
    def live(self) -> bool:
        """Whether this is the running system itself, so that schedulers and services may be told something."""

    def now(self) -> float:
        """The wall clock, Unix seconds."""

    def real(self, path: str) -> str:
        """The path with the root prefix, for programs and libraries that need one."""

    def run(
        self,
        argv: Sequence[str],
        *,
        timeout: float,
        stdin: bytes = b"",
        env: dict[str, str] | None = None,
        keep: int = OUTPUT_LIMIT,
    ) -> Completed:
        """Run an argument list in the C locale; past ``timeout`` seconds its whole process group is killed.

        Raises FileNotFoundError when the program does not exist. ``env`` is added to a minimal environment.
        ``keep`` is how many bytes of each output stream are kept.
        """

    def read(self, path: str) -> bytes | None:
        """The file's content, None when there is no such file."""

    def peek(self, path: str, limit: int) -> bytes | None:
        """At most ``limit`` bytes of a regular file, links followed; None for anything else, or what can't be read.

        It neither waits nor raises: what others put on their host is read with it.
        """

    def names(self, path: str) -> tuple[str, ...]:
        """The names in a directory, sorted; none where there is no directory, or none that can be read."""

    def exists(self, path: str) -> bool:
        """Whether the path exists (a dangling link does)."""

    def status(self, path: str) -> os.stat_result | None:
        """The file's own status, a link not followed; None when there is nothing."""

    def target(self, path: str) -> str | None:
        """Where a symbolic link leads; None for anything else."""

    def group_exists(self, name: str) -> bool:
        """Whether the system has a group of this name."""

    def executable(self, path: str) -> bool:
        """Whether this process could execute the file: not where its file system is mounted ``noexec``."""

    def runs(self, names: Collection[str]) -> bool:
        """Whether a process that is called by one of these names runs; True where that can't be told."""

    def units_in_memory(self, patterns: Sequence[str]) -> Answer:
        """The units that systemd holds in memory and whose own name a pattern stands for, as ``systemd.bus`` tells
        them; None where systemd has to be asked by a program."""

    def write(self, path: str, content: bytes, *, mode: int = 0o644, owner: str | None = None) -> None:
        """Replace a file atomically and durably (C3), creating parent directories (0755) that are missing.

        ``owner`` is a user whose uid and gid the file gets, or ``user:group``; it is ignored where the process may not
        change owners.
        """

    def link(self, path: str, target: str) -> None:
        """Replace a symbolic link atomically."""

    def mkdir(self, path: str, *, mode: int = 0o755, owner: str | None = None) -> None:
        """Make a directory and its parents; an existing one gets the mode."""

    def remove(self, path: str) -> None:
        """Remove a file, a link or a directory with all it holds; nothing there is fine."""

    def log(self, level: int, message: str) -> None:
        """One line to the host's journal (``syslog.LOG_*`` level); in a sandbox to its own log file."""
