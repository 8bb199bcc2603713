# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Every kind of drift on a managed fleet: ``check`` tells it and writes nothing, ``site`` mends just that (N5, C1)."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import lab_documents as documents
import pytest
from lab_ansible import INSTALLED, Ansible, Run
from lab_drift import CASES, CLAMAV, DOMAIN, ENDPOINTS, FILES, SERVER, UNTOUCHED, Found
from lab_nodes import OWN_NOISE, Node, differences, eventually
from lab_update_server import UpdateServer

pytestmark = pytest.mark.heavy  # the commonest kinds are tried each day by the tests of converge and of the server

FLEET = (SERVER, *ENDPOINTS)
REPORT = "autoupdate-report"
FOUND = {one for case in CASES.values() for one in case.found}
DRIFTED = {one.host for one in FOUND}
JOBS = ("fetch", "ingest", "metrics", "notify", "publish")
HOLD = "".join(
    f"mkdir -p /run/systemd/system/epp-server-{job}.service.d; printf '[Unit]\\nConditionPathExists=!/run/lab-hold\\n'"
    f" >/run/systemd/system/epp-server-{job}.service.d/lab.conf; "
    for job in JOBS
)
"""The jobs of the server write to its database each minute; with /run/lab-hold they do nothing."""
# A connection leaves traces in these; what Ansible itself would leave is looked at.
NOISE = tuple(path for path in OWN_NOISE if path != "/root/.ansible")
IN_MEMORY = (
    "find /tmp /var/tmp /run -xdev \\( -path /run/systemd -o -path /run/log -o -path /run/user -o -path /run/udev \\) "
    "-prune -o -type f -printf '%p %m %U:%G %s %T@\\n' | grep -E 'epp|autoupdate|ansible|/tmp/' | sort"
)
_SERIALS = re.compile(r": tree \d+, shard \d+, from \S+$")


class World:
    """A managed fleet, and the control node in a directory of its own."""

    def __init__(self, server: UpdateServer, nodes: dict[str, Node], ansible: Ansible, place: Path) -> None:
        self.server, self.nodes, self._ansible = server, nodes, ansible
        self.project = place / "project"
        self._place = place
        self._collection = ansible._collections

    def site(self, *, diff: bool = False) -> Run:
        return self._ansible.site(self.hosts(), diff=diff).demand()

    def check(self) -> tuple[Run, dict[str, Any]]:
        """A run of ``check``, and its ``check.json``."""
        run = self._ansible.check(self.hosts(), self.project)
        return run, json.loads((self.project / REPORT / "check.json").read_text())

    def hosts(self) -> dict[str, dict[str, Any]]:
        policy = {
            "events": {"update_on_reconnect": False, "update_after_download": False},
            "privileges": {"toggle_scheduled_update": True, "go_roaming": True},
            "schedule": documents.quiet("x")["policy"]["schedule"],
        }
        own = {"autoupdate_server_components": {"files": {"directory": "/srv/rules"}}}
        own |= {"autoupdate_server_fetch": {"every": "1d"}}
        command = {"update": ["/bin/true"], "version": ["/bin/echo", "1"]}
        common = {"autoupdate_policy": policy, "autoupdate_product": "command", "autoupdate_command": command}
        of_domain = {
            "autoupdate_domain": DOMAIN,
            "autoupdate_domain_policies": {DOMAIN: {"privileges": {"update_now": True}}},
        }
        urls = {"sources": {"urls": ["http://127.0.0.1:1"]}}
        of_clamav = {"autoupdate_clamav": {"databases": ["test"]}, "autoupdate_endpoint_policy": urls}
        apart = {
            FILES: {**of_domain, "autoupdate_product": "files"},
            CLAMAV: {**of_clamav, "autoupdate_product": "clamav"},
        }
        return {SERVER: self.server.variables(**own), **{name: {**common, **apart.get(name, {})} for name in ENDPOINTS}}

    def machines(self) -> dict[str, dict[str, str]]:
        """What each machine holds: mode, owner, size, time and digest; of what is in memory no digest."""
        found = {name: node.manifest(but=NOISE) for name, node in self.nodes.items()}
        for name, node in self.nodes.items():
            lines = node.run(IN_MEMORY, check=False).out.splitlines()
            found[name].update(line.split(" ", 1) for line in lines)
        return found

    def control_node(self) -> dict[str, str]:
        """Every file of the project, of the home, of the place for temporary files and of the collection."""
        found = {}
        installed = [self._collection / "ansible_collections/epp/autoupdate" / part for part in INSTALLED]
        for path in (one for top in (*self._place.iterdir(), *installed) for one in top.rglob("*")):
            if path.is_file() and "__pycache__" not in path.parts:
                facts, digest = path.stat(), hashlib.sha256(path.read_bytes()).hexdigest()
                found[str(path)] = f"{facts.st_mode:o} {facts.st_size} {facts.st_mtime_ns} {digest}"
        return found

    def hold(self) -> None:
        """Let the jobs of the server do nothing from now on; what endpoints have to report is in."""
        self.machines()
        inbox = "ls /var/lib/epp-autoupdate-reports/inbox /var/lib/epp-autoupdate-reports/claimed | grep -q '^[nb]'"
        # A report that came before its endpoint's key was pinned waits for the next run, which a timer starts.
        self.server.node.wait(f"! {inbox}", seconds=150, why="the reports of all endpoints are taken in")
        self.server.node.run(f"{HOLD} touch /run/lab-hold; systemctl daemon-reload")
        busy = " || ".join(f"systemctl is-active -q epp-server-{job}.service" for job in JOBS)
        self.server.node.wait(f"! {{ {busy}; }}", why="no job of the server runs")

    def quiet(self) -> dict[str, dict[str, str]]:
        """What the machines hold once nothing moves by itself."""
        seen = [self.machines()]

        def still() -> bool:
            seen.append(self.machines())
            return seen[-1] == seen[-2]

        eventually(still, seconds=60, why="nothing moves by itself", pause=3)
        return seen[-1]


@pytest.fixture(scope="module")
def world(node: Callable[[str], Node], ansible: Ansible, tmp_path_factory: pytest.TempPathFactory) -> World:
    """A converged fleet, of which ``check`` says that it is clean."""
    server = UpdateServer(node(SERVER))
    server.node.run("mkdir -p /srv/rules && echo 1 >/srv/rules/a.yar")
    nodes = {name: node(name) for name in FLEET}
    made = World(server, nodes, ansible, tmp_path_factory.mktemp("control"))
    made.site()
    made.server.command("fetch", check=False)
    assert not any(one.changed for one in made.site().hosts.values())
    run, told = made.check()
    assert (run.code, told["verdict"], told["faults"]) == (0, "clean", []), run.output[-4000:]
    assert {host["name"]: host["state"] for host in told["hosts"]} == dict.fromkeys(FLEET, "clean")
    return made


@pytest.fixture(scope="module")
def drifted(world: World) -> World:
    """The same with drift of every kind, made by hand."""
    world.hold()
    for case in CASES.values():
        world.nodes[case.machine].run(f"set -e; {case.script}")
    return world


@pytest.fixture(scope="module")
def checked(drifted: World) -> tuple[Run, dict[str, Any]]:
    """What ``check`` says of it; it writes nothing but its own three files, on no machine and not here."""
    machines, here = drifted.quiet(), drifted.control_node()
    run, told = drifted.check()
    after = {name: differences(machines[name], found) for name, found in drifted.machines().items()}
    assert after == {name: {} for name in FLEET}
    own = {str(drifted.project / REPORT / f"check.{kind}") for kind in ("json", "md", "xml")}
    assert set(differences(here, drifted.control_node())) == own
    return run, told


def test_every_kind_is_told_with_host_kind_and_path_and_nothing_else(checked: tuple[Run, dict[str, Any]]) -> None:
    run, told = checked
    assert len(CASES) >= 15
    found = {
        Found(one["kind"], one["path"], _SERIALS.sub("", one["text"]), host["name"])
        for host in told["hosts"]
        for one in host["drift"]
    }
    assert found == FOUND
    lines = {_SERIALS.sub("", line) for line in run.output.splitlines()}
    assert {f"{one.host}: {_sentence(one)}" for one in FOUND} <= lines


def test_the_verdict_the_exit_code_and_the_files_are_as_promised(
    checked: tuple[Run, dict[str, Any]], drifted: World
) -> None:
    run, told = checked
    assert (run.code, told["verdict"], told["faults"]) == (2, "drift", [])
    states = {host["name"]: host["state"] for host in told["hosts"]}
    assert states == {**dict.fromkeys(DRIFTED, "drifted"), UNTOUCHED: "clean"}
    counts = {"drifted": len(DRIFTED), "clean": 1, "faulty": 0, "unreachable": 0, "not_compared": 0}
    assert told["summary"] == {"hosts": len(FLEET), **counts, "allowed_unreachable": 0}
    suites = ET.parse(drifted.project / REPORT / "check.xml").getroot()
    failed = {
        (suite.get("name"), case.get("name"))
        for suite in suites.iter("testsuite")
        for case in suite.iter("testcase")
        if case.find("failure") is not None
    }
    assert failed == {(one.host, one.kind) for one in FOUND}
    assert suites.get("errors") == "0"
    text = (drifted.project / REPORT / "check.md").read_text()
    assert text.startswith("## Autoupdate check: drift\n")
    assert [one for one in FOUND if f"`{_sentence(one)}" not in text] == []


def test_site_changes_what_check_has_told_and_nothing_else(checked: tuple[Run, dict[str, Any]], drifted: World) -> None:
    drifted.server.node.run("rm /run/lab-hold")  # what endpoints report is to be taken in
    run = drifted.site(diff=True)
    done = {(name, what) for name, one in run.hosts.items() for what in _changed(one.results)}
    wanted = {(one.host, one.path or one.text) for one in FOUND if one.kind != "client tree"}
    assert done == wanted
    assert set(_changed_nodes(run)) == {one.path for one in FOUND if one.kind == "client tree"}
    again = drifted.site()
    assert [name for name, one in again.hosts.items() if one.changed] == [], list(_changed(again[SERVER].results))
    last, told = drifted.check()
    assert (last.code, told["verdict"]) == (0, "clean"), last.output[-4000:]
    assert [host["name"] for host in told["hosts"] if host["state"] != "clean" or host["drift"]] == []


def _sentence(one: Found) -> str:
    return f"{one.kind} {one.path}: {one.text}" if one.path else f"{one.kind}: {one.text}"


def _changed(results: tuple[dict[str, Any], ...]) -> Iterator[str]:
    """Paths and words of what the modules ``server`` and ``endpoint`` changed on a host."""
    for line in results:
        if line["action"] in ("epp.autoupdate.server", "epp.autoupdate.endpoint"):
            yield from (change["path"] for change in line["result"]["changes"])
            yield from (_SERIALS.sub("", words) for words in line["result"]["drift"])


def _changed_nodes(run: Run) -> Iterator[str]:
    """The nodes of the client tree whose values a run changed."""
    answers = [line["result"] for one in run.hosts.values() for line in one.results if "client_tree" in line["action"]]
    for one in (part for answer in answers for part in answer.get("results", [answer])):
        before, after = (set(one.get("diff", {}).get(side, "").splitlines()) for side in ("before", "after"))
        yield from (line.partition(": ")[0] for line in before ^ after)
