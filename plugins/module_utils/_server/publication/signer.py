# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Documents issued: each under a serial that was on record before, signed, and put in place whole (C1, C3).

A server that is killed between record and publication skips a serial, and never publishes two documents under one.
"""

from __future__ import annotations

import json
import os
import sqlite3
import stat
from collections.abc import Iterable, Sequence

from ..._core.canonical import sha256_hex
from ..._core.metadata.envelope import Malformed, TooLarge, pack, unpack
from ..._core.metadata.header import Header
from ..._core.metadata.keyring import SigningKey
from ..._core.metadata.signed_document import SignedDocument
from ..._core.values import frozen, replace
from ..._host.host import Host
from ..._host.ssh_signatures import sign_all
from .. import paths as places
from ..database.database import transaction
from ..fleet import dirty_shards
from .keys import path_of
from .restoration import note_issue

_LARGEST_FILE = 64 * 1024 * 1024
_PUBLIC_MODE = 0o644


@frozen
class PendingDocument:
    """A document before it is issued.

    ``name`` is what its serials are recorded under, ``file`` where it lies below the public directory.
    """

    name: str
    file: str
    document: SignedDocument

    @property
    def content(self) -> str:
        """The digest of what it says, its header aside."""
        return self.document.digest()

    def issued(self, header: Header) -> bytes:
        """What is to be signed."""
        return replace(self.document, header=header).to_bytes()


@frozen
class Record:
    """The last issue of a document. ``file`` is the digest of the published file, None where that was interrupted."""

    serial: int
    digest: str
    issued: int
    expires: int
    signer: str
    file: str | None


@frozen
class Signer:
    """Issues documents with one key; to be used under the lock of publication. ``lifetime`` is in seconds.

    Serials are higher than any that is on record or published, than ``above``, and than the seconds since 1970: so a
    server that lost its records, or got older ones back, undercuts none that it issued before, without knowing which
    those were (C4). The clock alone is not trusted: where it runs behind, the records count.
    """

    host: Host
    connection: sqlite3.Connection
    key: SigningKey
    lifetime: int
    above: int = 0

    def due(self, places: Iterable[tuple[str, str]], *, repair: bool = False) -> list[str]:
        """Which documents (name, file) have to be issued anew even if they say the same; ``repair``: look at files."""
        known = records(self.connection)
        return [name for name, file in places if self._due(known.get(name), file, repair=repair)]

    def _due(self, record: Record | None, file: str, *, repair: bool) -> bool:
        now = int(self.host.now())
        if record is None or record.file is None or record.signer != self.key.public:
            return True
        # The second of these: the lifetime was shortened, or the clock was wrong when it was issued.
        if record.expires - now <= self.lifetime // 2 or record.expires > now + self.lifetime:
            return True
        return not (self._whole(file, record) if repair else self.host.exists(public_path(file)))

    def issue(self, pending: Iterable[PendingDocument], *, repair: bool = False, anew: bool = False) -> list[str]:
        """Issue the documents that are due or have changed, with ``anew`` all; returns their names."""
        known = records(self.connection)
        wanted = [
            draft
            for draft in pending
            if anew
            or self._due(known.get(draft.name), draft.file, repair=repair)
            or known[draft.name].digest != draft.content
        ]
        for namespace in sorted({draft.document.namespace for draft in wanted}):
            self._issue([draft for draft in wanted if draft.document.namespace == namespace], namespace)
        return [draft.name for draft in wanted]

    def _issue(self, pending: Sequence[PendingDocument], namespace: str) -> None:
        headers = self._allocate_serials(pending)
        documents = [draft.issued(header) for draft, header in zip(pending, headers)]
        signatures = sign_all(self.host, documents, path_of(self.key), namespace)
        done = []
        for draft, document, signature in zip(pending, documents, signatures):
            content = pack(document, signature, namespace)
            _make_directories(self.host, draft.file)
            self.host.write(public_path(draft.file), content, mode=_PUBLIC_MODE)
            done.append((sha256_hex(content), draft.name))
        with transaction(self.connection):
            self.connection.executemany("UPDATE serials SET file = ? WHERE name = ?", done)
            note_issue(self.host, self.connection)
            dirty_shards.clear(self.connection, [draft.name for draft in pending])

    def _allocate_serials(self, pending: Sequence[PendingDocument]) -> list[Header]:
        """The next issue of each, on record. Should the records be older than what is published, that one counts."""
        known, now = records(self.connection), int(self.host.now())
        last = {
            draft.name: max(known[draft.name].serial if draft.name in known else 0, self._published_serial(draft.file))
            for draft in pending
        }
        headers = [
            Header(max(last[draft.name] + 1, self.above + 1, now), now, now + self.lifetime) for draft in pending
        ]
        rows = [
            (draft.name, header.serial, draft.content, header.issued, header.expires, self.key.public)
            for draft, header in zip(pending, headers)
        ]
        with transaction(self.connection):
            self.connection.executemany(
                "INSERT OR REPLACE INTO serials (name, serial, digest, issued, expires, signer, file)"
                " VALUES (?, ?, ?, ?, ?, ?, NULL)",
                rows,
            )
        return headers

    def _published_serial(self, file: str) -> int:
        content = self.host.read(public_path(file))
        try:
            serial = json.loads(unpack(content, limit=_LARGEST_FILE).document)["serial"] if content else 0
        except (Malformed, TooLarge, ValueError, KeyError, TypeError, RecursionError):
            return 0
        return serial if isinstance(serial, int) and not isinstance(serial, bool) and 0 < serial < 2**53 else 0

    def _whole(self, file: str, record: Record) -> bool:
        """Whether the file is as it was published, and readable for the web server."""
        content, status = self.host.read(public_path(file)), self.host.status(public_path(file))
        readable = status is not None and stat.S_ISREG(status.st_mode) and stat.S_IMODE(status.st_mode) == _PUBLIC_MODE
        return readable and content is not None and sha256_hex(content) == record.file


def public_path(file: str) -> str:
    """Where a published file lies on the server."""
    return f"{places.PUBLIC}/{file}"


def records(connection: sqlite3.Connection) -> dict[str, Record]:
    """The last issue of each document, by name."""
    rows = connection.execute("SELECT name, serial, digest, issued, expires, signer, file FROM serials")
    return {row["name"]: Record(*tuple(row)[1:]) for row in rows}


def _make_directories(host: Host, file: str) -> None:
    """The directories of a published file, open to the web server whatever the umask."""
    directory = places.PUBLIC
    host.mkdir(directory, mode=0o755)
    for part in os.path.dirname(file).split("/"):
        directory += f"/{part}"
        host.mkdir(directory, mode=0o755)
