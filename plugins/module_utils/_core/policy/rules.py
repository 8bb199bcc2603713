# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which keys of a policy go together.

A key belongs to the layer of the client tree that sets it. What a layer says against itself or against a layer
outside it is an error; what it inherits and makes meaningless (a window, once ``frequency`` is hours) falls away.
"""

from __future__ import annotations

from enum import Enum
from typing import Any

from .. import values
from ..durations import format_duration
from ..validation.errors import ValidationErrors, show
from .clocks import clock_text
from .enums import Frequency, Scope

_BY_WINDOW = ("schedule.start", "schedule.window")
_BY_INTERVAL = ("schedule.interval", "schedule.configuration_once_per_day")
_FREQUENCY = "schedule.frequency"
_MOST = {Frequency.MINUTES: 59, Frequency.HOURS: 23}


@values.frozen
class SourcedValue:
    """A key's value and the layer that set it: ``rank`` counts from 0 at the outermost, ``prefix`` is its path."""

    value: Any
    rank: int = 0
    prefix: str = ""

    def path(self, key: str) -> str:
        return f"{self.prefix}.{key}" if self.prefix else key


def reconcile(given: dict[str, SourcedValue], errors: ValidationErrors) -> dict[str, SourcedValue]:
    """The keys that have a meaning together; contradictions become errors."""
    kept = given
    # Against a word that is wrong itself nothing can be held.
    if not errors.has_error(_FREQUENCY):
        kept = _settle_schedule(kept, errors)
    if not errors.has_error("events.update_after_download"):
        kept = _settle_events(kept, errors)
    if not any(errors.has_error(f"components.{key}") for key in ("scope", "engine_packages", "engine_windows")):
        kept = _settle_engine(kept, errors)
    return kept


def applicable_keys(frequency: Frequency) -> tuple[str, ...]:
    """The keys of ``schedule`` that mean something with this frequency only."""
    if not frequency.windowed:
        return _BY_INTERVAL
    return (*_BY_WINDOW, "schedule.day") if frequency is Frequency.WEEKLY else _BY_WINDOW


def plain(key: str, value: Any) -> Any:
    """A typed value as documents hold it."""
    if key == "schedule.start":
        return clock_text(value)
    if key == "schedule.window":
        return format_duration(value)
    if isinstance(value, Enum):
        return value.value
    return [_plain_item(item) for item in value] if isinstance(value, tuple) else value


def _plain_item(item: Any) -> Any:
    if isinstance(item, Enum):
        return item.value
    return item if isinstance(item, str) else item.to_dict()


def _settle_schedule(given: dict[str, SourcedValue], errors: ValidationErrors) -> dict[str, SourcedValue]:
    frequency = given.get(_FREQUENCY, SourcedValue(Frequency.DAILY, rank=-1))
    kept = dict(given)
    used = applicable_keys(frequency.value)
    for key in (*_BY_WINDOW, "schedule.day", *_BY_INTERVAL):
        if key not in given or key in used:
            continue
        del kept[key]
        if given[key].rank >= frequency.rank:
            only = " or ".join(word.value for word in Frequency if key in applicable_keys(word))
            _contradiction(key, given[key], f"frequency {frequency.value.value} (only with {only})", errors)
    _check_range("schedule.interval", kept, frequency, _MOST.get(frequency.value, 0), errors)
    _check_range("schedule.window", kept, frequency, frequency.value.unit - 1, errors)
    return kept


def _check_range(
    key: str, kept: dict[str, SourcedValue], frequency: SourcedValue, most: int, errors: ValidationErrors
) -> None:
    """A value may be right for the layer that set it and too much for the frequency that an inner layer chose."""
    setting = kept.get(key)
    if setting is None or setting.value <= most:
        return
    word = frequency.value.value
    limit = "shorter than its period" if key == "schedule.window" else f"from 1 to {most}"
    if setting.rank >= frequency.rank:
        errors.add(setting.path(key), show(plain(key, setting.value)), f"{limit}, as frequency {word} demands")
    else:
        name = key.partition(".")[2]
        inherited = f"the inherited {name} {show(plain(key, setting.value))} (set {name} here too, {limit})"
        errors.add(frequency.path(_FREQUENCY), show(word), f"allowed with {inherited}")


def _settle_events(given: dict[str, SourcedValue], errors: ValidationErrors) -> dict[str, SourcedValue]:
    key = "events.include_roaming_and_offline"
    after_download = given.get("events.update_after_download", SourcedValue(True, rank=-1))
    roaming = given.get(key)
    if roaming is None or not roaming.value or after_download.value:
        return given
    if roaming.rank >= after_download.rank:
        _contradiction(key, roaming, "update_after_download false (E1a belongs to E1)", errors)
    return {name: value for name, value in given.items() if name != key}


def _settle_engine(given: dict[str, SourcedValue], errors: ValidationErrors) -> dict[str, SourcedValue]:
    """Packages of an engine are upgraded where the scope includes engines, and only in a window that somebody set."""
    key = "components.engine_packages"
    packages = given.get(key)
    scope = given.get("components.scope", SourcedValue(Scope.PATTERNS, rank=-1))
    windows = given.get("components.engine_windows", SourcedValue((), rank=-1))
    if packages is None or not packages.value:
        return given
    against = [
        (scope, "scope patterns (only with engines or all)") if scope.value is Scope.PATTERNS else None,
        (windows, "no engine_windows (say when)") if not windows.value else None,
    ]
    found = [one for one in against if one is not None]
    for setting, reason in found:
        if packages.rank >= setting.rank:
            _contradiction(key, packages, reason, errors)
    return {name: value for name, value in given.items() if name != key} if found else given


def _contradiction(key: str, setting: SourcedValue, reason: str, errors: ValidationErrors) -> None:
    errors.add(setting.path(key), show(plain(key, setting.value)), f"allowed with {reason}")
