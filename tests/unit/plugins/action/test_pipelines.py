# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The pipelines of the guide: every command of theirs is run, on a fleet that is clean and on one that has drifted."""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from .conftest import COLLECTIONS, Fleet

GUIDE = COLLECTIONS / "ansible_collections/epp/autoupdate/docs/docsite/rst/continuous_integration.rst"
PREPARED = ("pip", "ansible-galaxy")
"""Programs that bring what is here already."""

pytestmark = pytest.mark.skipif(not shutil.which("jq"), reason="jq is not installed")


def blocks(language: str, heading: str) -> str:
    """The first code block of one language below a heading."""
    text = GUIDE.read_text(encoding="utf-8").partition(f"\n{heading}\n")[2]
    found = re.search(rf"code-block:: {language}\n\n((?:(?:    [^\n]*)?\n)+)", text)
    assert found, heading
    return "".join(f"{line[4:]}\n" for line in found[1].splitlines())


def github(job: str) -> tuple[list[str], dict[str, str]]:
    steps = (content := yaml.safe_load(blocks("yaml", "GitHub Actions"))["jobs"][job])["steps"]
    return [step["run"] for step in steps if "run" in step], content.get("env", {})


def gitlab(job: str) -> tuple[list[str], dict[str, str]]:
    content = yaml.safe_load(blocks("yaml", "GitLab CI"))
    return [*content["default"]["before_script"], *content[job]["script"]], content[job].get("variables", {})


def cron(_job: str) -> tuple[list[str], dict[str, str]]:
    return [blocks("sh", "cron")], {}


def console(_job: str) -> tuple[list[str], dict[str, str]]:
    lines = blocks("console", "Continuous integration").splitlines()
    return [line.removeprefix("$ ") for line in lines if line], {}


class Machine:
    """Where pipelines run: a directory with the fleet's inventory, or what is ``written`` instead, and ``PATH``."""

    def __init__(self, fleet: Fleet, place: Path) -> None:
        self.place, self._fleet = place, fleet
        self.written = ""
        programs = place / "bin"
        programs.mkdir()
        for name in PREPARED:
            (programs / name).write_text("#!/bin/sh\n")
            (programs / name).chmod(0o755)
        own = {"ANSIBLE_COLLECTIONS_PATH": str(COLLECTIONS), "ANSIBLE_LOCAL_TEMP": str(place / "local")}
        own |= {"ANSIBLE_REMOTE_TEMP": str(place / "remote"), "GITHUB_STEP_SUMMARY": str(place / "summary.md")}
        path = os.pathsep.join((str(programs), str(Path(sys.executable).parent), os.environ["PATH"]))
        self._environment = {**os.environ, **own, "PATH": path, "ANSIBLE_NOCOLOR": "1"}

    def run(self, commands: list[str], environment: dict[str, str]) -> subprocess.CompletedProcess[str]:
        """The commands one after the other, until one fails, as both services do it."""
        text = self._fleet.control.inventory(self._fleet.hosts())
        (self.place / "inventory.yml").write_text(self.written or yaml.safe_dump(json.loads(text)))
        script = "\n".join(commands).replace("/srv/fleet", shlex.quote(str(self.place)))
        shell = [] if script.startswith("#!") else ["-e"]
        return subprocess.run(
            ["bash", *shell, "-c", script],
            cwd=self.place,
            env={**self._environment, **environment},
            capture_output=True,
            text=True,
            check=False,
        )


@pytest.fixture
def machine(fleet: Fleet, tmp_path: Path) -> Machine:
    return Machine(fleet, tmp_path)


heavy = pytest.mark.heavy


@pytest.mark.parametrize("pipeline", [cron, *(pytest.param(one, marks=heavy) for one in (github, gitlab, console))])
def test_bad_policy_fails_the_pipeline(pipeline: Any, fleet: Fleet, machine: Machine) -> None:
    fleet.policy = {"schedule": {"window": "2x"}}
    done = machine.run(*pipeline("check"))
    assert done.returncode == 1, done.stdout + done.stderr
    told = done.stdout if pipeline is cron else _text(machine.place / "autoupdate-report/check.md")
    assert told.startswith("## Autoupdate check: faults\n"), done.stdout + done.stderr
    assert '"2x" is not a duration' in told


@pytest.mark.heavy
@pytest.mark.usefixtures("site")
@pytest.mark.parametrize("pipeline", [cron, github, gitlab, console])
def test_drift_fails_the_pipeline_and_tells_people(pipeline: Any, fleet: Fleet, machine: Machine) -> None:
    (fleet.control.root("n1") / "etc/systemd/system/epp-update.timer").unlink()
    done = machine.run(*pipeline("check"))
    assert done.returncode == 1, done.stdout + done.stderr
    report = machine.place / "autoupdate-report"
    assert sorted(os.listdir(report)) == ["check.json", "check.md", "check.xml"]
    told = {cron: done.stdout, github: _text(machine.place / "summary.md")}.get(pipeline, _text(report / "check.md"))
    assert told.startswith("## Autoupdate check: drift\n"), done.stdout + done.stderr


@pytest.mark.heavy
@pytest.mark.usefixtures("site")
@pytest.mark.parametrize("pipeline", [cron, github, gitlab, console])
def test_a_clean_fleet_passes(pipeline: Any, machine: Machine) -> None:
    done = machine.run(*pipeline("check"))
    assert done.returncode == 0, done.stdout + done.stderr
    assert pipeline is not cron or done.stdout + done.stderr == ""


@pytest.mark.heavy
def test_what_ansible_can_not_read_at_all_is_told_by_cron(machine: Machine) -> None:
    old = machine.place / "autoupdate-report"
    old.mkdir()
    (old / "check.json").write_text('{"verdict": "clean"}')
    machine.written = "all: [\n"
    done = machine.run(*cron("check"))
    assert done.returncode == 1
    assert "inventory.yml" in done.stdout


@pytest.mark.heavy
@pytest.mark.parametrize("pipeline", [github, gitlab])
@pytest.mark.parametrize("window", ["2h", "2x"])
def test_lint_passes_a_right_inventory_and_no_other(pipeline: Any, window: str, fleet: Fleet, machine: Machine) -> None:
    fleet.policy = {"schedule": {"window": window}}
    done = machine.run(*pipeline("lint"))
    assert done.returncode == (0 if window == "2h" else 2), done.stdout + done.stderr
    fault = r"^fault: inventory\.yml:\d+: n1: autoupdate_policy\.schedule\.window: "
    found = re.search(fault, done.stdout, re.MULTILINE)
    assert bool(found) == (window == "2x"), done.stdout


@pytest.mark.heavy
def test_lint_of_an_inventory_without_hosts_fails_whatever_the_settings(machine: Machine) -> None:
    machine.written = "all: [\n"
    done = machine.run(["ansible-playbook -i inventory.yml epp.autoupdate.lint"], {})
    assert done.returncode == 2
    assert "The inventory has no hosts." in done.stdout


def _text(path: Path) -> str:
    return path.read_text(encoding="utf-8") if path.exists() else ""
