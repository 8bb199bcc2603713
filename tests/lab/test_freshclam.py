# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The real freshclam against a real web server: every result is told truthfully (R1), patches stay small."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import lab_documents as documents
import pytest
from lab_ansible import Ansible
from lab_cases import cases
from lab_nodes import Node
from lab_server import ComponentServer, Request

MACHINE = "n3"
DIRECTORY = "/var/lib/clamav"
HEADER = 512
SIGNATURE = f"Lab.Mark:0:*:{b'EPP-LAB-MARK'.hex()}\n"
Databases = Callable[[int], dict[str, Path]]


@pytest.fixture(scope="module")
def enrolled(node: Callable[[str], Node], ansible: Ansible) -> Node:
    ansible.converge({MACHINE: documents.clamav(MACHINE, "http://127.0.0.1:1")}).demand()
    return node(MACHINE)


@pytest.fixture
def machine(enrolled: Node, component_server: ComponentServer) -> Iterator[Node]:
    """The machine, bound to this test's source, with no database and no memory of earlier runs."""
    enrolled.run(f"rm -rf {DIRECTORY}/* /var/lib/epp-autoupdate/state.json /var/lib/epp-autoupdate/status.json")
    enrolled.apply(documents.clamav(MACHINE, component_server.url))
    yield enrolled
    enrolled.run(["systemctl", "stop", "clamav-daemon"], check=False)


@pytest.fixture
def at_version_1(machine: Node, component_server: ComponentServer, databases: Databases) -> Node:
    component_server.publish(databases(1))
    assert update(machine)["result"] == "updated"
    assert versions(machine) == {"test": "1"}
    component_server.forget()
    return machine


def test_a_fresh_install_without_any_database(
    machine: Node, component_server: ComponentServer, databases: Databases
) -> None:
    """The first update, through the hardened unit, fills an empty directory with files of the databases' owner."""
    component_server.publish(databases(3))
    machine.run(["systemctl", "start", "epp-update@manual.service"])
    run = machine.agent_status()["last"]["manual"]
    assert (run["result"], run["changed"]) == ("updated", ["test"])
    assert versions(machine) == {"test": "3"}
    assert machine.run(["stat", "-c", "%U", DIRECTORY, f"{DIRECTORY}/test.cvd"]).out.split() == ["clamav"] * 2


def test_from_1_to_3_by_patches_only_then_current_by_one_conditional_request(
    at_version_1: Node, component_server: ComponentServer, databases: Databases
) -> None:
    component_server.publish(databases(3))
    report = update(at_version_1)
    assert (report["result"], report["changed"]) == ("updated", ["test"])
    assert [component["version"] for component in report["before"]] == ["1"]
    assert [component["version"] for component in report["after"]] == ["3"]
    requests = component_server.requests()
    assert bodies(requests) == ["/test-2.cdiff", "/test-3.cdiff"], requests
    assert at_version_1.run(["sigtool", "--info", f"{DIRECTORY}/test.cld"]).out.count("Version: 3") == 1

    component_server.forget()
    assert update(at_version_1)["result"] == "current"
    (only,) = component_server.requests()
    assert only.range or only.if_modified_since, only
    assert only.size <= HEADER


@pytest.mark.heavy
def test_three_behind_without_usable_patches_takes_the_whole_database(
    at_version_1: Node, component_server: ComponentServer, databases: Databases
) -> None:
    component_server.publish({name: path for name, path in databases(4).items() if not name.endswith(".cdiff")})
    report = update(at_version_1)
    assert report["result"] == "updated", report
    assert versions(at_version_1) == {"test": "4"}
    assert bodies(component_server.requests()) == ["/test.cvd"]


def test_a_private_database_one_behind_without_its_patch_is_taken_whole(
    at_version_1: Node, component_server: ComponentServer, databases: Databases
) -> None:
    component_server.publish({name: path for name, path in databases(2).items() if not name.endswith(".cdiff")})
    report = update(at_version_1)
    assert (report["result"], versions(at_version_1)) == ("updated", {"test": "2"}), report
    assert bodies(component_server.requests()) == ["/test.cvd"]


def test_an_older_server_is_held_and_nothing_is_downgraded(
    machine: Node, component_server: ComponentServer, databases: Databases
) -> None:
    component_server.publish(databases(3))
    update(machine)
    component_server.publish(databases(1))
    report = update(machine)
    assert (report["result"], versions(machine)) == ("held", {"test": "3"})
    assert "older" in report["reason"]


REFUSALS = {
    "429 that names a time": (429, ("Retry-After 123",), 123),
    "429": (429, (), 4 * 3600),
    "403": (403, (), 24 * 3600),
}


@pytest.mark.parametrize(("status", "headers", "pause"), cases(REFUSALS, "429 that names a time"))
def test_a_refusal_cools_down_and_nothing_is_asked_until_its_end(
    at_version_1: Node,
    component_server: ComponentServer,
    databases: Databases,
    status: int,
    headers: tuple[str, ...],
    pause: int,
) -> None:
    component_server.answer(status, headers=headers)
    report = update(at_version_1)
    assert report["result"] == "cooling_down", report
    assert documents.instant(report["until"]) == pytest.approx(time.time() + pause, abs=30)
    assert component_server.requests()

    component_server.answer(None)
    component_server.publish(databases(3))
    component_server.forget()
    for trigger in ("manual", "download"):
        again = update(at_version_1, trigger)
        assert (again["result"], again["until"]) == ("cooling_down", report["until"])
    assert component_server.requests() == []
    assert versions(at_version_1) == {"test": "1"}
    told = at_version_1.agent_status()["last"]["manual"]
    assert told["result"] == "cooling_down"
    assert told["until"] == report["until"]


@pytest.mark.heavy
def test_404_on_everything_fails_and_does_not_cool_down(
    at_version_1: Node, component_server: ComponentServer, databases: Databases
) -> None:
    component_server.publish({})
    report = update(at_version_1)
    assert report["result"] == "failed", report
    assert report["reason"]
    assert versions(at_version_1) == {"test": "1"}
    component_server.publish(databases(3))
    assert update(at_version_1)["result"] == "updated"


@pytest.mark.heavy
def test_a_dead_server_is_unreachable(
    at_version_1: Node, component_server: ComponentServer, databases: Databases
) -> None:
    component_server.stop()
    done = at_version_1.agent_run("manual")
    assert (done.code, done.json()["result"]) == (75, "unreachable")
    assert versions(at_version_1) == {"test": "1"}
    component_server.publish(databases(3))
    component_server.start()
    assert update(at_version_1)["result"] == "updated"


def test_the_second_source_helps_where_the_first_is_dead(
    machine: Node, component_server: ComponentServer, databases: Databases
) -> None:
    component_server.publish(databases(2))
    dead = component_server.url.rpartition(":")[0] + ":9"
    two = {"policy": {"sources": {"urls": [dead, component_server.url]}}}
    machine.apply(documents.clamav(MACHINE, dead, **two))
    assert update(machine)["result"] == "updated"


def test_clamd_reloads_when_a_new_version_is_in_place(
    at_version_1: Node, component_server: ComponentServer, databases: Databases
) -> None:
    log = "/var/log/clamav/clamav.log"
    at_version_1.run(f": >{log}; systemctl start clamav-daemon")
    at_version_1.wait("clamdscan --ping 1", seconds=30, why="clamd answers")
    component_server.publish(databases(3))
    assert update(at_version_1)["result"] == "updated"
    at_version_1.wait(f"grep -q 'Database correctly reloaded' {log}", seconds=20, why="clamd has read the new version")


def test_third_parties_are_fetched_apart_by_the_hardened_unit(
    machine: Node, component_server: ComponentServer, another_component_server: ComponentServer, databases: Databases
) -> None:
    """One that refuses stops neither the signed databases nor another third party; files belong to the owner."""
    component_server.publish({**databases(1), "own.ndb": SIGNATURE})
    another_component_server.answer(403)
    custom = [f"{another_component_server.url}/lab.ndb", f"{component_server.url}/own.ndb"]
    machine.apply(documents.clamav(MACHINE, component_server.url, clamav={"custom_urls": custom}))
    for version in (1, 3):
        component_server.publish({**databases(version), "own.ndb": SIGNATURE})
        machine.run(["systemctl", "start", "epp-update@manual.service"])
        run = machine.agent_status()["last"]["manual"]
        assert run["result"] == "updated", run
        assert another_component_server.url.partition("//")[2] in run["reason"]
        assert versions(machine)["test"] == str(version)
    assert len(another_component_server.requests()) == 1
    files = [f"{DIRECTORY}/own.ndb", f"{DIRECTORY}/epp-third-parties"]
    assert machine.run(["stat", "-c", "%U", *files]).out.split() == ["clamav"] * 2
    machine.write("/srv/planted", "a file with EPP-LAB-MARK in it")
    found = machine.agent("scan", "--json", check=False).out
    assert "Lab.Mark" in found, found


OWN_UPDATERS = ["clamav-freshclam.service", "clamav-freshclam-once.timer", "clamav-freshclam-once.service"]


@pytest.mark.parametrize("unit", cases(OWN_UPDATERS, "clamav-freshclam.service"))
def test_the_distributions_own_updater_does_not_run_beside_ours(machine: Node, unit: str) -> None:
    """Two freshclams would double the requests, and the other one follows no policy."""
    if machine.run(["systemctl", "cat", unit], check=False).code:
        pytest.skip(f"this system has no {unit}")
    document = documents.clamav(MACHINE, "http://127.0.0.1:1")
    machine.apply(document)
    machine.run(["systemctl", "enable", unit])
    drift = machine.apply(document, "--check").json()
    assert unit in str([drift["changes"], drift["drift"]])
    machine.apply(document)
    assert machine.run(["systemctl", "is-enabled", unit], check=False).out.strip() != "enabled"
    assert machine.run(["systemctl", "is-active", unit], check=False).out.strip() != "active"
    assert machine.apply(document).json()["changed"] is False


def update(node: Node, trigger: str = "manual") -> dict[str, Any]:
    report = node.agent_run(trigger).json()
    assert isinstance(report, dict)
    return report


def versions(node: Node) -> dict[str, str]:
    return {component["name"]: component["version"] for component in node.agent_status()["components"]}


def bodies(requests: list[Request]) -> list[str]:
    """Paths of which more than a header was sent."""
    return [request.path for request in requests if request.status == 200 and request.size > 0]
