# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Over how many seconds the starts of a group are spread, so that the cap of endpoints in flight holds (N1, L3).

Nobody counts who is in flight when one publication tells a whole ring: the endpoint with ordinal o begins in second
``even_slot(o, S)`` of the spread, so the server knows all the starts beforehand. It takes the smallest S at which no
more than ``cap`` of them lie within the time of one run.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Collection, Sequence

from ..schedule.slots import even_slot
from .order import LONGEST_SPREAD

_DEFAULT_SHARE = 95
_ENOUGH = 20


def spread(ordinals: Collection[int], *, cap: int, run: int) -> int | None:
    """The seconds of the spread for these endpoints; ``run`` is the time of one update, in seconds.

    With dense ordinals it is about N x run / cap. Those of a ring may leave gaps, for which it grows until the cap
    holds. None where the cap does not even hold in ``LONGEST_SPREAD``.
    """
    seconds = max(1, -(-len(ordinals) * run // cap))
    while seconds < LONGEST_SPREAD:
        if most_at_once(ordinals, seconds, run) <= cap:
            return seconds
        seconds = seconds * 21 // 20 + 1
    return LONGEST_SPREAD if most_at_once(ordinals, LONGEST_SPREAD, run) <= cap else None


def most_at_once(ordinals: Collection[int], seconds: int, run: int) -> int:
    """The largest number of these endpoints that are at work at the same time, if each takes ``run`` seconds."""
    starts = sorted(even_slot(ordinal, seconds) for ordinal in ordinals)
    return max(
        (number + 1 - bisect_left(starts, at - run + 1, 0, number) for number, at in enumerate(starts)), default=0
    )


def run_time(measured: Sequence[float], *, default: int) -> int:
    """The time of one run by what was measured: that which 95 of 100 do not exceed, at least a second; ``default``
    where there are fewer than twenty measured ones."""
    if len(measured) < _ENOUGH:
        return default
    ranked = sorted(measured)
    return max(1, int(ranked[min(len(ranked) - 1, len(ranked) * _DEFAULT_SHARE // 100)]) + 1)
