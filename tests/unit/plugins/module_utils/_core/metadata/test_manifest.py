# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Manifests: what is refused, with the place; versions as people read them."""

from __future__ import annotations

import json
from typing import Any

import pytest
from ansible_collections.epp.autoupdate.plugins.module_utils._core.metadata.manifest import (
    MAX_SIZE,
    InvalidManifest,
    Kind,
    Manifest,
    is_older,
    object_path,
)

DIGEST = "ab" * 32


def plain(**changes: Any) -> dict[str, Any]:
    """One file of a manifest."""
    base = {"path": "patterns/a.dat", "component": "a", "version": "1", "kind": "pattern", "size": 3, "sha256": DIGEST}
    return {**base, **changes}


def content(*files: Any, **changes: Any) -> bytes:
    return json.dumps({"format": 1, "version": "1", "files": list(files), **changes}).encode()


def test_reads_and_writes_the_same_value() -> None:
    manifest = Manifest.parse(content(plain(path="z"), plain(path="a", built=7)))
    assert [file.path for file in manifest.files] == ["a", "z"]
    assert manifest.files[0].kind is Kind.PATTERN
    assert Manifest.parse(json.dumps(manifest.to_dict()).encode()) == manifest


def test_objects_are_named_by_their_digest() -> None:
    assert object_path(DIGEST) == f"objects/ab/{DIGEST}"


@pytest.mark.parametrize(
    "path",
    [
        "",
        "/etc/passwd",
        "../up",
        "a/../../up",
        "a/./b",
        "a//b",
        "a/",
        "..",
        ".",
        "a\\..\\b",
        "a\nb",
        "a\0b",
        "x" * 256,
        "/".join(["d"] * 600),
        7,
        None,
    ],
)
def test_paths_that_lead_elsewhere_are_refused(path: object) -> None:
    with pytest.raises(InvalidManifest, match=r"files\[0\]\.path: .+ is not a"):
        Manifest.parse(content(plain(path=path)))


@pytest.mark.parametrize(
    ("raw", "why"),
    [
        (b"", "not JSON"),
        (b"{", "not JSON"),
        (b"[" * 100_000, "not JSON"),
        (b"[]", "not an object"),
        (b"\xff\xfe", "not JSON"),
        (b" " * (MAX_SIZE + 1), "larger than"),
        (content(format=2), "format: 2 is not known"),
        (content(format=None), "format: null is not known"),
        (content(files={}), "files: not a list"),
        (content("a"), r"files\[0\]: not an object"),
        (content(version=""), 'version: "" is not a word'),
        (content(version=1), "version: 1 is not a word"),
        (content(version="../1"), "is not a word"),
        (content(plain(), plain()), "is there twice"),
        (content(plain(path="A"), plain(path="a")), "is there twice"),
        (content(plain(path="a"), plain(path="a/b")), "lies below a file"),
        (content(plain(path="a"), plain(path="b", version="2")), "two versions or two kinds"),
        (content(plain(path="a"), plain(path="b", kind="engine")), "two versions or two kinds"),
        (content(plain(kind="virus")), r"files\[0\]\.kind: \"virus\" is none of pattern, engine, program"),
        (content(plain(size=-1)), r"files\[0\]\.size"),
        (content(plain(size=True)), r"files\[0\]\.size"),
        (content(plain(size="3")), r"files\[0\]\.size"),
        (content(plain(size=1 << 60)), r"files\[0\]\.size"),
        (content(plain(sha256=DIGEST.upper())), r"files\[0\]\.sha256"),
        (content(plain(sha256=DIGEST[1:])), r"files\[0\]\.sha256"),
        (content(plain(sha256=None)), r"files\[0\]\.sha256"),
        (content(plain(component="")), r"files\[0\]\.component"),
        (content(plain(component="a b")), r"files\[0\]\.component"),
        (content(plain(version="1/2")), r"files\[0\]\.version"),
        (content(plain(built="today")), r"files\[0\]\.built"),
    ],
)
def test_bad_manifests_are_refused_with_the_place(raw: bytes, why: str) -> None:
    with pytest.raises(InvalidManifest, match=why):
        Manifest.parse(raw)


@pytest.mark.parametrize(
    ("older", "newer"),
    [
        ("1", "2"),
        ("9", "10"),
        ("1.9", "1.10"),
        ("1.2", "1.2.1"),
        ("1.2.rc1", "1.2.1"),
        ("2026-11-22.9", "2026-11-22.10"),
        ("v1", "v2"),
        ("1a", "1b"),
        ("09", "10"),
    ],
)
def test_versions_are_compared_as_people_read_them(older: str, newer: str) -> None:
    assert is_older(older, newer)
    assert not is_older(newer, older)


@pytest.mark.parametrize(("one", "other"), [("1", "1"), ("1.0", "1-0"), ("01", "1")])
def test_equal_versions_are_not_older(one: str, other: str) -> None:
    assert not is_older(one, other)
    assert not is_older(other, one)
