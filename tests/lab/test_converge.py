# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Converging real machines through real Ansible: check mode is true and harmless, drift is found and mended."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import lab_documents as documents
import pytest
from lab_ansible import Ansible, HostResult
from lab_nodes import Node

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


@pytest.fixture(params=[SYSTEMD, BARE])
def fresh(request: pytest.FixtureRequest, node: Nodes) -> Node:
    """A machine that has never seen the project."""
    machine = node(request.param)
    machine.renew()
    machine.run(["python3", "-c", "0"])
    return machine


@pytest.fixture(params=[SYSTEMD, BARE])
def converged(request: pytest.FixtureRequest, node: Nodes, ansible: Ansible) -> Node:
    ansible.converge({request.param: full(request.param)}).demand()
    return node(request.param)


def test_check_mode_on_a_fresh_host_writes_nothing_and_foretells_the_real_run(fresh: Node, ansible: Ansible) -> None:
    name = fresh.name
    before = fresh.manifest()
    foretold = ansible.converge({name: full(name)}, check=True, diff=True).demand()[name]
    assert fresh.manifest() == before
    assert not fresh.exists("/run/epp-autoupdate")
    assert foretold.changed

    done = ansible.converge({name: full(name)}, diff=True).demand()[name]
    assert same(done, foretold)
    created = {path for path in fresh.manifest() if path not in before}
    assert {change["path"] for change in done.task["changes"] if change["action"] == "create"} <= created

    after = fresh.manifest()
    for check in (False, True):
        again = ansible.converge({name: full(name)}, check=check, diff=True).demand()[name]
        assert not again.changed, again.task
    assert fresh.manifest() == after


EDITS = {
    "its content": "echo '# by hand' >>{path}",
    "its mode": "chmod 0606 {path}",
    "its presence": "rm {path}",
    "a link in its place": "cp {path} /srv/copy && ln -sf /srv/copy {path}",
    "a directory in its place": "rm {path} && mkdir {path}",
}


@pytest.mark.parametrize("edit", EDITS.values(), ids=EDITS)
def test_every_hand_edit_of_every_file_is_found_and_mended(converged: Node, ansible: Ansible, edit: str) -> None:
    """Units, rules, policy, the agent itself: all of them at once, each in the diff, each as it was."""
    before = digests(converged)
    paths = managed_files(converged)
    assert len(paths) >= 4, paths
    for path in paths:
        converged.run(edit.format(path=path))
    drifted = converged.manifest()
    foretold = ansible.converge({converged.name: full(converged.name)}, check=True, diff=True).demand()[converged.name]
    assert converged.manifest() == drifted, "check mode wrote to a drifted host"
    assert {change["path"] for change in foretold.task["changes"]} >= set(paths)
    mended = ansible.converge({converged.name: full(converged.name)}, diff=True).demand()[converged.name]
    assert same(mended, foretold)
    assert digests(converged) == before
    assert not ansible.converge({converged.name: full(converged.name)}).demand()[converged.name].changed


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


@pytest.mark.parametrize("drift", SYSTEMD_DRIFT.values(), ids=SYSTEMD_DRIFT)
def test_what_systemd_does_otherwise_is_found_and_mended(node: Nodes, ansible: Ansible, drift: str) -> None:
    machine = node(SYSTEMD)
    ansible.converge({SYSTEMD: full(SYSTEMD)}).demand()
    machine.run(drift)
    foretold = ansible.converge({SYSTEMD: full(SYSTEMD)}, check=True).demand()[SYSTEMD]
    assert foretold.changed
    assert ansible.converge({SYSTEMD: full(SYSTEMD)}).demand()[SYSTEMD].changed
    assert not ansible.converge({SYSTEMD: full(SYSTEMD)}).demand()[SYSTEMD].changed
    for unit in ("epp-update.timer", "epp-reconnect.timer"):
        assert machine.run(["systemctl", "is-active", unit]).out.strip() == "active"
        assert machine.run(["systemctl", "is-enabled", unit]).out.strip() == "enabled"
    shown = machine.run(["systemctl", "show", "--property=DropInPaths", "--value", "epp-update.timer"]).out.strip()
    assert shown == ""


def test_through_the_agent_or_through_the_module_it_is_the_same(converged: Node, ansible: Ansible) -> None:
    """The fast path and the module's own way: one result, in check mode and for real."""
    name = converged.name
    spoil = "echo '# by hand' >>/etc/epp-autoupdate/freshclam.conf"
    converged.run(spoil)
    fast = ansible.converge({name: full(name)}, check=True, diff=True).demand()[name]
    slow = ansible.converge({name: full(name)}, check=True, diff=True, fast=False).demand()[name]
    assert same(fast, slow)
    slow_for_real = ansible.converge({name: full(name)}, diff=True, fast=False).demand()[name]
    converged.run(spoil)
    fast_for_real = ansible.converge({name: full(name)}, diff=True).demand()[name]
    assert same(fast_for_real, slow_for_real)
    refused = [ansible.converge({name: {**full(name), "domain": "a//b"}}, fast=fast)[name] for fast in (True, False)]
    assert refused[0].message == refused[1].message
    assert "domain" in refused[0].message


def test_absent_removes_every_trace(fresh: Node, ansible: Ansible) -> None:
    name = fresh.name
    before = set(fresh.manifest(but=TRACES_OF_OTHERS))
    ansible.converge({name: full(name)}).demand()
    fresh.agent_run("manual")
    converged = fresh.manifest()
    foretold = ansible.converge({name: full(name)}, state="absent", check=True, diff=True).demand()[name]
    assert foretold.changed
    assert fresh.manifest() == converged
    done = ansible.converge({name: full(name)}, state="absent", diff=True).demand()[name]
    assert same(done, foretold)
    assert set(fresh.manifest(but=TRACES_OF_OTHERS)) == before
    assert fresh.run("find / -xdev \\( -name '*epp-*' -o -name '*epp_*' \\) -not -path '/proc/*' | sort").out == ""
    if name == SYSTEMD:
        assert fresh.run(["systemctl", "list-units", "--all", "--no-legend", "--plain", "epp-*"]).out == ""
    assert not ansible.converge({name: full(name)}, state="absent").demand()[name].changed


# Directories above files that came and went, and what freshclam and its packages wrote: not ours.
TRACES_OF_OTHERS = ("/root/.ansible", "/run", "/tmp", "/var", "/etc/.pwd.lock", "/usr/local/bin", "/etc/systemd/system")


def test_a_group_that_the_converge_made_goes_with_it(node: Nodes, ansible: Ansible) -> None:
    machine = node(SYSTEMD)
    machine.renew()
    document = {**full(SYSTEMD), "user_group": "lab-users"}
    assert ansible.converge({SYSTEMD: document}).demand()[SYSTEMD].changed
    assert machine.run(["getent", "group", "lab-users"]).code == 0
    assert not ansible.converge({SYSTEMD: document}).demand()[SYSTEMD].changed
    ansible.converge({SYSTEMD: document}, state="absent").demand()
    assert machine.run(["getent", "group", "lab-users"], check=False).code == 2
    assert machine.run(["getent", "group", "epp-users"]).code == 0


def test_bad_policy_is_refused_with_every_path_and_touches_nothing(fresh: Node, ansible: Ansible) -> None:
    name = fresh.name
    before = fresh.manifest()
    bad = documents.merged(full(name), {"policy": {"schedule": {"frequency": "daily", "window": "2x"}}})
    bad = documents.merged(bad, {"policy": {"privileges": {"update_now": "perhaps"}}})
    run = ansible.converge({name: bad})
    assert run.code != 0
    for path in ("policy.schedule.window", "update_now"):
        assert path in run[name].message, run[name].message
    assert fresh.manifest() == before


def test_the_playbook_site_brings_a_mixed_fleet_under_policy(node: Nodes, ansible: Ansible) -> None:
    """Systemd and cron hosts from inventory variables alone; the second run changes nothing; absent removes it all."""
    variables: dict[str, Any] = {
        "autoupdate_product": "command",
        "autoupdate_command": {"update": ["/bin/true"], "version": ["/bin/echo", "1"]},
        "autoupdate_policy": {"schedule": {"start": "03:00", "window": "90m"}},
        "autoupdate_domain": "emea/finance",
        "autoupdate_domain_policies": {"emea": {"schedule": {"timezone": "Europe/Berlin"}}},
    }
    fleet = {name: {**variables, "autoupdate_ordinal": number} for number, name in enumerate((SYSTEMD, BARE))}
    for name in fleet:
        node(name).renew()
    foretold = ansible.site(fleet, check=True).demand()
    assert all(foretold[name].changed for name in fleet)
    assert not any(node(name).exists("/etc/epp-autoupdate") for name in fleet)
    first = ansible.site(fleet).demand()
    assert all(first[name].changed for name in fleet)
    second = ansible.site(fleet).demand()
    assert not any(second[name].changed for name in fleet), second.output
    schedules = [node(name).agent_status()["policy"]["schedule"] for name in fleet]
    assert {(schedule["timezone"], schedule["start"]) for schedule in schedules} == {("Europe/Berlin", "03:00")}
    gone = ansible.site({name: {**values, "autoupdate_state": "absent"} for name, values in fleet.items()}).demand()
    assert all(gone[name].changed for name in fleet)
    assert not any(node(name).exists("/etc/epp-autoupdate") for name in fleet)


def same(one: HostResult, other: HostResult) -> bool:
    """Equal but for what every run tells of itself; the assertion shows what differs."""
    left, right = (essence(result.task) for result in (one, other))
    assert left == right
    return True


def essence(task: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in task.items() if key in ("changed", "changes", "corrections", "diff")}


def managed_files(node: Node) -> list[str]:
    """Every regular file of ours that a document makes."""
    script = (
        "find /usr/local/bin/epp-agent /etc/epp-autoupdate /etc/systemd/system /etc/cron.d /etc/sudoers.d "
        "/etc/polkit-1/rules.d -type f \\( -name '*epp-*' -o -path '*/epp-autoupdate/*' \\) 2>/dev/null | sort"
    )
    return node.run(script, check=False).out.split()


def digests(node: Node) -> dict[str, str]:
    """What is in place, without times: path -> type, mode, owner and content."""
    own = {path: facts.split() for path, facts in node.manifest().items() if "epp-" in path or path[:5] == "/etc/"}
    return {path: " ".join((facts[0], facts[1], facts[-1])) for path, facts in own.items() if "/var/lib" not in path}
