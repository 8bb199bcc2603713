# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The server's settings, one file whose sections belong to their subjects."""

from __future__ import annotations

import json
import syslog
from datetime import timezone, tzinfo
from typing import Any

from .._core.settings.notify import NotifySettings
from .._core.validation.errors import InvalidDocument, ValidationError
from .._core.values import replace
from .._host.host import Host
from .._host.timezone import zone_of
from . import paths


def read_section(host: Host, name: str) -> Any:
    """One section of the settings as it was written, empty where there is none; raises InvalidDocument.

    Who it belongs to reads it: each section has its own rules.
    """
    content = host.read(paths.SETTINGS)
    try:
        settings = {} if content is None else json.loads(content)
    except (ValueError, RecursionError):
        settings = None
    if not isinstance(settings, dict):
        raise InvalidDocument((ValidationError(paths.SETTINGS, "its content", "a JSON object"),))
    return settings.get(name, {})


def notify_settings(host: Host) -> NotifySettings:
    """The settings of notifying; the key is the server's own unless another one is set."""
    settings = NotifySettings.from_dict(read_section(host, "notify"), stored=True)
    return settings if settings.key else replace(settings, key=paths.NOTIFY_KEY)


def limits_zone(host: Host, settings: NotifySettings) -> tzinfo:
    """The zone by whose hours the caps are; UTC, which is logged, where it is not known here any more."""
    try:
        return zone_of(host, settings.timezone)
    except KeyError:
        why = (
            f"notify.timezone: {settings.timezone} is not known here any more (tzdata): peak and off-peak hours are UTC"
        )
        host.log(syslog.LOG_ERR, why)
        return timezone.utc
