# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A document and its signature in one file, so that no reader ever sees the one without the other.

The first line is canonical JSON with the signature, everything behind it is the document, byte for byte as signed.
"""

from __future__ import annotations

import json

from ..canonical import canonical_json
from ..values import frozen

FORMAT = 1
_LONGEST_HEAD = 16 * 1024


class Malformed(ValueError):
    """A file is no sealed document; the message says why."""


class TooLarge(ValueError):
    """A file is larger than its reader allows."""


@frozen
class Envelope:
    """What a sealed file holds; whether the signature is good is for ``_host/ssh_signatures.py`` to find out."""

    document: bytes
    signature: str
    namespace: str


def pack(document: bytes, signature: str, namespace: str) -> bytes:
    """The file of a document and the signature that was made over it."""
    head = {"format": FORMAT, "namespace": namespace, "signature": signature}
    return canonical_json(head, newline=True) + document


def unpack(content: bytes, *, limit: int) -> Envelope:
    """Take a file apart; raises TooLarge or Malformed."""
    if len(content) > limit:
        raise TooLarge(f"it has {len(content)} bytes, {limit} are allowed")
    head, newline, document = content.partition(b"\n")
    if not newline or len(head) > _LONGEST_HEAD:
        raise Malformed("its first line is no signature")
    try:
        raw = json.loads(head)
    except (ValueError, RecursionError):
        raise Malformed("its first line is not JSON") from None
    if not isinstance(raw, dict) or raw.get("format") != FORMAT or isinstance(raw.get("format"), bool):
        raise Malformed(f"its format is not {FORMAT}")
    signature, namespace = raw.get("signature"), raw.get("namespace")
    if not isinstance(signature, str) or not isinstance(namespace, str):
        raise Malformed("its first line lacks signature or namespace")
    return Envelope(document, signature, namespace)
