# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The two ways of the action ``endpoint``, by the agent and by the module, can't be told apart by their results."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.epp.autoupdate.tests.playbook_runner import PlaybookRunner

from .conftest import POLICY, Control, Run

OPTIONS: dict[str, Any] = {"endpoint": "n1", "ordinal": 3, "policy": POLICY}


def options(control: Control, **more: Any) -> dict[str, Any]:
    return {"installroot": str(control.root("n1")), **OPTIONS, **more}


def by_agent(run: Run) -> bool:
    """Whether a run with -vvv went without the module, and so without a temporary directory."""
    return "Using module file" not in run.output and "ansible-tmp-" not in run.output


def files(root: Path) -> dict[str, Any]:
    return {
        str(path.relative_to(root)): (path.lstat().st_mode, path.read_bytes() if path.is_file() else None)
        for path in root.rglob("*")
        if "__pycache__" not in path.parts
    }


@pytest.fixture(scope="module")
def first_converge(tmp_path_factory: pytest.TempPathFactory, runner: PlaybookRunner) -> Path:
    """A host after its first converge; every test gets a copy."""
    control = Control(tmp_path_factory.mktemp("first"), runner)
    first = control.task(options(control))
    assert first.code == 0, first.output
    assert first.of("n1")["changed"] is True
    return control.root("n1")


@pytest.fixture
def converged(control: Control, first_converge: Path) -> Control:
    """A control node whose host has the agent."""
    shutil.copytree(first_converge, control.root("n1"), symlinks=True)
    return control


def test_the_second_converge_goes_to_the_agent_and_changes_nothing(converged: Control) -> None:
    second = converged.task(options(converged), "-vvv")
    assert second.of("n1")["changed"] is False
    assert by_agent(second)


@pytest.mark.parametrize(
    "arguments",
    [
        pytest.param((), id="real"),
        pytest.param(("--diff",), id="diff", marks=pytest.mark.heavy),
        pytest.param(("--check",), id="check", marks=pytest.mark.heavy),
        pytest.param(("--check", "--diff"), id="check with diff"),
    ],
)
def test_both_ways_give_the_same_result(converged: Control, arguments: tuple[str, ...]) -> None:
    change = options(converged, policy={**POLICY, "schedule": {"frequency": "hours", "interval": 4}})
    agent = converged.root("n1") / "usr/local/bin/epp-agent"
    fast = converged.task(change, "-vvv", *arguments)
    assert by_agent(fast)
    assert converged.task(options(converged)).code == 0
    agent.chmod(0o644)
    slow = converged.task(change, "-vvv", *arguments)
    assert not by_agent(slow)
    repaired = [line for line in slow.of("n1")["changes"] if line["path"] == "/usr/local/bin/epp-agent"]
    assert len(repaired) == 1
    assert without_agent(slow.of("n1")) == without_agent(fast.of("n1"))
    assert fast.of("n1")["changes"]


def without_agent(result: dict[str, Any]) -> dict[str, Any]:
    """A result without the line about the agent, whose mode the test itself changed."""
    left = {key: value for key, value in result.items() if not key.endswith("lines")}
    left["changes"] = [change for change in result["changes"] if not change["path"].endswith("/epp-agent")]
    if "diff" in result:
        left["diff"] = [part for part in result["diff"] if "/epp-agent" not in part.get("before_header", "")]
    return left


def test_check_mode_writes_nothing_and_foretells_the_run(converged: Control) -> None:
    change = options(converged, policy={**POLICY, "privileges": {"update_now": False}})
    before = files(converged.root("n1"))
    foretold = converged.task(change, "--check", "--diff").of("n1")
    assert files(converged.root("n1")) == before
    done = converged.task(change, "--diff").of("n1")
    assert (foretold["changes"], foretold["diff"]) == (done["changes"], done["diff"])


def test_check_mode_on_a_host_without_anything_writes_nothing(control: Control) -> None:
    control.root("n1").mkdir(parents=True)
    run = control.task(options(control), "--check", "--diff")
    assert run.of("n1")["changed"] is True
    assert files(control.root("n1")) == {}


def test_a_refused_document_is_told_before_the_host_is_contacted(control: Control) -> None:
    bad = options(control, policy={"schedule": {"window": "2x", "frequency": "daily"}}, ordinal=-1, prodct="files")
    run = control.task(bad, keywords={"vars": {"ansible_connection": "ssh", "ansible_host": "192.0.2.1"}})
    message = run.of("n1")["msg"]
    assert 'policy.schedule.window: "2x" is not a duration (try 90m, 2h)' in message
    assert "ordinal: -1 is not" in message
    assert 'prodct: "prodct" is not a known key (did you mean product?)' in message
    assert [line["kind"] for line in run.results] == ["failed"]


@pytest.mark.parametrize("root", ["relative", "/tmp/../etc"])
def test_a_root_must_be_an_absolute_path(control: Control, root: str) -> None:
    assert "installroot: " in control.task({**OPTIONS, "installroot": root}).of("n1")["msg"]


def test_another_agent_is_replaced(converged: Control) -> None:
    agent = converged.root("n1") / "usr/local/bin/epp-agent"
    right = agent.read_bytes()
    agent.write_text("#!/bin/sh\necho '{\"stale\": true}'\nexit 3\n")
    run = converged.task(options(converged))
    assert run.of("n1")["changes"] == [{"path": "/usr/local/bin/epp-agent", "action": "modify"}]
    assert agent.read_bytes() == right


@pytest.mark.parametrize(
    "noise",
    [
        "exit 1",
        *(pytest.param(one, marks=pytest.mark.heavy) for one in ("echo hello", "kill -9 $$", "echo '[1]'")),
        "echo '{\"failed\": true'",
    ],
)
def test_an_agent_that_makes_no_sense_is_replaced(converged: Control, noise: str) -> None:
    agent = converged.root("n1") / "usr/local/bin/epp-agent"
    agent.write_text(f"#!/bin/sh\n{noise}\n")
    run = converged.task(options(converged))
    assert run.code == 0, run.output
    assert run.of("n1")["changed"] is True


def test_absent_leaves_nothing_and_is_idempotent(converged: Control) -> None:
    root = str(converged.root("n1"))
    foretold = converged.task({"installroot": root, "state": "absent"}, "--check").of("n1")
    done = converged.task({"installroot": root, "state": "absent"}).of("n1")
    assert foretold["changes"] == done["changes"] != []
    assert [
        path for path in files(converged.root("n1")) if "epp" in path.replace("epp-autoupdate/components", "")
    ] == []
    assert converged.task({"installroot": root, "state": "absent"}).of("n1")["changed"] is False


def test_variables_stand_in_for_options(converged: Control) -> None:
    variables = {
        "autoupdate_installroot": "{{ '" + str(converged.work) + "/hosts/' ~ inventory_hostname }}",
        "autoupdate_policy": {"schedule": {"start": "02:00", "window": "2h"}},
        "autoupdate_domain": "emea",
        "autoupdate_domain_policies": {"emea": {"sources": POLICY["sources"]}},
        "autoupdate_ordinal": "3",
    }
    task = {"name": "Converge", "epp.autoupdate.endpoint": {"use_variables": True, "domain": ""}}
    run = converged.play([task], {"n1": variables})
    assert run.code == 0, run.output
    assert run.of("n1")["changed"] is False


@pytest.mark.heavy
def test_async_goes_by_the_module(control: Control) -> None:
    run = control.task(options(control), keywords={"async": 60, "poll": 1})
    assert run.code == 0, run.output
    assert run.of("n1")["changed"] is True
