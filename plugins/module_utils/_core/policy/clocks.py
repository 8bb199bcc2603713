# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Readers of local times and of the names of time zones."""

from __future__ import annotations

import re

from ..validation.parsers import InvalidValue

_CLOCK = re.compile(r"([01][0-9]|2[0-3]):([0-5][0-9])")
_ZONE = re.compile(r"[A-Za-z0-9_+-]{1,32}(/[A-Za-z0-9_+-]{1,32}){0,3}")
# Names that live beside the zones in the system's database and are none (IANA does not list them).
_NO_ZONES = ("localtime", "posixrules", "Factory")
_ZONES = "the IANA name of a time zone (try UTC, Europe/Berlin) or local"


def clock(value: object) -> int:
    """Seconds after midnight of a time ``HH:MM``."""
    match = _CLOCK.fullmatch(value) if isinstance(value, str) else None
    if match is None:
        # YAML 1.1 reads a bare 12:00 as the number 720.
        raise InvalidValue('a time "HH:MM" from "00:00" to "23:59" (in quotes)')
    return int(match[1]) * 3600 + int(match[2]) * 60


def clock_text(seconds: int) -> str:
    """The time ``HH:MM`` of seconds after midnight, on whichever day."""
    return f"{seconds // 3600 % 24:02}:{seconds // 60 % 60:02}"


def stored_zone(value: object) -> str:
    """What may be the name of a time zone, whether this system knows it or not."""
    if not isinstance(value, str) or not _ZONE.fullmatch(value):
        raise InvalidValue(_ZONES)
    if value in _NO_ZONES or value.startswith(("posix/", "right/")):
        raise InvalidValue(_ZONES)
    return value


def zone_name(value: object) -> str:
    """The name of a time zone that this system knows, or ``local``."""
    name = stored_zone(value)
    if name in ("UTC", "local"):
        # Known without a time zone database: most endpoints need none, and some have none.
        return name
    from zoneinfo import ZoneInfo

    try:
        ZoneInfo(name)
    except (ValueError, OSError, KeyError):
        raise InvalidValue(f"{_ZONES} that is known here (is the package tzdata installed?)") from None
    return name
