# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The playbook ``check``: everything is compared, and each drift is one sentence with its difference below."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from .conftest import Fleet, Run

TIMER = "etc/systemd/system/epp-update.timer"


def failed(run: Run) -> dict[str, list[dict[str, Any]]]:
    """What each host that failed has drifted in."""
    return {
        line["host"]: line["result"]["drift"]
        for line in run.results
        if line["kind"] == "failed" and "drift" in line["result"]
    }


def contents(root: Path) -> dict[str, bytes]:
    """Every file below a directory."""
    return {str(path): path.read_bytes() for path in root.rglob("*") if path.is_file() and not path.is_symlink()}


def told(fleet: Fleet) -> tuple[str, dict[str, str]]:
    """The verdict of the last run, and the state of each host."""
    report = fleet.control.report()
    return report["verdict"], {host["name"]: host["state"] for host in report["hosts"]}


@pytest.mark.heavy
@pytest.mark.usefixtures("site")
def test_the_drift_of_one_hides_that_of_no_other(fleet: Fleet) -> None:
    timer, document = fleet.control.root("n1") / TIMER, fleet.control.root("n2") / "etc/epp-autoupdate/endpoint.json"
    kept = timer.read_text()
    timer.write_text(kept.replace("[Timer]", "[Timer]\nPersistent=true"))
    document.chmod(0o644)
    server = next(fleet.control.server.glob("etc/systemd/system/epp-*.timer"))
    server.unlink()
    fleet.policy = {"schedule": {"start": "03:00"}}
    run = fleet.play("check")
    assert run.code == 2, run.output
    found = {host: {(one["kind"], one["path"], one["text"]) for one in drift} for host, drift in failed(run).items()}
    assert found["n1"] >= {("timer", f"/{TIMER}", "differs"), ("client tree", "root", "differs")}
    assert ("configuration", "/etc/epp-autoupdate/endpoint.json", "mode 0644 instead of mode 0600") in found["n2"]
    assert ("timer", f"/etc/systemd/system/{server.name}", "missing") in found["updates"]
    lines = run.output.splitlines()
    at = lines.index(f"n1: timer /{TIMER}: differs")
    assert "    -Persistent=true" in lines[at:], "another host may speak in between"
    assert "    - root: schedule.start 02:00" in lines
    assert told(fleet) == ("drift", {"n1": "drifted", "n2": "drifted", "updates": "drifted"})
    assert not server.exists()
    assert timer.read_text() != kept
    assert fleet.control.ask("tree", "show")["root"]["own"] == {"schedule": {"start": "02:00"}}
    assert fleet.play("site").code == 0
    assert fleet.play("check").code == 0
    assert timer.read_text() == kept
    assert told(fleet) == ("clean", dict.fromkeys(("n1", "n2", "updates"), "clean"))


@pytest.mark.heavy
@pytest.mark.usefixtures("site")
def test_an_endpoint_that_has_stopped_asking_its_server_is_drift_of_its_own_kind(fleet: Fleet) -> None:
    """The tree is what the inventory says, and n1's files are what it has adopted, which is not what is published."""
    fleet.policy = {"schedule": {"start": "04:00"}}
    assert fleet.play("site").code == 0
    assert fleet.play("check").code == 0, "within a day an endpoint may have adopted what was published before"
    state = fleet.control.root("n1") / "var/lib/epp-autoupdate/state.json"
    kept = json.loads(state.read_text())
    kept["sync"]["answered"] -= 27 * 3600
    state.write_text(json.dumps(kept))
    before = contents(fleet.control.root("n1"))
    run = fleet.play("check")
    assert run.code == 2, run.output
    assert set(failed(run)) == {"n1"}
    (words,) = [one["text"] for one in failed(run)["n1"] if one["kind"] == "adopted configuration"]
    assert words.startswith("the configuration is adopted: tree ")
    assert contents(fleet.control.root("n1")) == before
    assert fleet.play("site").code == 0
    assert fleet.play("site").of("n1")["changed"] is False
    timer = fleet.control.root("n1") / TIMER
    assert "OnCalendar=*-*-* 04:" in timer.read_text()
    assert fleet.play("check").code == 0


@pytest.mark.heavy
@pytest.mark.usefixtures("site")
def test_what_could_not_be_compared_for_want_of_the_server_is_not_well(fleet: Fleet) -> None:
    away = {"ansible_connection": "ssh", "ansible_host": "127.0.0.1", "ansible_port": 1}
    fleet.adapt = lambda hosts: {**hosts, "updates": {**hosts["updates"], **away}}
    run = fleet.play("check")
    assert run.code == 4, run.output
    for name in fleet.names:
        assert f"{name}: comparison: not compared: the update server was not reached" in run.output
    assert told(fleet) == ("incomplete", dict.fromkeys(("n1", "n2", "updates"), "unreachable"))


@pytest.mark.usefixtures("site")
def test_an_endpoint_that_is_not_registered_says_so_itself(fleet: Fleet) -> None:
    root = str(fleet.control.root("n3"))
    fleet.adapt = lambda hosts: {**hosts, "n3": {**hosts["n2"], "autoupdate_installroot": root}}
    run = fleet.play("check")
    assert run.code == 2
    assert set(failed(run)) == {"n3"}
    found = {(one["kind"], one["path"], one["text"]) for one in failed(run)["n3"]}
    assert ("client tree", "endpoint n3", "not registered") in found


@pytest.mark.parametrize("playbook", ["check", "site", "update_now", "preview"])
def test_an_inventory_without_the_groups_is_refused_with_an_example(fleet: Fleet, playbook: str) -> None:
    fleet.control.groups = lambda _hosts: {}
    run = fleet.play(playbook)
    assert run.code == 2
    assert "neither of the groups autoupdate_servers and autoupdate_endpoints has a host of this run" in run.text
    assert "all: children: autoupdate_servers: # leave it out for endpoints without an update server" in run.text
    if playbook == "check":
        assert told(fleet) == ("faults", {})


@pytest.mark.usefixtures("site")
def test_the_version_of_a_program_is_told(fleet: Fleet) -> None:
    agent = fleet.control.root("n1") / "usr/local/bin/epp-agent"
    agent.write_bytes(agent.read_bytes().replace(b'VERSION = "1.0.0"', b'VERSION = "0.9.9"'))
    (drift,) = failed(fleet.play("check"))["n1"]
    assert (drift["kind"], drift["path"]) == ("program", "/usr/local/bin/epp-agent")
    assert drift["text"] == "agent 0.9.9, collection 1.0.0"
