# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Without settings of rings, what is published is byte by byte what it was before there were any (G1)."""

from __future__ import annotations

import json
import os
from hashlib import sha256
from pathlib import Path
from typing import Any

from ansible_collections.epp.autoupdate.plugins.module_utils._core.metadata import shard as shards
from ansible_collections.epp.autoupdate.plugins.module_utils._core.metadata.envelope import unpack
from ansible_collections.epp.autoupdate.plugins.module_utils._server import paths

from .conftest import BEGIN, RINGS, MovedHost, Server

BUILT = 1_795_000_000
CONTENT = "one"
DIGEST = sha256(CONTENT.encode()).hexdigest()
HEADER = {"expires": int(BEGIN) + 14 * 86400, "format": 1, "issued": int(BEGIN), "serial": int(BEGIN)}


def canonical(document: dict[str, Any]) -> bytes:
    return json.dumps(document, sort_keys=True, separators=(",", ":")).encode()


def manifest() -> bytes:
    file = {"built": BUILT, "component": "patterns-a", "kind": "pattern", "path": "patterns/a.dat", "sha256": DIGEST}
    whole = {"files": [{**file, "size": len(CONTENT), "version": "1"}], "format": 1, "version": "1"}
    return json.dumps(whole, indent=2, sort_keys=True).encode() + b"\n"


def catalog() -> bytes:
    """The catalog as the format of the product files has it without channels and holds."""
    base = "components/files"
    item = {
        "kind": "pattern",
        "name": "patterns-a",
        "path": f"{base}/objects/{DIGEST[:2]}/{DIGEST}",
        "product": "files",
    }
    named = {"path": f"{base}/manifest.json", "product": "files", "sha256": sha256(manifest()).hexdigest()}
    components = [{**item, "sha256": DIGEST, "size": len(CONTENT), "version": "1"}]
    return canonical({**HEADER, "kind": "catalog", "components": components, "manifests": [{**named, "size": 305}]})


def published(root: Path, rollout: dict[str, Any] | None) -> dict[str, bytes]:
    """Everything that a server with one endpoint and one version serves, by path; documents without their signature."""
    server = Server(MovedHost(str(root)), RINGS)
    server.set(rollout)
    (server.upstream / "patterns").mkdir(parents=True)
    (server.upstream / "patterns/a.dat").write_text(CONTENT)
    os.utime(server.upstream / "patterns/a.dat", (BUILT, BUILT))
    assert server.run("fetch") == 0
    server.register({"broad": ("b1",)})
    public = Path(server.host.real(paths.PUBLIC))
    found = {file.relative_to(public).as_posix(): file.read_bytes() for file in public.rglob("*") if file.is_file()}
    signed = {name: unpack(one, limit=2**24).document for name, one in found.items() if name.startswith("config")}
    return {**found, **signed}


def test_what_is_published_without_rings_is_what_it_was_before_there_were_any(tmp_path: Path) -> None:
    files = published(tmp_path, None)
    number = shards.shard_of("b1", shards.SHARDS)
    mine = files[shards.file_of(number)]
    assert mine == canonical(
        {**HEADER, "endpoints": {"b1": {"domain": "", "ordinal": 0}}, "kind": "shard", "shard": number}
    )
    assert files["configuration/catalog.json"] == catalog()
    assert files["components/files/manifest.json"] == manifest()
    own = [name for name in files if not name.startswith("configuration/shards")]
    assert sorted(own) == [
        "components/files/manifest.json",
        f"components/files/objects/{DIGEST[:2]}/{DIGEST}",
        "configuration/catalog.json",
        "configuration/tree.json",
    ]


def test_with_rings_it_would_be_more(tmp_path: Path) -> None:
    files = published(tmp_path, RINGS)
    assert len(files["configuration/catalog.json"]) > len(catalog())
    assert b'"channels":{"files":"broad"}' in b"".join(files.values())
    assert "components/files/channels/canary/manifest.json" in files
