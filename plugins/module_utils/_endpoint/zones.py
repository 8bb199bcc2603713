# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Private: the time zone of a policy on this host."""

from __future__ import annotations

from datetime import tzinfo

from .._core import zones
from .._host.host import Host
from .._host.zones import local_zone_name

__all__ = ("LOCAL", "local_zone_name", "zone_of")

LOCAL = "local"


def zone_of(host: Host, name: str) -> tzinfo:
    """The zone that a policy's ``timezone`` means on this host; raises KeyError for an unknown one."""
    actual = local_zone_name(host) if name == LOCAL else name
    host.exists(
        f"/usr/share/zoneinfo/{actual}"
    )  # a question for the record of a settled converge: the rules may change
    return zones.zone_of(actual)
