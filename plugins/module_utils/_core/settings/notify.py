# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""How the server notifies (section ``notify`` of its settings), read with complete validation."""

from __future__ import annotations

from enum import Enum
from typing import Any

from ..durations import format_duration
from ..policy.clocks import stored_zone, zone_name
from ..validation.errors import ValidationErrors
from ..validation.parsers import InvalidValue, Parser, choice, duration, integer, listing, read_mapping
from ..validation.strings import account, line, path
from ..values import field, frozen
from .broker import BrokerSettings, read_settings
from .concurrency import DEFAULT_CAP, ConcurrencyLimits, HourRange
from .retries import RetryPolicy
from .update_server import NOTIFY_USER

MOST = 100_000


class NotifierName(str, Enum):
    """The ways to an endpoint."""

    SSH = "ssh"
    MQTT = "mqtt"
    """Over a message broker, which they listen to (L3)."""
    LOCAL = "local"
    """Endpoints that are directories of this host: a sandbox."""


@frozen
class NotifySettings:
    """``user`` and ``key`` are for SSH; an empty ``key`` means the server's own. ``mqtt`` is the broker, which may be
    there beside another notifier. Times are seconds."""

    notifier: NotifierName = NotifierName.SSH
    user: str = NOTIFY_USER
    key: str = ""
    connect_timeout: int = 10
    timezone: str = "UTC"
    caps: ConcurrencyLimits = field(default_factory=ConcurrencyLimits)
    limits: RetryPolicy = field(default_factory=RetryPolicy)
    mqtt: BrokerSettings | None = None

    @classmethod
    def from_dict(cls, raw: object, path: str = "notify", *, stored: bool = False) -> NotifySettings:
        """Read the section, in which every key may be missing; raises InvalidDocument with all its errors.

        The zone of a ``stored`` one may be one that is not known here any more.
        """
        errors = ValidationErrors()
        known = {**_KEYS, "timezone": stored_zone} if stored else _KEYS
        values = read_mapping(raw, path=path, known=known, errors=errors)
        if values.get("notifier") is NotifierName.MQTT and isinstance(raw, dict) and "mqtt" not in raw:
            errors.add(f"{path}.mqtt", "", "the message broker, as notify.notifier is mqtt")
        errors.check()
        limits = {name: values.pop(name) for name in tuple(values) if name in _LIMITS}
        caps = {_CAPS[name]: values.pop(name) for name in tuple(values) if name in _CAPS}
        normal = caps.get("normal", DEFAULT_CAP)
        return cls(
            **values,
            caps=ConcurrencyLimits(**{"peak": normal, "off_peak": normal, **caps}),
            limits=RetryPolicy(**limits),
        )

    def to_dict(self) -> dict[str, Any]:
        """The section in its canonical form, which ``from_dict`` reads back as the same value."""
        plain: dict[str, Any] = {"notifier": self.notifier.value, "user": self.user, "timezone": self.timezone}
        plain.update({"key": self.key} if self.key else {})
        plain.update({} if self.mqtt is None else {"mqtt": self.mqtt.to_dict()})
        plain["connect_timeout"] = format_duration(self.connect_timeout)
        for name, own in _CAPS.items():
            cap = getattr(self.caps, own)
            plain[name] = cap if isinstance(cap, int) else [str(span) for span in cap]
        for name in _LIMITS:
            limit = getattr(self.limits, name)
            plain[name] = limit if name == "retries" else format_duration(int(limit))
        return plain


def _span(raw: object) -> HourRange:
    try:
        return HourRange.parse(line(raw, "hours"))
    except ValueError:
        raise InvalidValue("hours of the day (try 08:00-18:00)") from None


_LIMITS: dict[str, Parser] = {
    "lease": duration(60, 86400),
    "deadline": duration(1, 86400),
    "retry_delay": duration(1, 86400),
    "retries": integer(0, 100),
    "offline_ttl": duration(60, 90 * 86400),
}
_CAPS = {
    "max_in_flight": "normal",
    "max_in_flight_peak": "peak",
    "max_in_flight_off_peak": "off_peak",
    "peak_hours": "peak_hours",
    "off_peak_hours": "off_peak_hours",
}
_CAP_VALUES: dict[str, Parser] = {
    "max_in_flight": integer(1, MOST),
    "max_in_flight_peak": integer(1, MOST),
    "max_in_flight_off_peak": integer(1, MOST),
    "peak_hours": listing(_span),
    "off_peak_hours": listing(_span),
}
_KEYS: dict[str, Any] = {
    "notifier": choice(NotifierName),
    "user": account,
    "key": path,
    "connect_timeout": duration(1, 300),
    "timezone": zone_name,
    "mqtt": read_settings,
    **_CAP_VALUES,
    **_LIMITS,
}
