# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The line of progress on standard error: rewritten at most ten times a second, and taken away at the end."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any, Callable

from ..._host.output import standard_error
from .capabilities import Terminal, progress_terminal
from .charts import glyphs
from .painting import painted, plain
from .progress import Progress, progress_text

ERASED = "\r\x1b[K"
INTERVAL_S = 0.1

Watch = Callable[[Callable[[], Progress]], None]
"""Gets what computes how far something is; whether it is computed is up to whoever shows it."""


class ProgressLine:
    """One line at a terminal. ``find`` tells the terminal, whose width may change; None: nothing is ever shown."""

    def __init__(
        self, stream: Any, find: Callable[[], Terminal | None], clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._stream = stream
        self._find = find
        self._clock = clock
        self._live = find() is not None
        self._label = ""
        self._started, self._before = clock(), 0
        self._drawn: float | None = None
        self._visible = False

    @property
    def watch(self) -> Watch | None:
        """What shows progress; None where nobody would see it, so that nobody need count."""
        return self.show if self._live else None

    def show(self, compute: Callable[[], Progress], *, at_once: bool = False) -> None:
        """Draw the line anew, unless it is too early; a new label starts the clock of the rate anew.

        ``at_once`` draws in any case: for a step that takes its time and is one of few.
        """
        now = self._clock()
        early = not at_once and self._drawn is not None and 0 <= now - self._drawn < INTERVAL_S
        if not self._live or early:
            return
        terminal, progress = self._find(), compute()
        if terminal is None:
            return
        if progress.label != self._label:
            self._label, self._started, self._before = progress.label, now, progress.done
        elapsed, using = now - self._started, glyphs(blocks=terminal.blocks)
        text = progress_text(progress, elapsed=elapsed, columns=terminal.columns, using=using, before=self._before)
        self._write(f"{ERASED}{painted(plain(text), terminal)}")
        self._drawn, self._visible = now, True

    def restart(self) -> None:
        """Something else is counted from now on: the next ``show`` starts the clock of the rate, whatever the label."""
        self._label = ""

    def erase(self) -> None:
        """Take the line away; the next ``show`` draws it again."""
        if self._visible:
            self._write(ERASED)
        self._drawn, self._visible = None, False

    def _write(self, text: str) -> None:
        with suppress(OSError, ValueError):  # a terminal that is gone is no reason to stop what is going on
            self._stream.write(text)
            self._stream.flush()


@contextmanager
def progress_line(*, quiet: bool = False) -> Iterator[ProgressLine]:
    """The line of a command, gone at its end whatever that is; ``quiet``: it is wanted nowhere."""
    stream = standard_error()
    line = ProgressLine(stream, lambda: None if quiet else progress_terminal(stream, os.environ))
    try:
        yield line
    finally:
        line.erase()
