# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Public keys of OpenSSH."""

from __future__ import annotations

import re

_PUBLIC_KEY = re.compile(r"((?:ssh|ecdsa|sk)-[a-z0-9@.-]+) ([A-Za-z0-9+/]{40,}={0,2})")


def public_key(line: str) -> str | None:
    """Type and key of a public key's line, without its comment; None for anything else."""
    key = _PUBLIC_KEY.match(line.strip())
    return None if key is None else f"{key[1]} {key[2]}"
