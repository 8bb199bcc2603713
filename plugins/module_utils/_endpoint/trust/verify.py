# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which published documents an endpoint believes: signed by a trusted key, no older than before, not over (C2)."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from ..._core.canonical import sha256_hex
from ..._core.metadata.envelope import Malformed, TooLarge
from ..._core.metadata.header import main_error
from ..._core.metadata.sync_result import ConfigurationRejected, SyncResult
from ..._core.metadata.trusted import TrustedFile
from ..._core.validation.errors import InvalidDocument
from ..._host.host import Host
from ..._host.signed_documents import verify_envelope
from ..._host.ssh_signatures import BadSignature, UnknownKey

if TYPE_CHECKING:
    from ..._core.metadata.signed_document import Document

_RESULTS = (
    (TooLarge, SyncResult.TOO_LARGE),
    (Malformed, SyncResult.MALFORMED),
    (UnknownKey, SyncResult.UNKNOWN_KEY),
    (BadSignature, SyncResult.BAD_SIGNATURE),
)


def read_verified(
    host: Host, content: bytes, signers: Iterable[str], kind: type[Document]
) -> tuple[Document, TrustedFile]:
    """The document in a file that one of the signers signed, and what to remember of it.

    Raises ConfigurationRejected, OSError.
    """
    try:
        document = verify_envelope(host, content, signers, kind)
        read = kind.from_bytes(document)
    except (TooLarge, Malformed, BadSignature) as error:
        result = next(result for known, result in _RESULTS if isinstance(error, known))
        raise ConfigurationRejected(result, f"{kind.kind}: {error}") from None
    except InvalidDocument as error:
        raise malformed(kind.kind, error) from None
    return read, TrustedFile(read.header.serial, read.header.expires, sha256_hex(content), sha256_hex(document))


def malformed(what: str, error: InvalidDocument) -> ConfigurationRejected:
    """The refusal of a document that is signed, but not what it should be."""
    return ConfigurationRejected(SyncResult.MALFORMED, f"{what}: {main_error(error)}")


def check_issue(what: str, found: TrustedFile, known: TrustedFile | None, now: float) -> None:
    """Raise ConfigurationRejected for a document that is older than the known one, another one of its serial, or over.

    ``now`` is in Unix seconds.
    """
    if known is not None and found.serial < known.serial:
        why = f"{what}: its serial is {found.serial}, lower than {known.serial}, which was adopted"
        raise ConfigurationRejected(SyncResult.ROLLBACK, why)
    if known is not None and found.serial == known.serial and found.content != known.content:
        why = f"{what}: another one was adopted under its serial, {found.serial}"
        raise ConfigurationRejected(SyncResult.ROLLBACK, why)
    check_expiry(what, found, now)


def check_expiry(what: str, found: TrustedFile, now: float) -> None:
    """Raise ConfigurationRejected for a document that is over; also one that has not changed may be."""
    if found.expires <= now:
        from ..._core.timestamps import iso

        why = f"{what}: it ended at {iso(found.expires)} and no newer one is published"
        raise ConfigurationRejected(SyncResult.EXPIRED, why)
