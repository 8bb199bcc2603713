# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""How a published file is verified, by endpoints and by the server itself (C2)."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from .._core.metadata.envelope import unpack
from .._core.metadata.header import MAX_SIZE
from .host import Host
from .ssh_signatures import BadSignature, verify

if TYPE_CHECKING:
    from .._core.metadata.signed_document import SignedDocument


class OtherPurpose(BadSignature):
    """The signature was made for another kind of document."""


def verify_envelope(host: Host, content: bytes, signers: Iterable[str], kind: type[SignedDocument]) -> bytes:
    """The bytes of the document in a file, if it has the size and the form, and one of the signers signed it as such.

    Raises TooLarge, Malformed, OtherPurpose, UnknownKey or BadSignature; OSError where this host can't verify.
    """
    envelope = unpack(content, limit=MAX_SIZE)
    if envelope.namespace != kind.namespace:
        raise OtherPurpose("it was signed for another purpose")
    verify(host, envelope.document, envelope.signature, signers, kind.namespace)
    return envelope.document
