# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What shuts in each of our systemd services, whatever it does (systemd.exec(5))."""

from __future__ import annotations

from collections.abc import Iterable

EVERY_SERVICE = """\
NoNewPrivileges=yes
ProtectSystem=strict
ProtectControlGroups=yes
ProtectKernelTunables=yes
ProtectKernelLogs=yes
ProtectClock=yes
ProtectHostname=yes
PrivateDevices=yes
RestrictNamespaces=yes
RestrictRealtime=yes
RestrictSUIDSGID=yes
LockPersonality=yes
SystemCallArchitectures=native
SystemCallErrorNumber=EPERM
SystemCallFilter=@system-service
"""

_TEMPORARY = ("/tmp", "/var/tmp")


def private_tmp(paths: Iterable[str]) -> str:
    """The value of ``PrivateTmp=`` for a service that has to see these paths as everybody else does."""
    return "no" if any(_is_temporary(path) for path in paths) else "yes"


def _is_temporary(path: str) -> bool:
    return any(path == directory or path.startswith(directory + "/") for directory in _TEMPORARY)
