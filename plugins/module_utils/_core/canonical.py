# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""One text for one value, so that equal documents have equal bytes and equal digests."""

from __future__ import annotations

import json


def canonical_json(value: object, *, newline: bool = False) -> bytes:
    """The value as JSON in UTF-8: sorted keys, no white space, no NaN; ValueError or TypeError for what has no JSON."""
    text = json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)
    return text.encode("utf-8") + (b"\n" if newline else b"")


def readable_json(value: object) -> bytes:
    """The value as JSON for people's eyes and diffs, as canonical as the other: sorted keys, two blanks a level."""
    text = json.dumps(value, sort_keys=True, indent=2, ensure_ascii=False, allow_nan=False)
    return text.encode("utf-8") + b"\n"


def sha256_hex(content: bytes) -> str:
    """The SHA-256 digest of bytes in hexadecimal."""
    import hashlib

    return hashlib.sha256(content).hexdigest()


def digest(value: object) -> str:
    """The SHA-256 digest of the value's canonical JSON, in hexadecimal."""
    return sha256_hex(canonical_json(value))
