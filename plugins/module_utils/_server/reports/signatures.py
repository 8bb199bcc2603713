# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Whether the pinned key of an endpoint made a signature over its report, found out by a library or by a program."""

from __future__ import annotations

from typing import Callable

from ..._core.reports.report import NAMESPACE
from ..._host.host import Host
from ..._host.ssh_signatures import BadSignature, UnknownKey
from ..._host.ssh_signatures import verify as verify_by_program
from ..._host.sshsig import key_blob, parse
from .cryptography_keys import KeyLibrary

Verify = Callable[[bytes, str, str], None]
"""Document, armored signature and public key; raises BadSignature, of which UnknownKey and OtherPurpose are kinds."""


class OtherPurpose(BadSignature):
    """The signature was made for something else than a report."""


def select_verify(host: Host) -> Verify:
    """The library, which verifies thousands a second; ``ssh-keygen`` where it is not installed."""
    return by_library(host) or by_program(host)


def by_library(host: Host) -> Verify | None:
    """By ``cryptography``, which is imported now, in this process; None where it is not there.

    A key of a type that it does not know is left to the program.
    """
    try:
        library = KeyLibrary()
    except ImportError:
        return None
    other = by_program(host)

    def check(document: bytes, armored: str, key: str) -> None:
        kind = key.partition(" ")[0]
        if not library.knows(kind):
            other(document, armored, key)
            return
        signature = parse(armored)
        _check(signature.key, signature.namespace, key)
        library.verify(kind, signature.key, signature.blob, signature.signed(document))

    return check


def by_program(host: Host) -> Verify:
    """By ``ssh-keygen``, a process for each signature."""

    def check(document: bytes, armored: str, key: str) -> None:
        signature = parse(armored)
        _check(signature.key, signature.namespace, key)
        verify_by_program(host, document, armored, (key,), NAMESPACE)

    return check


def _check(key: bytes, namespace: bytes, pinned: str) -> None:
    if key != key_blob(pinned):
        raise UnknownKey("it is signed by another key than the pinned one")
    if namespace != NAMESPACE.encode():
        raise OtherPurpose("it is signed for something else than a report")
