# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""All that is published, checked as an endpoint would and against what the server knows."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator
from typing import Union

from ..._core.metadata.catalog import CatalogItem, CatalogManifest, deviation
from ..._core.metadata.channels import ChannelManifest
from ..._core.metadata.envelope import Malformed, TooLarge
from ..._core.metadata.header import Header, main_error
from ..._core.metadata.keyring import Keyring
from ..._core.metadata.policy_tree import FILE
from ..._core.metadata.shard import SHARDS
from ..._core.validation.errors import InvalidDocument
from ..._core.values import frozen
from ..._host.filesystem.atomic_files import digest_of
from ..._host.host import Host
from ..._host.signed_documents import verify_envelope
from ..._host.ssh_signatures import BadSignature
from ..channels.engines import engines_now
from ..channels.staged import MembershipOf, published_products
from ..fleet.nodes import read_nodes
from .catalog import pending_catalog, published_catalog
from .keys import read_keyring
from .publish import pending_shard, pending_tree
from .samples import damaged_samples, samples_digest
from .signer import PendingDocument, Record, public_path, records

_Entry = Union[CatalogItem, CatalogManifest, ChannelManifest]


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
        yield from self._of(pending_tree(read_nodes(self.connection), self.ring, samples_digest(self.host)))
        membership = MembershipOf.now(self.host)
        for number in range(SHARDS):
            yield from self._of(pending_shard(self.connection, number, membership))
        products = published_products(self.host, self.connection)
        yield from self._of(pending_catalog([*products.values(), engines_now(self.host, self.connection)]))
        yield from self._components()
        yield from (Problem(path, what) for path, what in damaged_samples(self.host))

    def _of(self, expected: PendingDocument) -> Iterator[Problem]:
        yield from (Problem(expected.file, what) for what in self._document(expected))

    def _document(self, expected: PendingDocument) -> Iterator[str]:
        """What is wrong with one published document, by what it should say."""
        found = self.host.read(public_path(expected.file))
        if found is None:
            yield "missing"
            return
        kind = type(expected.document)
        try:
            signed = verify_envelope(self.host, found, self.ring.signers, kind)
            header = kind.from_bytes(signed).header
        except BadSignature as error:
            yield f"bad signature: {error}"
            return
        except (Malformed, TooLarge) as error:
            yield f"malformed: {error}"
            return
        except InvalidDocument as invalid:
            yield f"malformed: {main_error(invalid)}"
            return
        yield from self._header(expected.name, header)
        if signed != expected.issued(header):
            yield "it does not say what the records say"

    def _header(self, name: str, header: Header) -> Iterator[str]:
        record, now = self.records.get(name), self.host.now()
        if record is None or record.serial != header.serial:
            known = "none" if record is None else str(record.serial)
            yield f"its serial is {header.serial}, the last one on record is {known}"
        if now >= header.expires:
            yield "it has expired"

    def _components(self) -> Iterator[Problem]:
        """The files of the published catalog, as endpoints would find them."""
        current = published_catalog(self.host)
        if current is None:
            return  # told already
        channels = tuple(one.manifest for one in current.channels if one.manifest is not None)
        listed: tuple[_Entry, ...] = (*current.components, *current.manifests, *channels)
        for entry in listed:
            what = self._component(entry)
            if what:
                yield Problem(entry.path, what)

    def _component(self, entry: _Entry) -> str:
        real = self.host.real(public_path(entry.path))
        try:
            return deviation(entry, os.stat(real).st_size, lambda: digest_of(real))
        except FileNotFoundError:
            return "missing, though the catalog has it"
