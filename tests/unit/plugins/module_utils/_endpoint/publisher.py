# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What an update server publishes, made with real keys and the real ssh-keygen, in the folder of a real web server."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from ansible_collections.epp.autoupdate.plugins.module_utils._core.canonical import readable_json, sha256_hex
from ansible_collections.epp.autoupdate.plugins.module_utils._core.metadata.catalog import (
    NAMESPACE as CATALOG_NAMESPACE,
)
from ansible_collections.epp.autoupdate.plugins.module_utils._core.metadata.catalog import (
    Catalog,
    CatalogItem,
    CatalogManifest,
)
from ansible_collections.epp.autoupdate.plugins.module_utils._core.metadata.envelope import pack
from ansible_collections.epp.autoupdate.plugins.module_utils._core.metadata.header import NAMESPACE, Header
from ansible_collections.epp.autoupdate.plugins.module_utils._core.metadata.manifest import Manifest
from ansible_collections.epp.autoupdate.plugins.module_utils._core.metadata.policy_tree import FILE, PolicyTree
from ansible_collections.epp.autoupdate.plugins.module_utils._core.metadata.shard import (
    Membership,
    Shard,
    file_of,
    shard_of,
)
from ansible_collections.epp.autoupdate.plugins.module_utils._host.local_host import LocalHost
from ansible_collections.epp.autoupdate.plugins.module_utils._host.ssh_signatures import sign

YEAR = 365 * 86400
CATALOG = "configuration/catalog.json"
ENDPOINT = "n1"


class Publisher:
    """An update server's signing hand; ``now`` is its clock.

    ``sign_with`` is the key that signs, ``signers`` are those that the tree names.
    """

    def __init__(self, folder: Path, directory: Path, now: float) -> None:
        self.folder = folder
        self.now = int(now)
        self._host = LocalHost(str(directory))
        self.sign_with = "a"
        self.public = {name: self._make_key(name) for name in ("a", "b")}
        self.signers = ("a",)
        self.serials = {"tree": 0, "shard": 0, "catalog": 0}
        self.shards = 256
        self.root: dict[str, Any] = {}
        self.domains: dict[str, dict[str, Any]] = {}
        self.endpoints: dict[str, Membership] = {ENDPOINT: Membership("", 7)}

    def server(self, url: str, **more: Any) -> dict[str, Any]:
        """The section ``server`` of an endpoint's document."""
        return {"url": url, "signers": [self.public["a"]], **more}

    def publish(self) -> None:
        """Publish tree and shard, each under its next serial."""
        self.tree()
        self.shard()

    def tree(self, **changes: Any) -> Path:
        root = changes.pop("root", self.root)
        header = self._header("tree", changes)
        signers = tuple(self.public[name] for name in self.signers)
        samples = changes.pop("samples", "")
        document = PolicyTree(header, signers, self.shards, root, self.domains, samples).to_bytes()
        return self.put(FILE, changes.pop("document", document), **changes)

    def shard(self, **changes: Any) -> Path:
        number = shard_of(ENDPOINT, self.shards)
        header = self._header("shard", changes)
        members = {name: place.to_dict() for name, place in self.endpoints.items()}
        document = Shard(header, changes.pop("number", number), members).to_bytes()
        return self.put(file_of(number), changes.pop("document", document), **changes)

    def catalog(self, manifest: Manifest, **changes: Any) -> Path:
        """List a manifest and what it lists."""
        items = [
            CatalogItem("files", file.component, file.version, file.kind, file.size, file.sha256, file.object_path)
            for file in manifest.files
        ]
        content = readable_json(manifest.to_dict())
        listing = [CatalogManifest("files", len(content), sha256_hex(content), "components/files/manifest.json")]
        header = self._header("catalog", changes)
        document = Catalog.of(header, items, listing)
        return self.put(CATALOG, document.to_bytes(), **{"namespace": CATALOG_NAMESPACE, **changes})

    def put(self, path: str, document: bytes, *, key: str = "", namespace: str = NAMESPACE, stated: str = "") -> Path:
        """Seal a document and put it where the web server finds it; it looks a minute old."""
        place = self.folder / path
        place.parent.mkdir(parents=True, exist_ok=True)
        signature = sign(self._host, document, f"/{key or self.sign_with}", namespace)
        place.write_bytes(pack(document, signature, stated or namespace))
        self.age(place)
        return place

    def age(self, place: Path) -> None:
        """Let a file look settled: of a younger one no endpoint remembers what the server said of it."""
        before = place.stat().st_mtime - 60
        os.utime(place, (before, before))

    def path(self, kind: str) -> Path:
        return self.folder / (FILE if kind == "tree" else file_of(shard_of(ENDPOINT, self.shards)))

    def _header(self, kind: str, changes: dict[str, Any]) -> Header:
        self.serials[kind] = changes.pop("serial", self.serials[kind] + 1)
        return Header(self.serials[kind], self.now, changes.pop("expires", self.now + YEAR))

    def _make_key(self, name: str) -> str:
        path = self._host.real(f"/{name}")
        Path(path).parent.mkdir(parents=True, exist_ok=True)
        self._host.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "", "-f", path], timeout=60)
        return " ".join(Path(f"{path}.pub").read_text().split()[:2])
