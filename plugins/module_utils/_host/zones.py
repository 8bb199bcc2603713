# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Private: which time zone a host lives in."""

from __future__ import annotations

from .host import Host

_DATABASE = "zoneinfo/"


def local_zone_name(host: Host) -> str:
    """The IANA name of the host's own zone, from ``/etc/localtime``, then ``/etc/timezone``; UTC when neither tells."""
    target = host.target("/etc/localtime") or ""
    if _DATABASE in target:
        return target.split(_DATABASE, 1)[1]
    return (host.read("/etc/timezone") or b"UTC").decode("utf-8", "replace").strip() or "UTC"
