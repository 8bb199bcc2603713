# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The playbook ``lint``: policy is checked without any host, and each line says where to look."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from .conftest import Control, Run

FAR = {"ansible_connection": "ssh", "ansible_host": "192.0.2.1", "ansible_ssh_common_args": "-o ConnectTimeout=60"}
ALL = """\
---
autoupdate_policy:
  schedule: {start: "12:00", window: 2m}
  privileges:
    toggle_scheduled_update: true
    scheduled_update: false
    go_roaming: true
autoupdate_component_size: 20M
autoupdate_link: 1Mb
"""
HOSTS: dict[str, dict[str, Any]] = {
    "n1": FAR,
    "n2": {**FAR, "autoupdate_domain": "emea"},
    "updates": {**FAR, "autoupdate_server_url": "http://updates.example.com"},
}
DOUBTS = [
    "group_vars/all.yml:3: n1, n2: autoupdate_policy.schedule.window: 2m is not long enough for 2 endpoints",
    "group_vars/all.yml:6: n1, n2: autoupdate_policy.privileges.scheduled_update: false with toggle_scheduled_update",
    "group_vars/all.yml:7: n1, n2: autoupdate_policy.privileges.go_roaming: true without events.include_roaming_and_",
]


@pytest.fixture
def lint(control: Control, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Runs the playbook in the directory of the inventory, beside these group_vars."""

    def run(texts: dict[str, str], hosts: dict[str, dict[str, Any]], *arguments: str) -> Run:
        for name, text in texts.items():
            path = control.work / "group_vars" / f"{name}.yml"
            path.parent.mkdir(exist_ok=True)
            path.write_text(text)
        return control.playbook("epp.autoupdate.lint", hosts, *arguments)

    return run


def told(run: Run, word: str, work: Path) -> list[str]:
    """The lines that begin with a word, with places relative to the inventory."""
    lines = run.output.replace(f"{work}/", "").replace(f"{str(work)[1:]}/", "").splitlines()
    return sorted(line.removeprefix(f"{word}: ") for line in lines if line.startswith(f"{word}: "))


def test_doubts_are_warnings_and_with_strict_they_fail(lint: Any, control: Control) -> None:
    declared = "autoupdate_domain_policies: {emea: {}}\n"
    run = lint({"all": ALL, "autoupdate_endpoints": declared}, HOSTS)
    assert run.code == 0, run.output
    found = told(run, "warning", control.work)
    assert len(found) == len(DOUBTS), found
    assert all(map(str.startswith, found, DOUBTS)), found
    assert told(run, "fault", control.work) == []
    assert [(one["variable"], one["host_count"]) for one in run.of("n1")["doubts"]] == [
        ("autoupdate_policy.privileges.scheduled_update", 2),
        ("autoupdate_policy.privileges.go_roaming", 2),
        ("autoupdate_policy.schedule.window", 2),
    ]
    strict = lint({}, HOSTS, "-e", "autoupdate_lint_strict=true")
    assert strict.code == 2
    assert "faults: 0, warnings: 3" in strict.text
    assert told(strict, "warning", control.work) == found


def test_every_fault_has_its_file_and_key(lint: Any, control: Control) -> None:
    """Of a host that is in both groups, those of both."""
    texts = {
        "all": "autoupdate_policy:\n  schedule:\n    window: 2x\n"
        "autoupdate_domain_policies:\n  emea: {events: {x: 1}}\n",
        "autoupdate_endpoints": "---\nautoupdate_limits: {update: 2}\nautoupdate_scan_paths:\n  - /srv\n  - x\n",
        "autoupdate_servers": "autoupdate_server_url: ftp://updates.example.com\nautoupdate_server_ur: x\n",
    }
    control.groups = lambda hosts: {"autoupdate_servers": ["updates"], "autoupdate_endpoints": [*hosts]}
    hosts = dict.fromkeys(HOSTS, FAR)
    run = lint(texts, {**hosts, "updates": {**FAR, "autoupdate_server_host": ""}})
    assert run.code == 2
    found = told(run, "fault", control.work)
    assert [line.partition(" is not ")[0] for line in found] == [
        'group_vars/all.yml:3: n1, n2, updates: autoupdate_policy.schedule.window: "2x"',
        'group_vars/all.yml:5: n1, n2, updates: autoupdate_domain_policies[emea].events.x: "x"',
        "group_vars/autoupdate_endpoints.yml:2: n1, n2, updates: autoupdate_limits.update: 2",
        'group_vars/autoupdate_endpoints.yml:5: n1, n2, updates: autoupdate_scan_paths[1]: "x"',
        'group_vars/autoupdate_servers.yml:1: updates: autoupdate_server_url: "ftp://updates.example.com"',
        "group_vars/autoupdate_servers.yml:2: updates: autoupdate_server_ur: it",
    ], run.output
    assert len(run.of("n1")["faults"]) == len(found)


def test_a_clean_inventory_says_nothing(lint: Any, control: Control) -> None:
    run = lint({"all": "autoupdate_policy: {schedule: {window: 2h}}\n"}, {**HOSTS, "n2": FAR})
    assert (run.code, run.of("n1")["faults"], run.of("n1")["doubts"]) == (0, [], [])
    assert (told(run, "fault", control.work), told(run, "warning", control.work)) == ([], [])
