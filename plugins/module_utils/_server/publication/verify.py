# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""All that is published, checked as an endpoint would and against what the server knows."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Callable, Iterator
from typing import Union

from ..._core.canonical import digest
from ..._core.metadata import catalog
from ..._core.metadata.catalog import Catalog, CatalogItem, CatalogManifest
from ..._core.metadata.envelope import Malformed, TooLarge, unpack
from ..._core.metadata.header import NAMESPACE, Header
from ..._core.metadata.keyring import Keyring
from ..._core.metadata.policy_tree import FILE, KIND, PolicyTree
from ..._core.metadata.shard import SHARDS, Shard, file_of
from ..._core.validation.errors import InvalidDocument
from ..._core.values import frozen
from ..._host.filesystem.atomic_files import digest_of
from ..._host.host import Host
from ..._host.ssh_signatures import BadSignature, verify
from ..components.configured import published_components
from ..fleet import dirty_shards
from ..fleet.nodes import read_nodes
from .catalog import pending_catalog
from .keys import read_keyring
from .publish import pending_tree, shard_content
from .signer import LARGEST_FILE, Record, public_path, records

Document = Union[PolicyTree, Shard, Catalog]


@frozen
class Problem:
    """What is wrong with one published file (its path below the public directory)."""

    file: str
    what: str


def find_problems(host: Host, connection: sqlite3.Connection) -> list[Problem]:
    """Every problem, by file. To be called under ``publication_lock``."""
    ring = read_keyring(host)
    if ring is None:
        return [Problem(FILE, "nothing was ever published: there is no signing key")]
    check = _Check(host, connection, ring, records(connection))
    return list(check.all())


@frozen
class _Check:
    host: Host
    connection: sqlite3.Connection
    ring: Keyring
    records: dict[str, Record]

    def all(self) -> Iterator[Problem]:
        tree = pending_tree(read_nodes(self.connection), self.ring)
        yield from self._told(FILE, self._file(KIND, FILE, NAMESPACE, PolicyTree.from_bytes, tree.content))
        for number in range(SHARDS):
            content, file = digest(shard_content(self.connection, number)), file_of(number)
            told = self._file(dirty_shards.document(number), file, NAMESPACE, Shard.from_bytes, content)
            yield from self._told(file, told)
        draft = pending_catalog(published_components(self.host))
        told = self._file(catalog.KIND, catalog.FILE, catalog.NAMESPACE, Catalog.from_bytes, draft.content)
        yield from self._told(catalog.FILE, told)
        yield from self._components()

    def _told(self, file: str, what: Iterator[str]) -> Iterator[Problem]:
        yield from (Problem(file, one) for one in what)

    def _file(
        self, name: str, file: str, namespace: str, read: Callable[[bytes], Document], content: str
    ) -> Iterator[str]:
        """What is wrong with one document; ``content`` is the digest of what it should say."""
        found = self.host.read(public_path(file))
        if found is None:
            yield "missing"
            return
        try:
            sealed = unpack(found, limit=LARGEST_FILE)
            verify(self.host, sealed.document, sealed.signature, self.ring.signers, namespace)
            document = read(sealed.document)
        except (Malformed, TooLarge, BadSignature) as error:
            yield f"{'bad signature: ' if isinstance(error, BadSignature) else 'malformed: '}{error}"
            return
        except InvalidDocument as invalid:
            yield f"malformed: {invalid.errors[0]}"
            return
        yield from self._issue(name, _header_of(document))
        if _content_digest(document) != content:
            yield "it does not say what the records say"

    def _issue(self, name: str, issue: Header) -> Iterator[str]:
        record, now = self.records.get(name), self.host.now()
        if record is None or record.serial != issue.serial:
            known = "none" if record is None else str(record.serial)
            yield f"its serial is {issue.serial}, the last one on record is {known}"
        if now >= issue.expires:
            yield "it has expired"

    def _components(self) -> Iterator[Problem]:
        """The files of the published catalogue, as endpoints would find them."""
        found = self.host.read(public_path(catalog.FILE))
        try:
            current = Catalog.from_bytes(unpack(found or b"", limit=LARGEST_FILE).document)
        except (Malformed, TooLarge, InvalidDocument):
            return  # told already
        listed: tuple[CatalogItem | CatalogManifest, ...] = (*current.components, *current.manifests)
        for item in listed:
            what = self._component(item)
            if what:
                yield Problem(item.path, what)

    def _component(self, item: CatalogItem | CatalogManifest) -> str:
        real = self.host.real(public_path(item.path))
        try:
            size = os.stat(real).st_size
            if size != item.size:
                return f"it has {size} bytes, the catalogue says {item.size}"
            return "" if digest_of(real) == item.sha256 else "its content is not what the catalogue says"
        except FileNotFoundError:
            return "missing, though the catalogue has it"


def _header_of(document: Document) -> Header:
    if isinstance(document, Catalog):
        return Header(document.serial, document.issued, document.expires)
    return document.issue


def _content_digest(document: Document) -> str:
    """The digest of what a document says, as pending have it."""
    if isinstance(document, Catalog):
        return document.digest()
    if isinstance(document, Shard):
        return digest(document.endpoints)
    signers, domains = list(document.signers), document.domains
    return digest({"signers": signers, "shards": document.shards, "root": document.root, "domains": domains})
