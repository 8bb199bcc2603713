# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Campaigns over real brokers: one publication for all, each begun once whatever is killed, forgeries without effect,
and the way back to SSH (L3, N1, N4, E1)."""

from __future__ import annotations

import json
import os
import random
import re
import time
from collections.abc import Callable, Iterator
from typing import Any

import lab_documents as documents
import lab_root
import pytest
from ansible_collections.epp.autoupdate.plugins.module_utils._core.metadata.envelope import pack, unpack
from ansible_collections.epp.autoupdate.plugins.module_utils._core.metadata.header import Header
from ansible_collections.epp.autoupdate.plugins.module_utils._core.rollout.order import (
    NAMESPACE,
    Audience,
    CampaignOrder,
)
from ansible_collections.epp.autoupdate.plugins.module_utils._core.rollout.spread import most_at_once
from ansible_collections.epp.autoupdate.plugins.module_utils._core.rollout.topics import endpoint_id, endpoint_topic
from ansible_collections.epp.autoupdate.plugins.module_utils._core.values import replace
from fleet import Fleet
from lab_ansible import Ansible
from lab_broker import CA, MOSQUITTO, NATS, PASSWORD, RABBITMQ, SERVER_USER, Broker, BrokerKind, Packages
from lab_nodes import Node, eventually
from lab_server import ComponentServer
from lab_update_server import PUBLIC, SERVER, UpdateServer
from lab_updater import UPDATE, VERSION

pytestmark = pytest.mark.heavy
MACHINE, BROKER = "n142", "n143"
FLEET = ("n144", "n145", "n146", "n147")
DONE = ("finished", "updated")
CAP, RUN = 2, 4
MANIFEST = "components/command/manifest.json"
ORDER_FILE = f"{PUBLIC}/orders/fleet.command.json"
SECRETS = {SERVER_USER: "of the server", **{endpoint_id(name): f"of {name}, with a space" for name in FLEET}}


class World:
    """The server, the broker and the endpoints that listen to it."""

    def __init__(self, server: UpdateServer, broker: Broker, nodes: dict[str, Node]) -> None:
        self.server, self.broker, self.nodes = server, broker, nodes
        self.version = 0

    def each(self, work: Callable[[Node], Any]) -> dict[str, Any]:
        return {name: work(node) for name, node in self.nodes.items()}

    def offer(self) -> None:
        self.version += 1
        script = f"mkdir -p /srv/upstream/patterns && echo content {self.version} >/srv/upstream/patterns/lab.dat"
        self.server.node.run(f"{script} && echo {self.version} >/srv/upstream/VERSION")

    def campaign(self) -> str:
        """A new version upstream, and the campaign that its fetch begins."""
        self.offer()
        return str(self.server.fetch()["campaign"])

    def settled(self, campaign: str, *, seconds: float = 150) -> dict[str, tuple[str, str]]:
        def look() -> dict[str, tuple[str, str]] | None:
            self.server.notify()
            told = self.server.told(campaign)
            return told if all(stage in ("finished", "failed", "skipped") for stage, _result in told.values()) else None

        return dict(eventually(look, seconds=seconds, why=f"campaign {campaign} is settled"))

    def taken(self) -> dict[str, list[str]]:
        """The campaigns that each endpoint's journal says it began, in their order."""
        return self.each(taken)

    def runs(self) -> dict[str, int]:
        return self.each(lambda node: int(node.run("wc -l </opt/lab/runs").out))

    def refused(self) -> dict[str, dict[str, int]]:
        return self.each(lambda node: orders(node)["refused"])

    def listening(self) -> None:
        """Until every endpoint is let in."""
        for name, node in self.nodes.items():
            try:
                eventually(lambda node=node: orders(node)["connected"], seconds=180, why=f"{name} listens")
            except AssertionError:
                print(node.journal(unit="epp-listen.service"), self.broker.log(), sep="\n")
                raise

    def signed(self, order: CampaignOrder, key: str) -> bytes:
        """The order as whoever has this key of the server's machine signs it."""
        document = order.to_bytes()
        signature = self.server.node.run(
            ["ssh-keygen", "-Y", "sign", "-q", "-f", key, "-n", NAMESPACE], stdin=document.decode()
        ).out
        return pack(document, signature, NAMESPACE)

    def published_order(self) -> bytes:
        return self.server.node.written(ORDER_FILE)


def orders(node: Node) -> dict[str, Any]:
    return dict(json.loads(node.agent("status", "--json").out)["orders"])


def taken(node: Node) -> list[str]:
    node.run(["journalctl", "--sync"])
    lines = node.run(["journalctl", "-q", "--no-pager", "-o", "cat", "-t", "epp-agent"]).out.splitlines()
    return [line.split()[1] for line in lines if line.startswith("notice ") and " taken: version " in line]


def inventory(server: UpdateServer, broker: Broker, notifier: str = "mqtt") -> dict[str, dict[str, Any]]:
    """A fleet whose notifier is one variable."""
    components = {"command": {"fetch": ["/bin/cp", "-rT", "/srv/upstream", "{directory}"]}}
    own = {"autoupdate_server_components": components, "autoupdate_server_fetch": {"every": "1d"}}
    own["autoupdate_server_notify"] = {
        "notifier": notifier,
        "max_in_flight": CAP,
        "retry_delay": "1s",
        "lease": "1m",
        "mqtt": {
            "hosts": ["127.0.0.1", broker.address],
            "ca": CA,
            "user": SERVER_USER,
            "password_file": PASSWORD,
            "run_time": f"{RUN}s",
            "endpoints": {"password_file": PASSWORD},
        },
    }
    far = documents.quiet("x")["policy"]["schedule"]
    endpoint = {
        "autoupdate_product": "command",
        "autoupdate_command": {"update": ["/opt/lab/update"], "version": ["/opt/lab/version"]},
        "autoupdate_reconnect": {"probe": "10s", "jitter": "0s", "wait": "60s"},
        "autoupdate_policy": {"events": {"update_on_reconnect": False}, "schedule": far},
    }
    return {server.name: server.variables(**own), **dict.fromkeys(FLEET, endpoint)}


def furnish(server: UpdateServer, node: Node, packages: Packages) -> None:
    node.run("mkdir -p /opt/lab && cd /opt/lab && echo 0 >installed && echo 1 >pause && touch runs")
    node.write("/opt/lab/update", UPDATE.format(url=server.url, manifest=MANIFEST), mode="0755")
    node.write("/opt/lab/version", VERSION, mode="0755")
    packages.install(node, "mosquitto-clients")


@pytest.fixture(scope="module")
def packages(fleet: Fleet, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Packages]:
    directory = tmp_path_factory.mktemp("packages")
    source = ComponentServer(root=lab_root.path(), directory=directory, address=fleet.plan.gateway, port=7998)
    source.start()
    yield Packages(source)
    source.stop()


def kinds() -> Iterator[Any]:
    """The brokers, of which all but Mosquitto have their examples for the packages of Debian 13."""
    for kind in (MOSQUITTO, NATS, RABBITMQ):
        other = kind is not MOSQUITTO and lab_root.SUITE != "trixie"
        yield pytest.param(
            kind, id=kind.package, marks=pytest.mark.skipif(other, reason=f"{kind.name} was run on Debian 13")
        )


@pytest.fixture(scope="module", params=kinds())
def kind(request: pytest.FixtureRequest) -> BrokerKind:
    chosen: BrokerKind = request.param
    return chosen


@pytest.fixture(scope="module")
def world(
    kind: BrokerKind,
    fleet: Fleet,
    node: Callable[[str], Node],
    ansible: Ansible,
    packages: Packages,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[World]:
    """Everybody is enrolled, listens, and has version 1; the tests start the engine themselves.

    Each broker has machines that are new.
    """
    fleet.boot_if_off(MACHINE, BROKER, *FLEET)
    server = UpdateServer(node(MACHINE))
    broker = Broker(kind, node(BROKER), tmp_path_factory.mktemp("broker"), SECRETS)
    made = World(server, broker, {name: node(name) for name in FLEET})
    broker.set_up(packages)
    packages.install(server.node, "python3-paho-mqtt")
    for name, one in made.nodes.items():
        furnish(server, one, packages)
        broker.admit(one, SECRETS[endpoint_id(name)])
    made.offer()
    broker.admit(server.node, SECRETS[SERVER_USER])
    ansible.site(inventory(server, broker)).demand()
    server.node.run(["chown", "epp-server", PASSWORD])
    server.node.run("systemctl disable --now epp-server-fetch.timer && systemctl stop epp-server-notify.timer")
    made.listening()
    server.command("fetch", check=False)
    server.command("update-now", "--all")
    for campaign in server.campaigns():
        if server.told(campaign["campaign"]):
            made.settled(campaign["campaign"])
    yield made
    for one in (server.node, broker.node, *made.nodes.values()):
        one.discard()


def test_one_publication_reaches_all_and_the_cap_holds_by_their_slots(world: World) -> None:
    """L3, E1, N1: by the broker's log, the record, each endpoint's journal and the instants of their runs."""
    before, runs = world.taken(), world.runs()
    world.broker.forget()
    campaign = world.campaign()
    assert world.settled(campaign) == dict.fromkeys(FLEET, DONE)
    assert world.broker.published("epp/fleet") == 1
    assert [world.broker.published(endpoint_topic("epp", name)) for name in FLEET] == [0] * len(FLEET)
    for name, all_taken in world.taken().items():
        assert all_taken[len(before[name]) :] == [campaign], name
    assert world.runs() == {name: count + 1 for name, count in runs.items()}
    order = CampaignOrder.from_bytes(unpack(world.published_order(), limit=8192).document)
    ordinals = world.each(lambda node: node.agent_status()["ordinal"])
    assert order.spread >= len(FLEET) * RUN // CAP
    assert most_at_once(ordinals.values(), order.spread, RUN) <= CAP
    rows = world.server.command("campaigns", campaign, "--json").json()
    for row in rows:
        begun = documents.instant(row["answer"]["started"])
        assert order.begin(ordinals[row["endpoint"]]) <= begun < order.start + order.spread + 30, row


def test_what_the_server_did_not_publish_does_nothing_and_is_counted(world: World) -> None:
    """C2, L3: forged, altered, foreign, over, for another one, and once more the same."""
    whole = world.published_order()
    before, runs = world.refused(), world.runs()
    sealed = unpack(whole, limit=8192)
    real, now = CampaignOrder.from_bytes(sealed.document), int(time.time())
    fresh = replace(
        real,
        header=Header(1, now, now + 600),
        start=now,
        spread=0,
        command=replace(real.command, campaign="c-of-a-test-of-the-lab"),
    )
    key = world.server.command("keys", "show", "--json").json()["keys"][0]["name"]
    own = f"/var/lib/epp-autoupdate-server/keys/{key}"
    world.server.node.run("rm -f /root/foreign* && ssh-keygen -q -t ed25519 -N '' -f /root/foreign")
    one = FLEET[0]
    over = replace(fresh, header=Header(1, now - 20, now - 10))
    forged = {
        "malformed": b"{}\n\xff\x00 not an order",
        "unknown_key": world.signed(fresh, "/root/foreign"),
        "bad_signature": pack(fresh.to_bytes(), sealed.signature, NAMESPACE),
        "expired": world.signed(over, own),
        "not_addressed": world.signed(replace(fresh, audience=Audience(endpoint=FLEET[1])), own),
        "too_large": b"x" * 9000,
        "repeated": whole,
    }
    for content in forged.values():
        world.broker.publish(SERVER_USER, endpoint_topic("epp", one), content)

    def counted() -> bool:
        after = world.refused()[one]
        return all(after.get(code, 0) == before[one].get(code, 0) + 1 for code in forged)

    eventually(counted, seconds=180, why="every one is counted")
    assert world.runs() == runs
    told = world.nodes[one].agent("status").out
    assert re.search(r"^orders refused    1 bad_signature, .*last at", told, re.MULTILINE), told
    # The same order, were it sealed by the server's key for this endpoint, would have been taken.
    mine = world.signed(replace(fresh, audience=Audience(endpoint=one)), own)
    world.broker.publish(SERVER_USER, endpoint_topic("epp", one), mine)
    eventually(lambda: world.runs()[one] == runs[one] + 1, seconds=180, why="a good one is taken")


def test_an_endpoint_can_publish_for_nobody_and_hears_nothing_of_others(world: World) -> None:
    """The rules of the broker: whoever has taken over an endpoint reads its own topics, and that is all."""
    thief, victim = FLEET[:2]
    before, broker = world.refused(), world.broker
    own, mine, others = endpoint_id(thief), endpoint_topic("epp", thief), endpoint_topic("epp", victim)
    broker.forget()
    for topic in ("epp/fleet", others, mine, "$MQTT/msgs/epp/fleet"):
        for qos in (0, 1):
            broker.publish(own, topic, b"from a thief", may=False, qos=qos)
    world.nodes[thief].run(["systemctl", "stop", "epp-listen"])
    foreign = (others, "#", "epp/#", "+/+/+", "$MQTT/#", "$MQTT/sub/#", "$MQTT/msgs/#")
    for number, topic in enumerate(foreign, 1):
        broker.eavesdrop(own, topic)
        broker.publish(SERVER_USER, others, f"for the victim, {number}".encode())
        eventually(lambda number=number: broker.published(others) == number, seconds=60, why="the witness has heard it")
        time.sleep(1)
        assert broker.hush() == [], topic
    broker.eavesdrop(own, mine)
    broker.publish(SERVER_USER, mine, b"for the thief")
    eventually(lambda: broker.published(mine) == 1, seconds=60, why="the witness has heard that, too")
    time.sleep(1)
    assert broker.hush() == [mine]
    assert broker.published("epp/fleet") == 0
    world.nodes[thief].run(["systemctl", "start", "epp-listen"])
    of_victim = {**before[victim], "malformed": before[victim].get("malformed", 0) + len(foreign)}
    after = {**before, victim: of_victim}
    eventually(lambda: world.refused() == after, seconds=180, why="the victim has got what is for it, and nobody else")
    world.listening()


def test_killed_at_any_moment_each_endpoint_begins_a_campaign_once(world: World) -> None:
    """N4, E1: server, broker and listeners are killed at random moments while versions go out, the broker each time."""
    seed = int.from_bytes(os.urandom(4), "big")
    chance = random.Random(seed)
    before, runs, campaigns = world.taken(), world.runs(), []
    for _version in range(3):
        campaigns.append(world.campaign())
        for victim in chance.sample((*chance.choices(FLEET, k=3), BROKER), 4):
            pause = chance.uniform(0.2, 2.5)
            engine = f"timeout -s KILL {pause:.2f} runuser -u epp-server -- {SERVER} notify --until-settled"
            world.server.node.run(f"{engine} >/dev/null 2>&1 || true")
            unit = world.broker.kind.unit if victim == BROKER else "epp-listen"
            node = world.broker.node if victim == BROKER else world.nodes[victim]
            node.run(f"systemctl kill -s KILL {unit}; systemctl restart {unit}", check=False)
        told = world.settled(campaigns[-1], seconds=240)
        assert told == dict.fromkeys(FLEET, DONE), f"seed {seed}: {told}"
    for name, all_taken in world.taken().items():
        assert all_taken[len(before[name]) :] == campaigns, f"seed {seed}: by the journal of {name}"
    assert world.runs() == {name: count + len(campaigns) for name, count in runs.items()}, f"seed {seed}"


def test_whoever_was_off_asks_for_what_it_has_missed(world: World) -> None:
    """C: the broker keeps nothing for it, and the server is not asked to publish again."""
    away = FLEET[0]
    node, broker = world.nodes[away], world.broker
    runs = world.runs()
    node.run(["systemctl", "stop", "epp-listen"])
    before = world.server.node.read(ORDER_FILE)
    campaign = world.campaign()

    def published() -> bool:
        """It may have to wait: for the broker, which was killed just now, or for the end of the spread before."""
        world.server.notify()
        return world.server.node.read(ORDER_FILE) != before

    eventually(published, seconds=180, why="the order is published")
    broker.forget()
    node.run(["systemctl", "start", "epp-listen"])
    eventually(lambda: world.runs()[away] == runs[away] + 1, seconds=180, why="it has asked for the order")
    assert broker.published(endpoint_topic("epp", away)) == 0
    assert world.settled(campaign) == dict.fromkeys(FLEET, DONE)


def test_back_to_ssh_is_one_variable_and_leaves_nothing_behind(world: World, ansible: Ansible) -> None:
    ansible.site(inventory(world.server, world.broker, "ssh")).demand()
    world.server.node.run("systemctl stop epp-server-notify.timer epp-server-fetch.timer")
    left = "ls -d /etc/systemd/system/*/epp-listen* /etc/systemd/system/epp-listen* /var/lib/epp-autoupdate/orders.json"
    assert world.each(lambda node: node.run(f"{left} 2>/dev/null; pgrep mosquitto_sub", check=False).out) == (
        dict.fromkeys(FLEET, "")
    )
    assert not world.server.node.exists(f"{PUBLIC}/orders")
    campaign = world.campaign()
    assert world.settled(campaign) == dict.fromkeys(FLEET, DONE)
    assert "orders" not in world.nodes[FLEET[0]].agent_status()
    ansible.site(inventory(world.server, world.broker)).demand()
    world.listening()
    assert "epp-notify" not in world.nodes[FLEET[0]].read("/etc/passwd")
