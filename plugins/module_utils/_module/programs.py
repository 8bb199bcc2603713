# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Asks a program of this collection that is installed on the host, and takes its JSON document."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from .._core.canonical import canonical_json
from .._host.asked_by import asked_by
from .._host.host import Host
from .._host.process import Completed

_LONGEST_ANSWER = 512 * 1024 * 1024
"""Half a gigabyte: a hundred thousand endpoints, each with its part, are a tenth of it."""


class NoAnswer(RuntimeError):
    """The program gave no document; the message is its own complaint."""


class Program:
    """A program at a path of the host. ``name`` is its word in messages, ``missing`` what to say where it is not."""

    def __init__(self, host: Host, path: str, *, name: str, missing: str) -> None:
        self._host = host
        self._path = path
        self._name = name
        self._missing = missing

    def ask(self, arguments: Sequence[str], *, timeout: float, given: Mapping[str, Any] | None = None) -> Any:
        """The document that the program prints, whatever its exit status; ``given`` is sent to it. Raises NoAnswer."""
        root = ["--root", self._host.root] if self._host.root else []
        stdin = b"" if given is None else canonical_json(given)
        try:
            argv = [self._host.real(self._path), *root, *arguments]
            done = self._host.run(argv, timeout=timeout, stdin=stdin, keep=_LONGEST_ANSWER, env=asked_by())
        except FileNotFoundError:
            raise NoAnswer(self._missing) from None
        except OSError as error:
            raise NoAnswer(f"the {self._name} can't be started: {error}") from error
        if done.timed_out:
            raise NoAnswer(f"the {self._name} did not come to an end within {timeout:.0f} s")
        try:
            return json.loads(done.out)
        except ValueError:
            raise NoAnswer(self._complaint(done)) from None

    def _complaint(self, done: Completed) -> str:
        """What it said, without its own name before each line."""
        prefix = self._path.rpartition("/")[2] + ": "
        lines = [line.removeprefix(prefix) for line in done.err.strip().splitlines()]
        return "\n".join(lines) or f"the {self._name} {done.ended} and said nothing"
