# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which of a window's one-second slots belongs to an endpoint (SPEC S5).

``slots`` is S, the number of slots; a slot is a number from 0 to S - 1.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache
from math import gcd, isqrt

from ..values import frozen

_REACH = 32
"""How far from the golden section a step may lie: far enough that the largest partial quotient stays below 9."""


Part = tuple[int, int]
"""A span of time, half-open: begin and end."""


@frozen
class Slot:
    """An endpoint's instant in one occurrence of its schedule; Unix seconds, in the window [start, end).

    ``occurrence`` names it: the local date of the window's start (``2026-03-29``), or the begin of the interval
    (``2026-03-29T10:00:00Z``). Names of one schedule are in the order of time. One that is ``swallowed`` by a blackout
    has no run (G7): ``at`` is where its slot would lie.
    """

    occurrence: str
    start: int
    at: int
    end: int
    swallowed: bool = False


@lru_cache(maxsize=16)
def stride(slots: int) -> int:
    """A number coprime to S near S / golden ratio; in whole numbers only, so that every machine finds the same.

    Coprime: S endpoints in a row fill S slots without leaving one out. Near the golden section: fewer than S of them
    lie apart, however many they are. The nearest such number can be a bad one all the same: 4451 of 7200 is almost
    34/55, and would leave whole minutes of two hours empty and give eleven of 600 endpoints to others. So the best
    of the near ones is taken: the one that is hardest to tell from a fraction, which its largest partial quotient says.
    """
    if slots < 1:
        raise ValueError("a window has at least one slot")
    golden = (isqrt(5 * slots * slots) - slots) // 2
    near = range(max(1, golden - _REACH), min(max(2, slots), golden + _REACH + 1))
    # Never empty: it begins at 1 or holds 26 numbers in a row, of which one is coprime to any S below nine million.
    coprime = [candidate for candidate in near if gcd(candidate, slots) == 1]
    return min(coprime, key=lambda candidate: (_largest_quotient(slots, candidate), abs(candidate - golden), candidate))


def _largest_quotient(slots: int, candidate: int) -> int:
    """The largest partial quotient of the continued fraction S / candidate."""
    largest, last = 0, 0
    while candidate:
        largest, last = max(largest, last), slots // candidate
        slots, candidate = candidate, slots % candidate
    # The last one, n, is as good as n - 1 and 1.
    return max(largest, last - 1)


def even_slot(ordinal: int, slots: int) -> int:
    """The slot of the endpoint with this ordinal (>= 0): any N endpoints with dense ordinals fill S slots evenly."""
    if ordinal < 0:
        raise ValueError("an ordinal is not negative")
    return ordinal * stride(slots) % slots


def product_shift(place: int, slots: int) -> int:
    """By how many slots those of an endpoint's product at this place of its list lie after those of its first one.

    All endpoints are shifted alike, so that any N of them fill the slots of each product as evenly as ever. Multiples
    of the square root of 2 keep any n products S / 3n - 1 slots apart, and have nothing in common with the step near
    the golden section: one endpoint's second product does not fall upon the first one of its neighbour.
    """
    return isqrt(2 * (place * slots) ** 2) % slots


def length(parts: Iterable[tuple[float, float]]) -> float:
    """The seconds of some parts together."""
    return sum(end - start for start, end in parts)


def nth(parts: Iterable[tuple[float, float]], second: float) -> float:
    """The instant of a second of some parts, counted from 0 through all of them; a whole one for a whole number."""
    for start, end in parts:
        if second < end - start:
            return start + second
        second -= end - start
    raise ValueError("the parts are shorter than that")


def hashed_ordinal(name: str) -> int:
    """A stand-in for the ordinal of an endpoint that nobody has numbered, from its name alone.

    It never changes, but is not dense: slots are filled as by chance, with a Poisson spread and not evenly.
    """
    return _number(name)


def random_slot(name: str, occurrence: str, slots: int) -> int:
    """A fresh uniform draw for an endpoint and an occurrence of its schedule.

    Derived from both by SHA-256 rather than drawn, so that a reboot inside the window does not draw again.
    """
    return _number(f"{name}\0{occurrence}") % slots


def _number(text: str) -> int:
    """64 bits of SHA-256; a remainder by S <= 604800 is uniform to 14 decimal places."""
    import hashlib

    return int.from_bytes(hashlib.sha256(text.encode("utf-8")).digest()[:8], "big")
