# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Word from the intake of reports to the promotion job: there is something to decide about (G4).

The intake may neither sign nor publish, so it writes a file, by which systemd starts the job. Without systemd the job
looks by itself, at its minutes.
"""

from __future__ import annotations

import json
import sqlite3
import time
from collections.abc import Iterable
from typing import Callable

from ..._host.host import Host
from .. import paths

PAUSE_S = 10.0
"""The least time between two words: a decision looks at all members of its rings, and reports come by hundreds."""


class RolloutNews:
    """What one run of the intake has to tell; ``clock`` gives seconds that never go back."""

    def __init__(self, host: Host, connection: sqlite3.Connection, clock: Callable[[], float] = time.monotonic) -> None:
        self._host = host
        self._connection = connection
        self._clock = clock
        self._pending = False
        self._told: float | None = None

    def taken(self, names: Iterable[str]) -> None:
        """Reports of these endpoints were taken in."""
        self._pending = self._pending or _count(self._connection, names)
        if self._pending and (self._told is None or self._clock() - self._told >= PAUSE_S):
            self.tell()

    def tell(self) -> None:
        """Tell what has not been told yet. Raises OSError."""
        if self._pending:
            self._host.write(paths.ROLLOUT_NEWS, f"{self._host.now():.3f}\n".encode(), mode=0o640)
            self._pending, self._told = False, self._clock()


def _count(connection: sqlite3.Connection, names: Iterable[str]) -> bool:
    """Whether one of these endpoints counts for a version that its ring tries."""
    return connection.execute(_COUNTS, (json.dumps(list(names)),)).fetchone() is not None


_COUNTS = """
SELECT 1 FROM rollout_members WHERE endpoint IN (SELECT value FROM json_each(?)) AND outcome <> 'gone' LIMIT 1
"""
