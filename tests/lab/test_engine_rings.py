# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The real packages of ClamAV through two rings: the second is refused what the first has not passed (G1 to G5)."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import lab_documents as documents
import lab_root
import pytest
from fleet import Fleet
from lab_ansible import Ansible
from lab_nodes import Node, eventually
from lab_packages import SOURCES, Packages
from lab_server import ComponentServer
from lab_update_server import UpdateServer

pytestmark = pytest.mark.heavy

SERVER, CANARY, BROAD = "n148", "n149", "n150"
RINGS = {"rings": [{"name": "canary", "endpoints": [CANARY]}, {"name": "broad"}], "bake_time": "1s"}
RINGS |= {"failure_threshold": "0"}
ON = {"scope": "all", "engine_packages": True, "engine_windows": [{"from": "00:00", "to": "00:00"}]}
GOOD, BAD, NEXT = "+epp1", "+epp2", "+epp3"
BREAKS = "printf '#!/bin/sh\\nexit 3\\n' >/usr/bin/clamscan\n"
"""Added to the installation of the bad version: its scanner does not work."""


class World:
    """The server, an endpoint with ClamAV in each of two rings, and what their package sources offer."""

    def __init__(self, server: UpdateServer, nodes: dict[str, Node], vendor: ComponentServer) -> None:
        self.server, self.nodes, self.vendor = server, nodes, vendor
        self.packed = Packages(nodes[CANARY])
        for suffix in (GOOD, NEXT):
            self.packed.pack(suffix)
        self.packed.pack(BAD, postinst=BREAKS, only="clamav")

    def offer(self, *suffixes: str) -> None:
        """Both machines go by one package source, which has these versions."""
        self.packed.offer(self.vendor, *suffixes)
        self.nodes[BROAD].run("rm -f /etc/apt/sources.list /etc/apt/sources.list.d/*")
        self.nodes[BROAD].write(SOURCES, f"deb [trusted=yes] {self.vendor.url} ./\n")

    def upgrade(self, name: str) -> dict[str, Any]:
        """One run of the engine's packages."""
        return dict(self.nodes[name].agent("engine", "--json", check=False).json())

    def by_hand(self, name: str) -> None:
        """What a person types, or a playbook of somebody else does."""
        self.nodes[name].run("apt-get -q update && DEBIAN_FRONTEND=noninteractive apt-get -q -y dist-upgrade")

    def version(self, name: str) -> str:
        """The suffix of the installed version."""
        fields = "${Version}\\n"
        told = self.nodes[name].run(["dpkg-query", "-W", "-f", fields, "clamav"]).out.strip()
        return told.removeprefix(self.packed.version(""))

    def rollout(self) -> dict[str, Any]:
        """The rollout of the engine; empty while none is known."""
        found = self.server.command("rollout", "status", "--json").json()
        return next((dict(one) for one in found if "/engine/" in one["product"]), {})

    def decided(self, ring: str, suffix: str, phase: str = "") -> None:
        """Wait until a ring is offered a version, or is in a phase, which follows from reports that arrive."""

        def came() -> bool:
            self.server.command("promote")
            found = next((one for one in self.rollout().get("rings", ()) if one["name"] == ring), None)
            wanted = self.packed.version(suffix)
            return found is not None and found["offered"] == wanted and phase in ("", found["phase"])

        eventually(came, seconds=90, why=f"{ring} is offered {suffix or 'the own version'} {phase}")

    def touched(self, name: str, suffix: str) -> list[str]:
        """The lines of dpkg's log about a version."""
        log = self.nodes[name].read("/var/log/dpkg.log")
        return [line for line in log.splitlines() if self.packed.version(suffix) in line]


@pytest.fixture(scope="module")
def world(
    fleet: Fleet, node: Callable[[str], Node], ansible: Ansible, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[World]:
    directory = tmp_path_factory.mktemp("vendor")
    vendor = ComponentServer(root=lab_root.path(), directory=directory, address=fleet.plan.gateway, port=7995)
    vendor.start()
    (vendor.www / "own.ndb").write_text(f"Lab.Mark:0:*:{b'EPP-LAB-MARK'.hex()}\n")
    nodes = {name: node(name) for name in (CANARY, BROAD)}
    made = World(UpdateServer(node(SERVER)), nodes, vendor)
    ansible.site(inventory(made)).demand()
    made.offer("")
    for name in nodes:
        assert nodes[name].agent_run("manual").json()["result"] == "updated"
        assert made.upgrade(name)["result"] in ("current", "held")
    made.decided("broad", "")
    made.upgrade(BROAD)  # what an endpoint has told before its ring was offered it does not count
    made.decided("broad", "", "idle")
    yield made
    vendor.stop()


def inventory(world: World) -> dict[str, dict[str, Any]]:
    policy = {
        "events": {"update_on_reconnect": False, "update_after_download": False},
        "schedule": documents.quiet("x")["policy"]["schedule"],
        "components": ON,
    }
    clamav = {"databases": [], "custom_urls": [f"{world.vendor.url}/own.ndb"]}
    endpoint = {"autoupdate_product": "clamav", "autoupdate_clamav": clamav, "autoupdate_policy": policy}
    endpoint |= {"autoupdate_probe": {"clean": ["/bin/sh"]}}
    own = {"autoupdate_server_rollout": {"clamav": RINGS}}
    return {world.server.name: world.server.variables(**own), **dict.fromkeys((CANARY, BROAD), endpoint)}


def test_the_second_ring_is_refused_a_version_until_the_first_has_passed_it(world: World) -> None:
    world.offer("", GOOD)
    told = world.upgrade(BROAD)
    assert (told["result"], world.version(BROAD)) == ("held", ""), told
    assert told["reason"] == f"engine {world.packed.version(GOOD)} is not offered to its ring yet"
    world.by_hand(BROAD)
    assert world.version(BROAD) == ""
    told = world.upgrade(CANARY)
    assert (told["result"], world.version(CANARY)) == ("updated", GOOD), told
    world.decided("broad", GOOD)
    told = world.upgrade(BROAD)
    assert (told["result"], world.version(BROAD)) == ("updated", GOOD), told
    world.decided("broad", GOOD, "idle")


def test_a_bad_version_halts_in_the_first_ring_and_the_next_one_goes_through(world: World) -> None:
    world.offer("", GOOD, BAD)
    told = world.upgrade(CANARY)
    assert (told["result"], told["kind"], world.version(CANARY)) == ("failed", "probe", GOOD), told
    world.decided("canary", GOOD, "halted")
    for name in (BROAD, CANARY):
        told = world.upgrade(name)
        assert (told["changed"], world.version(name)) == ([], GOOD), told
    world.by_hand(BROAD)
    assert world.version(BROAD) == GOOD
    assert world.touched(CANARY, BAD)
    assert world.touched(BROAD, BAD) == []
    (stop,) = world.rollout()["stops"]
    assert (stop["version"], stop["kind"], stop["ring"]) == (world.packed.version(BAD), "halted", "canary")
    assert "probe" in stop["reason"]
    assert "/engine/debian-" in world.server.command("health", check=False).out
    world.server.command("rollout", "abort", world.packed.version(BAD), "--reason", "clamscan does not work")
    told = world.upgrade(CANARY)
    assert (told["changed"], world.version(CANARY)) == ([], GOOD), told
    world.offer("", GOOD, BAD, NEXT)
    for name, ring, offered in ((CANARY, "canary", GOOD), (BROAD, "broad", NEXT)):
        world.decided(ring, offered)
        told = world.upgrade(name)
        assert (told["result"], world.version(name)) == ("updated", NEXT), told
    assert world.touched(BROAD, BAD) == []
    assert world.server.command("audit", "verify").code == 0
