# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The time zone of a host's clock, and what a policy's ``timezone`` means by it."""

from __future__ import annotations

from .._core import timezones
from .host import Host

TYPE_CHECKING = False
if TYPE_CHECKING:
    from datetime import tzinfo

__all__ = ("LOCAL", "clock_zone", "zone_of")

LOCAL = "local"
_CLOCK = "/etc/localtime"


def zone_of(host: Host, name: str) -> tzinfo:
    """The zone that a policy's ``timezone`` means on this host; raises KeyError for an unknown name."""
    if name == LOCAL:
        return clock_zone(host) or timezones.zone_of("UTC")
    # A question for the record of a settled converge: the rules may change.
    host.exists(f"/usr/share/zoneinfo/{name}")
    return timezones.zone_of(name)


def clock_zone(host: Host) -> tzinfo | None:
    """The zone by which the host's C library, hence systemd and cron, reads local times.

    That is what ``/etc/localtime`` holds, whether it is a link or a copy; its name, and ``/etc/timezone``, decide
    nothing. UTC where there is no such file; None for a damaged one, which the C library takes for UTC.
    """
    from io import BytesIO
    from zoneinfo import ZoneInfo

    content = host.read(_CLOCK)
    try:
        return timezones.zone_of("UTC") if content is None else ZoneInfo.from_file(BytesIO(content))
    except ValueError:
        return None
