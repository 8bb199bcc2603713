# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Real runs of ansible-playbook, against directories that stand for hosts."""

from __future__ import annotations

import functools
import http.server
import json
import shutil
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.epp.autoupdate.plugins.module_utils import _core
from ansible_collections.epp.autoupdate.tests.playbook_runner import PlaybookRunner
from ansible_collections.epp.autoupdate.tests.unit.plugins.modules.instants import of_another_form, told

HERE = Path(__file__).parent
COLLECTIONS = Path(_core.__file__).parents[6]
PUBLIC = "server/var/lib/epp-autoupdate-public"
POLICY = {"schedule": {"start": "02:00", "window": "2h"}, "sources": {"urls": ["http://127.0.0.1:9"]}}


Inventory = dict[str, dict[str, Any]]
"""The variables of each host."""


def who_is_what(hosts: Inventory) -> dict[str, list[str]]:
    """The groups of an inventory: the host ``updates``, if it is there, is the update server of all others."""
    servers = [name for name in hosts if name == "updates"]
    endpoints = [name for name in hosts if name != "updates"]
    return {"autoupdate_servers": servers, "autoupdate_endpoints": endpoints}


@dataclass(frozen=True)
class Run:
    """A finished run: its exit code, what it said, the results of each host, and the files of ``check``."""

    code: int
    output: str = field(repr=False)
    results: tuple[dict[str, Any], ...] = field(repr=False)
    files: str = field(repr=False, default="")

    def of(self, host: str) -> dict[str, Any]:
        """The last result of a host, without what depends on Ansible's version and way."""
        result = [line["result"] for line in self.results if line["host"] == host][-1]
        return {key: value for key, value in result.items() if key not in ("invocation", "exception", "ansible_facts")}

    @property
    def text(self) -> str:
        """What it said, as one line; ansible-core 2.18 shows a failed task as JSON, in which quotes and line
        ends are escaped."""
        return " ".join(self.output.replace('\\"', '"').replace("\\n", " ").split())


class Control:
    """A control node."""

    def __init__(self, work: Path, runner: PlaybookRunner) -> None:
        self.work = work
        self._runner = runner
        self._count = 0
        self.groups: Callable[[Inventory], dict[str, list[str]]] = who_is_what
        self.allowed_unreachable: list[str] = []

    def root(self, host: str) -> Path:
        return self.work / "hosts" / host

    @property
    def server(self) -> Path:
        return self.work / "server"

    @property
    def reports(self) -> Path:
        """Where runs of ``check`` write their files."""
        return self.work / "reports"

    def report(self) -> dict[str, Any]:
        """What the last run of ``check`` wrote."""
        found: dict[str, Any] = json.loads((self.reports / "check.json").read_text(encoding="utf-8"))
        return found

    def serve(self, url: str = "http://127.0.0.1:9") -> None:
        """Bring up an update server in a directory, for endpoints that are directories."""
        settings = {"web": {"url": url}, "notify": {"notifier": "local"}, "scheduler": "systemd"}
        task = {"name": "Serve", "epp.autoupdate.server": {"installroot": str(self.server), **settings}}
        run = self.play([task], {"updates": {}})
        assert run.code == 0, run.output

    def ask(self, *arguments: str) -> Any:
        """What the server's own command prints."""
        command = [self.server / "usr/local/bin/epp-server", "--root", self.server, *arguments, "--json"]
        return json.loads(subprocess.run(command, capture_output=True, check=True).stdout)

    def task(self, options: dict[str, Any], *arguments: str, keywords: dict[str, Any] | None = None) -> Run:
        """Run the task ``epp.autoupdate.endpoint`` on the host n1."""
        task = {"name": "Converge", "epp.autoupdate.endpoint": options, **(keywords or {})}
        return self.play([task], {"n1": {}}, *arguments)

    def play(self, tasks: list[dict[str, Any]], hosts: dict[str, dict[str, Any]], *arguments: str, **play: Any) -> Run:
        path = self.work / "play.json"
        path.write_text(json.dumps([{"name": "Test", "hosts": "all", "gather_facts": False, "tasks": tasks, **play}]))
        return self.playbook(str(path), hosts, *arguments)

    def playbook(self, playbook: str, hosts: dict[str, dict[str, Any]], *arguments: str) -> Run:
        self._count += 1
        results, inventory = self.work / f"results-{self._count}.jsonl", self.work / "inventory.json"
        inventory.write_text(self.inventory(hosts))
        code, output = self._runner.run([playbook, "-i", str(inventory), *arguments], self._own(results))
        lines = results.read_text().splitlines() if results.exists() else []
        found = tuple(json.loads(line) for line in lines)
        own = [told(one["result"]) for one in found if one["action"].startswith("epp.autoupdate.")]
        assert of_another_form(own) == []
        files = sorted(self.reports.iterdir()) if self.reports.exists() else []
        return Run(code, output, found, "".join(path.read_text(encoding="utf-8") for path in files))

    def inventory(self, hosts: Inventory) -> str:
        """An inventory of these hosts, as its file has it."""
        common = {"ansible_connection": "local", "ansible_python_interpreter": sys.executable}
        groups = {name: {"hosts": dict.fromkeys(members)} for name, members in self.groups(hosts).items()}
        return json.dumps({"all": {"hosts": hosts, "vars": common, "children": groups}})

    def _own(self, results: Path) -> dict[str, str]:
        own = {"ANSIBLE_REMOTE_TEMP": str(self.work / "remote"), "EPP_TEST_RESULTS": str(results)}
        allowed = ",".join(self.allowed_unreachable)
        return {**own, "AUTOUPDATE_REPORT": str(self.reports), "AUTOUPDATE_ALLOWED_UNREACHABLE": allowed}


@pytest.fixture(scope="session")
def runner(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PlaybookRunner]:
    """What runs playbooks with the collection under test."""
    settings = {
        "ANSIBLE_COLLECTIONS_PATH": str(COLLECTIONS),
        "ANSIBLE_CALLBACK_PLUGINS": str(HERE / "callbacks"),
        "ANSIBLE_CALLBACKS_ENABLED": "action_results,epp.autoupdate.check_report",
        "ANSIBLE_NOCOLOR": "1",
    }
    made = PlaybookRunner(tmp_path_factory.mktemp("ansible"), settings)
    yield made
    made.close()


@pytest.fixture
def control(tmp_path: Path, runner: PlaybookRunner) -> Control:
    return Control(tmp_path, runner)


class _Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *_arguments: Any) -> None:
        pass


class Fleet:
    """An inventory of a server and its endpoints, all of which are directories; the server's files are on loopback."""

    def __init__(self, control: Control, port: int) -> None:
        self.control = control
        self.policy: dict[str, Any] = {"schedule": {"start": "02:00"}}
        self.url = f"http://127.0.0.1:{port}"
        self.names = ("n1", "n2")
        self.adapt: Callable[[Inventory], Inventory] = lambda hosts: hosts

    def hosts(self) -> Inventory:
        """The variables of each host, as a test has adapted them."""
        return self.adapt(self._hosts())

    def _hosts(self) -> Inventory:
        common = {
            "autoupdate_policy": self.policy,
            "autoupdate_domain_policies": {"emea": {"schedule": {"window": "1h"}}},
            "autoupdate_scheduler": "systemd",
        }
        server: dict[str, Any] = {"autoupdate_server_installroot": str(self.control.server)}
        server |= {"autoupdate_server_url": self.url, "autoupdate_server_notify": {"notifier": "local"}}
        server["autoupdate_server_scheduler"] = "systemd"
        own = {"n1": {"autoupdate_domain": "emea"}, "n2": {}}
        members = {
            name: {**common, "autoupdate_installroot": str(self.control.root(name)), **own[name]} for name in self.names
        }
        return {**members, "updates": {**common, **server}}

    def play(self, playbook: str, *arguments: str) -> Run:
        return self.control.playbook(f"epp.autoupdate.{playbook}", self.hosts(), *arguments)


@pytest.fixture(scope="session")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where every fleet lies, one after the other: what is installed may name its place."""
    return tmp_path_factory.mktemp("fleet")


@pytest.fixture(scope="session")
def port(place: Path) -> Iterator[int]:
    """Where the files of each fleet's server are to be had."""
    handler = functools.partial(_Quiet, directory=str(place / PUBLIC))
    web = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    thread = threading.Thread(target=web.serve_forever, daemon=True)
    thread.start()
    yield web.server_port
    web.shutdown()
    thread.join()
    web.server_close()


@pytest.fixture
def fleet(place: Path, port: int, runner: PlaybookRunner) -> Fleet:
    shutil.rmtree(place)
    (place / PUBLIC).mkdir(parents=True)
    return Fleet(Control(place, runner), port)


@pytest.fixture
def site(fleet: Fleet, tmp_path_factory: pytest.TempPathFactory, place: Path) -> None:
    """The fleet has had its first ``site``; where another test has run it, this one gets a copy of what came of it."""
    kept = tmp_path_factory.getbasetemp() / "site"
    if not kept.exists():
        run = fleet.play("site")
        assert run.code == 0, run.output
        for part in ("hosts", "server"):
            shutil.copytree(place / part, kept / part, symlinks=True)
    else:
        shutil.copytree(kept, place, symlinks=True, dirs_exist_ok=True)
