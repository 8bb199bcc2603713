# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A directory that somebody removed: the next update makes it again, whoever starts it."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import lab_documents as documents
import pytest
from lab_ansible import Ansible
from lab_nodes import Node, eventually
from lab_server import ComponentServer

pytestmark = pytest.mark.heavy  # a case of the updates that other files try each day

MACHINE = "n11"
DATABASES = "/var/lib/clamav"
COMPONENTS = "/srv/updates/components"
Databases = Callable[[int], dict[str, Path]]


@pytest.fixture(scope="module")
def machine(node: Callable[[str], Node], ansible: Ansible) -> Node:
    ansible.converge({MACHINE: documents.command(MACHINE)}).demand()
    return node(MACHINE)


def test_the_database_directory_by_a_unit(
    machine: Node, component_server: ComponentServer, databases: Databases
) -> None:
    """One that exists keeps the mode that its administrator gave it."""
    component_server.publish(databases(1))
    machine.apply(documents.clamav(MACHINE, component_server.url))
    machine.run(["rm", "-rf", DATABASES])
    assert updated_by_unit(machine)["changed"] == ["test"]
    assert owner_and_mode(machine, DATABASES) == "clamav:clamav 755"
    assert owner_and_mode(machine, f"{DATABASES}/test.cvd").startswith("clamav:clamav ")
    machine.run(["chmod", "2750", DATABASES])
    component_server.publish(databases(2))
    updated_by_unit(machine)
    assert owner_and_mode(machine, DATABASES) == "clamav:clamav 2750"


@pytest.mark.heavy
def test_the_database_directory_by_a_timer(
    machine: Node, component_server: ComponentServer, databases: Databases
) -> None:
    component_server.publish(databases(3))
    schedule = {"frequency": "minutes", "interval": 1}
    machine.run(["rm", "-rf", DATABASES])
    since = time.time()
    machine.apply(documents.clamav(MACHINE, component_server.url, policy={"schedule": schedule}))

    def scheduled() -> Any:
        run = machine.agent_status()["last"].get("schedule")
        return run if run and documents.instant(run["started"]) >= since - 1 else None

    run = eventually(scheduled, seconds=90, why="the timer has fired", pause=1)
    assert (run["result"], run["changed"]) == ("updated", ["test"]), run
    assert owner_and_mode(machine, DATABASES) == "clamav:clamav 755"
    machine.apply(documents.clamav(MACHINE, component_server.url))


def test_a_directory_of_files_by_a_unit(machine: Node, component_server: ComponentServer) -> None:
    """With the directories above it."""
    component_server.publish(documents.file_source("1", {"a": b"one"}))
    machine.apply(documents.files(MACHINE, component_server.url, files={"directory": COMPONENTS}))
    machine.run(["rm", "-rf", "/srv/updates"])
    assert updated_by_unit(machine)["changed"] == ["lab"]
    assert machine.read(f"{COMPONENTS}/current/a") == "one"
    assert owner_and_mode(machine, COMPONENTS) == "root:root 755"


@pytest.mark.heavy
def test_without_the_databases_owner_nothing_is_made_and_the_run_says_why(
    machine: Node, component_server: ComponentServer
) -> None:
    nobody = {"clamav": {"database_directory": "/srv/databases", "database_owner": "clamupdate"}}
    machine.apply(documents.clamav(MACHINE, component_server.url, **nobody))
    machine.run(["systemctl", "start", "epp-update@manual.service"], check=False)
    run = machine.agent_status()["last"]["manual"]
    assert run["result"] == "failed"
    assert not machine.exists("/srv/databases")
    assert "clamupdate" in run["reason"], run


def updated_by_unit(machine: Node) -> dict[str, Any]:
    machine.run(["systemctl", "start", "epp-update@manual.service"])
    run = machine.agent_status()["last"]["manual"]
    assert isinstance(run, dict)
    assert run["result"] == "updated", run
    return run


def owner_and_mode(machine: Node, path: str) -> str:
    return machine.run(["stat", "-c", "%U:%G %a", path]).out.strip()
