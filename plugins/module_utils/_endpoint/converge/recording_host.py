# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A host that records each question and its answer: the fingerprint of a converge that found nothing to change."""

from __future__ import annotations

import json
import marshal
import math
import os
import sys
from collections.abc import Collection, Sequence
from typing import TYPE_CHECKING, Any

from ..._core.timestamps import unix
from ..._host import running
from ..._host.local_host import LocalHost
from ..._host.process import OUTPUT_LIMIT, Completed
from . import fast_path

if TYPE_CHECKING:
    from ..._host.running import Pid
    from ..._host.systemd.bus import Answer
    from .fast_path import Signature

_FOREVER = 86400.0
"""Without a next run, the record still ends within a day: a calendar depends on the year, too."""


class RecordingHost(LocalHost):
    """A host that records what a converge asks. ``cacheable`` until a question can't be asked again."""

    def __init__(self, root: str = "") -> None:
        super().__init__(root)
        self.cacheable = True
        self._files: dict[str, Signature] = {}
        self._listings: dict[str, Signature] = {}
        self._commands: dict[tuple[str, ...], tuple[int, str]] = {}
        self._groups: dict[str, bool] = {}
        self._units: dict[tuple[str, ...], Answer] = {}
        self._processes: dict[tuple[str, ...], Pid] = {}

    def read(self, path: str) -> bytes | None:
        self._note(path)
        return super().read(path)

    def peek(self, path: str, limit: int) -> bytes | None:
        self._note(path)
        return super().peek(path, limit)

    def names(self, path: str) -> tuple[str, ...]:
        try:
            self._listings.setdefault(path, fast_path.listing(super().real(path)))
        except OSError:
            self.cacheable = False
        return super().names(path)

    def exists(self, path: str) -> bool:
        self._note(path)
        return super().exists(path)

    def status(self, path: str) -> os.stat_result | None:
        self._note(path)
        return super().status(path)

    def target(self, path: str) -> str | None:
        self._note(path)
        return super().target(path)

    def executable(self, path: str) -> bool:
        self._note(path)
        return super().executable(path)

    def runs(self, names: Collection[str]) -> bool:
        found = self._processes[tuple(names)] = running.process_of(names)
        return found != running.NONE

    def units_in_memory(self, patterns: Sequence[str]) -> Answer:
        told = super().units_in_memory(patterns)
        if told is not None:  # otherwise a program is run, which is noted
            self._units[tuple(patterns)] = told
        return told

    def group_exists(self, name: str) -> bool:
        self._groups[name] = super().group_exists(name)
        return self._groups[name]

    def run(
        self,
        argv: Sequence[str],
        *,
        timeout: float,
        stdin: bytes = b"",
        env: dict[str, str] | None = None,
        keep: int = OUTPUT_LIMIT,
    ) -> Completed:
        done = super().run(argv, timeout=timeout, stdin=stdin, env=env, keep=keep)
        self.cacheable = self.cacheable and not stdin and not env and not done.timed_out
        self._commands[tuple(argv)] = (done.code, done.out)
        return done

    def real(self, path: str) -> str:
        """A caller that takes a real path reads it unrecorded."""
        self.cacheable = False
        return super().real(path)

    def save_fingerprint(self, *, document: bytes, digest: str, result: dict[str, Any], until: float | None) -> None:
        """Write the fingerprint of a converge that found nothing to change, if its questions can all be asked again.

        It ends at ``until`` (Unix seconds), or before.
        """
        if not self.cacheable or self._racy():
            return
        record = {
            "format": fast_path.FORMAT,
            "python": sys.version,
            "document": document,
            "digest": digest,
            "since": self.now(),
            "until": min(_until(result["next_run"], self.now()), until or math.inf),
            "files": self._files,
            "listings": self._listings,
            "commands": self._commands,
            "units": self._units,
            "groups": self._groups,
            "processes": self._processes,
            "with_diff": json.dumps({**result, "diff": []}) + "\n",
            "without_diff": json.dumps({key: kept for key, kept in result.items() if key != "diff"}) + "\n",
        }
        LocalHost(self.root).write(fast_path.RECORD, marshal.dumps(record), mode=0o600)

    def _note(self, path: str) -> None:
        """Record the signature before the read, so that a change in between is noticed."""
        try:
            self._files.setdefault(path, fast_path.signature(super().real(path)))
        except OSError:  # which whoever asked is told, if it matters to him
            self.cacheable = False

    def _racy(self) -> bool:
        asked = (*self._files.values(), *self._listings.values())
        newest = max((told[-1] for told in map(_times, asked) if told), default=0)
        return newest > (self.now() - fast_path.RACE_S) * 1e9


def _times(signature: Signature) -> tuple[int, ...]:
    """The change times in a signature, ascending."""
    if signature is None or len(signature) < _FILE_FIELDS:
        return ()
    inner = _times(signature[_FILE_FIELDS]) if len(signature) > _FILE_FIELDS else ()
    return tuple(sorted((signature[_FILE_FIELDS - 1], *inner)))


_FILE_FIELDS = 7


def _until(next_run: str | None, now: float) -> float:
    """Until when the result stays true: the next run that it names, and no longer than a day."""
    if next_run is None:
        return now + _FOREVER
    return min(unix(next_run), now + _FOREVER)
