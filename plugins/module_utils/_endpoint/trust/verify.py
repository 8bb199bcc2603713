# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""How a published file is verified: its size, its format, and a trusted key's signature (C2)."""

from __future__ import annotations

from collections.abc import Iterable

from ..._core.metadata.envelope import Malformed, TooLarge, unpack
from ..._core.metadata.sync_result import ConfigurationRejected, SyncResult
from ..._core.validation.errors import InvalidDocument
from ..._core.values import frozen
from ..._host.host import Host
from ..._host.ssh_signatures import BadSignature, UnknownKey, verify


@frozen
class FileKind:
    """What a published file has to be: signed for this ``namespace``, and no larger; ``what`` is the word for it."""

    what: str
    namespace: str
    limit: int


def verify_envelope(host: Host, content: bytes, signers: Iterable[str], kind: FileKind) -> bytes:
    """The document of a file that one of the signers signed for this use; raises ConfigurationRejected, OSError."""
    what = kind.what
    try:
        sealed = unpack(content, limit=kind.limit)
    except TooLarge as error:
        raise ConfigurationRejected(SyncResult.TOO_LARGE, f"{what}: {error}") from None
    except Malformed as error:
        raise ConfigurationRejected(SyncResult.MALFORMED, f"{what}: {error}") from None
    if sealed.namespace != kind.namespace:
        raise ConfigurationRejected(SyncResult.BAD_SIGNATURE, f"{what}: it was signed for another purpose")
    try:
        verify(host, sealed.document, sealed.signature, signers, kind.namespace)
    except UnknownKey as error:
        raise ConfigurationRejected(SyncResult.UNKNOWN_KEY, f"{what}: {error}") from None
    except BadSignature as error:
        raise ConfigurationRejected(SyncResult.BAD_SIGNATURE, f"{what}: {_one_line(error)}") from None
    return sealed.document


def malformed(what: str, error: InvalidDocument) -> ConfigurationRejected:
    """The refusal of a document that is signed, but not what it should be; one error tells enough, best its kind."""
    first = next((one for one in error.errors if one.path == "kind"), error.errors[0])
    return ConfigurationRejected(SyncResult.MALFORMED, f"{what}: {first}")


def _one_line(error: Exception) -> str:
    return str(error).splitlines()[0]
