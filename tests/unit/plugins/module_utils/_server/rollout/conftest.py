# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""An update server whose clock the tests put forward, and endpoints that do what agents do: read, take, report."""

from __future__ import annotations

import argparse
import json
import os
import shutil
from contextlib import closing
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.epp.autoupdate.plugins.module_utils._core.canonical import sha256_hex
from ansible_collections.epp.autoupdate.plugins.module_utils._core.metadata import shard as shards
from ansible_collections.epp.autoupdate.plugins.module_utils._core.metadata.catalog import FILE, Catalog
from ansible_collections.epp.autoupdate.plugins.module_utils._core.metadata.envelope import unpack
from ansible_collections.epp.autoupdate.plugins.module_utils._core.metadata.manifest import Manifest, manifest_path
from ansible_collections.epp.autoupdate.plugins.module_utils._core.reports.report import Occasion, Report
from ansible_collections.epp.autoupdate.plugins.module_utils._core.settings.registration import Registration
from ansible_collections.epp.autoupdate.plugins.module_utils._core.timestamps import iso
from ansible_collections.epp.autoupdate.plugins.module_utils._host.local_host import LocalHost
from ansible_collections.epp.autoupdate.plugins.module_utils._server import paths
from ansible_collections.epp.autoupdate.plugins.module_utils._server.cli import fetch, health, publication, rollout
from ansible_collections.epp.autoupdate.plugins.module_utils._server.database import database
from ansible_collections.epp.autoupdate.plugins.module_utils._server.database.database import open_database, transaction
from ansible_collections.epp.autoupdate.plugins.module_utils._server.fleet import dirty_shards
from ansible_collections.epp.autoupdate.plugins.module_utils._server.fleet.registry import register
from ansible_collections.epp.autoupdate.plugins.module_utils._server.publication import publish, verify
from ansible_collections.epp.autoupdate.plugins.module_utils._server.publication.keys import ensure_keyring
from ansible_collections.epp.autoupdate.plugins.module_utils._server.publication.signer import public_path
from ansible_collections.epp.autoupdate.plugins.module_utils._server.reports.records import take
from ansible_collections.epp.autoupdate.plugins.module_utils._server.reports.verdict import Good, Known

HOUR = 3600.0
BEGIN = 1_795_348_800.0
RINGS: dict[str, Any] = {
    "rings": [
        {"name": "canary", "endpoints": ["c1", "c2"], "bake_time": "1h"},
        {"name": "early", "domains": ["early"]},
        {"name": "broad"},
    ],
    "bake_time": "2h",
    "failure_threshold": 0,
    "deadline": "2d",
}
NAMES = {"canary": ("c1", "c2"), "early": ("e1", "e2", "e3"), "broad": ("b1", "b2", "b3", "b4", "b5")}


class MovedHost(LocalHost):
    """A sandbox whose clock stands still until somebody puts it forward."""

    clock = BEGIN

    def now(self) -> float:
        return self.clock


class Endpoint:
    """One endpoint: it takes what its channel is offered, never an older version, and reports."""

    def __init__(self, server: Server, name: str) -> None:
        self.server = server
        self.name = name
        self.version = ""
        self.components: dict[str, str] = {}
        self.taken: list[str] = []
        self.sequence = 0
        self.bad: set[str] = set()
        """The versions whose probe fails here."""
        self.refused: dict[str, dict[str, Any]] = {}
        """The probes that have failed, by version: none of these is begun again."""
        self.beside = ""
        """The product before this one, where it is not the first one of its endpoint."""
        self.beside_fails = False

    @property
    def channel(self) -> str:
        place = self.server.shard(self.name).membership(self.name)
        assert place is not None
        return (place.channels or {}).get("files", "")

    def offered(self) -> Manifest | None:
        """What the channel names, believed only as the catalog names it."""
        content = self.server.host.read(f"{paths.PUBLIC}/components/files/{manifest_path(self.channel)}")
        if content is None:
            return None
        named = self.server.catalog().channel("files", self.channel)
        assert named is not None
        assert named.manifest is not None
        assert (named.manifest.sha256, named.manifest.size) == (sha256_hex(content), len(content))
        found = Manifest.parse(content)
        assert found.version == named.version
        for file in found.files:
            assert self.server.host.exists(f"{paths.PUBLIC}/components/files/{file.object_path}")
        return found

    def update(self) -> None:
        """One run of the agent, with its report."""
        catalog, offered = self.server.catalog(), self.offered()
        held = catalog.hold_of("files", self.version, self.channel)
        goes_back = held is not None and held.restore
        if offered is None or offered.version == self.version:
            self.report("current")
        elif not goes_back and self.version and int(offered.version) < int(self.version):
            self.report("held", reason="nothing is downgraded")
        elif offered.version in self.refused:
            self.report("failed", reason="it failed its probe here", probe=self.refused[offered.version])
        else:
            assert catalog.hold_of("files", offered.version, self.channel) is None
            self.taken.append(offered.version)
            probe = {"product": "files", "versions": _versions(offered), "ok": offered.version not in self.bad}
            probe.update({"reason": "sample 1 is not found", "at": iso(self.server.host.clock)})
            if not probe["ok"]:
                self.refused[offered.version] = probe
            if probe["ok"]:
                self.version, self.components = offered.version, _versions(offered)
            self.report("updated" if probe["ok"] else "failed", probe=probe, reason="" if probe["ok"] else "probe")

    def report(self, result: str, *, reason: str = "", **status: Any) -> None:
        self.sequence += 1
        now = int(self.server.host.clock)
        run = {"result": result, "reason": reason, "started": iso(now), "finished": iso(now), "changed": []}
        components = [{"name": name, "version": one} for name, one in self.components.items()]
        told = {"product": "files", "components": components, "last": {"schedule": run}, "roaming": False, **status}
        if self.beside:
            run = {**run, "result": "failed" if self.beside_fails else "current", "reason": "no route"}
            told = {"product": self.beside, "components": [], "last": {"schedule": run}, "products": [told]}
            status = {}
        document = Report.of_status(
            told, endpoint=self.name, sequence=self.sequence, at=now, occasion=Occasion.RUN, agent="1.0.0"
        )
        raw = json.loads(document.to_bytes())
        raw["status"].update(status)
        good = Good(Report.from_bytes(document.to_bytes()), json.dumps(raw))
        with closing(open_database(self.server.host)) as connection, transaction(connection):
            take(connection, {self.name: good}, {self.name: Known("", 0)}, float(now))


class Server:
    """A server that publishes a folder by rings, and its command line."""

    def __init__(self, host: MovedHost, rollout: dict[str, Any]) -> None:
        self.host = host
        self.upstream = Path(host.real("/upstream"))
        self.endpoints: dict[str, Endpoint] = {}
        ensure_keyring(host)
        self.set(rollout)

    def set(self, rollout: dict[str, Any] | None) -> None:
        """The settings, as a converge writes them, with the publication that follows."""
        settings: dict[str, Any] = {
            "components": {"files": {"directory": "/upstream"}},
            "notify": {"notifier": "local"},
        }
        if rollout is not None:
            settings["rollout"] = {"files": rollout}
        self.host.write(paths.SETTINGS, json.dumps(settings).encode())

    def register(self, names: dict[str, tuple[str, ...]]) -> None:
        entries = [
            {"name": name, "domain": "early" if ring == "early" else "", "product": "files"}
            for ring, some in names.items()
            for name in some
        ]
        wanted = Registration.from_dict({"domains": {"early": {}}, "endpoints": entries})
        with closing(open_database(self.host)) as connection, transaction(connection):
            register(connection, wanted, now=self.host.clock)
        self.endpoints.update({one["name"]: Endpoint(self, one["name"]) for one in entries})
        assert self.run("publish") == 0
        for one in self.endpoints.values():
            one.report("current")

    def offer(self, content: str) -> None:
        """A new version upstream, and its fetch."""
        (self.upstream / "patterns").mkdir(parents=True, exist_ok=True)
        (self.upstream / "patterns/a.dat").write_text(content)
        assert self.run("fetch") == 0

    def run(self, *argv: str) -> int:
        parser = argparse.ArgumentParser()
        commands = parser.add_subparsers(required=True)
        for home in (fetch, health, publication, rollout):
            home.add_parsers(commands)
        options = parser.parse_args(argv)
        return int(options.run(self.host, options))

    def hours(self, count: float, *, reporting: bool = True, step: float = 0.5) -> None:
        """So many hours go by: endpoints update twice an hour, and the promotion job runs."""
        end = self.host.clock + count * HOUR
        while self.host.clock < end:
            self.host.clock += step * HOUR
            for one in self.endpoints.values() if reporting else ():
                one.update()
            assert self.run("promote") == 0

    def catalog(self) -> Catalog:
        content = self.host.read(public_path(FILE)) or b""
        return Catalog.from_bytes(unpack(content, limit=2**24).document)

    def shard(self, name: str) -> shards.Shard:
        content = self.host.read(public_path(shards.file_of(shards.shard_of(name, shards.SHARDS)))) or b""
        return shards.Shard.from_bytes(unpack(content, limit=2**24).document)

    def offered(self) -> dict[str, str]:
        return {one.channel: one.version for one in self.catalog().channels}

    def versions(self, ring: str) -> set[str]:
        return {self.endpoints[name].version for name in NAMES[ring]}

    def copy(self, root: Path) -> Server:
        """The same server in another place, as a backup has it."""
        shutil.copytree(self.host.real("/"), root)
        other = Server.__new__(Server)
        other.host = MovedHost(str(root))
        other.host.clock = self.host.clock
        other.upstream, other.endpoints = Path(other.host.real("/upstream")), {}
        return other


def _versions(manifest: Manifest) -> dict[str, str]:
    return {file.component: file.version for file in manifest.files}


def registered(server: Server, names: tuple[str, ...], *, product: str, further: tuple[str, ...]) -> None:
    """Register endpoints with several products."""
    entries = [{"name": name, "product": product, "further": list(further)} for name in names]
    with closing(open_database(server.host)) as connection, transaction(connection):
        register(connection, Registration.from_dict({"endpoints": entries}), now=server.host.clock)
    assert server.run("publish") == 0


class First:
    """The server as all tests find it, made once: ten endpoints in three rings, all of which have version 1."""

    def __init__(self, root: Path) -> None:
        root.mkdir()
        self._server = Server(MovedHost(str(root)), RINGS)
        self._server.offer("one")
        self._server.register(NAMES)
        self._server.hours(0.5)
        assert {one.version for one in self._server.endpoints.values()} == {"1"}

    def copy(self, root: Path) -> Server:
        made = self._server.copy(root)
        made.endpoints = deepcopy(self._server.endpoints, {id(self._server): made})
        return made


def few_shards(patch: pytest.MonkeyPatch) -> None:
    """Publish the tree in few parts, each of which costs a signature, and without waiting for the disk."""
    for module in (database, dirty_shards, publish, verify, shards):
        patch.setattr(module, "SHARDS", 8)
    patch.setattr(os, "fsync", lambda _descriptor: None)


@pytest.fixture(scope="session")
def first(tmp_path_factory: pytest.TempPathFactory) -> First:
    with pytest.MonkeyPatch.context() as patch:
        few_shards(patch)
        return First(tmp_path_factory.mktemp("rollout") / "server")


@pytest.fixture
def server(first: First, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Server:
    """Ten endpoints in three rings, all of which have version 1."""
    few_shards(monkeypatch)
    return first.copy(tmp_path / "server")
