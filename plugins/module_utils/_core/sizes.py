# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Amounts of data as people write them: a whole number and a unit, each unit 1024 of the one before (``500M``)."""

from __future__ import annotations

import re

_UNITS = (("T", 1 << 40), ("G", 1 << 30), ("M", 1 << 20), ("K", 1 << 10), ("", 1))
_PATTERN = re.compile(r"([0-9]{1,9})([KMGT]?)")


def parse_size(text: str) -> int:
    """Bytes of a size such as ``500M`` or ``2G``; ValueError for anything else."""
    match = _PATTERN.fullmatch(text)
    if match is None:
        raise ValueError("not a size (try 500M, 2G)")
    return int(match[1]) * dict(_UNITS)[match[2]]


def format_size(size: int) -> str:
    """The shortest text that means this many bytes (>= 0)."""
    if size < 0:
        raise ValueError("a size is not negative")
    fits = (one for one in _UNITS if not one[0] or (size and size % one[1] == 0))
    unit, factor = next(fits)
    return f"{size // factor}{unit}"
