# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Private: how the server notifies (section ``notify`` of its settings), read with complete validation."""

from __future__ import annotations

from enum import Enum
from typing import Any

from .campaign import Limits
from .caps import DEFAULT_CAP, Caps, Span
from .faults import Faults
from .fields import Parser, Unfit, choice, duration, integer, listing, read_mapping
from .texts import line, path
from .values import field, value

MOST = 100_000


class NotifierName(str, Enum):
    """The ways to an endpoint."""

    SSH = "ssh"
    LOCAL = "local"
    """Endpoints that are directories of this host: a sandbox."""


@value
class NotifySettings:
    """``user`` and ``key`` are for SSH; an empty ``key`` means the server's own. Times are seconds."""

    notifier: NotifierName = NotifierName.SSH
    user: str = "root"
    key: str = ""
    connect_timeout: int = 10
    timezone: str = "UTC"
    caps: Caps = field(default_factory=Caps)
    limits: Limits = field(default_factory=Limits)

    @classmethod
    def from_dict(cls, raw: object, path: str = "notify") -> NotifySettings:
        """Read the section, in which every key may be missing; raises InvalidDocument with all its faults."""
        faults = Faults()
        values = read_mapping(raw, path=path, known=_KEYS, faults=faults)
        faults.check()
        limits = {name: values.pop(name) for name in tuple(values) if name in _LIMITS}
        caps = {_CAPS[name]: values.pop(name) for name in tuple(values) if name in _CAPS}
        normal = caps.get("normal", DEFAULT_CAP)
        return cls(**values, caps=Caps(**{"peak": normal, "off_peak": normal, **caps}), limits=Limits(**limits))


def _span(raw: object) -> Span:
    try:
        return Span.parse(line(raw, "hours"))
    except ValueError:
        raise Unfit("hours of the day (try 08:00-18:00)") from None


def _word(raw: object) -> str:
    return line(raw, "a word of one line")


_LIMITS: dict[str, Parser] = {
    "hold": duration(60, 86400),
    "deadline": duration(1, 86400),
    "retry_after": duration(1, 86400),
    "retries": integer(0, 100),
    "keep": duration(60, 90 * 86400),
}
_CAPS = {
    "cap": "normal",
    "cap_peak": "peak",
    "cap_off_peak": "off_peak",
    "peak_hours": "peak_hours",
    "off_peak_hours": "off_peak_hours",
}
_CAP_VALUES: dict[str, Parser] = {
    "cap": integer(1, MOST),
    "cap_peak": integer(1, MOST),
    "cap_off_peak": integer(1, MOST),
    "peak_hours": listing(_span),
    "off_peak_hours": listing(_span),
}
_KEYS: dict[str, Any] = {
    "notifier": choice(NotifierName),
    "user": _word,
    "key": path,
    "connect_timeout": duration(1, 300),
    "timezone": _word,
    **_CAP_VALUES,
    **_LIMITS,
}
