# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Lengths of time as people write them (``90m``, ``2h``, ``1h30m``)."""

from __future__ import annotations

import re

_UNITS = (("d", 86400), ("h", 3600), ("m", 60), ("s", 1))
# Nine digits a unit: enough for thirty years in seconds, and no number that hurts.
_PATTERN = re.compile(r"(?:([0-9]{1,9})d)?(?:([0-9]{1,9})h)?(?:([0-9]{1,9})m)?(?:([0-9]{1,9})s)?")


def parse_duration(text: str) -> int:
    """Seconds of a duration such as ``90m``, ``2h`` or ``1h30m``; ValueError for anything else."""
    match = _PATTERN.fullmatch(text)
    if not text or match is None:
        raise ValueError("not a duration (try 90m, 2h)")
    return sum(int(count) * unit for count, (_name, unit) in zip(match.groups(), _UNITS) if count)


def format_duration(seconds: int) -> str:
    """The shortest text of whole units that means this many seconds (>= 0), largest unit first: ``1h30m``."""
    if seconds < 0:
        raise ValueError("a duration is not negative")
    parts = []
    for name, unit in _UNITS:
        count, seconds = divmod(seconds, unit)
        if count:
            parts.append(f"{count}{name}")
    return "".join(parts) or "0s"
