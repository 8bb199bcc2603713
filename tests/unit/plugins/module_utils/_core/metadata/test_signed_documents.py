# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What tree, shard and catalog have in common: a header, a digest of the rest, and bytes that are read back."""

from __future__ import annotations

import json

import pytest
from ansible_collections.epp.autoupdate.plugins.module_utils._core.metadata.catalog import (
    Catalog,
    CatalogItem,
    CatalogManifest,
    deviation,
)
from ansible_collections.epp.autoupdate.plugins.module_utils._core.metadata.header import (
    UNISSUED,
    Header,
    main_error,
)
from ansible_collections.epp.autoupdate.plugins.module_utils._core.metadata.manifest import Kind
from ansible_collections.epp.autoupdate.plugins.module_utils._core.metadata.policy_tree import PolicyTree
from ansible_collections.epp.autoupdate.plugins.module_utils._core.metadata.shard import Shard
from ansible_collections.epp.autoupdate.plugins.module_utils._core.metadata.signed_document import SignedDocument
from ansible_collections.epp.autoupdate.plugins.module_utils._core.validation.errors import InvalidDocument
from ansible_collections.epp.autoupdate.plugins.module_utils._core.values import replace

HEADER = Header(3, 10, 20)
SIGNER = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAABAgMEBQYHCAkKCwwNDg8QERITFBUWFxgZGhscHR4f"
ITEM = CatalogItem("clamav", "daily", "27500", Kind.PATTERN, 12, "0" * 64, "components/clamav/daily.cvd")
LISTING = CatalogManifest("files", 34, "1" * 64, "components/files/manifest.json")
DOCUMENTS: dict[str, tuple[SignedDocument, SignedDocument]] = {
    "tree": (
        PolicyTree(HEADER, (SIGNER,), 256, {"events": {}}, {"emea": {}}),
        PolicyTree(HEADER, (SIGNER,), 256, {"events": {}}, {"apac": {}}),
    ),
    "shard": (Shard(HEADER, 3, {"a": {"ordinal": 1}}), Shard(HEADER, 3, {"a": {"ordinal": 2}})),
    "catalog": (Catalog.of(HEADER, [ITEM], [LISTING]), Catalog.of(HEADER, [ITEM])),
}
DIGESTS = {"tree": "bd3772369ef40b20", "shard": "54d82e595df3f2ac", "catalog": "e80814ab994143c0"}
"""How they begin."""


@pytest.mark.parametrize("kind", DOCUMENTS)
def test_a_document_is_read_back_and_is_of_its_kind(kind: str) -> None:
    document, _other = DOCUMENTS[kind]
    assert type(document).from_bytes(document.to_bytes()) == document
    raw = json.loads(document.to_bytes())
    assert (document.kind, raw["kind"], raw["format"]) == (kind, kind, 1)
    assert (raw["serial"], raw["issued"], raw["expires"]) == (3, 10, 20)


@pytest.mark.parametrize("kind", DOCUMENTS)
def test_the_digest_is_of_all_but_the_header(kind: str) -> None:
    document, other = DOCUMENTS[kind]
    for header in (UNISSUED, Header(9, 10, 99)):
        assert replace(document, header=header).digest() == document.digest()
    assert other.digest() != document.digest()


def test_a_digest_is_as_records_of_issues_hold_it() -> None:
    """Another one would let a server that is upgraded issue every document anew."""
    assert {kind: document.digest()[:16] for kind, (document, _other) in DOCUMENTS.items()} == DIGESTS


@pytest.mark.parametrize("kind", DOCUMENTS)
def test_a_document_before_it_is_issued_is_none_that_anybody_reads(kind: str) -> None:
    document, _other = DOCUMENTS[kind]
    with pytest.raises(InvalidDocument):
        type(document).from_bytes(replace(document, header=UNISSUED).to_bytes())


@pytest.mark.parametrize("kind", DOCUMENTS)
def test_of_a_document_of_another_kind_that_is_what_is_told(kind: str) -> None:
    other = next(one for name, (one, _other) in DOCUMENTS.items() if name != kind)
    with pytest.raises(InvalidDocument) as refused:
        type(DOCUMENTS[kind][0]).from_bytes(other.to_bytes())
    assert main_error(refused.value).path == "kind"


@pytest.mark.parametrize("entry", [ITEM, replace(LISTING, size=12, sha256="0" * 64)])
def test_a_file_is_what_the_catalog_says_or_the_deviation_is_told(entry: CatalogItem | CatalogManifest) -> None:
    asked = []

    def digest() -> str:
        asked.append(True)
        return "0" * 64

    assert deviation(entry, 11, digest) == "it has 11 bytes, the catalog says 12"
    assert asked == [], "the size is enough"
    assert deviation(entry, 12, digest) == ""
    assert deviation(entry, 12, lambda: "1" * 64) == "its content is not what the catalog says"
