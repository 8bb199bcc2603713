# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Every key that a policy has, and what it takes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..validation.errors import ValidationErrors, join
from ..validation.parsers import (
    Parser,
    boolean,
    choice,
    duration,
    integer,
    listing,
    nullable,
    read_mapping,
)
from ..validation.strings import base_url, package_version
from .clocks import clock, stored_zone, zone_name
from .enums import DAY, BlackoutException, Frequency, Initiator, Scope, Spread, Weekday


def _blackouts(read_zone: Parser) -> Parser:
    """The reader of ``schedule.blackouts``; what only few policies need is imported where it is needed."""

    def parse(value: object) -> tuple[Any, ...]:
        if value == []:
            return ()
        from .blackouts import read_blackouts

        return read_blackouts(value, read_zone)

    return parse


def _engine_windows(read_zone: Parser) -> Parser:
    """The reader of ``components.engine_windows``."""

    def parse(value: object) -> tuple[Any, ...]:
        if value == []:
            return ()
        from .engine_windows import read_windows

        return read_windows(value, read_zone)

    return parse


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
        "start": clock,
        "day": choice(Weekday),
        "window": duration(1, 7 * DAY - 1),
        "timezone": zone_name,
        "spread": choice(Spread),
        "initiator": choice(Initiator),
        "blackouts": _blackouts(zone_name),
        "blackout_exceptions": listing(choice(BlackoutException)),
    },
    "privileges": {
        "toggle_scheduled_update": boolean,
        "scheduled_update": boolean,
        "update_now": boolean,
        "go_roaming": boolean,
        "vendor_fallback": boolean,
    },
    "components": {
        "scope": choice(Scope),
        "engine_packages": boolean,
        "engine_windows": _engine_windows(zone_name),
        "engine_versions": listing(package_version),
    },
    "sources": {
        "urls": listing(base_url("http", "https"), most=16),
        "proxy": nullable(base_url("http", "https", origin_only=True)),
    },
}


_STORED: Mapping[str, Mapping[str, Parser]] = {
    **KEYS,
    "schedule": {**KEYS["schedule"], "timezone": stored_zone, "blackouts": _blackouts(stored_zone)},
    "components": {**KEYS["components"], "engine_windows": _engine_windows(stored_zone)},
}


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
