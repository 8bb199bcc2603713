# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The roles in a playbook of one's own, on machines whose names in the inventory are no names of endpoints."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import lab_documents as documents
import pytest
from lab_ansible import Ansible
from lab_cases import cases
from lab_nodes import Node
from lab_update_server import UpdateServer

pytestmark = pytest.mark.heavy  # units try the role in one's own playbook in a sandbox

SERVER = "n41"
HOSTS = {"web 01": "n42", "härtetest": "n43", "n44": "n44"}
KNOWN_AS = {"web 01": "web-01-a89c7fb9", "härtetest": "hartetest-4b83356a", "n44": "n44"}
WAYS: dict[str, tuple[dict[str, Any], tuple[str, ...]]] = {
    # Keywords of the play, and the hosts that it is limited to.
    "alone": ({}, ()),
    "serial": ({"serial": 1}, ()),
    "limit": ({}, (SERVER, "web 01", "n44")),
    "free": ({"strategy": "free"}, ()),
}


def role(name: str, hosts: str, **play: Any) -> dict[str, Any]:
    tasks = [{"name": "Converge", "ansible.builtin.import_role": {"name": name, "rolespec_validate": False}}]
    return {"name": name, "hosts": hosts, "gather_facts": False, "tasks": tasks, **play}


class World:
    """A server and its endpoints, fresh."""

    def __init__(self, node: Callable[[str], Node]) -> None:
        self.server = UpdateServer(node(SERVER))
        self.nodes = {name: node(machine) for name, machine in HOSTS.items()}
        for machine in (self.server.node, *self.nodes.values()):
            machine.renew()

    def inventory(self) -> dict[str, dict[str, Any]]:
        own = {
            "autoupdate_policy": {"schedule": documents.quiet("x")["policy"]["schedule"]},
            "autoupdate_product": "command",
            "autoupdate_command": {"update": ["/bin/true"], "version": ["/bin/echo", "1"]},
        }
        members = {name: {**own, **reached(machine)} for name, machine in self.nodes.items()}
        return {SERVER: self.server.variables(), **members}


def reached(node: Node) -> dict[str, str]:
    address, sockets = node.machine.address, node._fleet.plan.directory / "ssh"
    common = {"ansible_user": "root", "ansible_python_interpreter": "/usr/bin/python3"}
    return {**common, "ansible_host": address, "ansible_control_path": f"{sockets}/odd-{node.name}"}


@pytest.mark.parametrize("way", cases(list(WAYS)))
def test_the_role_alone_brings_endpoints_of_any_name_to_their_server(
    node: Callable[[str], Node], ansible: Ansible, way: str
) -> None:
    """As the first thing ever; quiet the second time; and the server reaches each of them by its pinned key."""
    world, (keywords, limit) = World(node), WAYS[way]
    hosts = world.inventory()
    plays = [
        role("epp.autoupdate.server", SERVER),
        role("epp.autoupdate.endpoint", f"all:!{SERVER}", **keywords),
    ]
    ansible.plays(plays, hosts, check=True, limit=limit).demand()
    ansible.plays(plays, hosts, limit=limit).demand()
    known = sorted(KNOWN_AS[name] for name in HOSTS if not limit or name in limit)
    found = {one["name"]: one for one in world.server.command("endpoints", "--json").json()}
    assert sorted(found) == known
    assert all(one["pinned"] for one in found.values())
    for check in (False, True):
        again = ansible.plays(plays, hosts, limit=limit, check=check).demand()
        assert not [name for name, result in again.hosts.items() if result.changed], again.output[-3000:]
    told = world.server.command("update-now", "--all", "--json", "--timeout", "2m").json()
    assert {one["name"]: one["result"] for one in told["endpoints"]} == dict.fromkeys(known, "current"), told
    for name in HOSTS if not limit else ("web 01", "n44"):
        assert world.nodes[name].agent_status()["endpoint"] == KNOWN_AS[name]


@pytest.mark.heavy
def test_site_takes_hosts_of_any_name(node: Callable[[str], Node], ansible: Ansible) -> None:
    world = World(node)
    hosts = world.inventory()
    imported = [{"name": "Site", "import_playbook": "epp.autoupdate.site"}]
    ansible.plays(imported, hosts).demand()
    again = ansible.plays(imported, hosts).demand()
    assert not [name for name, result in again.hosts.items() if result.changed], again.output[-3000:]
    ansible.plays([{"name": "Check", "import_playbook": "epp.autoupdate.check"}], hosts).demand()
    now = ansible.plays([{"name": "Update", "import_playbook": "epp.autoupdate.update_now"}], hosts).demand()
    for name in HOSTS:
        assert f"{name}: current" in now.output, now.output[-3000:]


def test_one_machine_is_one_endpoint_whatever_names_it_has(node: Callable[[str], Node], ansible: Ansible) -> None:
    """A second name is refused and changes nothing; the first one stays quiet; who was removed may be renamed."""
    world = World(node)
    alone = {"autoupdate_policy": documents.quiet("x")["policy"], "autoupdate_product": "command"}
    alone["autoupdate_command"] = {"update": ["/bin/true"], "version": ["/bin/echo", "1"]}
    machine = {**alone, **reached(world.nodes["n44"])}
    first, other = {"first": machine}, {"other": machine}
    plays = [role("epp.autoupdate.endpoint", "all")]
    ansible.plays(plays, first).demand()
    for check in (True, False):
        run = ansible.plays(plays, other, check=check)
        assert run.code == 2
        assert (
            'endpoint: "other" is not the name of this machine, which is the endpoint "first" already'
            in run.output.replace("\\", "")
        )
    assert not ansible.plays(plays, first).demand()["first"].changed
    gone = {"other": {**machine, "autoupdate_endpoint_name": "first", "autoupdate_state": "absent"}}
    ansible.plays(plays, gone).demand()
    ansible.plays(plays, other).demand()
    assert world.nodes["n44"].agent_status()["endpoint"] == "other"
