# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The server sees the state of each endpoint within seconds, with its reason, until it is mended (R4, R6, R7)."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import lab_documents as documents
import lab_root
import pytest
from lab_ansible import Ansible
from lab_nodes import AGENT, Node, eventually
from lab_update_server import PUBLIC, UpdateServer
from lab_update_server import SERVER as SERVER_PROGRAM

pytestmark = pytest.mark.heavy  # how a state comes about is a table that has unit tests; reports arrive each day

SERVER, FLEET = "n57", ("n58", "n59", "n60")
SWITCHED, EDITED, REINSTALLED = FLEET
READER = "bob"
"""An ordinary user of the server's machine."""
TIMER = "/etc/systemd/system/epp-update.timer"
HOST_KEY = "/etc/ssh/ssh_host_ed25519_key"


class World:
    """The server and its endpoints."""

    def __init__(self, server: UpdateServer, nodes: dict[str, Node], ansible: Ansible) -> None:
        self.server, self.nodes = server, nodes
        self._ansible = ansible

    def site(self) -> None:
        self._ansible.site(self._inventory()).demand()

    def mend(self, place: Path, login: str = "root", **options: Any) -> set[str]:
        """Run ``site`` for whoever is failing, by the inventory of states; returns whom it concerned.

        The server is reached by an alias of OpenSSH's configuration, as in the life of an operator.
        """
        address = self.server.node.machine.address
        lines = [f"Host updates\n HostName {address}\n User {login}\n IdentityFile {lab_root.KEY}"]
        lines += ["StrictHostKeyChecking no", "UserKnownHostsFile /dev/null", "LogLevel ERROR"]
        (place / "ssh_config").write_text("\n ".join(lines) + "\n")
        source = place / "fleet.autoupdate.yml"
        ssh = {"server": "updates", "ssh_arguments": ["-F", str(place / "ssh_config")]}
        source.write_text(json.dumps({"plugin": "epp.autoupdate.fleet", **ssh, **options}))
        run = self._ansible.site(self._inventory(), source=source, limit=("autoupdate_failing",)).demand()
        return {name for name, one in run.hosts.items() if one.task}

    def state(self, name: str) -> tuple[str, str]:
        """State and reason of an endpoint, as the server tells them."""
        told = self.server.command("endpoints", "--json").json()
        return next((one["state"], one["reason"]) for one in told if one["name"] == name)

    def comes(self, name: str, state: str, words: str = "") -> None:
        """Wait for a state whose reason has these words."""

        def came() -> bool:
            now, reason = self.state(name)
            return now == state and words in reason

        eventually(came, seconds=60, why=f"{name} is {state} ({words})")

    def publish(self, version: str) -> None:
        self.server.node.run(f"mkdir -p /srv/rules && echo {version} >/srv/rules/a.yar")
        assert self.server.fetch()["result"] == "updated"

    def query(self, statement: str, *values: str) -> str:
        """The first value of a query to the server's database."""
        script = (
            "import sqlite3,sys;d=sqlite3.connect('/var/lib/epp-autoupdate-server/server.db',timeout=30);"
            "r=d.execute(sys.argv[1],sys.argv[2:]).fetchone();d.commit();print(r[0] if r else '')"
        )
        return self.server.node.run(["python3", "-c", script, statement, *values]).out.strip()

    def _inventory(self) -> dict[str, dict[str, Any]]:
        policy = {
            "events": {"update_on_reconnect": False, "update_after_download": False},
            "privileges": {"toggle_scheduled_update": True, "go_roaming": True},
            "schedule": documents.quiet("x")["policy"]["schedule"],
        }
        own = {"autoupdate_server_components": {"files": {"directory": "/srv/rules"}}}
        own |= {"autoupdate_server_fetch": {"every": "1d"}}
        endpoint = {"autoupdate_product": "files", "autoupdate_policy": policy}
        return {self.server.name: self.server.variables(**own), **dict.fromkeys(FLEET, endpoint)}


@pytest.fixture(scope="module")
def world(node: Callable[[str], Node], ansible: Ansible) -> World:
    made = World(UpdateServer(node(SERVER)), {name: node(name) for name in FLEET}, ansible)
    made.server.node.run("mkdir -p /srv/rules && echo 1 >/srv/rules/a.yar")
    made.site()
    made.server.command("fetch", check=False)
    for one in made.nodes.values():
        one.agent_run("manual", check=True)
    for name in FLEET:
        made.comes(name, "current")
    return made


def test_health_is_good_at_first(world: World) -> None:
    done = world.server.command("health", check=False)
    assert (done.code, done.out) == (0, "3 endpoints: 3 current\n")


def test_a_user_who_switches_off_and_on(world: World) -> None:
    machine = world.nodes[SWITCHED]
    machine.agent("schedule", "disable")
    world.comes(SWITCHED, "switched_off", "its user has switched scheduled update off")
    machine.agent("schedule", "enable")
    world.comes(SWITCHED, "current")
    machine.agent("roaming", "on")
    world.comes(SWITCHED, "roaming")
    machine.agent("roaming", "off")
    world.comes(SWITCHED, "current")


def test_a_version_that_an_endpoint_lacks_and_takes(world: World) -> None:
    world.publish("2")
    for name in FLEET:
        world.comes(name, "behind", "is published")
    world.nodes[SWITCHED].agent_run("manual", check=True)
    world.comes(SWITCHED, "current")
    assert world.state(EDITED)[0] == "behind"
    for name in (EDITED, REINSTALLED):
        world.nodes[name].agent_run("manual", check=True)
        world.comes(name, "current")


@pytest.mark.heavy
def test_an_update_that_fails_with_its_reason(world: World) -> None:
    world.publish("3")
    machine = world.nodes[EDITED]
    machine.run("mount -t tmpfs -o size=4k,ro tmpfs /var/lib/epp-autoupdate/components")
    assert machine.agent_run("manual").code != 0
    world.comes(EDITED, "failing", "failed; ")
    health = world.server.command("health", check=False)
    assert health.code == 1
    assert health.out.startswith("ALARM failing: 1 endpoint of 3 failing (failed; "), health.out
    machine.run(["umount", "/var/lib/epp-autoupdate/components"])
    for name in FLEET:
        world.nodes[name].agent_run("manual", check=True)
        world.comes(name, "current")


def test_a_unit_that_somebody_edits_is_told_by_the_daily_report_and_mended_by_its_state(
    world: World, tmp_path: Path
) -> None:
    machine = world.nodes[EDITED]
    machine.run(f"echo '# by hand' >>{TIMER}")
    machine.agent("report")
    world.comes(EDITED, "failing", f"differs from what was converged: {TIMER}")
    machine.agent_run("manual", check=True)
    assert world.state(EDITED)[0] == "failing", "a run does not look"
    rule = f"{READER} ALL=(epp-server) NOPASSWD: {SERVER_PROGRAM} endpoints --json"
    world.server.node.run(f"echo '{rule}' >/etc/sudoers.d/reader")
    assert world.mend(tmp_path, READER, become=True) == {EDITED}
    world.comes(EDITED, "current")


@pytest.mark.heavy
def test_an_endpoint_that_refuses_its_configuration(world: World) -> None:
    tree = f"{PUBLIC}/configuration/tree.json"
    world.server.node.run(f'cp -p {tree} /root/tree.json && sed -i \'s/"serial":/"serial": /\' {tree}')
    world.nodes[SWITCHED].run([AGENT, "sync"], check=False)
    world.comes(SWITCHED, "refusing", "bad_signature")
    world.server.node.run(f"cp -p /root/tree.json {tree}")
    world.nodes[SWITCHED].agent("sync")
    world.comes(SWITCHED, "current")


def test_another_host_key_is_told_until_it_is_pinned(world: World) -> None:
    machine = world.nodes[REINSTALLED]
    machine.run(f"rm {HOST_KEY} {HOST_KEY}.pub && ssh-keygen -q -t ed25519 -N '' -f {HOST_KEY}")
    machine.agent("report")
    refused = "SELECT count(*) FROM refused_reports WHERE endpoint = ? AND code = 'wrong_key'"
    eventually(lambda: world.query(refused, REINSTALLED) == "1", seconds=60, why="the report is refused")
    assert world.state(REINSTALLED) == ("current", ""), "somebody else may have sent it"
    world.query("UPDATE endpoint_states SET received = received - 97200 WHERE endpoint = ?", REINSTALLED)
    world.comes(REINSTALLED, "failing", "its reports are refused: it is signed by another key")
    world.site()
    machine.agent("report")
    world.comes(REINSTALLED, "current")
    assert world.server.command("health", check=False).code == 0
