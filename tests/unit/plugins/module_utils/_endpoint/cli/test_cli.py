# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The command line of the real agent: what people type, and what they see (P3, R2)."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.epp.autoupdate.plugins.module_utils._endpoint import payload
from ansible_collections.epp.autoupdate.plugins.module_utils._endpoint.cli import parser

from ..conftest import Sandbox

GRANTED = {"privileges": {"toggle_scheduled_update": True, "go_roaming": True}}


class Agent:
    """The agent working on one sandbox."""

    def __init__(self, path: Path, sandbox: Sandbox) -> None:
        self._path = path
        self._sandbox = sandbox

    def __call__(self, *arguments: str, document: Any = None) -> subprocess.CompletedProcess[str]:
        command = [self._path, "--root", self._sandbox.root, *arguments]
        given = document if isinstance(document, str) else json.dumps(document)
        return subprocess.run(command, input=given, capture_output=True, text=True, check=False)


@pytest.fixture
def epp_agent(agent: Path, sandbox: Sandbox) -> Agent:
    return Agent(agent, sandbox)


def test_apply_check_apply_quiet(epp_agent: Agent, sandbox: Sandbox) -> None:
    document = sandbox.document()
    runs = [epp_agent("apply", *flags, document=document) for flags in (["--check"], [], [], ["--check", "--diff"])]
    assert [run.returncode for run in runs] == [0, 0, 0, 0]
    results = [json.loads(run.stdout) for run in runs]
    assert [result["changed"] for result in results] == [True, True, False, False]
    assert "diff" not in results[0]
    assert results[3]["diff"] == []


def test_prepare_makes_what_an_update_needs_and_is_missing(epp_agent: Agent, sandbox: Sandbox) -> None:
    policy = {"sources": {"urls": ["http://127.0.0.1:1"]}}
    document = sandbox.document(product="files", files={"directory": "/srv/updates/components"}, policy=policy)
    del document["command"]
    epp_agent("apply", document=document)
    made = sandbox.root / "srv/updates/components"
    made.rmdir()
    assert epp_agent("prepare").returncode == 0
    assert made.stat().st_mode & 0o7777 == 0o755
    made.chmod(0o2750)  # what is there keeps what its administrator gave it
    assert epp_agent("prepare").returncode == 0
    assert made.stat().st_mode & 0o7777 == 0o2750


def test_apply_installs_the_very_agent_that_runs(epp_agent: Agent, sandbox: Sandbox, agent: Path) -> None:
    epp_agent("apply", document=sandbox.document())
    installed = sandbox.root / "usr/local/bin/epp-agent"
    assert installed.read_bytes() == agent.read_bytes()
    assert installed.stat().st_mode & 0o777 == 0o755


def test_a_bad_document_is_refused_with_every_fault(epp_agent: Agent, sandbox: Sandbox) -> None:
    bad = sandbox.document(policy={"schedule": {"window": "2x"}, "events": {"typo": True}}, limits={"update": 1})
    done = epp_agent("apply", document=bad)
    result = json.loads(done.stdout)
    assert done.returncode == 65
    assert result["failed"]
    assert len(result["msg"].splitlines()) == 3
    assert 'policy.schedule.window: "2x" is not a duration' in result["msg"]
    assert not list(sandbox.root.iterdir())


@pytest.mark.parametrize("text", ["", "{", "[]", "null", '"x"'])
def test_what_is_no_document_is_refused(epp_agent: Agent, sandbox: Sandbox, text: str) -> None:
    done = epp_agent("apply", document=text)
    assert done.returncode in (1, 65)
    assert json.loads(done.stdout)["failed"]
    assert not list(sandbox.root.iterdir())


def test_another_digest_is_stale_and_changes_nothing(epp_agent: Agent, sandbox: Sandbox) -> None:
    done = epp_agent("apply", "--digest", "0" * 64, document=sandbox.document())
    assert (done.returncode, json.loads(done.stdout)) == (3, {"stale": True})
    assert not list(sandbox.root.iterdir())


def test_an_edited_agent_does_not_pass_for_the_original(agent: Path, sandbox: Sandbox) -> None:
    edited = sandbox.directory / "edited"
    edited.write_bytes(agent.read_bytes() + b"\n")
    edited.chmod(0o755)
    digest = payload.digest(payload.sources())
    done = Agent(edited, sandbox)("apply", "--digest", digest, document=sandbox.document())
    assert (done.returncode, json.loads(done.stdout)) == (3, {"stale": True})
    assert not list(sandbox.root.iterdir())


@pytest.mark.parametrize(
    "command", [("status",), ("update-now",), ("scan",), ("schedule", "disable"), ("run", "--trigger", "schedule")]
)
def test_before_the_first_converge(epp_agent: Agent, command: tuple[str, ...]) -> None:
    done = epp_agent(*command)
    assert done.returncode == 1
    assert "this host is not enrolled" in done.stderr
    assert done.stderr.count("\n") == 1


@pytest.mark.parametrize("command", [(), ("fly",), ("run",), ("run", "--trigger", "sunrise"), ("schedule", "maybe")])
def test_a_wrong_command_line(epp_agent: Agent, command: tuple[str, ...]) -> None:
    done = epp_agent(*command)
    assert done.returncode == 64
    assert done.stderr.startswith("usage: epp-agent")


@pytest.mark.parametrize(
    ("command", "privilege"),
    [
        (("schedule", "disable"), "toggle_scheduled_update"),
        (("schedule", "enable"), "toggle_scheduled_update"),
        (("roaming", "on"), "go_roaming"),
        (("update-now", "--as-user"), "update_now"),
        (("run", "--trigger", "manual"), "update_now"),
    ],
)
def test_what_is_not_granted_is_denied_told_and_logged(
    epp_agent: Agent, sandbox: Sandbox, command: tuple[str, ...], privilege: str
) -> None:
    """P3."""
    epp_agent("apply", document=sandbox.document(policy={"privileges": {"update_now": False}}))
    before = {path: kept for path, kept in sandbox.tree().items() if "log" not in path}
    done = epp_agent(*command)
    assert done.returncode == 77
    assert f"the privilege privileges.{privilege} is not granted" in done.stderr
    assert f"privileges.{privilege}" in (sandbox.root / "var/log/epp-agent.log").read_text()
    assert {path: kept for path, kept in sandbox.tree().items() if "log" not in path} == before


def test_switches_and_status(epp_agent: Agent, sandbox: Sandbox) -> None:
    epp_agent("apply", document=sandbox.document(policy=GRANTED))
    assert epp_agent("schedule", "disable").returncode == 0
    assert epp_agent("roaming", "on").returncode == 0
    status = json.loads(epp_agent("status", "--json").stdout)
    assert (status["switch"], status["roaming"], status["scheduled_update"]) == (False, True, False)
    assert status["next_run"] is None
    text = epp_agent("status").stdout
    assert "scheduled update  off (the user's switch)" in text
    assert "roaming           yes" in text
    assert "sources           the product's own" in text
    public = json.loads((sandbox.root / "var/lib/epp-autoupdate/status.json").read_text())
    assert public["switch"] is False


def test_update_now_scan_and_status_tell_what_happened(epp_agent: Agent, sandbox: Sandbox) -> None:
    (sandbox.root / "home").mkdir()  # of the paths to scan, only those that exist are
    epp_agent("apply", document=sandbox.document())
    updated = epp_agent("update-now")
    assert updated.stdout == "update (manual): updated; command 0 to 1\n"
    found = epp_agent("scan")
    assert "found Test-Signature in /planted" in found.stdout
    status = json.loads(epp_agent("status", "--json").stdout)
    assert status["components"][0]["version"] == "1"
    assert status["last"]["manual"]["result"] == "updated"
    assert status["scan"]["last"]["findings"] == [{"path": "/planted", "signature": "Test-Signature"}]
    log = (sandbox.root / "var/log/epp-agent.log").read_text()
    assert "scan: found Test-Signature in /planted" in log


def test_what_no_privilege_covers_is_denied_to_users_before_anything(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    for command in ("sync", "scan"):
        assert parser.main([command]) == 77
        assert f"denied: epp-agent {command} is for root alone" in capsys.readouterr().err


def test_status_is_readable_by_everyone_and_holds_no_command_lines(epp_agent: Agent, sandbox: Sandbox) -> None:
    epp_agent("apply", document=sandbox.document())
    public = sandbox.root / "var/lib/epp-autoupdate/status.json"
    assert public.stat().st_mode & 0o777 == 0o644
    assert str(sandbox.installed) not in public.read_text()
    assert (sandbox.root / "etc/epp-autoupdate/endpoint.json").stat().st_mode & 0o777 == 0o600


def test_a_zone_that_tzdata_no_longer_has_costs_the_timetable_alone(epp_agent: Agent, sandbox: Sandbox) -> None:
    """S7: what was accepted stays readable; status says what is lost, and new input with such a zone is refused."""
    schedule = {"frequency": "daily", "start": "02:00", "window": "1h", "timezone": "Europe/Berlin"}
    document = sandbox.document(policy={"schedule": schedule, **GRANTED})
    assert epp_agent("apply", document=document).returncode == 0
    installed = sandbox.root / "etc/epp-autoupdate/endpoint.json"
    installed.write_text(installed.read_text().replace("Europe/Berlin", "Mars/Base_1"))
    lost = "schedule.timezone: Mars/Base_1 is not known here any more"
    assert epp_agent("update-now").returncode == 0
    assert sandbox.installed.read_text() == "1"
    for command in (("schedule", "disable"), ("schedule", "enable"), ("roaming", "on"), ("roaming", "off")):
        assert epp_agent(*command).returncode == 0, command
    told = json.loads(epp_agent("status", "--json").stdout)
    assert (told["next_run"], told["policy"]["schedule"]["timezone"]) == (None, "Mars/Base_1")
    assert told["schedule_fault"].startswith(lost)
    assert f"next run          none ({lost}" in epp_agent("status").stdout
    assert json.loads((sandbox.root / "var/lib/epp-autoupdate/status.json").read_text())["schedule_fault"]
    scheduled = json.loads(epp_agent("run", "--trigger", "schedule", "--json").stdout)
    assert (scheduled["result"], scheduled["reason"][: len(lost)]) == ("failed", lost)
    document["policy"]["schedule"]["timezone"] = "Mars/Base_1"
    refused = epp_agent("apply", document=document)
    assert refused.returncode == 65
    assert "that is known here" in refused.stdout
    document["policy"]["schedule"]["timezone"] = "Europe/Berlin"
    assert epp_agent("apply", document=document).returncode == 0
    assert json.loads(epp_agent("status", "--json").stdout)["schedule_fault"] is None
