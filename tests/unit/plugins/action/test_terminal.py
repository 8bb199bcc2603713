# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Playbooks at a real terminal: the load that ``preview`` draws, and the live line of the callback ``progress``."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.epp.autoupdate.tests.pseudo_terminal import Session, at_terminal
from ansible_collections.epp.autoupdate.tests.unit.own_programs import PROGRAMS, needs

from .conftest import COLLECTIONS

PROGRAM = PROGRAMS / "ansible-playbook"
pytestmark = needs(PROGRAM.name)
POLICY = {"schedule": {"start": "22:30", "window": "2h"}, "sources": {"urls": ["http://127.0.0.1:9"]}}
FLEET = 200
AWAY = {"ansible_connection": "ssh", "ansible_host": "127.0.0.1", "ansible_port": 1}
TRY = {
    "name": "Try",
    "hosts": "all",
    "gather_facts": False,
    "tasks": [
        {
            "name": "Look at all",
            "ansible.builtin.assert": {
                "that": "inventory_hostname not in ('n3', 'n150')",
                "fail_msg": "the disk of {{ inventory_hostname }} is \x1b[2J full",
                "quiet": True,
            },
            "changed_when": "inventory_hostname in ('n7', 'n8', 'n9')",
        }
    ],
}
FEW = {
    "name": "Few",
    "hosts": "n1,n2,away",
    "gather_facts": False,
    "strategy": "linear",
    "tasks": [
        {"name": "Warn", "epp.autoupdate.preflight": {"plan": True}, "run_once": True},
        {"name": "Reach", "ansible.builtin.raw": "true", "when": "inventory_hostname == 'away'"},
        {"name": "Never mind", "ansible.builtin.fail": {"msg": "no matter"}, "ignore_errors": True},
        {"name": "Say", "ansible.builtin.debug": {"msg": "for people"}, "run_once": True},
        {"name": "Say it", "ansible.builtin.debug": {"msg": "{{ item }}"}, "loop": ["to", "all"], "run_once": True},
        {"name": "Be sure", "ansible.builtin.assert": {"that": True}},
    ],
}


class Playbooks:
    """Runs of ansible-playbook over a fleet that is this machine, at a terminal and in a pipe."""

    def __init__(self, work: Path) -> None:
        self._work = work
        self._environment = {
            "ANSIBLE_COLLECTIONS_PATH": str(COLLECTIONS),
            "ANSIBLE_HOME": str(work / "home"),
            "ANSIBLE_LOCAL_TEMP": str(work / "local"),
            "ANSIBLE_STDOUT_CALLBACK": "epp.autoupdate.progress",
            "ANSIBLE_DEPRECATION_WARNINGS": "false",
        }

    def _argv(self, plays: Any, hosts: dict[str, Any]) -> list[str | Path]:
        common = {"ansible_connection": "local", "ansible_python_interpreter": sys.executable}
        groups = {"autoupdate_endpoints": {"hosts": dict.fromkeys(hosts)}}
        inventory = {"all": {"hosts": hosts, "vars": {**common, "autoupdate_policy": POLICY}, "children": groups}}
        for name, content in (("inventory.json", inventory), ("play.json", plays)):
            (self._work / name).write_text(json.dumps(content))
        playbook = plays if isinstance(plays, str) else self._work / "play.json"
        return [PROGRAM, "-f", "10", "-i", self._work / "inventory.json", playbook]

    def seen(self, plays: Any, hosts: dict[str, Any], columns: int = 80, **environment: str) -> Session:
        return at_terminal(
            self._argv(plays, hosts), columns=columns, environment={**self._environment, **environment}, seconds=300
        )

    def piped(self, plays: Any, hosts: dict[str, Any], **environment: str) -> tuple[int, str]:
        own = {**os.environ, **self._environment, **environment}
        done = subprocess.run(
            self._argv(plays, hosts), env=own, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False
        )
        return done.returncode, done.stdout


@pytest.fixture
def playbooks(tmp_path: Path) -> Playbooks:
    return Playbooks(tmp_path)


def numbered(count: int, **more: dict[str, Any]) -> dict[str, Any]:
    return {**{f"n{number}": {} for number in range(count)}, **more}


def test_a_large_fleet_is_one_live_line_and_what_went_wrong(playbooks: Playbooks) -> None:
    told = playbooks.seen([TRY], numbered(FLEET))
    assert told.status == 2, told.written
    counts = [int(count) for count in re.findall(rf"\x1b\[KLook at all ([0-9]+)/{FLEET} ", told.written)]
    assert counts == sorted(counts)
    assert len(set(counts)) > 10
    assert re.search(
        rf"1[0-9]{{2}}/{FLEET} [0-9]+%  1 failed, 3 changed  [0-9.]+/(s|min)  ends in [0-9]+", told.written
    )
    assert max(map(len, told.written.replace("\x1b[K", "").split("\r"))) < 250
    assert told.lines[0] == f"PLAY [Try] {FLEET} hosts"
    assert len([line for line in told.lines if line.startswith("failed: [n")]) == 2
    assert told.lines[-3:] == [
        f"RECAP {FLEET} hosts: 2 failed, 3 changed, {FLEET - 5} ok",
        "  failed: n150: Look at all: the disk of n150 is \\x1b[2J full",
        "  failed: n3: Look at all: the disk of n3 is \\x1b[2J full",
    ]
    assert not [line for line in told.lines if "%" in line]
    assert "\x1b[2J" not in told.written
    assert len(told.lines) < 40


@pytest.mark.heavy
def test_in_a_pipe_there_is_no_live_line_and_else_the_same(playbooks: Playbooks) -> None:
    hosts = numbered(12, n150={})
    code, text = playbooks.piped([TRY], hosts)
    told = playbooks.seen([TRY], hosts)
    assert (code, told.status) == (2, 2), text
    assert "\r" not in text
    assert "\x1b" not in text
    assert sorted(text.splitlines()) == sorted(told.lines)
    in_ci = playbooks.seen([TRY], hosts, CI="true")
    assert "\x1b[K" not in in_ci.written
    assert sorted(in_ci.lines) == sorted(told.lines)


@pytest.mark.parametrize("strategy", ["linear", "free"])
def test_warnings_and_hosts_that_are_not_reached_are_told_as_they_come(playbooks: Playbooks, strategy: str) -> None:
    told = playbooks.seen([{**FEW, "strategy": strategy}], numbered(3, away=AWAY), columns=200)
    text = "\n".join(told.lines)
    assert told.status == 4, told.written
    assert told.lines[0] == "PLAY [Few] 3 hosts"
    assert "place them in the window, as by chance and not evenly" in text
    assert len(re.findall(r"^unreachable: \[away\] => .*Connection refused", text, re.MULTILINE)) == 1
    assert len(re.findall(r"^failed, ignored: \[n[12]\] => .*no matter", text, re.MULTILINE)) == 2
    assert '    "msg": "for people"' in told.lines
    assert [line for line in told.lines if line.startswith("ok: [n1] (item=")] == [
        "ok: [n1] (item=to) => {",
        "ok: [n1] (item=all) => {",
    ]
    assert "Be sure" not in told.lines
    assert "RECAP 3 hosts: 1 unreachable, 2 ok, 2 with ignored failures" in told.lines
    assert told.lines[-1].startswith("  unreachable: away: ")


def test_preview_draws_the_load_at_a_terminal_alone(playbooks: Playbooks) -> None:
    hosts = {f"n{number}": {"autoupdate_ordinal": number} for number in range(24)}
    default = {"ANSIBLE_STDOUT_CALLBACK": "default"}
    code, text = playbooks.piped("epp.autoupdate.preview", hosts, **default)
    assert code == 0, text
    told = playbooks.seen("epp.autoupdate.preview", hosts, columns=80, **default)
    assert told.status == 0, told.written
    chart = [line for line in told.lines if line not in text.splitlines()]
    assert chart[0] == "daily from 22:30 for 2h (UTC): 24 endpoints, at most 1 start a minute"
    assert set("".join(chart[1:5])) == set(" 1\u2588")
    assert chart[5].strip("\u2500") == "  0 "
    assert chart[6].split() == ["22:30", "23:00", "23:30", "00:00", "00:30"]
    assert len(chart) == 7
    assert [line for line in told.lines if line not in chart] == text.splitlines()
