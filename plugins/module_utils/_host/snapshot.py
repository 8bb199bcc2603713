# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A host as it is at one moment, for a plan that is to be computed from consistent answers."""

from __future__ import annotations

import os
from collections.abc import Collection, Sequence
from typing import TYPE_CHECKING, Any, Callable, TypeVar

from .process import OUTPUT_LIMIT, Completed

if TYPE_CHECKING:
    from .host import Host
    from .systemd.bus import Answer

_T = TypeVar("_T")


class Snapshot:
    """A host of which each question is asked once: a second time the first answer is given.

    This ends with the first change that is made through it, or with ``end``. Commands are always run.
    """

    def __init__(self, host: Host) -> None:
        self._host = host
        self._answers: dict[tuple[object, ...], Any] = {}
        self._ended = False
        self.root = host.root

    def end(self) -> None:
        """Ask the host itself from now on: it is about to change."""
        self._ended = True
        self._answers.clear()

    @property
    def live(self) -> bool:
        return self._host.live

    def now(self) -> float:
        return self._host.now()

    def real(self, path: str) -> str:
        return self._host.real(path)

    def log(self, level: int, message: str) -> None:
        self._host.log(level, message)

    def run(
        self,
        argv: Sequence[str],
        *,
        timeout: float,
        stdin: bytes = b"",
        env: dict[str, str] | None = None,
        keep: int = OUTPUT_LIMIT,
    ) -> Completed:
        return self._host.run(argv, timeout=timeout, stdin=stdin, env=env, keep=keep)

    def read(self, path: str) -> bytes | None:
        return self._once("read", self._host.read, path)

    def peek(self, path: str, limit: int) -> bytes | None:
        return self._once("peek", self._host.peek, path, limit)

    def names(self, path: str) -> tuple[str, ...]:
        return self._once("names", self._host.names, path)

    def exists(self, path: str) -> bool:
        return self._once("exists", self._host.exists, path)

    def status(self, path: str) -> os.stat_result | None:
        return self._once("status", self._host.status, path)

    def target(self, path: str) -> str | None:
        return self._once("target", self._host.target, path)

    def group_exists(self, name: str) -> bool:
        return self._once("group_exists", self._host.group_exists, name)

    def executable(self, path: str) -> bool:
        return self._once("executable", self._host.executable, path)

    def runs(self, names: Collection[str]) -> bool:
        return self._once("runs", self._host.runs, tuple(names))

    def units_in_memory(self, patterns: Sequence[str]) -> Answer:
        return self._once("units_in_memory", self._host.units_in_memory, tuple(patterns))

    def write(self, path: str, content: bytes, *, mode: int = 0o644, owner: str | None = None) -> None:
        self.end()
        self._host.write(path, content, mode=mode, owner=owner)

    def link(self, path: str, target: str) -> None:
        self.end()
        self._host.link(path, target)

    def mkdir(self, path: str, *, mode: int = 0o755, owner: str | None = None) -> None:
        self.end()
        self._host.mkdir(path, mode=mode, owner=owner)

    def remove(self, path: str) -> None:
        self.end()
        self._host.remove(path)

    def _once(self, name: str, ask: Callable[..., _T], *arguments: object) -> _T:
        if self._ended:
            return ask(*arguments)
        question = (name, *arguments)
        if question not in self._answers:
            self._answers[question] = ask(*arguments)
        answer: _T = self._answers[question]
        return answer
