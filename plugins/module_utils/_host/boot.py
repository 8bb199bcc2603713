# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which boot of the host this is, so that a restart is noticed without a daemon (E2)."""

from __future__ import annotations

from .host import Host


def boot_id(host: Host) -> str:
    """The kernel's name for this boot; empty where it has none."""
    return (host.read("/proc/sys/kernel/random/boot_id") or b"").decode().strip()
