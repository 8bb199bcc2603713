# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A server whose rings stand at different places: one is halted, one bakes, one is idle; an older version is held."""

from __future__ import annotations

from pathlib import Path

from ..rollout.conftest import NAMES, RINGS, MovedHost, Server

REASON = "it flags </code><img src=x onerror=alert(2)> a clean file"
"""What somebody gave as the reason of a hold."""


def staged(root: Path) -> Server:
    """Version 2 is held, early bakes 3, and 4 has halted in canary; one endpoint has joined early since it bakes."""
    server = Server(MovedHost(str(root), program="epp-server"), RINGS)
    server.offer("one")
    server.register(NAMES)
    server.hours(0.5)
    server.offer("two")
    server.hours(0.5)
    assert server.run("rollout", "hold", "2", "--reason", REASON, "--by", "operator") == 0
    server.hours(0.5)
    server.offer("three")
    server.hours(2)
    server.register({"early": ("late",)})
    server.endpoints["c1"].bad = {"4"}
    server.offer("four")
    server.hours(0.5)
    return server
