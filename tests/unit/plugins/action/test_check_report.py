# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The files that runs of ``check`` leave for pipelines, as the callback writes them."""

from __future__ import annotations

import json
from typing import Any
from xml.etree import ElementTree as ET

import pytest

from .conftest import Fleet

AWAY = {"ansible_connection": "ssh", "ansible_host": "127.0.0.1", "ansible_port": 1}


def without_times(report: dict[str, Any]) -> dict[str, Any]:
    return {name: one for name, one in report.items() if name not in ("started", "finished")}


@pytest.mark.heavy
@pytest.mark.usefixtures("site")
def test_who_may_be_unreachable_leaves_a_run_clean(fleet: Fleet) -> None:
    fleet.adapt = lambda hosts: {**hosts, "n2": {**hosts["n2"], **AWAY}}
    assert fleet.play("check").code == 4
    report = fleet.control.report()
    assert report["verdict"] == "incomplete"
    assert {host["name"]: host["state"] for host in report["hosts"]} == {
        "n1": "clean",
        "n2": "unreachable",
        "updates": "clean",
    }
    fleet.control.allowed_unreachable = ["autoupdate_endpoints"]
    assert fleet.play("check").code == 4, "the exit code of Ansible can't tell"
    allowed = fleet.control.report()
    assert (allowed["verdict"], allowed["summary"]["allowed_unreachable"]) == ("clean", 1)
    cases = ET.parse(fleet.control.reports / "check.xml").iter("testcase")
    assert [(case.get("classname"), [one.tag for one in case]) for case in cases if len(case)] == [("n2", ["skipped"])]


def test_bad_policy_is_told_and_a_run_that_goes_on_has_no_old_result(fleet: Fleet) -> None:
    """Nothing is left of an earlier run as soon as the next one has started."""
    fleet.control.reports.mkdir()
    old = fleet.control.reports / "check.json"
    old.write_text('{"verdict": "clean"}')
    look = f"(lookup('ansible.builtin.file', '{old}') | from_json).verdict == 'faults'"
    task = {"name": "Look", "ansible.builtin.assert": {"that": look}, "delegate_to": "localhost", "run_once": True}
    path = fleet.control.work / "own.json"
    first = {"name": "Before", "hosts": "all", "gather_facts": False, "tasks": [task]}
    path.write_text(json.dumps([first, {"import_playbook": "epp.autoupdate.check"}]))
    fleet.policy = {"schedule": {"window": "2x"}}
    run = fleet.control.playbook(str(path), fleet.hosts())
    assert run.code == 2, run.output
    assert [line["kind"] for line in run.results] == ["ok", "failed"], run.output
    report = fleet.control.report()
    assert (report["verdict"], report["summary"]["not_compared"]) == ("faults", 3)
    (fault,) = report["faults"]
    assert fault["text"] == 'autoupdate_policy.schedule.window: "2x" is not a duration (try 90m, 2h)'
    assert (fault["cause"], fault["hosts"]) == ("policy", ["n1", "n2"])
    assert '"2x" is not a duration' in (fleet.control.reports / "check.md").read_text()
    cases = ET.parse(fleet.control.reports / "check.xml").iter("testcase")
    errors = [case.get("name") for case in cases if case.find("error") is not None]
    assert errors == ["policy"]


@pytest.mark.usefixtures("site")
def test_a_task_that_fails_on_the_way_is_a_fault_of_its_host(fleet: Fleet) -> None:
    fleet.adapt = lambda hosts: {**hosts, "n2": {**hosts["n2"], "ansible_connection": "nowhere"}}
    run = fleet.play("check")
    assert run.code == 2
    report = fleet.control.report()
    states = {host["name"]: host["state"] for host in report["hosts"]}
    assert (report["verdict"], states) == ("faults", {"n1": "clean", "n2": "faulty", "updates": "clean"})
    (fault,) = report["faults"]
    assert (fault["cause"], fault["hosts"]) == ("host", ["n2"])
    assert "nowhere" in fault["text"]


@pytest.mark.heavy
@pytest.mark.usefixtures("site")
def test_the_second_run_finds_the_same(fleet: Fleet) -> None:
    """Apart from its time, byte by byte."""
    for name in fleet.names:
        (fleet.control.root(name) / "etc/systemd/system/epp-update.timer").unlink()
    found = []
    for _run in range(2):
        assert fleet.play("check").code == 2
        found.append(without_times(fleet.control.report()))
    assert json.dumps(found[0]) == json.dumps(found[1])
    assert found[0]["verdict"] == "drift"


def test_another_playbook_writes_nothing(fleet: Fleet) -> None:
    fleet.play("lint")
    assert not fleet.control.reports.exists()


def test_a_run_that_fails_in_its_first_play_knows_all_hosts_of_its_limit(fleet: Fleet) -> None:
    path = fleet.control.work / "own.json"
    task = {"name": "Fail", "ansible.builtin.fail": {"msg": "before"}}
    first = {"name": "Before", "hosts": "n1", "gather_facts": False, "tasks": [task]}
    path.write_text(json.dumps([first, {"import_playbook": "epp.autoupdate.check"}]))
    run = fleet.control.playbook(str(path), fleet.hosts(), "--limit", "n1,updates")
    assert run.code == 2, run.output
    report = fleet.control.report()
    states = {host["name"]: host["state"] for host in report["hosts"]}
    assert (report["verdict"], states) == ("faults", {"n1": "faulty", "updates": "not_compared"})
