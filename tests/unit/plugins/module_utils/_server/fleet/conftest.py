# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A server in a sandbox, through its own command line, with a clock that can be put forward."""

from __future__ import annotations

import io
import json
import os
import shutil
import sqlite3
import sys
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.epp.autoupdate.plugins.module_utils._core.metadata.policy_tree import FILE, PolicyTree
from ansible_collections.epp.autoupdate.plugins.module_utils._core.metadata.shard import Shard, file_of, shard_of
from ansible_collections.epp.autoupdate.plugins.module_utils._core.metadata.signed_document import Document
from ansible_collections.epp.autoupdate.plugins.module_utils._host.local_host import LocalHost
from ansible_collections.epp.autoupdate.plugins.module_utils._host.signed_documents import verify_envelope
from ansible_collections.epp.autoupdate.plugins.module_utils._server import paths
from ansible_collections.epp.autoupdate.plugins.module_utils._server.cli import parser
from ansible_collections.epp.autoupdate.plugins.module_utils._server.database import database
from ansible_collections.epp.autoupdate.plugins.module_utils._server.database.database import open_database
from ansible_collections.epp.autoupdate.plugins.module_utils._server.fleet import dirty_shards
from ansible_collections.epp.autoupdate.plugins.module_utils._server.publication import publish
from ansible_collections.epp.autoupdate.plugins.module_utils._server.publication import verify as verification
from ansible_collections.epp.autoupdate.plugins.module_utils._server.publication.signer import public_path

DAY = 86400


class ServerHost(LocalHost):
    """A sandbox host whose clock can be put forward."""

    ahead = 0.0

    def now(self) -> float:
        return super().now() + ServerHost.ahead


class Server:
    """An update server's command line and what it publishes."""

    def __init__(
        self, host: ServerHost, shards: int, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
    ) -> None:
        self.host = host
        self.shards = shards
        self._monkeypatch = monkeypatch
        self._capsys = capsys

    def run(self, *argv: str, document: Any = None) -> tuple[int, str, str]:
        """Exit status, output and errors of one command; ``document`` is its standard input."""
        given = document if isinstance(document, bytes) else json.dumps(document).encode()
        self._monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(given)))
        self._capsys.readouterr()
        status = parser.main([*argv, "--root", self.host.root])
        told = self._capsys.readouterr()
        return status, told.out, told.err

    def ask(self, *argv: str, document: Any = None) -> Any:
        """The JSON that a command that succeeds tells."""
        status, out, err = self.run(*argv, document=document)
        assert status == 0, out + err
        return json.loads(out)

    def refused(self, *argv: str, document: Any = None) -> list[str]:
        """The lines of a refusal."""
        status, out, _err = self.run(*argv, document=document)
        told = json.loads(out)
        assert (status, told["failed"], told["changed"]) == (65, True, False)
        return str(told["msg"]).splitlines()

    def register(self, *names: str, **more: Any) -> Any:
        """Register these endpoints, each with the same more."""
        return self.ask("register", document={"endpoints": [{"name": name, **more} for name in names]})

    def set(self, scope: str, values: Any = None, *, name: str = "", **more: Any) -> Any:
        return self.ask("tree", "set", document={"scope": scope, "name": name, "values": values or {}, **more})

    def settings(self, **sections: Any) -> None:
        self.host.write(paths.SETTINGS, json.dumps(sections).encode())

    def forward(self, seconds: float) -> None:
        ServerHost.ahead += seconds

    def connection(self) -> closing[sqlite3.Connection]:
        return closing(open_database(self.host))

    def document(self, file: str, signers: tuple[str, ...], kind: type[Document]) -> Document:
        """What a file says, checked as an endpoint that trusts these keys would."""
        content = self.host.read(public_path(file)) or b""
        return kind.from_bytes(verify_envelope(self.host, content, signers, kind))

    def tree(self, *signers: str) -> PolicyTree:
        return self.document(FILE, signers or self.signers(), PolicyTree)

    def shard(self, endpoint: str, *signers: str) -> Shard:
        return self.document(self.shard_file(endpoint), signers or self.signers(), Shard)

    def shard_file(self, endpoint: str) -> str:
        """Where the shard of an endpoint is published."""
        return file_of(shard_of(endpoint, self.shards))

    def signers(self) -> tuple[str, ...]:
        return tuple(key["public"] for key in self.ask("keys", "show", "--json")["keys"])

    def files(self) -> dict[str, bytes]:
        """Every published file of the configuration."""
        base = Path(self.host.real(paths.PUBLIC))
        return {str(path.relative_to(base)): path.read_bytes() for path in base.rglob("*.json")}


@pytest.fixture
def shards() -> int:
    """In how many parts the tree is published here.

    Each costs a signature, and hardly a test cares how many there are; one that does says
    ``@pytest.mark.parametrize("shards", [SHARDS])``.
    """
    return 8


@pytest.fixture
def server(tmp_path: Path, shards: int, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Server:
    if not shutil.which("ssh-keygen"):
        pytest.skip("ssh-keygen is not installed")
    monkeypatch.setattr(parser, "LocalHost", ServerHost)
    monkeypatch.setattr(ServerHost, "ahead", 0.0)
    for module in (database, publish, dirty_shards, verification):
        monkeypatch.setattr(module, "SHARDS", shards)
    # Nobody cuts the power here, and each test's first publication would synchronize every shard.
    monkeypatch.setattr(os, "fsync", lambda _descriptor: None)
    root = tmp_path / "server"
    root.mkdir()
    return Server(ServerHost(str(root), program="epp-server"), shards, monkeypatch, capsys)
