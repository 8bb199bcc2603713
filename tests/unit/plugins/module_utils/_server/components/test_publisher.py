# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Publishing a folder for the product files: a manifest, and each content under its digest."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest
from ansible_collections.epp.autoupdate.plugins.module_utils._core.metadata.manifest import InvalidManifest, Kind
from ansible_collections.epp.autoupdate.plugins.module_utils._server.components.publisher import published
from ansible_collections.epp.autoupdate.tests.unit.plugins.module_utils._endpoint.products.files.samples import (
    publish_set,
)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name, content in {"patterns/a.dat": "one", "engines/x/e.so": "engine", "tool": "tool"}.items():
        path = tmp_path / "folder" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content)
    return tmp_path / "folder"


def test_a_folder_becomes_a_manifest_and_objects(tmp_path: Path, folder: Path) -> None:
    target = tmp_path / "www"
    manifest = publish_set(folder, target, "1")
    assert {(file.path, file.component, file.kind) for file in manifest.files} == {
        ("patterns/a.dat", "patterns-a", Kind.PATTERN),
        ("engines/x/e.so", "engines-x", Kind.ENGINE),
        ("tool", "samples", Kind.PATTERN),
    }
    assert published(str(target)) == manifest
    assert json.loads((target / "manifest.json").read_text())["format"] == 1
    for file in manifest.files:
        assert (target / file.object_path).read_bytes() == (folder / file.path).read_bytes()


def test_what_did_not_change_keeps_its_version_and_its_object(tmp_path: Path, folder: Path) -> None:
    target = tmp_path / "www"
    first = publish_set(folder, target, "1")
    (folder / "patterns" / "a.dat").write_text("two")
    second = publish_set(folder, target, "2")
    assert {file.path: file.version for file in second.files} == {
        "patterns/a.dat": "2",
        "engines/x/e.so": "1",
        "tool": "1",
    }
    # Whoever holds an older manifest finds its contents for a day.
    old = next(file for file in first.files if file.path == "patterns/a.dat")
    assert (target / old.object_path).exists()
    (folder / "patterns" / "a.dat").write_text("three")
    publish_set(folder, target, "3")
    assert (target / old.object_path).exists()
    os.utime(target / old.object_path, (1e9, 1e9))
    publish_set(folder, target, "4")
    assert not (target / old.object_path).exists()


def test_nothing_published(tmp_path: Path) -> None:
    assert published(str(tmp_path)) is None


def test_a_name_that_no_endpoint_would_take(tmp_path: Path, folder: Path) -> None:
    (folder / "a\nb").write_text("x")
    with pytest.raises(InvalidManifest, match="path"):
        publish_set(folder, tmp_path / "www", "1")
    assert published(str(tmp_path / "www")) is None
