# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The server's key for notices, one for all endpoints, made once."""

from __future__ import annotations

from ...._host.host import Host
from ...publication.key_files import make_key, public_part


def ensure_notify_key(host: Host, path: str) -> str:
    """Make the key pair at ``path`` unless it is there; returns the public key's line. Raises OSError."""
    if not host.exists(path):
        make_key(host, path)
    return public_part(host, path)
