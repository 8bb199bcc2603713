# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The form of a signature of OpenSSH (PROTOCOL.sshsig), read strictly.

What is read here is all that a verification needs. A signature in any other form is refused, whoever verifies it.
"""

from __future__ import annotations

import base64

from .._core.values import frozen

_BEGIN, _END = "-----BEGIN SSH SIGNATURE-----", "-----END SSH SIGNATURE-----"
_MAGIC = b"SSHSIG"
_VERSION = 1
_HASHES = frozenset((b"sha256", b"sha512"))
_NO_SIGNATURE = "it is no signature of OpenSSH"


class BadSignature(ValueError):
    """The signature was not made over this document, or not for this purpose."""


@frozen
class SshSignature:
    """One signature: the public key that made it and the signature itself, both as the SSH protocol has them."""

    key: bytes
    namespace: bytes
    hash: bytes
    blob: bytes

    def signed(self, document: bytes) -> bytes:
        """What was signed where the document is this one."""
        import hashlib  # no endpoint needs it here

        parts = (self.namespace, b"", self.hash, hashlib.new(self.hash.decode(), document).digest())
        return _MAGIC + b"".join(len(part).to_bytes(4, "big") + part for part in parts)


def parse(armored: str) -> SshSignature:
    """Read a signature; raises BadSignature."""
    lines = armored.strip().splitlines()
    if len(lines) < 3 or (lines[0], lines[-1]) != (_BEGIN, _END):
        raise BadSignature(_NO_SIGNATURE)
    try:
        content = base64.b64decode("".join(lines[1:-1]), validate=True)
    except ValueError:
        raise BadSignature(_NO_SIGNATURE) from None
    start = len(_MAGIC) + 4
    if content[:start] != _MAGIC + _VERSION.to_bytes(4, "big"):
        raise BadSignature(_NO_SIGNATURE)
    key, namespace, reserved, algorithm, blob = fields(content[start:], 5)
    if reserved or algorithm not in _HASHES:
        raise BadSignature(_NO_SIGNATURE)
    return SshSignature(key, namespace, algorithm, blob)


def fields(content: bytes, count: int) -> list[bytes]:
    """Exactly ``count`` strings, each behind its length; raises BadSignature."""
    found: list[bytes] = []
    at = 0
    for _number in range(count):
        begin = at + 4
        at = begin + int.from_bytes(content[at:begin], "big")
        if len(content) < begin or len(content) < at:
            raise BadSignature(_NO_SIGNATURE)
        found.append(content[begin:at])
    if at != len(content):
        raise BadSignature(_NO_SIGNATURE)
    return found


def key_blob(public: str) -> bytes:
    """The bytes of a public key's line; none where it is no such line."""
    try:
        return base64.b64decode(public.split()[1], validate=True)
    except (IndexError, ValueError):
        return b""
