# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Runs that something else starts: slices of one inventory at the same time, ansible-runner, ansible-pull."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml
from ansible_collections.epp.autoupdate.tests.unit.own_programs import PROGRAMS, needs

from .conftest import COLLECTIONS, POLICY, Fleet, Inventory

pytestmark = pytest.mark.heavy
NAMES = tuple(f"n{number}" for number in range(1, 11))
RECAP = re.compile(r"^(\S+)\s+: ok=\d+\s+changed=(\d+)\s+unreachable=(\d+)\s+failed=(\d+)", re.MULTILINE)


class Bench:
    """Where the runs take place: their environment, and a fleet of ten endpoints."""

    def __init__(self, fleet: Fleet, work: Path) -> None:
        self.fleet, self.work = fleet, work
        fleet.adapt = self._ten
        own = {"ANSIBLE_COLLECTIONS_PATH": str(COLLECTIONS), "ANSIBLE_HOME": str(work / "ansible")}
        own |= {"ANSIBLE_NOCOLOR": "1", "ANSIBLE_REMOTE_TEMP": str(work / "remote")}
        path = os.pathsep.join((str(PROGRAMS), os.environ["PATH"]))
        self.environment = {**os.environ, **own, "PATH": path}

    def inventory(self, names: tuple[str, ...], **everywhere: Any) -> dict[str, Any]:
        """The inventory of these hosts alone; ``everywhere`` is said of all."""
        hosts = {name: one for name, one in self.fleet.hosts().items() if name in names}
        found: dict[str, Any] = json.loads(self.fleet.control.inventory(hosts))
        found["all"]["vars"].update(everywhere)
        return found

    def registered(self) -> set[str]:
        return {str(one["name"]) for one in self.fleet.control.ask("endpoints")}

    def _ten(self, hosts: Inventory) -> Inventory:
        root = str(self.fleet.control.root("n2"))
        model = {**hosts["n2"], "autoupdate_installroot": root}
        others = {name: {**model, "autoupdate_installroot": root.replace("n2", name)} for name in NAMES[2:]}
        return {**hosts, **others}


@pytest.fixture
def bench(fleet: Fleet, tmp_path: Path) -> Bench:
    return Bench(fleet, tmp_path)


def recap(output: str) -> dict[str, int]:
    """Host to the number of its changes; AssertionError where a host failed or was not reached."""
    found = RECAP.findall(output)
    assert found, output
    assert [host for host, _changed, unreachable, failed in found if (unreachable, failed) != ("0", "0")] == [], output
    return {host: int(changed) for host, changed, _unreachable, _failed in found}


def sliced(bench: Bench) -> dict[str, int]:
    """One inventory in five parts, each a run of its own, all at once; the server is looked up by its name."""
    of_server = {
        key: one for key, one in bench.fleet.hosts()["updates"].items() if key.startswith("autoupdate_server_")
    }
    runs = []
    for number in range(5):
        place = bench.work / f"slice-{number}.json"
        names = NAMES[number::5]
        place.write_text(json.dumps(bench.inventory(names, autoupdate_server_host="localhost", **of_server)))
        command = ["ansible-playbook", "-i", str(place), "epp.autoupdate.site"]
        runs.append(subprocess.Popen(command, env=bench.environment, stdout=subprocess.PIPE, text=True))
    told = [run.communicate()[0] for run in runs]
    assert [run.returncode for run in runs] == [0] * 5, "\n".join(told)
    return {host: changes for one in told for host, changes in recap(one).items()}


def test_slices_at_the_same_time_register_everybody_once_and_the_second_time_nothing_changes(bench: Bench) -> None:
    assert bench.fleet.play("site", "--limit", "updates").code == 0
    first = sliced(bench)
    assert set(first) == set(NAMES)
    assert all(first.values())
    assert bench.registered() == set(NAMES)
    assert sliced(bench) == dict.fromkeys(NAMES, 0)


@needs("ansible-runner")
def test_ansible_runner_runs_site_and_tells_its_counts(bench: Bench) -> None:
    """As an automation controller starts it: a private directory with inventory and variables, the playbook by name."""
    private = bench.work / "private"
    for part in ("inventory", "env"):
        (private / part).mkdir(parents=True)
    (private / "inventory/hosts.json").write_text(json.dumps(bench.inventory(("n1", "n2", "updates"))))
    (private / "env/envvars").write_text(yaml.safe_dump({"ANSIBLE_COLLECTIONS_PATH": str(COLLECTIONS)}))
    for changes in (True, False):
        command = ["ansible-runner", "run", str(private), "-p", "epp.autoupdate.site", "--ident", f"run-{changes}"]
        done = subprocess.run(command, env=bench.environment, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr
        artifacts = private / "artifacts" / f"run-{changes}"
        assert (artifacts / "status").read_text() == "successful"
        found = recap((artifacts / "stdout").read_text())
        assert {host: bool(count) for host, count in found.items()} == dict.fromkeys(("n1", "n2", "updates"), changes)
    assert bench.registered() == {"n1", "n2"}


@needs("ansible-pull")
@pytest.mark.skipif(not shutil.which("git"), reason="git is not installed")
def test_ansible_pull_converges_the_endpoint_that_it_runs_on(bench: Bench) -> None:
    """A repository with the inventory and a playbook; the endpoint takes what is its own of it, and nobody else's."""
    repository = bench.work / "repository"
    repository.mkdir()
    bench.fleet.policy = POLICY
    hosts = bench.inventory(("n1", "n2"))
    (repository / "hosts.json").write_text(json.dumps(hosts))
    (repository / "local.yml").write_text("- name: Converge\n  import_playbook: epp.autoupdate.site\n")
    who = ("-c", "user.name=tests", "-c", "user.email=tests@example.com")
    for words in (["init", "--initial-branch=main"], ["add", "."], ["commit", "-m", "one"]):
        subprocess.run(["git", *who, *words], cwd=repository, check=True, capture_output=True)
    command = ["ansible-pull", "--url", str(repository), "--directory", str(bench.work / "checkout"), "--limit", "n1"]
    command += ["--inventory", "hosts.json", "--accept-host-key", "local.yml"]
    for changes in (True, False):
        done = subprocess.run(
            command, env=bench.environment, cwd=bench.work, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stdout + done.stderr
        assert {host: bool(count) for host, count in recap(done.stdout.rpartition("PLAY [")[2]).items()} == {
            "n1": changes
        }
    assert (bench.fleet.control.root("n1") / "etc/epp-autoupdate/endpoint.json").exists()
    assert not bench.fleet.control.root("n2").exists()
