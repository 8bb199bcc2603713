# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Twelve endpoints with ClamAV: a bad database stops with two of them, by itself, and can be taken back (G2 to G5)."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from pathlib import Path

import lab_root
import pytest
from fleet import Fleet
from lab_ansible import Ansible
from lab_certificates import Authority
from lab_clamav_rings import CLEAN, FLEET, MARK, RINGS, SAMPLE, SERVER, Databases, World, signature
from lab_names import NameServer
from lab_nodes import Node
from lab_server import ComponentServer
from lab_update_server import UpdateServer

pytestmark = pytest.mark.heavy

CANARY, EARLY, BROAD = RINGS["canary"], RINGS["early"], RINGS["broad"]
TRUSTED = "/usr/local/share/ca-certificates/lab.crt"
VENDOR = "database.clamav.net"
_NUMBERS = itertools.count(1)


def good() -> str:
    """A database that finds the sample, unlike any before."""
    return signature("Lab.Mark", MARK) + signature("Lab.Other", f"NOBODY-WRITES-THIS-{next(_NUMBERS)}")


BAD = {
    "truncated": (good()[:-2], ""),
    "refused": ("<html>Sign in</html>\n", ""),
    "kills clamd when it scans": (good() + signature("Lab.Kill", "coreutils"), f"when it scanned {CLEAN}"),
    "flags a clean file of the system": (good() + signature("Lab.Wrong", "coreutils"), f"{CLEAN} is clean, and was"),
    "misses what it must find": (signature("Lab.Other", "ANOTHER-MARK"), f"{SAMPLE} was not found"),
}


@pytest.fixture(scope="module")
def world(
    fleet: Fleet,
    node: Callable[[str], Node],
    ansible: Ansible,
    wheelhouse: str,
    databases: Databases,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[World]:
    directory = tmp_path_factory.mktemp("vendor")
    upstream = ComponentServer(root=lab_root.path(), directory=directory, address=fleet.plan.gateway, port=7997)
    upstream.start()
    names = NameServer(fleet.plan.gateway)
    made = World(upstream, UpdateServer(node(SERVER)), {name: node(name) for name in FLEET}, ansible)
    made.pip = wheelhouse
    made.offer(databases(1), good())
    made.prepare()
    made.server.node.run(f"echo nameserver {upstream.address} >/etc/resolv.conf")
    made.site()
    first = made.fetch()
    made.through(first)
    for name in FLEET:
        assert made.update(name)[0] in ("updated", "current")
        made.nodes[name].wait("clamdscan --ping 1", seconds=60, why="clamd answers")
    yield made
    names.stop()
    upstream.stop()


@pytest.mark.parametrize(("bad", "why"), list(BAD.values()), ids=list(BAD))
def test_a_bad_database_stops_in_the_first_ring_by_itself(
    world: World, databases: Databases, bad: str, why: str
) -> None:
    before = world.versions()
    world.server.forget()
    world.offer(databases(1), bad)
    version = world.fetch()
    stop = world.halted(version)
    assert (stop["kind"], stop["ring"], stop["by"]) == ("halted", "canary", ""), stop
    assert why in stop["reason"]
    world.idle(CANARY)
    taken = [one for name in CANARY for one in world.asked(name) if one.path.endswith("lab.ndb") and one.status == 200]
    assert taken, "a canary has asked for it, and got it"
    assert not [ring for ring in RINGS if world.has(ring, bad)], "no channel has it any more, and others never had"
    assert world.strangers() == []
    assert world.versions() == before, "the canaries have put the versions before back"
    assert all(world.works(name) for name in CANARY)
    world.server.command("rollout", "abort", version, "--reason", f"it is bad: {why or 'no database'}")
    assert set(world.offered().values()) == {world.rollout()["rings"][2]["good"][0]}


def test_a_good_one_goes_through_all_rings_by_itself_and_by_incremental_files(
    world: World, databases: Databases
) -> None:
    """Two versions more of the signed database, of which the second comes while the first is on its way."""
    world.server.forget()
    world.offer(databases(3), good())
    version = world.fetch()
    world.through(version)
    here, foretold = world.courses(version)
    assert here == foretold == [0, 2, 6, 12], (
        "no ring begins before the one before it has passed, as the simulator says"
    )
    assert {name: one["test"] for name, one in world.versions().items()} == dict.fromkeys(FLEET, "3")
    assert all(world.works(name) for name in FLEET)
    assert world.strangers() == []
    for name in FLEET:
        asked = world.asked(name)
        assert [one for one in asked if one.path.endswith("test.cvd") and one.size > 512] == []
        steps = [one.path.rpartition("/")[2] for one in asked if one.path.endswith(".cdiff") and one.status == 200]
        assert steps == ["test-2.cdiff", "test-3.cdiff"]
        sizes = sum(one.size for one in asked)
        assert sizes < databases(3)["test.cvd"].stat().st_size * 4, "signatures of each step, and the plain database"


def test_a_hold_outlasts_whatever_comes(world: World, databases: Databases, fleet: Fleet, tmp_path: Path) -> None:
    """A version that all have is held: no reboot, converge, Update Now, reconnect or vendor brings it to anybody."""
    off, vendors = BROAD[0], BROAD[1]
    world.nodes[off].power_off()
    before = world.versions(CANARY)[CANARY[0]]
    world.offer(databases(4), good())
    version = world.fetch()
    there = tuple(name for name in FLEET if name != off)
    world.reached("4", there)
    authority = Authority(tmp_path)
    vendor = ComponentServer(root=lab_root.path(), directory=tmp_path / "vendor", address=fleet.plan.gateway, port=443)
    vendor.use_tls(*authority.issue(vendor.address, VENDOR))
    vendor.start()
    try:
        vendor.publish(databases(4))
        node = world.nodes[vendors]
        node.write(TRUSTED, authority.certificate.read_text())
        node.run(f"update-ca-certificates; echo {vendor.address} {VENDOR} >>/etc/hosts")
        world.server.command("rollout", "hold", version, "--reason", "scans are slow")
        for name in there:
            world.update(name)
        assert {one["test"] for one in world.versions(there).values()} == {before["test"]}
        world.server.set("privileges", {"vendor_fallback": True}, scope="endpoint", name=vendors)
        world.site(but=off)
        world.nodes[CANARY[0]].power_off()
        world.nodes[CANARY[0]].boot()
        world.nodes[off].boot()
        world.server.node.run(["systemctl", "stop", "nginx"])
        alone = world.update(vendors)
        world.server.node.run(["systemctl", "start", "nginx"])
        assert alone[0] == "failed", "the server is not reached, and whether the vendor has what is held can't be told"
        assert "a version of test is held, and what is offered can't be told" in alone[1]
        world.idle(FLEET)  # one that has just booted may have begun to update while the server was away: it is joined
        for name in FLEET:
            result, reason = world.update(name)
            assert result in ("held", "current"), (name, result, reason)
        assert [one for one in vendor.requests() if one.path.endswith(".cvd")] == [], "the vendor brings what is held"
        assert {name: one["test"] for name, one in world.versions().items()} == dict.fromkeys(FLEET, before["test"])
        assert all(world.works(name) for name in FLEET)
    finally:
        vendor.stop()
    world.server.command("rollout", "release", version, "--reason", "it was the disk")
    world.through(version)
    for name in FLEET:
        world.update(name)
    assert {one["test"] for one in world.versions().values()} == {"4"}
