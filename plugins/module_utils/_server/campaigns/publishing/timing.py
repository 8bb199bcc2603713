# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""When single endpoints begin beside those that have been told already, so that the cap holds by arithmetic (N1)."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections import deque
from collections.abc import Iterable, Sequence


class Starts:
    """The starts that are on record (Unix seconds), each of a run that takes ``run`` seconds; ``cap`` of them may be at
    work at once."""

    def __init__(self, known: Iterable[int], *, cap: int, run: int) -> None:
        self._at = sorted(known)
        self._placed: list[int] = []
        self._cap = cap
        self._run = run
        self._sweep: _Sweep | None = None

    def __len__(self) -> int:
        return len(self._at) + len(self._placed)

    def last(self) -> int | None:
        """The last start."""
        return max((*self._at[-1:], *self._placed[-1:]), default=None)

    def add(self, some: Iterable[int]) -> None:
        """Put starts on record."""
        self._at = sorted((*self._at, *self._placed, *some))
        self._placed, self._sweep = [], None

    def place(self, now: int, *, before: float) -> int | None:
        """The first second from ``now`` on in which one more may start, which is on record then; None where that is
        not ``before`` an instant.

        Whatever is added leaves less room: so one sweep over the seconds finds the places of all that are asked for
        from the same instant on.
        """
        if self._sweep is None or now < self._sweep.begin:
            self.add(())
            self._sweep = _Sweep(self._at, now, self._run)
        sweep = self._sweep
        while sweep.at < now or (sweep.most() >= self._cap and sweep.at < before):
            sweep.advance()
        if sweep.at >= before:
            return None
        sweep.occupy()
        self._placed.append(sweep.at)
        return sweep.at


class _Sweep:
    """A window over the seconds of one run from ``at`` on, which moves ahead: how many are at work in its fullest one.

    The seconds of the window that may be the fullest yet are in a queue, the fullest first. Who is placed occupies the
    whole window as it is then, and no second after it: one number that is added to all of it says so.
    """

    def __init__(self, known: Sequence[int], begin: int, run: int) -> None:
        self.begin = self.at = begin
        self._known = known
        self._run = run
        self._added = 0
        self._fullest: deque[tuple[int, int]] = deque()
        for second in range(begin, begin + run):
            self._enter(second)

    def most(self) -> int:
        return self._fullest[0][1] + self._added

    def occupy(self) -> None:
        self._added += 1

    def advance(self) -> None:
        self._enter(self.at + self._run)
        self.at += 1
        if self._fullest[0][0] < self.at:
            self._fullest.popleft()

    def _enter(self, second: int) -> None:
        known = self._known
        at_work = bisect_right(known, second) - bisect_left(known, second - self._run + 1) - self._added
        while self._fullest and self._fullest[-1][1] <= at_work:
            self._fullest.pop()
        self._fullest.append((second, at_work))
