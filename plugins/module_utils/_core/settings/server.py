# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The settings of an update server, which are all that its converge needs to know."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Callable

from ..durations import format_duration
from ..policy.enums import DAY
from ..schedule.slots import random_slot
from ..validation.errors import InvalidDocument, ValidationErrors
from ..validation.parsers import InvalidValue, Parser, choice, duration, nullable, read_mapping
from ..validation.strings import directory
from ..values import field, frozen
from .alarms import AlarmSettings
from .components import SourceSettings, plain_components, read_components
from .endpoint_keys import SchedulerKind
from .metrics import MetricsSettings
from .notify import NotifierName, NotifySettings
from .publication import ConfigurationSettings
from .rollout import RolloutSettings
from .web import ReportsBy, WebSettings

FORMAT = 1
_MINUTE, _HOUR = 60, 3600


@frozen
class Fetch:
    """How often components are looked for, in seconds, and when in the interval; None: as the server's URL says.

    Intervals are counted from midnight UTC.
    """

    every: int = 3600
    offset: int | None = None


@frozen
class ServerSettings:
    """What one update server should be.

    ``probe_samples`` is the directory of the samples that endpoints probe with (G3); empty: none are published.
    """

    web: WebSettings
    components: Mapping[Any, SourceSettings] = field(default_factory=dict)
    notify: NotifySettings = field(default_factory=NotifySettings)
    configuration: ConfigurationSettings = ConfigurationSettings()
    fetch: Fetch = Fetch()
    alarms: AlarmSettings = field(default_factory=AlarmSettings)
    metrics: MetricsSettings = MetricsSettings()
    rollout: RolloutSettings = field(default_factory=RolloutSettings)
    probe_samples: str = ""
    scheduler: SchedulerKind = SchedulerKind.AUTO

    @classmethod
    def from_dict(cls, raw: object) -> ServerSettings:
        """Read the settings with complete validation; raises InvalidDocument with all their errors."""
        errors = ValidationErrors()
        values = read_mapping(raw, path="", known=_KEYS, errors=errors)
        if not isinstance(raw, dict):
            errors.check()
        _check_required(raw, "format", f"the number {FORMAT}", errors)
        values.setdefault("web", {})
        for name, read in _SECTIONS.items():
            if name in values:
                values[name] = _attempt(read, values[name], errors)
        notify, web = values.get("notify"), values.get("web")
        by_broker = isinstance(notify, NotifySettings) and notify.notifier is NotifierName.MQTT
        if by_broker and isinstance(web, WebSettings) and web.reports is ReportsBy.ASK:
            errors.add("web.reports", '"ask"', '"put", as notify.notifier is mqtt: answers come with reports')
        fetch = read_mapping(values.pop("fetch", {}), path="fetch", known=_FETCH, errors=errors)
        if (fetch.get("offset") or 0) >= fetch.get("every", Fetch().every):
            errors.add("fetch.offset", f'"{format_duration(fetch["offset"])}"', "shorter than fetch.every")
        errors.check()
        values.pop("format")
        return cls(fetch=Fetch(**fetch), **values)

    def to_dict(self) -> dict[str, Any]:
        """The settings in their canonical form, which ``from_dict`` reads back as the same value."""
        offset = self.fetch.offset
        staged = {"rollout": self.rollout.to_dict()} if self.rollout.products else {}
        samples = {"probe_samples": self.probe_samples} if self.probe_samples else {}
        return {
            "format": FORMAT,
            "web": self.web.to_dict(),
            "components": plain_components(self.components),
            "notify": self.notify.to_dict(),
            "configuration": self.configuration.to_dict(),
            "fetch": {
                "every": format_duration(self.fetch.every),
                "offset": None if offset is None else format_duration(offset),
            },
            "alarms": self.alarms.to_dict(),
            "metrics": self.metrics.to_dict(),
            **staged,
            **samples,
            "scheduler": self.scheduler.value,
        }

    @property
    def url(self) -> str:
        """Where endpoints reach the server."""
        return self.web.url

    @property
    def fetch_offset(self) -> int:
        """Seconds from the begin of an interval to the fetch: different servers ask a vendor at different seconds."""
        offset = self.fetch.offset
        return random_slot(self.url, "fetch", self.fetch.every) if offset is None else offset

    @property
    def ask_offset(self) -> int:
        """When in the hour endpoints are asked for reports; seconds."""
        return random_slot(self.url, "ask", _HOUR)

    @property
    def publish_offset(self) -> int:
        """When in the day what is published is looked at, whether it has to be signed anew; seconds."""
        return random_slot(self.url, "publish", DAY)


def _as_is(raw: object) -> object:
    return raw


def samples_directory(raw: object) -> str:
    """The directory of the samples; empty for none."""
    return "" if raw == "" else directory(raw)


def _format(raw: object) -> int:
    if isinstance(raw, bool) or raw != FORMAT or not isinstance(raw, int):
        raise InvalidValue(f"the number {FORMAT}, the only format of settings known here")
    return raw


def _minutes(raw: object) -> int:
    """An interval that schedulers without seconds can keep."""
    seconds: int = duration(5 * _MINUTE, DAY)(raw)
    if seconds % _MINUTE:
        raise InvalidValue("a duration of whole minutes")
    return seconds


def _check_required(raw: Any, key: str, allowed: str, errors: ValidationErrors) -> None:
    if key not in raw:
        errors.add(key, "", allowed)


def _attempt(read: Callable[[object], Any], raw: object, errors: ValidationErrors) -> Any:
    """A section as who it belongs to reads it; its errors join the others."""
    try:
        return read(raw)
    except InvalidDocument as invalid:
        for error in invalid.errors:
            errors.add(error.path, error.found, error.allowed)
        return None


_SECTIONS: Mapping[str, Callable[[object], Any]] = {
    "web": WebSettings.from_dict,
    "components": read_components,
    "notify": NotifySettings.from_dict,
    "configuration": ConfigurationSettings.from_dict,
    "alarms": AlarmSettings.from_dict,
    "metrics": MetricsSettings.from_dict,
    "rollout": RolloutSettings.from_dict,
}
_FETCH: Mapping[str, Parser] = {"every": _minutes, "offset": nullable(duration(0, DAY))}
_KEYS: Mapping[str, Parser] = {
    "format": _format,
    **dict.fromkeys(("web", "components", "notify", "configuration", "fetch", "alarms", "metrics", "rollout"), _as_is),
    "probe_samples": samples_directory,
    "scheduler": choice(SchedulerKind),
}
