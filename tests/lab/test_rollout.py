# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A good version goes through three rings, a bad one stays with the canary and is taken back (G1, G2, G4, G5)."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import lab_documents as documents
import pytest
from lab_ansible import Ansible
from lab_nodes import Node, eventually
from lab_update_server import PUBLIC, UpdateServer

pytestmark = pytest.mark.heavy  # what is decided has unit tests; each day a campaign goes through the same web server

SERVER, CANARY, EARLY, BROAD = "n118", "n119", "n120", "n121"
RINGS = {
    "rings": [
        {"name": "canary", "endpoints": [CANARY]},
        {"name": "early", "endpoints": [EARLY]},
        {"name": "broad"},
    ],
    "bake_time": "1s",
    "failure_threshold": "0",
}


class World:
    """The server, and one endpoint in each of three rings."""

    def __init__(self, server: UpdateServer, nodes: dict[str, Node], ansible: Ansible) -> None:
        self.server, self.nodes = server, nodes
        self._ansible = ansible

    def site(self) -> Any:
        return self._ansible.site(self._inventory()).demand()

    def publish(self, content: str) -> str:
        """A new version; returns its word."""
        self.server.node.run(f"mkdir -p /srv/rules && echo {content} >/srv/rules/a.yar")
        report = self.server.fetch()
        assert report["result"] == "updated", report
        return str(report["version"])

    def rollout(self) -> dict[str, Any]:
        (found,) = self.server.command("rollout", "status", "--json").json()
        return dict(found)

    def offered(self) -> dict[str, str]:
        return {ring["name"]: ring["offered"] for ring in self.rollout()["rings"]}

    def update(self, name: str) -> str:
        """One run of the agent; returns its result."""
        return str(self.nodes[name].agent_run("manual").json()["result"])

    def version(self, name: str) -> str:
        (component,) = self.nodes[name].agent_status()["components"]
        return str(component["version"])

    def decided(self, ring: str, version: str, phase: str = "") -> None:
        """Wait until a ring is offered a version, or is in a phase, which follows from reports that arrive.

        They start the promotion job; what has to bake for a second more is left to the next one.
        """

        def came() -> bool:
            self.server.command("promote")
            found = next(one for one in self.rollout()["rings"] if one["name"] == ring)
            return found["offered"] == version and phase in ("", found["phase"])

        eventually(came, seconds=90, why=f"{ring} is offered {version} {phase}")

    def asked(self, name: str) -> set[str]:
        """The paths of components that an endpoint has asked for."""
        address = self.nodes[name].machine.address
        return {one.path for one in self.server.requests(below="components/") if one.client == address}

    def _inventory(self) -> dict[str, dict[str, Any]]:
        policy = {
            "events": {"update_on_reconnect": False, "update_after_download": False},
            "schedule": documents.quiet("x")["policy"]["schedule"],
        }
        own = {"autoupdate_server_components": {"files": {"directory": "/srv/rules"}}}
        own |= {"autoupdate_server_fetch": {"every": "1d"}, "autoupdate_server_rollout": {"files": RINGS}}
        endpoint = {"autoupdate_product": "files", "autoupdate_policy": policy}
        return {self.server.name: self.server.variables(**own), **dict.fromkeys((CANARY, EARLY, BROAD), endpoint)}


@pytest.fixture(scope="module")
def world(node: Callable[[str], Node], ansible: Ansible) -> World:
    nodes = {name: node(name) for name in (CANARY, EARLY, BROAD)}
    made = World(UpdateServer(node(SERVER)), nodes, ansible)
    made.server.node.run("mkdir -p /srv/rules && echo 1 >/srv/rules/a.yar")
    made.site()
    made.server.command("fetch", check=False)
    for name in nodes:
        assert made.update(name) == "updated"
    assert set(made.offered().values()) == {made.version(CANARY)}
    return made


def test_a_second_converge_changes_nothing(world: World) -> None:
    assert not any(one.changed for one in world.site().hosts.values())


def test_a_good_version_goes_through_three_rings(world: World) -> None:
    before, version = world.version(BROAD), world.publish("good")
    assert world.offered() == {"canary": version, "early": before, "broad": before}
    assert [world.update(name) for name in (CANARY, EARLY, BROAD)] == ["updated", "current", "current"]
    world.decided("early", version)
    assert [world.update(name) for name in (EARLY, BROAD)] == ["updated", "current"]
    world.decided("broad", version)
    assert world.update(BROAD) == "updated"
    world.decided("broad", version, "idle")


def test_a_bad_version_stays_with_the_canary_and_is_taken_back(world: World) -> None:
    good, bad = world.version(BROAD), world.publish("bad")
    digest = world.server.node.run("sha256sum /srv/rules/a.yar").out.split()[0]
    place = f"components/files/objects/{digest[:2]}/{digest}"
    world.server.node.run(["rm", f"{PUBLIC}/{place}"])
    world.server.forget()
    assert world.update(CANARY) == "failed"
    world.decided("canary", good, "halted")
    for name in (CANARY, EARLY, BROAD):
        world.update(name)
        assert world.version(name) == good
    assert place in world.asked(CANARY)
    for name in (EARLY, BROAD):
        assert place not in world.asked(name)
        assert not any("canary" in path for path in world.asked(name))
    health = world.server.command("health", check=False)
    assert health.code == 1
    assert "ALARM rollout: files: the rollout of" in health.out
    assert world.server.command("rollout", "abort", check=False).code == 64
    world.server.command("rollout", "abort", bad, "--reason", "its content is gone")
    assert "rollout" not in world.server.command("health", check=False).out
    assert world.update(CANARY) in ("current", "held")
    newer = world.publish("better")
    assert world.update(CANARY) == "updated"
    world.decided("early", newer)


def test_the_playbook_shows_where_the_rollouts_stand(world: World) -> None:
    told = json.dumps(world.rollout())
    assert '"kind": "aborted"' in told
    assert "its content is gone" in told


def test_a_version_that_all_have_is_held_and_everybody_goes_back(world: World) -> None:
    newer = world.version(CANARY)
    assert world.update(EARLY) == "updated"
    world.decided("broad", newer)
    assert world.update(BROAD) == "updated"
    world.decided("broad", newer, "idle")
    world.server.command("rollout", "hold", newer, "--reason", "scans are slow")
    before = world.offered()
    assert newer not in before.values()
    for name in (CANARY, EARLY, BROAD):
        world.update(name)
        assert world.version(name) in before.values()
        assert world.update(name) in ("current", "held")
    world.server.command("rollout", "release", newer, "--reason", "it was the disk")
    assert world.update(CANARY) == "updated"
    assert world.version(CANARY) == newer
