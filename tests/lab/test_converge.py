# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Converging real machines through real Ansible: check mode is true and harmless, drift is found and mended."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from datetime import datetime, timezone
from typing import Any

import lab_documents as documents
import pytest
from ansible_collections.epp.autoupdate.plugins.module_utils._host.program.zipapp import identity_of
from lab_ansible import Ansible, HostResult
from lab_cases import cases
from lab_nodes import AGENT, OWN_NOISE, Node, differences, eventually

SYSTEMD, BARE = "n10", "b3"
SOURCE = "http://127.0.0.1:1"
Nodes = Callable[[str], Node]


def full(name: str) -> documents.Document:
    """A document that asks for every job and every right."""
    policy = {
        "events": {"update_on_reconnect": True, "scan_after_update": True},
        "privileges": {"toggle_scheduled_update": True, "go_roaming": True},
    }
    return documents.clamav(name, SOURCE, policy=policy, reconnect={"probe": "12h"})


def still(name: str) -> documents.Document:
    """The same without the look for the server after 15 s, by which a machine writes to its state on its own."""
    return documents.merged(full(name), {"policy": {"events": {"update_on_reconnect": False}}})


@pytest.fixture
def fresh(node: Nodes) -> list[Node]:
    """A host with systemd and one without, that have never seen the project."""
    machines = [node(name) for name in (SYSTEMD, BARE)]
    for machine in machines:
        machine.renew()
    return machines


@pytest.fixture
def converged(node: Nodes, ansible: Ansible) -> list[Node]:
    """A host with systemd and one without, both as their documents say; by their own agents, where they have them."""
    machines = [node(name) for name in (SYSTEMD, BARE)]
    if all(machine.exists(AGENT) for machine in machines):
        for machine in machines:
            machine.apply(full(machine.name))
    else:
        everywhere(ansible, machines)
    return machines


def everywhere(
    ansible: Ansible, machines: list[Node], document: Callable[[str], documents.Document] = full, **options: Any
) -> dict[str, HostResult]:
    """Converge these hosts in one run; every host must succeed."""
    return ansible.converge({machine.name: document(machine.name) for machine in machines}, **options).demand().hosts


def test_check_mode_on_a_fresh_host_writes_nothing_and_foretells_the_real_run(
    fresh: list[Node], ansible: Ansible
) -> None:
    before = [machine.manifest() for machine in fresh]
    foretold = everywhere(ansible, fresh, still, check=True, diff=True)
    assert moved(fresh, before) == {}
    assert not any(machine.exists("/run/epp-autoupdate") for machine in fresh)
    done = everywhere(ansible, fresh, still, diff=True)
    for machine, manifest in zip(fresh, before):
        assert foretold[machine.name].changed
        assert same(done[machine.name], foretold[machine.name])
        created = {change["path"] for change in done[machine.name].task["changes"] if change["action"] == "create"}
        assert created
        assert created <= machine.manifest().keys() - manifest.keys()

    after = [machine.manifest() for machine in fresh]
    again = everywhere(ansible, fresh, still, diff=True)
    assert not any(result.changed for result in again.values()), again
    written = {path for paths in moved(fresh, after).values() for path in paths}
    assert written <= {SETTLED}, "more than the note that there was nothing to do"
    after = [machine.manifest() for machine in fresh]
    again = everywhere(ansible, fresh, still, check=True, diff=True)
    assert not any(result.changed for result in again.values()), again
    assert moved(fresh, after) == {}


EDITS = {
    "its content": "echo '# by hand' >>{path}",
    "its mode": "chmod 0606 {path}",
    "its presence": "rm {path}",
    "a link in its place": "cp {path} /srv/copy && ln -sf /srv/copy {path}",
    "a directory in its place": "rm {path} && mkdir {path}",
}


@pytest.mark.parametrize("edit", cases(EDITS, "its content"))
def test_every_hand_edit_of_every_file_is_found_and_mended(converged: list[Node], ansible: Ansible, edit: str) -> None:
    """Units, rules, policy, configuration: all of them at once, each in the diff, each as it was."""
    before = [digests(machine) for machine in converged]
    paths = {machine.name: managed_files(machine) for machine in converged}
    for machine in converged:
        assert len(paths[machine.name]) >= 4, paths
        machine.run(" && ".join(edit.format(path=path) for path in paths[machine.name]))
    after_the_first_look(converged)
    drifted = [machine.manifest() for machine in converged]
    foretold = everywhere(ansible, converged, check=True, diff=True)
    assert moved(converged, drifted) == {}, "check mode wrote to a drifted host"
    mended = everywhere(ansible, converged, diff=True)
    for machine in converged:
        found = {change["path"] for change in foretold[machine.name].task["changes"]}
        assert found >= set(paths[machine.name])
        assert same(mended[machine.name], foretold[machine.name], but=("drift",))
        assert machine.apply(full(machine.name)).json()["changed"] is False
    assert [digests(machine) for machine in converged] == before


AGENT_EDITS = {
    "appended": "echo x >>{path}",
    "changed": "sed -i 's/joined the run/joined one run/g' {path}",
    "cut off": "truncate -s -5000 {path}",
    "removed": "rm {path}",
}


@pytest.mark.parametrize("fast", cases({"through the agent": True, "through the module": False}, "through the agent"))
@pytest.mark.parametrize("edit", cases(AGENT_EDITS, "changed"))
def test_a_hand_edit_of_the_agent_is_found_and_mended(
    converged: list[Node], ansible: Ansible, edit: str, fast: bool
) -> None:
    before = [digests(machine) for machine in converged]
    for machine in converged:
        machine.run(edit.format(path=AGENT))
    results = everywhere(ansible, converged, fast=fast)
    after = [digests(machine) for machine in converged]
    if after != before:  # leave the others a sound agent
        for machine in converged:
            machine.run(["rm", AGENT])
    assert [differences(old, new) for old, new in zip(before, after)] == [{}] * len(converged)
    assert all(result.changed for result in results.values())


SETTLED = "/var/lib/epp-autoupdate/converge-fingerprint"
SYSTEMD_DRIFT = {
    "a stopped timer": "systemctl stop epp-update.timer",
    "a disabled timer": "systemctl disable epp-update.timer",
    "a masked timer": "systemctl stop epp-update.timer && rm /etc/systemd/system/epp-update.timer "
    "&& systemctl mask epp-update.timer",
    "a timer that was moved by a drop-in": "cd /etc/systemd/system && mkdir -p epp-update.timer.d && "
    "printf '[Timer]\\nOnCalendar=*:0/5\\n' >epp-update.timer.d/mine.conf && systemctl daemon-reload",
    "a unit that systemd has not read again": "touch -d tomorrow /etc/systemd/system/epp-update@.service",
    "the distribution's own updater": "systemctl enable clamav-freshclam",
}


def test_what_systemd_does_otherwise_is_found_and_mended(node: Nodes, converged: list[Node]) -> None:
    """By the agent's own converge, the one that the Ansible task starts, from a record that there was nothing to do."""
    machine = node(SYSTEMD)
    installed = identity_of(machine.written(AGENT))
    assert installed is not None

    def apply(*words: str) -> dict[str, Any]:
        result = machine.apply(full(SYSTEMD), "--digest", installed[0], *words).json()
        assert isinstance(result, dict)
        return result

    def settled() -> bool:
        assert not apply()["changed"]
        return machine.exists(SETTLED)

    for what, drift in SYSTEMD_DRIFT.items():
        eventually(settled, seconds=60, why="whatever was looked at can be asked again in no time")
        machine.run(drift)
        assert apply("--check")["changed"] is True, what
        assert apply()["changed"] is True, what
        machine.run(["rm", "-f", SETTLED])
        again = apply()
        assert again["changed"] is False, (what, again)
        timers = ["epp-update.timer", "epp-reconnect.timer"]
        assert machine.run(["systemctl", "is-active", *timers]).out.split() == ["active"] * 2, what
        assert machine.run(["systemctl", "is-enabled", *timers]).out.split() == ["enabled"] * 2, what
        drop_ins = machine.run(["systemctl", "show", "--property=DropInPaths", "--value", timers[0]]).out.strip()
        assert drop_ins == "", what


def test_through_the_agent_or_through_the_module_it_is_the_same(converged: list[Node], ansible: Ansible) -> None:
    """The fast path and the module's own way: one result, in check mode and for real, and one refusal."""
    runs = []
    ways: list[dict[str, Any]] = [{"check": True}, {"check": True, "fast": False}, {"fast": False}, {}]
    for options in ways:
        for machine in converged:
            machine.run("echo '# by hand' >/etc/epp-autoupdate/freshclam.conf")
        runs.append(everywhere(ansible, converged, diff=True, **options))
    for machine in converged:
        first = runs[0][machine.name]
        assert first.changed
        assert all(same(run[machine.name], first) for run in runs[1:])
    bad = {machine.name: {**full(machine.name), "domain": "a//b"} for machine in converged}
    refused = [ansible.converge(bad, fast=fast) for fast in (True, False)]
    for machine in converged:
        assert "domain" in refused[0][machine.name].message
        assert refused[0][machine.name].message == refused[1][machine.name].message


@pytest.mark.heavy
def test_brought_by_one_command_or_by_the_module_it_is_the_same(fresh: list[Node], ansible: Ansible) -> None:
    """A first converge: what is foretold and what is done, and the agent that is on the host then."""
    foretold = [everywhere(ansible, fresh, check=True, diff=True, fast=fast) for fast in (True, False)]
    done, digests = [], []
    for fast in (True, False):
        done.append(everywhere(ansible, fresh, diff=True, fast=fast))
        digests.append([machine.run(["python3", "-c", IDENTITY]).out for machine in fresh])
        everywhere(ansible, fresh, state="absent", fast=fast)
    assert digests[0] == digests[1]
    for machine in fresh:
        first = foretold[0][machine.name]
        assert first.changed
        assert same(foretold[1][machine.name], first)
        assert all(same(run[machine.name], done[0][machine.name]) for run in done)


@pytest.mark.heavy
def test_absent_removes_every_trace(fresh: list[Node], ansible: Ansible) -> None:
    before = [set(machine.manifest(but=TRACES_OF_OTHERS)) for machine in fresh]
    everywhere(ansible, fresh)
    for machine in fresh:
        machine.agent_run("manual")
    after_the_first_look(fresh)
    converged = [machine.manifest() for machine in fresh]
    foretold = everywhere(ansible, fresh, state="absent", check=True, diff=True)
    assert moved(fresh, converged) == {}
    done = everywhere(ansible, fresh, state="absent", diff=True)
    for machine in fresh:
        assert foretold[machine.name].changed
        assert same(done[machine.name], foretold[machine.name])
        script = "find / -xdev \\( -name '*epp-*' -o -name '*epp_*' \\) -not -path '/proc/*' | sort"
        assert machine.run(script).out == ""
    assert [set(machine.manifest(but=TRACES_OF_OTHERS)) for machine in fresh] == before
    units = ["systemctl", "list-units", "--all", "--no-legend", "--plain", "epp-*"]
    assert fresh[0].run(units).out == ""
    again = everywhere(ansible, fresh, state="absent")
    assert not any(result.changed for result in again.values())


IDENTITY = """\
import zipfile
print(zipfile.ZipFile("/usr/local/bin/epp-agent").read("epp_autoupdate/_identity.py").decode())
"""

# What is not ours: what machines write by themselves, and the databases that freshclam got.
TRACES_OF_OTHERS = (*OWN_NOISE, "/var/lib/clamav")


def test_a_group_that_the_converge_made_goes_with_it(node: Nodes, ansible: Ansible) -> None:
    machine = node(SYSTEMD)
    machine.renew()
    document = {**full(SYSTEMD), "user_group": "lab-users"}
    assert ansible.converge({SYSTEMD: document}).demand()[SYSTEMD].changed
    assert machine.run(["getent", "group", "lab-users"]).code == 0
    again = machine.apply(document).json()
    assert again["changed"] is False, again
    ansible.converge({SYSTEMD: document}, state="absent").demand()
    assert machine.run(["getent", "group", "lab-users"], check=False).code == 2
    assert machine.run(["getent", "group", "epp-users"]).code == 0


def test_bad_policy_is_refused_with_every_path_and_touches_nothing(fresh: list[Node], ansible: Ansible) -> None:
    before = [machine.manifest() for machine in fresh]
    errors = {"policy": {"schedule": {"frequency": "daily", "window": "2x"}, "privileges": {"update_now": "perhaps"}}}
    run = ansible.converge({machine.name: documents.merged(full(machine.name), errors) for machine in fresh})
    assert run.code != 0
    for machine in fresh:
        for path in ("policy.schedule.window", "update_now"):
            assert path in run[machine.name].message, run[machine.name].message
    assert moved(fresh, before) == {}


def test_the_playbook_site_brings_a_mixed_fleet_under_policy(fresh: list[Node], ansible: Ansible) -> None:
    """Systemd and cron hosts from inventory variables alone; the second run changes nothing; absent removes it all."""
    variables: dict[str, Any] = {
        "autoupdate_product": "command",
        "autoupdate_command": {"update": ["/bin/true"], "version": ["/bin/echo", "1"]},
        "autoupdate_policy": {"schedule": {"start": "03:00", "window": "90m"}},
        "autoupdate_domain": "emea/finance",
        "autoupdate_domain_policies": {"emea": {"schedule": {"timezone": "Europe/Berlin"}}},
    }
    fleet = {machine.name: {**variables, "autoupdate_ordinal": number} for number, machine in enumerate(fresh)}
    foretold = ansible.site(fleet, check=True).demand()
    assert all(foretold[name].changed for name in fleet)
    assert not any(machine.exists("/etc/epp-autoupdate") for machine in fresh)
    first = ansible.site(fleet).demand()
    assert all(first[name].changed for name in fleet)
    second = ansible.site(fleet).demand()
    assert not any(second[name].changed for name in fleet), second.output
    schedules = [machine.agent_status()["policy"]["schedule"] for machine in fresh]
    assert {(schedule["timezone"], schedule["start"]) for schedule in schedules} == {("Europe/Berlin", "03:00")}
    gone = ansible.site({name: {**values, "autoupdate_state": "absent"} for name, values in fleet.items()}).demand()
    assert all(gone[name].changed for name in fleet)
    assert not any(machine.exists("/etc/epp-autoupdate") for machine in fresh)


def after_the_first_look(machines: list[Node]) -> None:
    """Wait until the look for the server, 15 s after its timer was started last, is over.

    What moves from then on, somebody else moved.
    """
    (machine,) = (one for one in machines if one.name == SYSTEMD)  # cron looks when the machine boots
    asked = ["systemctl", "show", "--property=ActiveEnterTimestamp,LastTriggerUSec,SubState", "epp-reconnect.timer"]

    def over() -> bool:
        shown = dict(line.split("=", 1) for line in machine.run(asked).out.splitlines())
        looked, started = instant(shown["LastTriggerUSec"]), instant(shown["ActiveEnterTimestamp"])
        return looked > started and shown["SubState"] == "waiting"

    eventually(over, seconds=90, why="the look for the server is over")


def instant(shown: str) -> datetime:
    """What systemctl shows of an instant, to the second."""
    never = datetime.min.replace(tzinfo=timezone.utc)
    if shown in ("", "n/a", "0"):
        return never
    return datetime.strptime(shown, "%a %Y-%m-%d %H:%M:%S UTC").replace(tzinfo=timezone.utc)


def moved(machines: list[Node], before: list[dict[str, str]]) -> dict[str, Any]:
    """What changed on the machines since these manifests were taken."""
    changes = {machine.name: differences(old, machine.manifest()) for machine, old in zip(machines, before)}
    return {name: found for name, found in changes.items() if found}


def same(one: HostResult, other: HostResult, *, but: tuple[str, ...] = ()) -> bool:
    """Equal but for what every run tells of itself; the assertion shows what differs.

    Leave out ``drift`` where systemd itself loads units between the two.
    """
    left, right = (essence(result, but) for result in (one, other))
    assert left == right
    return True


def essence(result: HostResult, but: tuple[str, ...]) -> dict[str, Any]:
    known = {key: value for key, value in result.task.items() if key in ("changed", "changes", "drift")}
    diff = [part for part in result.diff if "prepared" not in part or "drift" not in but]
    # Before Python 3.11 the same source compiles to byte code that differs.
    known["diff"] = json.loads(
        re.sub(rf"({AGENT} \(mode 0755\): \(version [^,]*, sha256) \w+", r"\1", json.dumps(diff))
    )
    return {key: value for key, value in known.items() if key not in but}


def managed_files(node: Node) -> list[str]:
    """Every regular file of ours that a document makes."""
    script = (
        "find /etc/epp-autoupdate /etc/systemd/system /etc/cron.d /etc/sudoers.d "
        "/etc/polkit-1/rules.d -type f \\( -name '*epp-*' -o -path '*/epp-autoupdate/*' \\) 2>/dev/null | sort"
    )
    return node.run(script, check=False).out.split()


def digests(node: Node) -> dict[str, str]:
    """What is in place, without times: path -> type, mode, owner and content.

    The agent's content is what it is made of: before Python 3.11 the same source compiles to byte code that differs.
    """
    own = {path: facts.split() for path, facts in node.manifest().items() if "epp-" in path or path[:5] == "/etc/"}
    found = {path: " ".join((facts[0], facts[1], facts[-1])) for path, facts in own.items() if "/var/lib" not in path}
    mode, owner, _digest = found[AGENT].split()
    return {**found, AGENT: f"{mode} {owner} {identity_of(node.written(AGENT))}"}
