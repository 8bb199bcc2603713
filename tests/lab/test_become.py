# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Who connects as an ordinary user: with sudo everything works, without it the first sentence says what is missing."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from lab_ansible import Ansible
from lab_nodes import Node

MACHINE = "n40"


def as_alice(machine: Node, **more: Any) -> dict[str, dict[str, Any]]:
    """The machine's variables for somebody who connects as alice."""
    control = str(machine._fleet.plan.directory / "ssh" / f"ansible-alice-{machine.name}")
    policy = {"schedule": {"start": "02:00"}, "sources": {"urls": ["http://127.0.0.1:9"]}}
    return {
        machine.name: {"ansible_user": "alice", "ansible_control_path": control, "autoupdate_policy": policy, **more}
    }


def test_an_ordinary_user_with_sudo_runs_every_playbook(node: Callable[[str], Node], ansible: Ansible) -> None:
    machine = node(MACHINE)
    machine.renew()
    machine.write("/etc/sudoers.d/alice", "alice ALL=(ALL) NOPASSWD: ALL\n", mode="0440")
    hosts = as_alice(machine)
    planned = ansible.site(hosts, check=True).demand()
    assert planned[machine.name].changed
    done = ansible.site(hosts).demand()
    assert done[machine.name].changed
    assert done[machine.name].task["changes"] == planned[machine.name].task["changes"]
    assert not ansible.site(hosts).demand()[machine.name].changed
    assert ansible._run("epp.autoupdate.check", hosts, False, False).code == 0
    now = ansible._run("epp.autoupdate.update_now", hosts, False, False)
    assert f"{machine.name}: unreachable" in now.output


def test_without_root_the_first_sentence_says_so(node: Callable[[str], Node], ansible: Ansible) -> None:
    machine = node(MACHINE)
    machine.renew()
    for check in (True, False):
        run = ansible.site(as_alice(machine, autoupdate_become=False), check=check)
        assert run.code == 2
        said = "a converge of the endpoint needs root, and runs as alice: connect as root, or let Ansible become root"
        assert said in run[machine.name].message
    assert not machine.exists("/etc/epp-autoupdate")
    refused = ansible.site(as_alice(machine))
    assert refused.code != 0
    assert not machine.exists("/etc/epp-autoupdate")


def test_the_inventory_decides_where_it_is_left_to_it(node: Callable[[str], Node], ansible: Ansible) -> None:
    machine = node(MACHINE)
    machine.renew()
    machine.write("/etc/sudoers.d/alice", "alice ALL=(ALL) NOPASSWD: ALL\n", mode="0440")
    hosts = as_alice(machine, autoupdate_become=False, ansible_become=True)
    assert ansible.site(hosts).demand()[machine.name].changed
