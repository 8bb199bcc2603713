# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Whoever has the web server changes channels, catalog or membership, or the audit: refused, or found.

Tree and shard themselves are in ``test_update_server.py``; a mirror of ClamAV that gives another ring's databases is in
the unit tests, by the real freshclam.
"""

from __future__ import annotations

import contextlib
import itertools
import json
import os
import time
from collections.abc import Callable, Iterator
from typing import Any

import lab_documents as documents
import lab_root
import pytest
from fleet import Fleet
from lab_ansible import Ansible
from lab_nodes import Node, eventually
from lab_server import ComponentServer
from lab_update_server import PUBLIC, UpdateServer

pytestmark = pytest.mark.heavy

SERVER, CANARY, BROAD, SCANNER = "n138", "n139", "n140", "n141"
RINGS = {"rings": [{"name": "canary", "endpoints": [CANARY]}, {"name": "broad"}], "bake_time": "1s"}
RINGS |= {"failure_threshold": "100%"}
"""A version goes on when the canary has it, and no failure of a test stops it."""
JOBS = "epp-server-promote.timer epp-server-promote.path epp-server-ingest.path epp-server-ingest.timer"
AUDIT = "/var/lib/epp-autoupdate-server/audit"
KEPT = "/root/kept"
SAMPLES, MARK = "/srv/samples", "EPP-LAB-MARK"
_NUMBERS = itertools.count(1)


def signature(name: str, marker: str) -> str:
    """A line of a ``.ndb`` database that finds the marker anywhere in any file."""
    return f"{name}:0:*:{marker.encode().hex()}\n"


class World:
    """The server, an endpoint in each of two rings of ``files``, and one with ClamAV of a source of its own."""

    def __init__(self, server: UpdateServer, nodes: dict[str, Node], vendor: ComponentServer) -> None:
        self.server, self.nodes, self.vendor = server, nodes, vendor

    def publish(self) -> str:
        """A new version, for the canary; returns its word."""
        self.server.node.run(f"mkdir -p /srv/rules && echo {next(_NUMBERS)} >/srv/rules/a.yar")
        report = self.server.fetch()
        assert report["result"] == "updated", report
        return str(report["version"])

    def update(self, name: str) -> tuple[str, str]:
        """One run of the agent; its result and reason."""
        run = self.nodes[name].agent_run("manual").json()
        return str(run["result"]), str(run["reason"])

    def version(self, name: str) -> str:
        (component,) = self.nodes[name].agent_status()["components"]
        return str(component["version"])

    def settled(self) -> str:
        """Let both rings have what they are offered, and pass it; returns the version of the canary."""

        def idle() -> bool:
            for name in (CANARY, BROAD):
                self.update(name)
            self.server.command("promote")
            (found,) = self.server.command("rollout", "status", "--json").json()
            return all(ring["phase"] == "idle" for ring in found["rings"])

        eventually(idle, seconds=120, why="both rings have passed what they were offered")
        return self.version(CANARY)

    def offered(self, ring: str) -> str:
        (found,) = self.server.command("rollout", "status", "--json").json()
        return str(next(one["offered"] for one in found["rings"] if one["name"] == ring))

    def offer(self, *markers: str) -> None:
        """What the vendor of the scanner has: a database that finds these; freshclam goes by its time."""
        path = self.vendor.www / "own.ndb"
        path.write_text("".join(signature(f"Lab.{marker}", marker) for marker in markers))
        newer = time.time() + 10 * next(_NUMBERS)
        os.utime(path, (newer, newer))

    @contextlib.contextmanager
    def tampered(self, script: str) -> Iterator[None]:
        """The public files changed by a shell's script, as long as the block runs; the server's own jobs, which would
        put them right, rest meanwhile."""
        node = self.server.node
        node.run(f"systemctl stop {JOBS} epp-server-promote.service; rm -rf {KEPT}; cp -a {PUBLIC} {KEPT}")
        node.run(f"set -eu; cd {PUBLIC}; {script}")
        try:
            yield
        finally:
            node.run(f"rm -rf {PUBLIC}/*; cp -a {KEPT}/. {PUBLIC}; systemctl start {JOBS}")


@pytest.fixture(scope="module")
def world(
    fleet: Fleet, node: Callable[[str], Node], ansible: Ansible, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[World]:
    directory = tmp_path_factory.mktemp("vendor")
    vendor = ComponentServer(root=lab_root.path(), directory=directory, address=fleet.plan.gateway, port=7996)
    vendor.start()
    nodes = {name: node(name) for name in (CANARY, BROAD, SCANNER)}
    made = World(UpdateServer(node(SERVER)), nodes, vendor)
    made.server.node.run("mkdir -p /srv/rules && echo 0 >/srv/rules/a.yar")
    made.server.node.run(f"mkdir -p {SAMPLES}/find {SAMPLES}/clean; echo {MARK} >{SAMPLES}/find/mark")
    made.server.node.run(f"cp /bin/ls {SAMPLES}/clean")
    made.offer(MARK)
    ansible.site(inventory(made)).demand()
    made.server.command("fetch", check=False)
    for name in (CANARY, BROAD):
        assert made.update(name)[0] == "updated"
    yield made
    vendor.stop()


def inventory(world: World) -> dict[str, dict[str, Any]]:
    policy = {
        "events": {"update_on_reconnect": False, "update_after_download": False},
        "schedule": documents.quiet("x")["policy"]["schedule"],
    }
    own = {"autoupdate_server_components": {"files": {"directory": "/srv/rules"}}}
    own |= {"autoupdate_server_fetch": {"every": "1d"}, "autoupdate_server_rollout": {"files": RINGS}}
    own |= {"autoupdate_server_probe_samples": SAMPLES}
    files = {"autoupdate_product": "files", "autoupdate_policy": policy}
    clamav = {"databases": [], "custom_urls": [f"{world.vendor.url}/own.ndb"]}
    scanner = {"autoupdate_product": "clamav", "autoupdate_clamav": clamav, "autoupdate_policy": policy}
    return {
        world.server.name: world.server.variables(**own),
        **dict.fromkeys((CANARY, BROAD), files),
        SCANNER: {**scanner, "autoupdate_probe": {"clean": ["/bin/sh"]}},
    }


CHANNELS = {
    # What is done to the channel of the canary, which is offered a new version; the words of the run's reason.
    "a version word of the manifest": (
        'sed -i \'s/"version": "[^"]*"/"version": "99"/\' components/files/channels/canary/manifest.json',
        "held",
        "not the one that the server's signed catalog names",
    ),
    "half a manifest": ("truncate -s 60 components/files/channels/canary/manifest.json", "failed", "it is not JSON"),
    "content": (
        "for f in $(find components/files/objects -type f); do printf 0 | dd of=$f conv=notrunc status=none; done",
        "failed",
        "SHA-256 is not what the manifest says",
    ),
}


@pytest.mark.parametrize("what", CHANNELS)
def test_a_channel_that_was_altered_gives_nothing(world: World, what: str) -> None:
    before, version = world.settled(), world.publish()
    script, result, words = CHANNELS[what]
    with world.tampered(script):
        told = world.update(CANARY)
        assert (told[0], words in told[1]) == (result, True), told
        assert world.version(CANARY) == before
    assert world.update(CANARY)[0] == "updated"
    assert world.version(CANARY) == version


def test_a_ring_that_is_given_the_channel_of_another_one_does_not_take_it(world: World) -> None:
    world.settled()
    world.publish()
    before = world.version(BROAD)
    swap = "cd components/files/channels; mv canary x; mv broad canary; mv x broad"
    with world.tampered(swap):
        result, why = world.update(BROAD)
        assert world.version(BROAD) == before
        # One that knows by the signed catalog that it has what its ring is offered need not ask for the manifest.
        told = "not the one that the server's signed catalog names" in why
        assert (result, told) in (("held", True), ("current", False)), why


def test_the_catalog_of_before_is_refused_as_a_rollback(world: World) -> None:
    world.settled()
    older = f"{PUBLIC}/configuration/catalog.json"
    world.server.node.run(["cp", "-a", older, "/root/older.json"])
    world.publish()
    before = world.settled()
    version = world.publish()
    with world.tampered("cp -a /root/older.json configuration/catalog.json"):
        result, why = world.update(CANARY)
        assert (result, world.version(CANARY)) == ("failed", before), why
        assert "catalog: its serial is" in why
        assert "lower than" in why
    assert (world.update(CANARY)[0], world.version(CANARY)) == ("updated", version)


@pytest.mark.parametrize("way", ["edited", "older"])
def test_a_hold_can_not_be_taken_out_of_the_catalog(world: World, way: str) -> None:
    """The web server gives the held version again, and a catalog that knows nothing of the hold."""
    world.settled()
    bad = world.publish()
    assert (world.update(CANARY)[0], world.version(CANARY)) == ("updated", bad)
    world.server.node.run(f"rm -rf /root/before; cp -a {PUBLIC} /root/before")
    world.server.command("rollout", "hold", bad, "--reason", "scans are slow")
    good = world.offered("canary")
    result, why = world.update(CANARY)
    assert (result, world.version(CANARY)) == ("held", good), why
    assert good != bad
    edit = "sed -i 's/,\"holds\":\\[[^]]*\\]//' configuration/catalog.json"
    assert '"holds"' in world.server.node.read(f"{PUBLIC}/configuration/catalog.json")
    catalog = edit if way == "edited" else "cp -a /root/before/configuration/catalog.json configuration/catalog.json"
    with world.tampered(f"cp -a /root/before/components/. components; {catalog}"):
        since = time.time()
        for _run in range(2):
            result, why = world.update(CANARY)
            assert (result, world.version(CANARY)) == ("held", good), why
        told = world.nodes[CANARY].journal(since=since)
        why = "bad_signature: catalog: " if way == "edited" else "rollback: catalog: its serial is"
        assert f"holds go by the last catalog that was accepted: {why}" in told
    world.server.command("rollout", "release", bad, "--reason", "it was the disk")


def test_an_endpoint_can_not_be_given_the_membership_of_another_ring(world: World) -> None:
    shards = {name: shard_of(world, name) for name in (CANARY, BROAD)}
    assert shards[CANARY] != shards[BROAD]
    world.settled()
    world.publish()
    version = world.version(BROAD)
    before = world.nodes[BROAD].agent_status()["serial"]
    with world.tampered(f"cp {shards[CANARY]} {shards[BROAD]}"):
        told = world.nodes[BROAD].agent("sync", "--json", check=False).json()
        assert (told["result"], "shard: it is number" in told["reason"]) == ("malformed", True), told
        assert (world.update(BROAD)[0], world.version(BROAD)) == ("current", version)
    edit = 's/"channels":{"files":"broad"}/"channels":{"files":"canary"}/'
    with world.tampered(f"grep -q channels {shards[BROAD]}; sed -i '{edit}' {shards[BROAD]}"):
        told = world.nodes[BROAD].agent("sync", "--json", check=False).json()
        assert told["result"] == "bad_signature", told
        assert world.update(BROAD)[0] == "current"
    assert world.nodes[BROAD].agent_status()["serial"] == before


def shard_of(world: World, name: str) -> str:
    """The file of an endpoint's shard, below the public directory."""
    found = world.server.node.run(f"cd {PUBLIC}; grep -l '\"{name}\":' configuration/shards/*.json").out.split()
    assert len(found) == 1
    return found[0]


THIEF = """
ssh-keygen -q -t ed25519 -N '' -f thief
sed 1d head.json >document
ssh-keygen -Y sign -q -f thief -n epp-audit <document >made
python3 - >head.json <<'PYTHON'
import json
print(json.dumps({"format": 1, "namespace": "epp-audit", "signature": open("made").read()}))
PYTHON
cat document >>head.json
rm thief thief.pub document made
"""
"""Signs the head anew, by one who has no key of the server."""
AUDITS = {
    # What is done to the lines, as a shell's script; the words of the problem, and the line that it names.
    "a line changed": (
        'sed -i \'3s/"reason":""/"reason":"none"/\' audit.jsonl',
        "audit.jsonl, line 4: it does not follow from the one before: line 3 was changed",
    ),
    "a line removed": ("sed -i 3d audit.jsonl", "audit.jsonl, line 3: it is entry 4: entry 3 is missing here"),
    "lines reordered": (
        "sed -i '3{h;d};4G' audit.jsonl",
        "audit.jsonl, line 3: it is entry 4: entry 3 is missing here",
    ),
    "the last line removed": ("sed -i '$d' audit.jsonl; sed -i '$d' audit.jsonl", "the end is missing: entry"),
    "a line of somebody else": ("tail -n 1 audit.jsonl >x; cat x >>audit.jsonl; rm x", "it was never signed"),
    "the head of another key": (THIEF, "the head is not one that this server has signed"),
    "no head": ("rm head.json", "the signed head is missing"),
}


@pytest.mark.parametrize("what", AUDITS)
def test_what_was_done_to_the_audit_is_named(world: World, what: str) -> None:
    script, words = AUDITS[what]
    node = world.server.node
    assert world.server.command("audit", "verify").out.startswith("audit: ")
    node.run(f"systemctl stop {JOBS} epp-server-promote.service; rm -rf {KEPT}; cp -a {AUDIT} {KEPT}")
    try:
        node.run(f"set -eu; cd {AUDIT}; {script}\nchown epp-server *")
        done = world.server.command("audit", "verify", check=False)
        assert (done.code, words in done.out) == (1, True), done.out
        told = json.loads(world.server.command("audit", "verify", "--json", check=False).out)["problems"]
        assert told
        assert "ALARM audit" in world.server.command("health", check=False).out
    finally:
        node.run(f"rm -rf {AUDIT}; cp -a {KEPT} {AUDIT}; systemctl start {JOBS}")
    assert world.server.command("audit", "verify").code == 0
