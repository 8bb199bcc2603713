# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""OpenSSH's signatures over documents: ``ssh-keygen -Y``."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterable, Sequence

from .host import Host
from .sshsig import BadSignature, key_blob, parse

__all__ = ("SIGNER", "BadSignature", "UnknownKey", "sign", "sign_all", "verify")

SIGNER = "epp-update-server"
_LONGEST_S = 60.0
_MOST_AT_ONCE = 1000
"""Documents of one ssh-keygen, whose paths stand on its command line, which has an end."""


class UnknownKey(BadSignature):
    """The signature's key is not among those that are allowed."""


def sign(host: Host, document: bytes, key_path: str, namespace: str, *, timeout: float = _LONGEST_S) -> str:
    """The signature over a document by the private key at ``key_path``, in ``timeout`` seconds; raises OSError."""
    argv = ["ssh-keygen", "-Y", "sign", "-q", "-f", host.real(key_path), "-n", namespace]
    done = host.run(argv, timeout=timeout, stdin=document)
    if done.code != 0 or not done.out.startswith("-----BEGIN SSH SIGNATURE-----"):
        raise OSError(f"{key_path}: ssh-keygen did not sign: {(done.err or done.out).strip() or f'it {done.ended}'}")
    return done.out


def verify(host: Host, document: bytes, signature: str, signers: Iterable[str], namespace: str) -> None:
    """Raise UnknownKey or BadSignature unless one of the public keys ``signers`` made this signature.

    Which key signed stands in the signature itself, so no words of ssh-keygen have to be understood. What it reads lies
    in a temporary directory for as long as it runs, so check mode may verify, too.
    """
    allowed = tuple(signers)
    if parse(signature).key not in {key_blob(key) for key in allowed}:
        raise UnknownKey("the signature's key is not an allowed one")
    with tempfile.TemporaryDirectory(prefix="epp-signature-") as directory:
        place, signers_path = os.path.join(directory, "signature"), os.path.join(directory, "signers")
        with open(place, "w", encoding="utf-8") as file:
            file.write(signature)
        with open(signers_path, "wb") as file_of_keys:
            file_of_keys.write(_allowed_signers(allowed))
        check = ["ssh-keygen", "-Y", "verify", "-f", signers_path, "-s", place, "-I", SIGNER, "-n", namespace]
        done = host.run(check, timeout=_LONGEST_S, stdin=document)
    if done.cut:
        raise BadSignature(f"it could not be checked: ssh-keygen {done.ended}")
    if done.code != 0:
        told = (done.err or done.out).strip().splitlines()
        raise BadSignature(told[0] if told else "the signature does not belong to the document")


def sign_all(host: Host, documents: Sequence[bytes], key_path: str, namespace: str) -> list[str]:
    """The signatures over many documents, made by one process for each thousand; raises OSError."""
    signatures: list[str] = []
    for first in range(0, len(documents), _MOST_AT_ONCE):
        signatures += _sign(host, documents[first : first + _MOST_AT_ONCE], key_path, namespace)
    return signatures


def _sign(host: Host, documents: Sequence[bytes], key_path: str, namespace: str) -> list[str]:
    with tempfile.TemporaryDirectory(prefix="epp-signature-") as directory:
        places = [os.path.join(directory, str(number)) for number in range(len(documents))]
        for place, document in zip(places, documents):
            with open(place, "wb") as file:
                file.write(document)
        argv = ["ssh-keygen", "-Y", "sign", "-q", "-f", host.real(key_path), "-n", namespace, *places]
        done = host.run(argv, timeout=_LONGEST_S + len(documents))
        if done.code != 0:
            raise OSError(
                f"{key_path}: ssh-keygen did not sign: {(done.err or done.out).strip() or f'it {done.ended}'}"
            )
        return [_signature(place + ".sig") for place in places]


def _allowed_signers(keys: Iterable[str]) -> bytes:
    """The file by which ssh-keygen lets every one of these public keys sign."""
    return "".join(f"{SIGNER} {key}\n" for key in keys).encode()


def _signature(path: str) -> str:
    with open(path, encoding="ascii") as file:
        return file.read()
