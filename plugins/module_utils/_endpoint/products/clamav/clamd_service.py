# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Clamd as a service of the host: whether it is to run, and whether it does."""

from __future__ import annotations

from ...._host.host import Host
from ...._host.systemd.state import systemctl, systemd_runs

_PROCESSES = ("clamd",)
SERVICES = ("clamav-daemon.service", "clamd@scan.service", "clamd.service")
"""What it is called by Debian; by Red Hat; by SUSE, Arch and others."""
_ENABLED = {
    **{name: f"/etc/systemd/system/multi-user.target.wants/{name}" for name in SERVICES},
    "clamd": "/etc/runlevels/default/clamd",
}


def enabled(host: Host) -> str:
    """The service that starts clamd at each boot; empty where there is none, or it is switched off."""
    return next((name for name, link in _ENABLED.items() if host.exists(link)), "")


def start(host: Host) -> str:
    """Start it where systemd does so at each boot, without waiting for it; returns the service, or nothing.

    At boot it was passed over, for it can't run without databases; nobody else starts it when they have come.
    """
    service = enabled(host)
    if service not in SERVICES or not systemd_runs(host):
        return ""
    try:
        systemctl(host, "start", "--no-block", "--", service)
    except OSError:
        return ""  # which the next look at the host tells
    return service


def runs(host: Host) -> bool:
    return host.runs(_PROCESSES)
