# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A managed endpoint believes its component source only as far as the signed catalog vouches for it (C2)."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Callable

import pytest
from ansible_collections.epp.autoupdate.plugins.module_utils._core.canonical import canonical_json
from ansible_collections.epp.autoupdate.plugins.module_utils._core.metadata.catalog import NAMESPACE, Catalog
from ansible_collections.epp.autoupdate.plugins.module_utils._core.results import Outcome, Result
from ansible_collections.epp.autoupdate.plugins.module_utils._core.settings.endpoint import EndpointDocument
from ansible_collections.epp.autoupdate.plugins.module_utils._core.values import replace
from ansible_collections.epp.autoupdate.plugins.module_utils._endpoint.products import select_product
from ansible_collections.epp.autoupdate.plugins.module_utils._endpoint.products.files import update as files_update
from ansible_collections.epp.autoupdate.tests.unit.plugins.module_utils._endpoint.products.files.samples import (
    publish_set,
)
from ansible_collections.epp.autoupdate.tests.unit.plugins.module_utils._endpoint.publisher import CATALOG, YEAR

from ..sync.conftest import Managed

COMPONENTS = "components/files"


class Source:
    """The server's components for the product files, and the catalog of them."""

    def __init__(self, managed: Managed, folder: Path) -> None:
        self.managed, self.publisher, self.folder = managed, managed.publisher, folder
        raw = managed.document(product="files")
        del raw["command"]
        document = EndpointDocument.from_dict(raw)
        urls = (f"{managed.server.url}/{COMPONENTS}",)
        policy = replace(document.policy, sources=replace(document.policy.sources, urls=urls))
        self.product = select_product(replace(document, policy=policy), managed.sandbox.host)
        self.target = Path(managed.server.folder) / COMPONENTS
        self.target.mkdir(parents=True)
        self.release("1", a="one", b="two")

    def components(self, version: str, **contents: str) -> Any:
        for name, content in contents.items():
            path = self.folder / "patterns" / f"{name}.dat"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(content)
        return publish_set(self.folder, self.target, version)

    def release(self, version: str, **contents: str) -> None:
        self.publisher.catalog(self.components(version, **contents))

    def manifest(self, change: Callable[[dict[str, Any]], None]) -> None:
        """Let the web server's own side change what the manifest lists."""
        path = self.target / "manifest.json"
        raw = json.loads(path.read_text())
        change(raw)
        path.write_text(json.dumps(raw))

    def update(self) -> Outcome:
        return self.product.update(60)

    def installed(self) -> dict[str, str]:
        current = self.managed.sandbox.root / "var/lib/epp-autoupdate/components/current/patterns"
        return {path.stem: path.read_text() for path in current.glob("*.dat")}

    def installed_version(self) -> str:
        release = self.product.store().installed()
        return str(release.manifest.version)

    def catalog_requests(self) -> list[int]:
        return [status for path, status in self.managed.asked() if path == f"/{CATALOG}"]

    def objects(self) -> list[str]:
        return [path for path, _status in self.managed.server.seen() if "/objects/" in path]


@pytest.fixture
def source(managed: Managed, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Source:
    monkeypatch.setattr(files_update, "_PAUSES_S", (0.0,))
    monkeypatch.setattr(files_update, "with_jitter", lambda seconds, _draw: seconds)
    return Source(managed, tmp_path / "source")


def test_what_the_catalog_vouches_for_is_installed(source: Source) -> None:
    assert source.update().result is Result.UPDATED
    assert source.installed() == {"a": "one", "b": "two"}
    assert source.catalog_requests() == [200]
    assert source.update().result is Result.CURRENT
    assert source.catalog_requests() == []
    source.release("2", a="three")
    assert source.update().result is Result.UPDATED
    assert source.installed() == {"a": "three", "b": "two"}


def test_an_unchanged_catalog_costs_one_conditional_request(source: Source) -> None:
    source.update()
    source.managed.asked()
    source.components("2", a="not in the catalog")
    assert source.update().result is Result.HELD
    assert source.catalog_requests() == [304, 304]


def test_a_source_that_is_ahead_of_the_catalog_is_asked_again(source: Source, monkeypatch: pytest.MonkeyPatch) -> None:
    """The server publishes components first, then the catalog."""
    source.update()
    manifest = source.components("2", a="three")
    sleep = files_update.time.sleep

    def catalog_comes(seconds: float) -> None:
        source.publisher.catalog(manifest)
        sleep(seconds)

    monkeypatch.setattr(files_update.time, "sleep", catalog_comes)
    assert source.update().result is Result.UPDATED
    assert source.installed()["a"] == "three"


def bump(raw: dict[str, Any], **changes: Any) -> None:
    """Let a newer version differ in its first file."""
    raw["version"] = "2"
    raw["files"][0].update(changes)


def exchanged(raw: dict[str, Any]) -> None:
    """Let each of two files have the content that was vouched for in the place of the other."""
    first, second = raw["files"]
    first["path"], second["path"] = second["path"], first["path"]


LIES: dict[str, Callable[[dict[str, Any]], None]] = {
    "other content": lambda raw: bump(raw, sha256="0" * 64),
    "another size": lambda raw: bump(raw, size=4),
    "another version of a component": lambda raw: bump(raw, version="9"),
    "another name": lambda raw: bump(raw, component="evil"),
    "another kind": lambda raw: bump(raw, kind="engine"),
    "another age": lambda raw: bump(raw, built=1),
    "a file more": lambda raw: raw["files"].append({**raw["files"][0], "path": "patterns/c.dat", "component": "c"}),
    "a file less": lambda raw: raw["files"].pop(),
    "vouched content at another path": lambda raw: bump(raw, path="engines/run.dat"),
    "vouched contents at each other's path": exchanged,
    "the same under a version that no later one follows": lambda raw: raw.update(version="999999"),
}


@pytest.mark.parametrize("lie", LIES)
def test_nothing_is_taken_that_the_catalog_does_not_vouch_for(source: Source, lie: str) -> None:
    """Whatever a web server changes in the manifest is not installed, and the genuine next version is."""
    source.update()
    source.managed.server.forget()
    source.manifest(LIES[lie])
    outcome = source.update()
    assert (outcome.result, "not the one" in outcome.why) == (Result.HELD, True), outcome
    assert source.objects() == []
    assert source.installed() == {"a": "one", "b": "two"}
    assert source.installed_version() == "1"
    source.release("2", a="three")
    assert source.update().result is Result.UPDATED
    assert source.installed() == {"a": "three", "b": "two"}


def test_without_a_manifest_in_the_catalog_nothing_is_taken(source: Source) -> None:
    raw = json.loads((source.publisher.folder / CATALOG).read_bytes().partition(b"\n")[2])
    document = Catalog.from_bytes(canonical_json({**raw, "manifests": [], "serial": 2})).to_bytes()
    source.publisher.put(CATALOG, document, namespace=NAMESPACE)
    outcome = source.update()
    assert (outcome.result, "names no manifest of the product files" in outcome.why) == (Result.HELD, True), outcome


def test_content_that_is_not_what_was_vouched_for(source: Source) -> None:
    for path in (source.target / "objects").rglob("*"):
        if path.is_file():
            path.write_bytes(path.read_bytes()[::-1])
    outcome = source.update()
    assert (outcome.result, "SHA-256 is not what the manifest says" in outcome.why) == (Result.FAILED, True)
    assert source.installed() == {}


def edited(source: Source) -> None:
    path = source.publisher.folder / CATALOG
    path.write_bytes(path.read_bytes().replace(b'"size":3', b'"size":4'))


REFUSED: dict[str, tuple[Callable[[Source, Any], Any], str]] = {
    "edited": (lambda source, manifest: edited(source), "bad_signature"),
    "signed as a configuration": (
        lambda s, m: s.publisher.catalog(m, namespace="epp-configuration"),
        "bad_signature",
    ),
    "by another key": (lambda s, m: s.publisher.catalog(m, key="b"), "unknown_key"),
    "of a lower serial": (lambda s, m: s.publisher.catalog(m, serial=4), "rollback"),
    "another of the same serial": (lambda s, m: s.publisher.catalog(m, serial=5), "rollback"),
    "ended": (lambda s, m: s.publisher.catalog(m, expires=s.publisher.now), "expired"),
    "too large": (lambda s, m: (s.publisher.folder / CATALOG).write_bytes(bytes(17 << 20)), "too_large"),
    "cut off": (lambda s, m: (s.publisher.folder / CATALOG).write_bytes(b'{"format":1'), "malformed"),
    "gone": (lambda s, m: (s.publisher.folder / CATALOG).unlink(), "unreachable"),
    "a tree in its place": (
        lambda s, m: s.publisher.tree().replace(s.publisher.folder / CATALOG),
        "bad_signature",
    ),
}


@pytest.mark.parametrize("way", REFUSED)
def test_a_catalog_that_is_tampered_with_is_refused_with_its_own_result(source: Source, way: str) -> None:
    source.release("1", a="one")
    source.publisher.catalog(source.components("1"), serial=5)
    assert source.update().result is Result.UPDATED
    source.managed.server.forget()
    tamper, result = REFUSED[way]
    tamper(source, source.components("2", a="six"))
    outcome = source.update()
    assert outcome.result is Result.FAILED
    assert outcome.why.startswith(f"{result}: catalog")
    assert source.objects() == []
    assert source.installed() == {"a": "one", "b": "two"}
    source.publisher.catalog(source.components("3", a="six"), serial=6)
    assert source.update().result is Result.UPDATED


def test_a_rotated_key_signs_the_catalog_too(source: Source) -> None:
    source.update()
    publisher = source.publisher
    publisher.signers = ("a", "b")
    publisher.publish()
    source.managed.sync()
    publisher.sign_with = "b"
    source.release("2", a="three")
    assert source.update().result is Result.UPDATED


def test_a_record_of_before_its_expiry_was_kept_still_protects_from_a_rollback(source: Source) -> None:
    source.publisher.catalog(source.components("1"), serial=5)
    assert source.update().result is Result.UPDATED
    record = source.managed.sandbox.root / "var/lib/epp-autoupdate/configuration/catalog.json"
    kept = json.loads(record.read_text())
    assert kept.pop("expires") == source.publisher.now + YEAR
    record.write_text(json.dumps(kept))
    source.publisher.catalog(source.components("2", a="six"), serial=4)
    assert source.update().why.startswith("rollback: catalog: its serial is 4, lower than 5")
