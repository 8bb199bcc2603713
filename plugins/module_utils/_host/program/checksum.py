# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A file's own digest at its end, so that any edit of it shows. Against mistakes, not against root."""

from __future__ import annotations

BLANK = b"0" * 64


def append_checksum(content: bytes) -> bytes:
    """The content, which ends with ``BLANK``, with the SHA-256 (hex) of itself in that place."""
    return content[: -len(BLANK)] + _digest(content)


def has_valid_checksum(content: bytes) -> bool:
    """Whether the file still has the digest that it ends with."""
    return content[-len(BLANK) :] == _digest(content[: -len(BLANK)] + BLANK)


def _digest(content: bytes) -> bytes:
    import hashlib

    return hashlib.sha256(content).hexdigest().encode()
