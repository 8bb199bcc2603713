# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The update server's samples on an endpoint: asked for once, believed by digest, and removed with the tree (G3)."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest
from ansible_collections.epp.autoupdate.plugins.module_utils._core.canonical import readable_json, sha256_hex
from ansible_collections.epp.autoupdate.plugins.module_utils._core.metadata.manifest import object_path
from ansible_collections.epp.autoupdate.plugins.module_utils._core.metadata.samples import (
    manifest_path,
    sample_file,
    sample_manifest,
)
from ansible_collections.epp.autoupdate.plugins.module_utils._core.settings.endpoint import EndpointDocument
from ansible_collections.epp.autoupdate.plugins.module_utils._endpoint import paths
from ansible_collections.epp.autoupdate.plugins.module_utils._endpoint.products.published_samples import (
    PublishedSamples,
    SampleSet,
)
from ansible_collections.epp.autoupdate.tests.unit.plugins.module_utils._endpoint.sync.conftest import (
    Managed,
    managed,
    server,
)

__all__ = ("managed", "server")

FIRST = {"find/mark": b"MARK", "clean/sh": b"a shell"}
SECOND = {"find/mark": b"ANOTHER MARK", "clean/sh": b"a shell"}


def publish(managed: Managed, samples: dict[str, bytes]) -> str:
    """Samples and the tree that names them, which the endpoint adopts; returns the digest of the manifest."""
    files = [sample_file(path, len(content), sha256_hex(content)) for path, content in samples.items()]
    manifest = readable_json(sample_manifest(files).to_dict())
    for content in (manifest, *samples.values()):
        place = place_of(managed, content)
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(content)
    digest = sha256_hex(manifest)
    managed.publisher.tree(samples=digest)
    assert managed.sync().result.value == "adopted"
    managed.asked()
    return digest


def place_of(managed: Managed, content: bytes) -> Path:
    return managed.publisher.folder / "samples" / object_path(sha256_hex(content))


def current(managed: Managed) -> SampleSet:
    document = EndpointDocument.from_dict(managed.document())
    published = PublishedSamples.of(document, managed.sandbox.host)
    assert published is not None
    return published.current()


def contents(found: SampleSet) -> dict[str, bytes]:
    """Path and content of the samples that can be used."""
    return {one[0].path: one[1] for one in found.contents() if not isinstance(one, str)}


def kept(managed: Managed) -> Path:
    return Path(managed.sandbox.host.real(paths.SAMPLES))


def test_samples_are_asked_for_once_and_lie_there_for_root_alone(managed: Managed) -> None:
    assert current(managed) == SampleSet(managed.sandbox.host)
    assert managed.asked() == []
    publish(managed, FIRST)
    found = current(managed)
    assert (contents(found), found.why) == (FIRST, "")
    assert len(managed.asked()) == 3
    assert stat.S_IMODE(kept(managed).stat().st_mode) == 0o700
    assert contents(current(managed)) == FIRST
    assert managed.asked() == []


def test_of_another_set_only_what_is_new_is_asked_for_and_the_old_goes(managed: Managed) -> None:
    publish(managed, FIRST)
    current(managed)
    managed.asked()
    digest = publish(managed, SECOND)
    assert contents(current(managed)) == SECOND
    new = object_path(sha256_hex(SECOND["find/mark"]))
    assert [path for path, _status in managed.asked()] == [f"/{manifest_path(digest)}", f"/samples/{new}"]
    assert {path.name for path in kept(managed).iterdir()} == {
        "manifest.json",
        *map(sha256_hex, SECOND.values()),
    }


@pytest.mark.parametrize("what", ["sample", "manifest", "gone", "too much"])
def test_what_is_not_as_the_tree_says_is_refused_and_the_set_before_counts(managed: Managed, what: str) -> None:
    publish(managed, FIRST)
    current(managed)
    digest = publish(managed, SECOND)
    place = place_of(managed, SECOND["find/mark"])
    if what == "sample":
        place.write_bytes(b"another mark")
    elif what == "too much":
        place.write_bytes(SECOND["find/mark"] + b"more")
    elif what == "gone":
        place.unlink()
    else:
        manifest = managed.publisher.folder / manifest_path(digest)
        manifest.write_bytes(manifest.read_bytes().replace(b"find", b"fund"))
    found = current(managed)
    assert contents(found) == FIRST
    assert found.why.startswith("the samples of the update server: ")
    assert found.why.endswith("; those of before count")
    place.write_bytes(SECOND["find/mark"])
    if what != "manifest":
        assert contents(current(managed)) == SECOND


def test_without_a_set_before_there_is_none(managed: Managed) -> None:
    publish(managed, FIRST)
    managed.server.stop()
    found = current(managed)
    assert (contents(found), found.files) == ({}, ())
    assert found.why.endswith("; none of them are here")


def test_a_sample_that_was_taken_away_here_is_asked_for_once_more_and_else_told(managed: Managed) -> None:
    publish(managed, FIRST)
    current(managed)
    sample = kept(managed) / sha256_hex(FIRST["find/mark"])
    sample.write_bytes(b"quarantined")
    managed.asked()
    assert contents(current(managed)) == FIRST
    assert len(managed.asked()) == 1
    sample.unlink()
    managed.server.stop()
    found = current(managed)
    assert contents(found) == {"clean/sh": b"a shell"}
    told = [one for one in found.contents() if isinstance(one, str)]
    assert told[1:] == ["the sample find/mark of the update server is gone"]


def test_samples_that_are_published_no_more_are_removed_with_the_next_tree(managed: Managed) -> None:
    publish(managed, FIRST)
    current(managed)
    managed.publisher.tree()
    managed.sync()
    assert not kept(managed).exists()
    assert contents(current(managed)) == {}
