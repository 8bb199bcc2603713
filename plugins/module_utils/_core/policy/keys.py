# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Every key that a policy has, and what it takes."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from ..validation.errors import ValidationErrors, join
from ..validation.parsers import (
    InvalidValue,
    Parser,
    boolean,
    choice,
    duration,
    integer,
    listing,
    nullable,
    read_mapping,
)
from ..validation.strings import base_url
from .enums import DAY, Frequency, Initiator, Scope, Spread, Weekday

_CLOCK = re.compile(r"([01][0-9]|2[0-3]):([0-5][0-9])")
_ZONE = re.compile(r"[A-Za-z0-9_+-]{1,32}(/[A-Za-z0-9_+-]{1,32}){0,3}")
# Names that live beside the zones in the system's database and are none (IANA does not list them).
_NO_ZONES = ("localtime", "posixrules", "Factory")
_ZONES = "the IANA name of a time zone (try UTC, Europe/Berlin) or local"


def _clock(value: object) -> int:
    """Seconds after midnight of a time ``HH:MM``."""
    match = _CLOCK.fullmatch(value) if isinstance(value, str) else None
    if match is None:
        # YAML 1.1 reads a bare 12:00 as the number 720.
        raise InvalidValue('a time "HH:MM" from "00:00" to "23:59" (in quotes)')
    return int(match[1]) * 3600 + int(match[2]) * 60


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


KEYS: Mapping[str, Mapping[str, Parser]] = {
    "events": {
        "update_after_download": boolean,
        "include_roaming_and_offline": boolean,
        "update_on_reconnect": boolean,
        "scan_after_update": boolean,
    },
    "schedule": {
        "frequency": choice(Frequency),
        "interval": integer(1, 59),
        "configuration_once_per_day": boolean,
        "start": _clock,
        "day": choice(Weekday),
        "window": duration(1, 7 * DAY - 1),
        "timezone": zone_name,
        "spread": choice(Spread),
        "initiator": choice(Initiator),
    },
    "privileges": {
        "toggle_scheduled_update": boolean,
        "scheduled_update": boolean,
        "update_now": boolean,
        "go_roaming": boolean,
        "vendor_fallback": boolean,
    },
    "components": {"scope": choice(Scope)},
    "sources": {
        "urls": listing(base_url("http", "https"), most=16),
        "proxy": nullable(base_url("http", "https", origin_only=True)),
    },
}


_STORED: Mapping[str, Mapping[str, Parser]] = {**KEYS, "schedule": {**KEYS["schedule"], "timezone": stored_zone}}


def read_values(raw: object, *, path: str, errors: ValidationErrors, stored: bool = False) -> dict[str, Any]:
    """The values of a policy or a part of one, flat: ``{"schedule.window": 7200}``; what is wrong becomes errors.

    What is ``stored`` was checked when it came: a zone that an update of the system's zones has removed since then
    costs the timetable, and not all the rest.
    """
    keys = _STORED if stored else KEYS
    sections: dict[str, Parser] = dict.fromkeys(KEYS, _section)
    values: dict[str, Any] = {}
    for section, content in read_mapping(raw, path=path, known=sections, errors=errors).items():
        read = read_mapping(content, path=join(path, section), known=keys[section], errors=errors)
        values.update({f"{section}.{key}": value for key, value in read.items()})
    return values


def _section(value: object) -> object:
    return value
