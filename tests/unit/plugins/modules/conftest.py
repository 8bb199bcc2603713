# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Modules run in this process, as Ansible would run them on a host."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from ansible.module_utils import basic
from ansible_collections.epp.autoupdate.plugins.module_utils._server import paths
from ansible_collections.epp.autoupdate.plugins.modules import client_tree, endpoint, server
from ansible_collections.epp.autoupdate.tests.unit.plugins.module_utils._host.http.scripted_server import (
    ScriptedServer,
)

from .instants import of_another_form, told

Module = Any


@dataclass(frozen=True)
class Modules:
    """Runs modules against one directory that stands for a host, whose product is a plain file."""

    work: Path
    capture: Callable[[], str]

    @property
    def root(self) -> Path:
        return self.work / "host"

    @property
    def options(self) -> dict[str, Any]:
        """An endpoint whose update copies ``offered`` to ``installed``."""
        offered, installed = self.work / "offered", self.work / "installed"
        command = {"update": ["/bin/cp", str(offered), str(installed)], "version": ["/bin/cat", str(installed)]}
        return {"installroot": str(self.root), "endpoint": "n1", "product": "command", "command": command}

    def run(self, module: Module, *, check: bool = False, diff: bool = False, **options: Any) -> dict[str, Any]:
        arguments = {"_ansible_check_mode": check, "_ansible_diff": diff, "installroot": str(self.root), **options}
        basic._ANSIBLE_ARGS = json.dumps({"ANSIBLE_MODULE_ARGS": arguments}).encode()
        basic._ANSIBLE_PROFILE = "legacy"  # what ansible-core 2.19 and later ask for; others don't look
        self.capture()
        with pytest.raises(SystemExit):
            module.main()
        result: dict[str, Any] = json.loads(self.capture())
        assert of_another_form(told(result)) == []
        return result

    def enroll(self, **options: Any) -> dict[str, Any]:
        return self.run(endpoint, **{**self.options, **options})

    @property
    def managed_root(self) -> Path:
        """A second endpoint, which has its policy from the server (``fleet``)."""
        return self.work / "managed"

    @property
    def server_root(self) -> Path:
        return self.work / "server"

    def serve(self, **options: Any) -> dict[str, Any]:
        """Bring up an update server in a directory beside the endpoint's."""
        settings = {"web": {"url": "http://127.0.0.1:9"}, "notify": {"notifier": "local"}, "scheduler": "systemd"}
        return self.on_server(server, **{**settings, **options})

    def on_server(self, module: Module, **options: Any) -> dict[str, Any]:
        return self.run(module, installroot=str(self.server_root), **options)

    def ask(self, *arguments: str) -> Any:
        """What the server's own command prints."""
        program = self.server_root / "usr/local/bin/epp-server"
        command = [program, "--root", self.server_root, *arguments, "--json"]
        return json.loads(subprocess.run(command, capture_output=True, check=True).stdout)

    def files_of_server(self) -> dict[str, tuple[int, bytes]]:
        """Every file of the server that says something, with its time: what check mode must leave alone."""
        found = {}
        for path in sorted(self.server_root.rglob("*")):
            if path.is_file() and path.stat().st_size and path.suffix not in (".log", ".lock", ".db-shm"):
                found[str(path)] = (path.stat().st_mtime_ns, path.read_bytes())
        return found


@pytest.fixture
def modules(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Modules:
    for name in ("offered", "installed"):
        (tmp_path / name).write_text("1\n")
    return Modules(tmp_path, lambda: capsys.readouterr().out)


@pytest.fixture
def web(modules: Modules) -> Iterator[ScriptedServer]:
    """A web server for what the update server publishes."""
    running = ScriptedServer(str(modules.server_root) + paths.PUBLIC)
    yield running
    running.stop()


@pytest.fixture
def fleet(modules: Modules, web: ScriptedServer) -> Modules:
    """A server that has fetched and announced a version.

    Its endpoints: one that took the notice, one that is off, and one that fetches its configuration.
    """
    source = modules.server_root / "srv/components"
    source.mkdir(parents=True)
    (source / "a.dat").write_text("a")
    modules.serve(components={"files": {"directory": "/srv/components"}})
    modules.enroll()
    (modules.work / "offered").write_text("2\n")
    places_of = {"n1": modules.root, "off": modules.work / "off"}
    endpoints = [{"name": name, "domain": "emea", "address": str(place)} for name, place in places_of.items()]
    modules.on_server(client_tree, endpoints=endpoints)
    (fetched,) = modules.ask("fetch", "--notify")
    assert fetched["campaign"]
    modules.on_server(client_tree, endpoints=[{"name": "managed", "domain": "emea"}])
    managed_by = {"url": web.url, "signers": modules.ask("enrollment")["signers"]}
    own = {"installroot": str(modules.managed_root), "endpoint": "managed", "product": "files", "command": None}
    converged = modules.enroll(**own, server=managed_by)
    assert not converged.get("failed"), converged
    return modules
