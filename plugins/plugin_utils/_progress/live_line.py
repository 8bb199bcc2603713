# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The live line of a run: beneath whatever else Ansible prints, from whichever of its threads."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Callable

from ansible_collections.epp.autoupdate.plugins.module_utils._core.untrusted_text import shown
from ansible_collections.epp.autoupdate.plugins.module_utils._server.terminal.capabilities import progress_terminal
from ansible_collections.epp.autoupdate.plugins.module_utils._server.terminal.line import ProgressLine
from ansible_collections.epp.autoupdate.plugins.module_utils._server.terminal.progress import Progress


class LiveLine:
    """One line at the terminal of a stream, taken away before ``display`` prints; no line without a terminal.

    ``display`` is Ansible's, which prints what workers say from a thread of its own. Workers are forks, in which
    nothing of this is done: they have no terminal, and a lock may be held in them for good.
    """

    def __init__(self, stream: Any, display: Any) -> None:
        self._line = ProgressLine(stream, lambda: progress_terminal(stream, os.environ))
        self._lock = threading.RLock()
        self._process = os.getpid()
        self._escaped = False
        self._print: Callable[..., Any] = display.display
        display.display = self._above

    def show(self, compute: Callable[[], Progress]) -> None:
        """Draw the line anew unless that was just done."""
        with self._lock:
            self._line.show(compute)

    def restart(self) -> None:
        """Something else is counted from now on, with a rate of its own."""
        with self._lock:
            self._line.restart()

    def erase(self) -> None:
        """Take the line away."""
        with self._lock:
            self._line.erase()

    @contextmanager
    def escaping(self) -> Iterator[None]:
        """What Ansible prints of a result is data meanwhile (R5): it can't act on the screen."""
        with self._lock:
            self._escaped = True
            try:
                yield
            finally:
                self._escaped = False

    def _above(self, text: Any, *arguments: Any, **options: Any) -> Any:
        if os.getpid() != self._process:
            return self._print(text, *arguments, **options)
        with self._lock:
            self._line.erase()
            return self._print(printable(str(text)) if self._escaped else text, *arguments, **options)


def printable(text: str) -> str:
    """A text of any length that keeps its lines, and has nothing else that acts on a screen."""
    return shown(text, 10 * len(text) + 1, kept="\n\t")
