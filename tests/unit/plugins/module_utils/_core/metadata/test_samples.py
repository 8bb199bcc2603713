# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a manifest of samples may list, and that a tree without samples is as it was (G3)."""

from __future__ import annotations

import json

import pytest
from ansible_collections.epp.autoupdate.plugins.module_utils._core.canonical import readable_json
from ansible_collections.epp.autoupdate.plugins.module_utils._core.metadata.header import Header
from ansible_collections.epp.autoupdate.plugins.module_utils._core.metadata.manifest import (
    InvalidManifest,
    ManifestFile,
)
from ansible_collections.epp.autoupdate.plugins.module_utils._core.metadata.policy_tree import PolicyTree
from ansible_collections.epp.autoupdate.plugins.module_utils._core.metadata.samples import (
    LARGEST,
    MAX_SIZE,
    MOST,
    is_malign,
    manifest_path,
    read_sample_manifest,
    sample_file,
    sample_manifest,
)
from ansible_collections.epp.autoupdate.plugins.module_utils._core.validation.errors import InvalidDocument

DIGEST = "ab" * 32
TREE = PolicyTree(Header(1, 0, 9), (f"ssh-ed25519 {'A' * 68}",), 8, {}, {})


def many(count: int, size: int) -> list[ManifestFile]:
    return [sample_file(f"find/{number}", size, DIGEST) for number in range(count)]


def test_what_is_written_is_read_and_the_directory_is_the_verdict() -> None:
    manifest = sample_manifest([sample_file("find/a.base64", 3, DIGEST), sample_file("clean/sh", 4, DIGEST)])
    assert read_sample_manifest(readable_json(manifest.to_dict())) == manifest
    assert {file.path: is_malign(file) for file in manifest.files} == {"find/a.base64": True, "clean/sh": False}
    assert manifest_path(DIGEST) == f"samples/objects/ab/{DIGEST}"


@pytest.mark.parametrize(
    ("files", "words"),
    [
        ([sample_file("other/a", 1, DIGEST)], "a sample is find/NAME or clean/NAME"),
        ([sample_file("find/a/b", 1, DIGEST)], "a sample is find/NAME or clean/NAME"),
        ([sample_file("a", 1, DIGEST)], "a sample is find/NAME or clean/NAME"),
        ([sample_file("find/../a", 1, DIGEST)], "a sample is find/NAME or clean/NAME"),
        (many(1, LARGEST + 1), f"it has {LARGEST + 1} bytes"),
        (many(MOST + 1, 1), f"there are {MOST + 1} samples"),
        (many(6, LARGEST), "bytes in all"),
        (many(1, 1) * 2, "is there twice"),
    ],
)
def test_more_than_is_allowed_is_neither_published_nor_believed(files: list[ManifestFile], words: str) -> None:
    with pytest.raises(InvalidManifest, match=words):
        sample_manifest(files)
    plain = {"format": 1, "version": "1", "files": [file.to_dict() for file in files]}
    with pytest.raises(InvalidManifest):
        read_sample_manifest(json.dumps(plain).encode())


def test_the_largest_manifest_is_within_what_endpoints_read() -> None:
    files = [sample_file(f"find/{number:02}{'x' * 253}", LARGEST // 20, DIGEST) for number in range(MOST)]
    assert len(readable_json(sample_manifest(files).to_dict())) <= MAX_SIZE


def test_a_tree_names_samples_where_there_are_some() -> None:
    assert b"samples" not in TREE.to_bytes()
    named = PolicyTree(**{**TREE.__dict__, "samples": DIGEST})
    assert PolicyTree.from_bytes(named.to_bytes()) == named
    assert named.digest() != TREE.digest()
    with pytest.raises(InvalidDocument, match="samples"):
        PolicyTree.from_bytes(named.to_bytes().replace(DIGEST.encode(), b"../etc/passwd"))
