# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""When single endpoints begin beside those that have been told already, so that the cap holds by arithmetic (N1)."""

from __future__ import annotations

from bisect import bisect_left, bisect_right, insort
from collections.abc import Iterable


class Starts:
    """The starts that are on record (Unix seconds), each of a run that takes ``run`` seconds; ``cap`` of them may be at
    work at once."""

    def __init__(self, known: Iterable[int], *, cap: int, run: int) -> None:
        self._at = sorted(known)
        self._cap = cap
        self._run = run

    def __len__(self) -> int:
        return len(self._at)

    def last(self) -> int | None:
        """The last start."""
        return self._at[-1] if self._at else None

    def add(self, at: int) -> None:
        """Put a start on record."""
        insort(self._at, at)

    def place(self, now: int) -> int:
        """The first second from ``now`` on in which one more may start; it is on record then."""
        at = now
        while not self._fits(at):
            at = self._at[bisect_left(self._at, at - self._run + 1)] + self._run
        self.add(at)
        return at

    def _fits(self, at: int) -> bool:
        """Whether no moment of a run from ``at`` on has the cap at work already."""
        later = self._at[bisect_left(self._at, at) : bisect_left(self._at, at + self._run)]
        return all(self._at_work(moment) < self._cap for moment in (at, *later))

    def _at_work(self, moment: int) -> int:
        return bisect_right(self._at, moment) - bisect_left(self._at, moment - self._run + 1)
