# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The update server is lost: the four cases of the guide, by the guide's own commands (C4)."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import lab_documents as documents
import pytest
from lab_ansible import REPOSITORY, Ansible, Run
from lab_cases import cases
from lab_nodes import Node
from lab_update_server import UpdateServer

SERVER, FLEET = "n33", ("n34", "n35")
GUIDE = REPOSITORY / "docs/docsite/rst/server_lost.rst"
DATABASE = "/var/lib/epp-autoupdate-server/server.db"


def commands(section: str) -> list[str]:
    """The lines of the code block below a heading of the guide."""
    text = GUIDE.read_text(encoding="utf-8")
    heading = rf"^{re.escape(section)}\n-+\n"
    match = re.search(heading + r".*?code-block:: shell\n\n((?:    [^\n]*\n)+)", text, re.DOTALL | re.MULTILINE)
    assert match, section
    return [line.strip() for line in match[1].splitlines()]


class World:
    """A server, two endpoints, and the inventory of both."""

    def __init__(self, server: UpdateServer, nodes: dict[str, Node], ansible: Ansible) -> None:
        self.server, self.nodes, self.ansible = server, nodes, ansible
        self.start = 1

    def hosts(self) -> dict[str, dict[str, Any]]:
        schedule = {**documents.quiet("x")["policy"]["schedule"], "start": f"{self.start:02}:00"}
        endpoint = {
            "autoupdate_product": "command",
            "autoupdate_command": {"update": ["/bin/true"], "version": ["/bin/echo", "1"]},
            "autoupdate_policy": {"events": {"update_on_reconnect": False}, "schedule": schedule},
        }
        return {SERVER: self.server.variables(), **dict.fromkeys(FLEET, endpoint)}

    def site(self) -> Run:
        return self.ansible.site(self.hosts()).demand()

    def check(self) -> Run:
        return self.ansible.playbook("check", self.hosts())

    def follow(self, section: str) -> None:
        """Do what the guide says."""
        for line in commands(section):
            name = line.removeprefix("ansible-playbook epp.autoupdate.")
            if name == line:
                self.server.node.run(line)
            elif name == "site":
                self.site()
            else:
                assert self.check().code == 0

    def change(self) -> None:
        """A change that endpoints have to adopt by themselves, as they do once a day."""
        self.start += 1
        self.server.set("schedule", {"start": f"{self.start:02}:00"}, scope="root")

    def adopt(self) -> list[tuple[str, str]]:
        """What each endpoint says when it asks its server now, and the start that is in force then."""
        told = []
        for node in self.nodes.values():
            result = node.run(["epp-agent", "sync", "--json"], check=False).json()["result"]
            told.append((result, node.agent_status()["policy"]["schedule"]["start"]))
        return told

    def goes_on(self) -> bool:
        """Whether endpoints take the next change."""
        self.change()
        return self.adopt() == [("adopted", f"{self.start:02}:00")] * len(FLEET)


@pytest.fixture(scope="module")
def world(node: Callable[[str], Node], ansible: Ansible) -> World:
    made = World(UpdateServer(node(SERVER)), {name: node(name) for name in FLEET}, ansible)
    made.site()
    assert made.goes_on()
    made.site()
    assert made.check().code == 0
    return made


@pytest.mark.heavy
def test_a_backup_is_brought_back(world: World) -> None:
    world.follow("A backup")
    timers = ["epp-server-notify.timer", "epp-server-publish.timer"]
    assert world.server.node.run(["systemctl", "is-active", *timers]).out.split() == ["active"] * 2
    for _change in range(3):
        assert world.goes_on()
    world.follow("A backup is brought back")
    assert world.goes_on()
    world.follow("Check the endpoints")


HELD = "/run/systemd/system/epp-server-publish.service.d"
HOLD_PUBLISHING = (
    f"mkdir {HELD} && printf '[Unit]\\nConditionPathExists=/nowhere\\n' >{HELD}/hold.conf && systemctl daemon-reload"
)


@pytest.mark.heavy
def test_without_the_guide_endpoints_refuse_and_everybody_says_so(world: World) -> None:
    """The files of yesterday are put back as they were, served and signed as they were."""
    machine, (first, *_others) = world.server.node, world.nodes.values()
    everything = "var/lib/epp-autoupdate-server var/lib/epp-autoupdate-public"
    machine.run(f"systemctl stop 'epp-server-*.timer' && tar -cf /var/backups/all.tar -C / {everything}")
    assert world.goes_on()
    machine.run(f"cd / && rm -rf {everything} && tar -xf /var/backups/all.tar -C /")
    assert [result for result, _start in world.adopt()] == ["rollback"] * len(FLEET)
    checked = world.check()
    assert checked.code != 0
    for name in FLEET:
        assert f"{name}: adopted configuration: not taken, rollback: tree: its serial is" in checked.output
    status = first.run(["epp-agent", "status"]).out
    assert "rollback" in status
    world.start -= 1  # what the inventory says is what the server says again, so a run has nothing to publish
    machine.run(HOLD_PUBLISHING)  # its timer, which site starts, would sign everything anew at once: records came back
    seen = world.ansible.site(world.hosts())
    machine.run(f"rm -r {HELD} && systemctl daemon-reload")
    assert f"{FLEET[0]} does not take what its update server publishes" in " ".join(seen.output.split())
    machine.run(["epp-server", "publish"])
    assert world.goes_on()
    world.site()
    assert world.check().code == 0


@pytest.mark.heavy
@pytest.mark.parametrize("damage", cases(["damaged", "lost"]))
def test_the_database_is_lost_or_damaged(world: World, damage: str) -> None:
    machine = world.server.node
    machine.run("systemctl stop 'epp-server-*.timer' 'epp-server-*.service'")
    if damage == "damaged":
        machine.run(f"rm -f {DATABASE}-wal {DATABASE}-shm; head -c 60000 /dev/urandom >{DATABASE}")
        told = machine.run(["epp-server", "status"], check=False)
        assert (told.code, DATABASE in told.err, "epp.autoupdate.site" in told.err) == (1, True, True), told.err
    else:
        machine.run(f"rm -f {DATABASE}*")
    world.follow("The database is lost or damaged")
    assert world.goes_on()
    world.site()
    world.follow("Check the endpoints")


@pytest.mark.heavy
def test_the_keys_are_lost(world: World) -> None:
    before = world.server.command("enrollment").json()
    world.follow("The keys are lost")
    after = world.server.command("enrollment").json()
    assert set(before["signers"]).isdisjoint(after["signers"])
    assert before["notify_key"] != after["notify_key"]
    assert world.goes_on()
    world.site()
    world.follow("Check the endpoints")


@pytest.mark.heavy
def test_both_are_lost(world: World) -> None:
    world.follow("Both are lost")
    assert world.goes_on()
    world.site()
    world.follow("Check the endpoints")
    told = world.server.command("update-now", "--all", "--timeout", "2m", "--json", check=False)
    assert told.code == 0, told.out + told.err
