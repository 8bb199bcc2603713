# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Verification of SSH signatures by the library ``cryptography``, which the SSH library brings.

Rules are those of OpenSSH: no RSA key below 1024 bits, no SHA-1, points of curves in their long form.
"""

from __future__ import annotations

from typing import Any, Callable

from ..._host.sshsig import BadSignature, fields

_SMALLEST_RSA, _LARGEST_RSA = 1024, 16384
_LONG_POINT = b"\x04"
_NOT_MADE = "the signature does not belong to the document"


class KeyLibrary:
    """The library, imported now; raises ImportError where it is not installed."""

    def __init__(self) -> None:
        from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
        from cryptography.hazmat.primitives import hashes
        from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa, utils

        self._ec, self._ed25519, self._padding, self._rsa, self._utils = ec, ed25519, padding, rsa, utils
        self._errors = (InvalidSignature, UnsupportedAlgorithm, ValueError)
        self._curves: dict[bytes, tuple[bytes, Any, Any]] = {
            b"ecdsa-sha2-nistp256": (b"nistp256", ec.SECP256R1, hashes.SHA256),
            b"ecdsa-sha2-nistp384": (b"nistp384", ec.SECP384R1, hashes.SHA384),
            b"ecdsa-sha2-nistp521": (b"nistp521", ec.SECP521R1, hashes.SHA512),
        }
        self._rsa_hashes: dict[bytes, Any] = {b"rsa-sha2-256": hashes.SHA256, b"rsa-sha2-512": hashes.SHA512}
        self._kinds: dict[bytes, Callable[[bytes, bytes, bytes], None]] = {
            b"ssh-ed25519": self._by_ed25519,
            b"ssh-rsa": self._by_rsa,
            **dict.fromkeys(self._curves, self._by_ecdsa),
        }

    def knows(self, kind: str) -> bool:
        """Whether signatures by keys of this type can be verified here."""
        return kind.encode() in self._kinds

    def verify(self, kind: str, key: bytes, blob: bytes, signed: bytes) -> None:
        """Raise BadSignature unless the key, which is of this known type, made this signature over ``signed``."""
        try:
            _same(key[4 : 4 + int.from_bytes(key[:4], "big")], kind.encode())
            self._kinds[kind.encode()](key, blob, signed)
        except self._errors as error:
            raise BadSignature(str(error) if isinstance(error, BadSignature) else _NOT_MADE) from None

    def _by_ed25519(self, key: bytes, blob: bytes, signed: bytes) -> None:
        own, public = fields(key, 2)
        kind, signature = fields(blob, 2)
        _same(kind, own)
        self._ed25519.Ed25519PublicKey.from_public_bytes(public).verify(signature, signed)

    def _by_ecdsa(self, key: bytes, blob: bytes, signed: bytes) -> None:
        own, curve, point = fields(key, 3)
        kind, numbers = fields(blob, 2)
        name, make, algorithm = self._curves[own]
        _same(kind, own)
        _same(curve, name)
        _same(point[:1], _LONG_POINT)
        signature = self._utils.encode_dss_signature(*(_number(one) for one in fields(numbers, 2)))
        public = self._ec.EllipticCurvePublicKey.from_encoded_point(make(), point)
        public.verify(signature, signed, self._ec.ECDSA(algorithm()))

    def _by_rsa(self, key: bytes, blob: bytes, signed: bytes) -> None:
        _own, exponent, modulus = fields(key, 3)
        kind, signature = fields(blob, 2)
        numbers = self._rsa.RSAPublicNumbers(_number(exponent), _number(modulus))
        bits = numbers.n.bit_length()
        if kind not in self._rsa_hashes or not _SMALLEST_RSA <= bits <= _LARGEST_RSA:
            raise BadSignature(_NOT_MADE)
        whole = signature.rjust((bits + 7) // 8, b"\0")
        numbers.public_key().verify(whole, signed, self._padding.PKCS1v15(), self._rsa_hashes[kind]())


def _number(content: bytes) -> int:
    """A number of the SSH protocol, none of which is negative here."""
    if content[:1] >= b"\x80":
        raise BadSignature(_NOT_MADE)
    return int.from_bytes(content, "big")


def _same(found: bytes, wanted: bytes) -> None:
    if found != wanted:
        raise BadSignature(_NOT_MADE)
