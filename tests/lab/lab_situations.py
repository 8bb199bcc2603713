# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What happens to machines of a fleet in real life, and how it is mended."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import lab_clock
import lab_documents as documents
from ansible_collections.epp.autoupdate.plugins.module_utils._core.metadata.shard import SHARDS, file_of, shard_of
from lab_ansible import Ansible
from lab_clock import DAY
from lab_nodes import Node
from lab_update_server import PUBLIC, UpdateServer

COMPONENTS = "/var/lib/epp-autoupdate/components"
HOST_KEY = "/etc/ssh/ssh_host_ed25519_key"
TIMER = "/etc/systemd/system/epp-update.timer"
USER = "alice"
WRONG = -3 * DAY
"""How far a wrong clock is ahead, in seconds."""

POLICY = {
    "events": {"update_on_reconnect": False},
    "privileges": {"toggle_scheduled_update": True, "go_roaming": True},
    "schedule": documents.quiet("")["policy"]["schedule"],
}
"""What all of them share: what is not asked for does not happen."""

Expected = tuple[str, str]
"""A state, and a regular expression that its reason matches as a whole."""
Deed = Callable[["World", Node], None]
"""Something that is done to a machine."""


@dataclass(frozen=True)
class Situation:
    """What happens to one machine, and how it is seen.

    ``at_once`` is what is seen when it was ``made`` and a version came, ``later`` what is seen after two days more. To
    be ``mended`` it may need the playbook ``site`` first. In these days the machine may be not ``on``, or without its
    ``agent``. ``wrong`` is by how many seconds its clock is wrong; ``policy`` and ``more`` are variables of its own.
    """

    name: str
    machine: str
    made: Deed
    at_once: Expected
    later: Expected
    mended: Deed
    site: bool = False
    on: bool = True
    agent: bool = True
    wrong: int = 0
    policy: documents.Document | None = None
    more: documents.Document | None = None

    def variables(self) -> dict[str, Any]:
        """What the inventory says of it."""
        own = {"autoupdate_endpoint_policy": self.policy} if self.policy else {}
        return {"autoupdate_product": "files", "autoupdate_policy": POLICY, **own, **(self.more or {})}


class World:
    """The server, its endpoints, and the days that have passed."""

    def __init__(
        self, server: UpdateServer, nodes: dict[str, Node], ansible: Ansible, situations: Sequence[Situation]
    ) -> None:
        self.server, self.nodes, self.situations = server, nodes, situations
        self._ansible = ansible
        self._days = 0

    def site(self, *names: str) -> None:
        """Run the playbook ``site`` for some of the fleet."""
        self._ansible.site(self._inventory(), limit=names).demand()

    def publish(self, size: int) -> None:
        """Publish a version of so many bytes, and notify whom it concerns."""
        self.server.node.run(f"head -c {size} /dev/urandom >/srv/rules/a.yar")
        assert self.server.fetch()["result"] == "updated"
        self.server.notify()

    def shard(self, name: str) -> str:
        """The published document that has what the tree says of an endpoint."""
        return f"{PUBLIC}/{file_of(shard_of(name, SHARDS))}"

    def set_clock(self, name: str, *, wrong: int = 0) -> None:
        """Set the clock of a machine to the lab's time, or so many seconds from it."""
        lab_clock.set_ahead(self.nodes.get(name, self.server.node), self._days * DAY + wrong)

    def a_day_passes(self) -> None:
        """Each agent is woken once in it, and the server goes on with its notices."""
        self._days += 1
        self.set_clock(self.server.name)
        on = [one for one in self.situations if one.on]
        for one in on:
            self.set_clock(one.machine, wrong=one.wrong)
        with ThreadPoolExecutor(4) as pool:
            list(pool.map(lambda one: wake(self, self.nodes[one.machine]), [one for one in on if one.agent]))
        self.server.notify()

    def _inventory(self) -> dict[str, dict[str, Any]]:
        own = {"autoupdate_server_components": {"files": {"directory": "/srv/rules"}}}
        own |= {"autoupdate_server_fetch": {"every": "1d"}, "autoupdate_server_metrics": {"endpoints": 20}}
        return {
            self.server.name: self.server.variables(**own),
            **{one.machine: one.variables() for one in self.situations},
        }


def nothing(_world: World, _machine: Node) -> None:
    pass


def wake(_world: World, machine: Node) -> None:
    """What the timer of the daily waking does."""
    machine.run(["systemctl", "start", "epp-sync.service"])


def update_now(_world: World, machine: Node) -> None:
    machine.agent("update-now", user=USER)


def fill_the_disk(_world: World, machine: Node) -> None:
    """Room for the version that it has, and not for a larger one."""
    aside = "/root/components"
    machine.run(
        f"cp -a {COMPONENTS} {aside} && mount -t tmpfs -o size=128k tmpfs {COMPONENTS} && cp -a {aside}/. {COMPONENTS}"
    )


def make_room(world: World, machine: Node) -> None:
    machine.run(["mount", "-o", "remount,size=16m", COMPONENTS])
    update_now(world, machine)


def damage_shard(world: World, machine: Node) -> None:
    """Its timer would repair it, once a day."""
    server, shard = world.server.node, world.shard(machine.name)
    server.run(f'systemctl stop epp-server-publish.timer && sed -i \'s/"serial":/"serial": /\' {shard}')
    assert machine.agent("sync", check=False).code != 0


def repair_shard(world: World, machine: Node) -> None:
    world.server.node.run("systemctl start epp-server-publish.service && systemctl start epp-server-publish.timer")
    machine.agent("sync")


def switch_off(_world: World, machine: Node) -> None:
    machine.agent("schedule", "disable", user=USER)


def switch_on(_world: World, machine: Node) -> None:
    machine.agent("schedule", "enable", user=USER)


def go_roaming(_world: World, machine: Node) -> None:
    machine.agent("roaming", "on", user=USER)


def come_home(world: World, machine: Node) -> None:
    machine.agent("roaming", "off", user=USER)
    update_now(world, machine)


def power_off(_world: World, machine: Node) -> None:
    machine.power_off()


def boot(world: World, machine: Node) -> None:
    """E2 does the rest."""
    machine.boot()
    world.set_clock(machine.name)


def remove_agent(_world: World, machine: Node) -> None:
    machine.agent("apply", "--absent")


def edit_unit(_world: World, machine: Node) -> None:
    machine.run(f"echo '# by hand' >>{TIMER} && systemctl daemon-reload")


def change_key(_world: World, machine: Node) -> None:
    """As a machine that was installed again."""
    machine.run(f"rm {HOST_KEY} {HOST_KEY}.pub && ssh-keygen -q -t ed25519 -N '' -f {HOST_KEY}")
    machine.run(["systemctl", "restart", "ssh.service"])


def set_clock_right(world: World, machine: Node) -> None:
    """systemd wakes the agent when a clock is set (OnClockChange); the clock of the lab is not its clock."""
    world.set_clock(machine.name)
    wake(world, machine)


def set_clock_wrong(world: World, machine: Node) -> None:
    world.set_clock(machine.name, wrong=WRONG)
