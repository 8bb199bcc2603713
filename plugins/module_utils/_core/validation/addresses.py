# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The addresses of endpoints: ``host``, ``host:port``, ``[v6]:port``."""

from __future__ import annotations

PORT = 22


def host_and_port(text: str) -> tuple[str, int]:
    """The parts of an address; ValueError for what is none."""
    if text.startswith("["):
        host, _bracket, rest = text[1:].partition("]")
        return host, _port(rest[1:]) if rest.startswith(":") else PORT
    host, colon, port = text.rpartition(":")
    if not colon or ":" in host:  # no port, or an address of IPv6 without brackets
        host, port = text, str(PORT)
    if not host:
        raise ValueError("no address is known")
    return host, _port(port)


def _port(text: str) -> int:
    port = int(text)
    if not 0 < port < 65536:
        raise ValueError(f"{port} is no port (1 to 65535)")
    return port
