# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Private: the server's key for notices, one for all endpoints, made once."""

from __future__ import annotations

import os

from ..._host.host import Host

_KEYGEN_S = 60.0


def ensure_notify_key(host: Host, path: str) -> str:
    """Make the key pair at ``path`` unless it is there; returns the public key's line. Raises OSError."""
    if not host.exists(path):
        host.mkdir(os.path.dirname(path), mode=0o700)
        argv = ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "epp-update-server", "-f", host.real(path)]
        done = host.run(argv, timeout=_KEYGEN_S)
        if done.code != 0:
            raise OSError(f"{path}: ssh-keygen made no key: {(done.err or done.out).strip()}")
    public = host.read(path + ".pub")
    if public is None:
        raise OSError(f"{path}.pub is missing; it belongs to {path}")
    return public.decode("ascii", "replace").strip()
