# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which scheduler a host has."""

from __future__ import annotations

from .host import Host

_SYSTEMD_RUNS = "/run/systemd/system"
_SYSTEMD_PROGRAMS = ("/usr/lib/systemd/systemd", "/lib/systemd/systemd")


def own_scheduler(host: Host) -> str:
    """``systemd`` or ``cron``.

    A live host is asked what runs; a directory (an image being built) what would run once it boots.
    """
    evidence = (_SYSTEMD_RUNS,) if host.live else _SYSTEMD_PROGRAMS
    return "systemd" if any(host.exists(path) for path in evidence) else "cron"
