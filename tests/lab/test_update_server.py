# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""One server and eight endpoints: what appears upstream is everywhere one fetch later; policy, too (E1, E3, C1)."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import lab_documents as documents
import lab_root
import pytest
from fleet import Fleet
from lab_ansible import Ansible
from lab_cases import cases
from lab_names import NameServer
from lab_nodes import Node, eventually
from lab_server import ComponentServer
from lab_update_server import PUBLIC, UpdateServer

SERVER = "n32"
FLEET = tuple(f"n{number}" for number in range(17, 23))
OFFICE, PLANT = FLEET[:4], FLEET[4:]
ROAMING, DEAF = OFFICE[0], PLANT[0]
MARK = b"lab-planted-5a1d2c94f0b7e3"
HARMLESS = "Lab.Other:0:*:" + b"nobody-ever-writes-this-9876543210".hex() + "\n"
FINDS_IT = HARMLESS + "Lab.Planted:0:*:" + MARK.hex() + "\n"
NOTICE_CAP = 250


class World:
    """The vendor, the server and the fleet."""

    def __init__(self, upstream: ComponentServer, names: NameServer, server: UpdateServer, nodes: dict[str, Node]):
        self.upstream, self.names, self.server, self.nodes = upstream, names, server, nodes
        self.signatures = HARMLESS
        self.hosts: dict[str, dict[str, Any]] = {}

    def offer(self, databases: dict[str, Path]) -> None:
        """What the vendor has from now on."""
        self.upstream.publish({**databases, "lab.ndb": self.signatures})

    def each(self, names: tuple[str, ...], work: Callable[[Node], Any]) -> dict[str, Any]:
        return {name: work(self.nodes[name]) for name in names}

    def versions(self, *names: str) -> list[dict[str, str]]:
        """What endpoints have installed, each answer once."""
        told = self.each(names, lambda node: {one["name"]: one["version"] for one in node.agent_status()["components"]})
        return [one for index, one in enumerate(told.values()) if one not in list(told.values())[:index]]

    def campaign(self) -> dict[str, tuple[str, str]]:
        """Fetch and notify; returns what became of each endpoint: its status, and its result with the reason if any."""
        report = self.server.fetch()
        assert report["result"] == "updated", report
        assert report["campaign"], report
        self.server.settle(report["campaign"])
        return self.server.told(report["campaign"])


def inventory(server: UpdateServer, upstream: ComponentServer, pip: str) -> dict[str, dict[str, Any]]:
    """What the inventory says: a server, and endpoints that are ClamAV's."""
    far = documents.quiet("x")["policy"]["schedule"]
    clamav = {"databases": [], "extra": {name: f"{upstream.url}/{name}" for name in ("test.cvd", "lab.ndb")}}
    endpoint = {
        "autoupdate_domain_policies": {"office": {}, "plant/one": {}},
        "autoupdate_product": "clamav",
        "autoupdate_clamav": {"databases": ["test"], "custom_urls": [f"{server.url}/components/clamav/lab.ndb"]},
        "autoupdate_scan_paths": ["/srv"],
        "autoupdate_reconnect": {"probe": "10s", "jitter": "0s", "wait": "60s"},
        "autoupdate_policy": {
            "events": {"scan_after_update": True, "update_on_reconnect": False},
            "privileges": {"go_roaming": True},
            "schedule": far,
        },
    }
    fleet = {name: {**endpoint, "autoupdate_domain": "office" if name in OFFICE else "plant/one"} for name in FLEET}
    components = {"clamav": {**clamav, "nameserver": upstream.address, "requests_per_hour": 100_000}}
    own = {"autoupdate_server_components": components, "autoupdate_server_fetch": {"every": "1d"}}
    own |= {"autoupdate_server_install": True, "autoupdate_server_cvdupdate_pip_arguments": pip}
    own |= {"autoupdate_server_notify": {"max_in_flight": NOTICE_CAP}}
    return {server.name: server.variables(**own), **fleet}


@pytest.fixture(scope="module")
def world(
    fleet: Fleet,
    node: Callable[[str], Node],
    ansible: Ansible,
    wheelhouse: str,
    databases: Callable[[int], dict[str, Path]],
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[World]:
    upstream = ComponentServer(
        root=lab_root.path(), directory=tmp_path_factory.mktemp("vendor"), address=fleet.plan.gateway, port=7998
    )
    upstream.start()
    names = NameServer(fleet.plan.gateway)
    server = UpdateServer(node(SERVER))
    made = World(upstream, names, server, {name: node(name) for name in FLEET})
    made.offer(databases(1))
    made.each(FLEET, lambda one: one.run(f"rm -rf /var/lib/clamav/* && printf 'x {MARK.decode()} y' >/srv/planted"))
    # cvdupdate's library of DNS wants a resolver, though it asks the name server that the settings name.
    server.node.run(f"echo nameserver {upstream.address} >/etc/resolv.conf")
    made.hosts = inventory(server, upstream, wheelhouse)
    ansible.site(made.hosts).demand()
    again = ansible.site(made.hosts).demand()
    assert not [name for name, result in again.hosts.items() if result.changed], again.output[-3000:]
    # What the server fetches by itself, within its first minute, is published in no test's midst.
    eventually(server.campaigns, seconds=90, why="the server has fetched by itself")
    yield made
    names.stop()
    upstream.stop()


def test_the_first_version_is_fetched_unasked_and_brought_by_update_now(world: World) -> None:
    """Real cvdupdate, nginx, sshd and freshclam; the same version again begins no campaign (E1)."""
    (first,) = world.server.campaigns()
    assert first["product"] == "clamav"
    report = world.server.fetch()
    assert (report["result"], report["campaign"]) == ("current", None)
    assert len(world.server.campaigns()) == 1
    # Its campaign has those who were registered when it ended; the others are behind, and Update Now brings them.
    world.server.command("update-now", "--all", "--timeout", "5m")
    world.server.settle(first["campaign"])
    told = [world.server.told(one["campaign"]) for one in world.server.campaigns()]
    assert {name for parts in told for name in parts} == set(FLEET)
    assert {stage for parts in told for stage, _result in parts.values()} == {"finished"}
    (versions,) = world.versions(*FLEET)
    assert versions["test"] == "1"
    assert not world.server.command("update-now", "--outdated", "--check", "--json").json()["notified"]


def test_endpoints_follow_by_incremental_files_alone(world: World, databases: Callable[[int], dict[str, Path]]) -> None:
    """From version 1 to 3: no endpoint takes a whole database, each takes each incremental file once."""
    world.offer(databases(3))
    world.server.forget()
    began = time.monotonic()
    assert world.campaign() == dict.fromkeys(FLEET, ("finished", "updated"))
    seconds = time.monotonic() - began
    (versions,) = world.versions(*FLEET)
    assert versions["test"] == "3"
    asked = world.server.requests(below="components/clamav/")
    whole = [one for one in asked if one.path.endswith("test.cvd") and one.status == 200]
    assert not whole, whole
    patches = sorted(one.path.rpartition("/")[2] for one in asked if one.path.endswith(".cdiff") and one.status == 200)
    assert patches == ["test-2.cdiff"] * len(FLEET) + ["test-3.cdiff"] * len(FLEET)
    assert {one.status for one in asked} <= {200, 206, 304, 404}
    print(f"\nfrom the fetch to the last of {len(FLEET)} endpoints: {seconds:.1f} s (N1 allows {NOTICE_CAP} at a time)")


def test_a_signature_that_arrives_by_a_campaign_finds_the_file(
    world: World, databases: Callable[[int], dict[str, Path]]
) -> None:
    """E1, E1a, E3: who is behind has it and has scanned; who roams, or has E1 off, is not even started."""
    world.nodes[ROAMING].agent("roaming", "on")
    world.server.set("events", {"update_after_download": False}, scope="endpoint", name=DEAF)
    reached = tuple(name for name in FLEET if name not in (ROAMING, DEAF))
    world.signatures = FINDS_IT
    time.sleep(1.1)  # web servers tell versions of a plain file apart by whole seconds
    since = time.time()
    world.offer(databases(3))
    told = world.campaign()
    assert {name: told[name] for name in reached} == dict.fromkeys(reached, ("finished", "updated"))
    assert (told[ROAMING][0], told[DEAF][0]) == ("skipped", "skipped")
    assert "notice" not in world.nodes[DEAF].journal(since=since)
    for status in world.each(reached, scanned).values():
        assert [one["path"] for one in status["scan"]["last"]["findings"]] == ["/srv/planted"], status["scan"]
        assert "Lab.Planted" in status["scan"]["last"]["findings"][0]["signature"]
    for name in (ROAMING, DEAF):
        assert world.nodes[name].agent_status()["scan"]["last"]["found"] == 0
    world.nodes[ROAMING].agent("roaming", "off")
    world.server.set("events", {"update_after_download": True}, scope="endpoint", name=DEAF)


def scanned(node: Node) -> dict[str, Any]:
    """The status once the scan has found something."""

    def look() -> dict[str, Any] | None:
        status = node.agent_status()
        return (
            status if status["scan"]["last"] and status["scan"]["last"]["found"] and not status["scan"]["due"] else None
        )

    return dict(eventually(look, seconds=90, why=f"{node.name} has scanned"))


@pytest.mark.heavy
def test_a_domains_policy_reaches_its_endpoints_and_no_others(world: World) -> None:
    """C1, S2, P2: at their next configuration sync; the timers follow; who has it already gets a 304."""
    before = world.each(FLEET, lambda node: node.agent_status()["next_run"])
    changed = world.server.set(
        "schedule", {"frequency": "daily", "start": "03:00", "window": "1h"}, scope="domain", name="office"
    )
    assert changed["changed"]
    time.sleep(2.1)  # younger than this, a file is asked for without a condition
    world.server.forget()
    results = world.each(FLEET, lambda node: node.agent("sync", "--json").json()["result"])
    assert set(results.values()) == {"adopted"}
    for name in FLEET:
        status = world.nodes[name].agent_status()
        assert (status["next_run"] != before[name]) == (name in OFFICE), name
    for name in (OFFICE[0], OFFICE[3]):
        status = world.nodes[name].agent_status()
        timer = (
            world.nodes[name].run(["systemctl", "show", "-P", "NextElapseUSecRealtime", "epp-update.timer"]).out.strip()
        )
        shown = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.strptime(timer.split(" ", 1)[1], "%Y-%m-%d %H:%M:%S %Z"))
        assert shown == status["next_run"]
    world.server.forget()
    results = world.each(FLEET, lambda node: node.agent("sync", "--json").json()["result"])
    assert set(results.values()) == {"unchanged"}
    asked = world.server.requests(below="configuration/")
    assert {one.status for one in asked} == {304}
    assert len(asked) == 2 * len(FLEET), "one request for the tree and one for the shard"


TAMPERINGS = {
    # What is done to the public files, as a shell's script; the result of the next sync.
    "a key of the tree's policy": (
        'sed -i \'s/"go_roaming":true/"go_roaming":false/\' configuration/tree.json',
        "bad_signature",
    ),
    "an ordinal in the shard": (
        'sed -i \'s/"ordinal":[0-9]*/"ordinal":99/\' configuration/shards/*.json',
        "bad_signature",
    ),
    "the tree as the shard": (
        "for f in configuration/shards/*.json; do cp configuration/tree.json $f; done",
        "malformed",
    ),
    "an older tree": ("cp /root/older.json configuration/tree.json", "rollback"),
    "half a tree": ("truncate -s 200 configuration/tree.json", "malformed"),
    "a page of a portal": ("echo '<html>Welcome</html>' >configuration/tree.json", "malformed"),
    "too much": ("truncate -s 100M configuration/tree.json", "too_large"),
    "no tree": ("rm configuration/tree.json", "unreachable"),
    "one that has expired": ("cp /root/expired.json configuration/tree.json", "expired"),
    "another's signature": ("cp /root/foreign.json configuration/tree.json", "unknown_key"),
}


@pytest.fixture(scope="module")
def forged(world: World) -> None:
    """A tree that was in force once, one that somebody else has signed, and one that has expired."""
    tree = f"{PUBLIC}/configuration/tree.json"
    world.server.node.run(["cp", tree, "/root/older.json"])
    world.server.set("schedule", {"start": "04:00"}, scope="domain", name="office")
    script = f"""
set -eu
cd /root && rm -f thief thief.pub && ssh-keygen -q -t ed25519 -N '' -f thief
own=$(ls /var/lib/epp-autoupdate-server/keys/signing* | grep -v pub | head -1)
cat >seal.py <<'PYTHON'
import json, subprocess, sys
key, target, end = sys.argv[1:]
document = json.loads(open("{tree}", "rb").read().partition(b"\\n")[2])
if int(end):
    document.update(expires=int(end), serial=document["serial"] + 1)
plain = json.dumps(document, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()
argv = ["ssh-keygen", "-Y", "sign", "-q", "-f", key, "-n", "epp-configuration"]
signature = subprocess.run(argv, input=plain, stdout=subprocess.PIPE, check=True).stdout.decode()
head = {{"format": 1, "namespace": "epp-configuration", "signature": signature}}
open(target, "wb").write(json.dumps(head, sort_keys=True, separators=(",", ":")).encode() + b"\\n" + plain)
PYTHON
python3 seal.py thief foreign.json 0
python3 seal.py "$own" expired.json 1000000000
"""
    world.server.node.run(script)
    assert world.nodes[OFFICE[1]].agent("sync", "--json").json()["result"] == "adopted"


@pytest.mark.parametrize("what", cases(list(TAMPERINGS), "a key of the tree's policy", "an older tree"))
def test_what_was_tampered_with_is_refused_and_nothing_is_lost(world: World, forged: None, what: str) -> None:
    """C2, from the web server's side: each way has its own result, and the last good one stays in force."""
    script, expected = TAMPERINGS[what]
    server, endpoint = world.server.node, world.nodes[OFFICE[1]]
    before = endpoint.agent_status()
    server.run(f"rm -rf /root/kept && cp -a {PUBLIC}/configuration /root/kept && cd {PUBLIC} && {script}")
    try:
        told = endpoint.agent("sync", "--json", check=False).json()
        after = endpoint.agent_status()
    finally:
        server.run(f"rm -rf {PUBLIC}/configuration && cp -a /root/kept {PUBLIC}/configuration")
    assert told["result"] == expected, told
    assert told["reason"]
    assert (after["policy"], after["serial"], after["next_run"]) == (
        before["policy"],
        before["serial"],
        before["next_run"],
    )
    assert after["configuration"]["result"] == expected
    assert endpoint.agent("sync", "--json").json()["result"] in ("unchanged", "adopted")


def test_the_server_says_what_it_publishes_is_whole(world: World) -> None:
    """``verify`` finds nothing wrong, and finds what somebody changed."""
    world.server.command("verify")
    public = f"{PUBLIC}/components/clamav/lab.ndb"
    world.server.node.run(f"cp -a {public} /root/lab.ndb && echo 'Lab.More:0:*:00112233' >>{public}")
    try:
        done = world.server.command("verify", check=False)
        assert done.code == 1
        assert "lab.ndb" in done.out + done.err
    finally:
        world.server.node.run(f"cp -a /root/lab.ndb {public}")
    world.server.command("verify")


def test_a_component_that_was_tampered_with_is_refused(world: World) -> None:
    """R1: freshclam checks the vendor's own signature; what is installed stays, and the next run recovers."""
    public, endpoint = f"{PUBLIC}/components/clamav/test.cvd", world.nodes[OFFICE[2]]
    endpoint.run("mv /var/lib/clamav/test.c* /root/")  # as on a fresh install: the whole database is asked for
    flip = f"cp -a {public} /root/test.cvd && printf 'X' | dd of={public} bs=1 seek=4000 conv=notrunc status=none"
    world.server.node.run(flip)
    try:
        report = endpoint.agent("update-now", "--json", check=False).json()
        assert report["result"] == "failed", report
        assert report["reason"]
        files = endpoint.run("find /var/lib/clamav -maxdepth 1 -type f -printf '%f\\n'").out.split()
        assert sorted(files) == ["epp-probe.hsb", "freshclam.dat", "lab.ndb"]
    finally:
        world.server.node.run(f"cp -a /root/test.cvd {public}")
    report = endpoint.agent("update-now", "--json").json()
    assert (report["result"], {one["name"]: one["version"] for one in report["after"]}["test"]) == ("updated", "3")


@pytest.mark.heavy
def test_an_endpoint_that_is_to_go_leaves_the_registry_and_all_others_stay(world: World, ansible: Ansible) -> None:
    """With an inventory that holds nobody else; the right of the server's key goes with the agent."""
    gone, *others = reversed(FLEET)
    hosts = {SERVER: world.hosts[SERVER], gone: {**world.hosts[gone], "autoupdate_state": "absent"}}
    ansible.site(hosts).demand()
    registered = [one["name"] for one in world.server.command("endpoints", "--json").json()]
    assert sorted(registered) == sorted(others)
    assert not world.nodes[gone].exists("/var/lib/epp-autoupdate-notify")
    again = ansible.site(hosts).demand()
    assert not [name for name, result in again.hosts.items() if result.changed], again.output[-3000:]
