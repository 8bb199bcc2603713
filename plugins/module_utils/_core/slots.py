# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Private: which of a window's one-second slots belongs to an endpoint (SPEC S5).

``slots`` is S, the number of slots; a slot is a number from 0 to S - 1.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import gcd, isqrt


@dataclass(frozen=True)
class Slot:
    """An endpoint's instant in one occurrence of its schedule; Unix seconds, in the window [start, end).

    ``occurrence`` names it: the local date of the window's start (``2026-03-29``), or the begin of the interval
    (``2026-03-29T10:00Z``). Names of one schedule are in the order of time.
    """

    occurrence: str
    start: int
    at: int
    end: int


def step(slots: int) -> int:
    """The number coprime to S that is nearest to S / golden ratio (the larger of two equally near).

    Coprime: S endpoints in a row fill S slots without leaving one out. Golden section: fewer than S of them lie as far
    apart as they can, however many they are. In whole numbers only, so that every machine finds the same.
    """
    if slots < 1:
        raise ValueError("a window has at least one slot")
    golden = (isqrt(5 * slots * slots) - slots) // 2
    distance = 0
    while True:
        for candidate in (golden + distance, golden - distance):
            if candidate > 0 and gcd(candidate, slots) == 1:
                return candidate
        distance += 1


def even_slot(ordinal: int, slots: int) -> int:
    """The slot of the endpoint with this ordinal (>= 0): any N endpoints with dense ordinals fill S slots evenly."""
    if ordinal < 0:
        raise ValueError("an ordinal is not negative")
    return ordinal * step(slots) % slots


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
