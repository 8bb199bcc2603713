# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Campaigns of a real server over real sshd: killed, cut off, with endpoints off or changed, its key stolen (N1-N5)."""

from __future__ import annotations

import json
import os
import random
import shlex
import time
from collections.abc import Callable
from datetime import datetime, timedelta, timezone
from typing import Any

import lab_documents as documents
import pytest
from fleet import Fleet
from lab_ansible import Ansible
from lab_nodes import Done, Node, eventually
from lab_update_server import SERVER, UpdateServer
from lab_updater import UPDATE, VERSION

MACHINE = "n25"
FLEET = ("n26", "n27", "n28", "n29")
OFFICE, PLANT = FLEET[:2], FLEET[2:]
DONE = ("finished", "updated")
KILLS = 50
KILLS_PER_VERSION = 10
KEY = "/var/lib/epp-autoupdate-server/keys/notify"
STOLEN = "/var/lib/epp-autoupdate-server/stolen"
AGENT = "/run/lab-agent/socket"
SSH_FAILED = 99
NOTIFY = "epp-server-notify.service"
MANIFEST = "components/command/manifest.json"

# Starts the engine and kills its whole process group at a random moment, again and again while a campaign is open.
KILLER = """
import json, os, random, signal, sqlite3, subprocess, sys, time

server, campaign = sys.argv[1:3]
seed, most, longest = json.loads(sys.argv[3])
chance, kills, hits = random.Random(seed), 0, 0


def stages():
    records = sqlite3.connect("/var/lib/epp-autoupdate-server/server.db", timeout=60)
    rows = records.execute("SELECT status FROM deliveries WHERE campaign = ?", (campaign,)).fetchall()
    records.close()
    return {stage for (stage,) in rows}


while kills < most and stages() & {"queued", "in_flight", "retrying"}:
    engine = subprocess.Popen([server, "notify", "--until-settled"], stdout=subprocess.DEVNULL, start_new_session=True)
    try:
        engine.wait(chance.random() * longest)
    except subprocess.TimeoutExpired:
        os.killpg(engine.pid, signal.SIGKILL)
        engine.wait()
        kills, hits = kills + 1, hits + ("in_flight" in stages())
print(json.dumps([kills, hits]))
"""


class World:
    """The server and its endpoints."""

    def __init__(self, server: UpdateServer, nodes: dict[str, Node]) -> None:
        self.server, self.nodes = server, nodes
        self.version = 0

    def each(self, work: Callable[[Node], Any], names: tuple[str, ...] = FLEET) -> dict[str, Any]:
        return {name: work(self.nodes[name]) for name in names}

    def offer(self) -> str:
        """A new version upstream; returns it."""
        self.version += 1
        script = f"mkdir -p /srv/upstream/patterns && echo content {self.version} >/srv/upstream/patterns/lab.dat"
        self.server.node.run(f"{script} && echo {self.version} >/srv/upstream/VERSION")
        return str(self.version)

    def campaign(self) -> str:
        """A new version upstream, and the campaign that its fetch begins."""
        self.offer()
        report = self.server.fetch()
        assert report["result"] == "updated", report
        assert report["campaign"], report
        return str(report["campaign"])

    def settled(self, campaign: str) -> dict[str, tuple[str, str]]:
        """What became of each endpoint, once nothing of the campaign is open any more."""

        def look() -> dict[str, tuple[str, str]] | None:
            self.server.notify()
            told = self.server.told(campaign)
            return told if all(stage in ("finished", "failed", "skipped") for stage, _result in told.values()) else None

        return dict(eventually(look, seconds=90, why=f"campaign {campaign} is settled"))

    def taken(self, names: tuple[str, ...] = FLEET) -> dict[str, list[str]]:
        """The campaigns that each endpoint's journal of this boot says it took, in their order."""
        return self.each(taken, names)

    def runs(self) -> dict[str, int]:
        """How often each endpoint's updater was started."""
        return self.each(lambda node: int(node.run("wc -l </opt/lab/runs").out))

    def installed(self, name: str) -> str:
        return self.nodes[name].read("/opt/lab/installed").strip()

    def pause(self, seconds: float) -> None:
        """How long an update takes from now on."""
        self._tell(f"{seconds}")

    def hold(self) -> None:
        """Updates that begin from now on go on after the next ``pause``."""
        self._tell("held")

    def _tell(self, word: str) -> None:
        """Whole or not at all: updates look at this file all the time."""
        self.each(lambda node: node.run(f"echo {word} >/opt/lab/next && mv /opt/lab/next /opt/lab/pause"))

    def adopt(self, *names: str) -> None:
        """Let endpoints ask for their configuration, and the server's policy be in force on each."""
        results = self.each(lambda node: node.agent("sync", "--json").json()["result"], names)
        assert set(results.values()) == {"adopted"}, results


def taken(node: Node) -> list[str]:
    node.run(["journalctl", "--sync"])
    lines = node.run(["journalctl", "-b", "-q", "--no-pager", "-o", "cat", "-t", "epp-agent"]).out.splitlines()
    return [line.split()[1] for line in lines if line.startswith("notice ") and " taken: version " in line]


def inventory(server: UpdateServer) -> dict[str, dict[str, Any]]:
    """What the inventory says: a server with a cap of two, and endpoints whose updater is a script."""
    components = {"command": {"fetch": ["/bin/cp", "-rT", "/srv/upstream", "{directory}"]}}
    own = {"autoupdate_server_components": components, "autoupdate_server_fetch": {"every": "1d"}}
    own["autoupdate_server_notify"] = {"max_in_flight": 2, "retry_delay": "1s", "retries": 1, "connect_timeout": "5s"}
    far = documents.quiet("x")["policy"]["schedule"]
    endpoint = {
        "autoupdate_domain_policies": {"office": {}, "plant": {}},
        "autoupdate_product": "command",
        "autoupdate_command": {"update": ["/opt/lab/update"], "version": ["/opt/lab/version"]},
        "autoupdate_reconnect": {"probe": "10s", "jitter": "0s", "wait": "60s"},
        "autoupdate_policy": {"events": {"update_on_reconnect": False}, "schedule": far},
    }
    domains = {name: "office" if name in OFFICE else "plant" for name in FLEET}
    return {
        server.name: server.variables(**own),
        **{name: {**endpoint, "autoupdate_domain": domain} for name, domain in domains.items()},
    }


def furnish(server: UpdateServer, node: Node) -> None:
    """What the updater of an endpoint consists of."""
    node.run("rm -rf /opt/lab && mkdir /opt/lab && cd /opt/lab && echo 0 >installed && echo 0 >pause && touch runs")
    node.write("/opt/lab/update", UPDATE.format(url=server.url, manifest=MANIFEST), mode="0755")
    node.write("/opt/lab/version", VERSION, mode="0755")


@pytest.fixture(scope="module")
def world(fleet: Fleet, node: Callable[[str], Node], ansible: Ansible) -> World:
    """Everybody is enrolled and has version 1; the tests start the engine themselves."""
    fleet.boot_if_off(MACHINE, *FLEET)
    server = UpdateServer(node(MACHINE))
    made = World(server, {name: node(name) for name in FLEET})
    made.each(lambda one: furnish(server, one))
    made.offer()
    ansible.site(inventory(server)).demand()
    server.node.run("systemctl disable --now epp-server-fetch.timer && systemctl stop epp-server-notify.timer")
    server.command("fetch", check=False)
    server.command("update-now", "--all")
    for campaign in server.campaigns():
        if server.told(campaign["campaign"]):  # a fetch that came before the registration has nobody to tell
            made.settled(campaign["campaign"])
    assert {made.installed(name) for name in FLEET} == {"1"}
    return made


@pytest.mark.heavy
def test_killed_at_any_moment_each_endpoint_is_notified_exactly_once_per_version(world: World) -> None:
    """N4, N1: by the record, by each endpoint's own journal, and by its updater's own count."""
    seed = int.from_bytes(os.urandom(4), "big")
    chance, server = random.Random(seed), world.server
    world.pause(0.1)
    before, runs = world.taken(), world.runs()
    campaigns = [world.campaign()]
    began = time.monotonic()
    server.notify("--until-settled")
    # Most engines are to be killed before they are done, and none before it has begun, however slow this machine is.
    longest = 0.8 * (time.monotonic() - began)
    server.node.write("/opt/killer.py", KILLER)
    kills = hits = 0
    while kills < KILLS:
        campaigns.append(world.campaign())
        most = min(KILLS_PER_VERSION, KILLS - kills)
        plan = json.dumps([chance.getrandbits(32), most, longest])
        killer = ["runuser", "-u", "epp-server", "--", "python3", "/opt/killer.py", SERVER, campaigns[-1], plan]
        killed, hit = server.node.run(killer).json()
        kills, hits = kills + killed, hits + hit
        world.settled(campaigns[-1])
    print(f"\n{kills} kills, {hits} of them with notices in flight, in {len(campaigns) - 1} campaigns; seed {seed}")
    assert hits, "no kill hit a notice in flight"
    for campaign in campaigns:
        assert server.told(campaign) == dict.fromkeys(FLEET, DONE), f"seed {seed}: on record"
    for name, all_taken in world.taken().items():
        assert all_taken[len(before[name]) :] == campaigns, f"seed {seed}: by the journal of {name}"
    expected = {name: count + len(campaigns) for name, count in runs.items()}
    assert world.runs() == expected, f"seed {seed}: by the updaters' own count"


@pytest.mark.heavy
def test_a_power_cut_of_the_server_loses_nobody_and_notifies_nobody_twice(world: World) -> None:
    """N4: its jobs are in the middle of a campaign when it goes; they make up for it after the boot."""
    world.hold()
    before, runs = world.taken(), world.runs()
    campaign = world.campaign()
    server = world.server.node
    server.run(["systemctl", "start", "--no-block", NOTIFY])
    in_flight = eventually(
        lambda: [name for name, count in world.runs().items() if count > runs[name]],
        seconds=60,
        why="an endpoint works",
    )
    assert len(in_flight) <= 2, "N1"
    server.cut_power()
    server.boot()
    server.wait(f"curl -fsS -o /dev/null {world.server.url}/{MANIFEST}", why="the web server answers")
    world.pause(0)
    server.run(["systemctl", "start", NOTIFY])
    assert world.settled(campaign) == dict.fromkeys(FLEET, DONE)
    assert "deliveries were in flight; their endpoints are asked" in server.journal()
    for name, all_taken in world.taken().items():
        assert all_taken[len(before[name]) :] == [campaign], f"by the journal of {name}"
    assert world.runs() == {name: count + 1 for name, count in runs.items()}


@pytest.mark.heavy
def test_off_then_back_is_e2_e1a_or_nothing_and_others_are_not_delayed(world: World) -> None:
    """N2, E2, E1a, S4, S6: one endpoint returns by itself, one has its notice kept, one waits for its next slot."""
    returning, kept, neither, online = FLEET
    server = world.server
    server.set("events", {"update_on_reconnect": True}, scope="endpoint", name=returning)
    server.set("events", {"include_roaming_and_offline": True}, scope="endpoint", name=kept)
    far = f"{datetime.now(timezone.utc) - timedelta(hours=3):%H:%M}"
    schedule = {"frequency": "daily", "start": far, "window": "30s", "initiator": "server"}
    server.set("schedule", schedule, scope="domain", name="plant")
    world.adopt(*FLEET)
    timer = "systemctl is-active --quiet epp-reconnect.timer"
    world.nodes[returning].wait(timer, why="the timer follows the policy")
    off = (returning, kept, neither)
    world.each(lambda node: node.cut_power(), off)
    first = world.campaign()

    def part(name: str) -> tuple[str, str]:
        server.notify()
        return server.told(first)[name]

    assert part(online) == DONE, "those that are off take their places once, and nobody waits for their retries"
    eventually(lambda: part(neither) == ("failed", "not_reached"), seconds=90, why="N2 ends")
    eventually(lambda: part(kept)[0] == "deferred", seconds=90, why="E1a keeps the notice")
    assert part(returning) == ("failed", "not_reached")

    # The server's own timer notifies at the slots, from the next minute on.
    server.node.run(["systemctl", "start", "epp-server-notify.timer"])
    soon = datetime.now(timezone.utc) + timedelta(seconds=70)
    server.set("schedule", {"start": f"{soon:%H:%M}"}, scope="domain", name="plant")
    world.each(lambda node: node.boot(), (returning, kept))
    eventually(lambda: server.told(first)[kept] == DONE, seconds=150, why="E1a")
    eventually(lambda: world.installed(returning) == str(world.version), seconds=90, why="E2")
    last = eventually(
        lambda: world.nodes[returning].agent_status()["last"].get("reconnect"), seconds=60, why="its end is told"
    )
    assert last["result"] == "updated"
    assert world.taken((returning, kept)) == {returning: [], kept: [first]}

    (slots,) = eventually(lambda: scheduled(server), seconds=150, why="the slots are over")
    told = server.told(slots)
    assert told == {neither: ("skipped", "not_reached"), online: ("finished", "current")}
    world.nodes[neither].boot()
    server.node.run(["systemctl", "start", NOTIFY])
    assert server.told(first)[neither] == ("failed", "not_reached")
    assert server.told(slots)[neither] == ("skipped", "not_reached")
    assert taken(world.nodes[neither]) == []
    assert world.installed(neither) != str(world.version)


def scheduled(server: UpdateServer) -> list[str]:
    """The campaigns of slots of which nothing is open."""
    return [one["campaign"] for one in server.campaigns() if one["trigger"] == "schedule" and not one["open"]]


class Thief:
    """Somebody who has the server's key, and is the server's own user on its machine."""

    def __init__(self, server: UpdateServer, node: Node) -> None:
        self.server, self.node = server, node

    def run(self, *command: str, options: tuple[str, ...] = (), stdin: str = "id\n") -> Done:
        client = ["env", f"SSH_AUTH_SOCK={AGENT}", "ssh", *self._options(), *options]
        return self._run([*client, f"epp-notify@{self.node.machine.address}", *command], stdin)

    def copy(self, *programs: str) -> Done:
        """Try to copy a file by several programs at once: the agent waits ten seconds for what they would say."""
        source = f"epp-notify@{self.node.machine.address}:/etc/hostname"
        lines = [shlex.join([program, *self._options(), source, STOLEN]) for program in programs]
        tries = " ".join(f"{line} && echo lab: copied &" for line in lines)
        return self._run(["sh", "-c", f"{tries} wait"], "")

    def _options(self) -> list[str]:
        words = ["BatchMode=yes", "IdentitiesOnly=yes", "StrictHostKeyChecking=no", "UserKnownHostsFile=/dev/null"]
        return ["-F", "/dev/null", "-i", KEY, *(f"-o{word}" for word in words)]

    def _run(self, argv: list[str], stdin: str) -> Done:
        line = shlex.join(["runuser", "-u", "epp-server", "--", *argv])
        # 255, ssh's own failure, would be taken for one of the lab's connection to the server.
        tamed = f"printf %s {shlex.quote(stdin)} | {line}; code=$?; [ $code = 255 ] && exit {SSH_FAILED}; exit $code"
        return self.server.node.run(tamed, check=False)


@pytest.fixture
def thief(world: World) -> Thief:
    return Thief(world.server, world.nodes[FLEET[3]])


def test_the_endpoints_let_the_servers_key_in_by_the_restricted_line_alone(world: World) -> None:
    """N5, as sshd reads it."""
    enrollment = world.server.command("enrollment").json()
    line = f'restrict,command="/usr/local/bin/epp-agent notice" {enrollment["notify_key"]} epp-update-server'
    key = enrollment["notify_key"].split()[1]
    home = "/var/lib/epp-autoupdate-notify"
    search = ["grep", "-rF", key, "/root/.ssh", "/home", "/etc/ssh", home]
    found = world.each(lambda node: node.run(search).out.splitlines())
    assert found == {name: [f"{home}/.ssh/authorized_keys:{line}"] for name in FLEET}


def test_the_notify_key_runs_the_update_entry_and_nothing_else(world: World, thief: Thief) -> None:
    """N5: on real sshd, each of the other ways in; what answers is always the agent's own entry."""
    runs = world.runs()[thief.node.name]
    refused = "epp-agent: the notice is not JSON"
    for command in ((), ("id",), ("sh", "-c", "id"), ("epp-agent", "run", "--trigger", "manual")):
        done = thief.run(*command)
        assert (done.code, done.out) == (64, ""), done
        assert refused in done.err, done
    assert "PTY allocation request failed" in thief.run(options=("-tt",)).err
    tunnel = thief.run(options=("-W", "127.0.0.1:22"))
    assert (tunnel.code != 0, tunnel.out) == (True, "")
    assert "administratively prohibited" in tunnel.err
    back = thief.run(options=("-oExitOnForwardFailure=yes", "-R", "2222:127.0.0.1:22"))
    assert (back.code, back.out) == (SSH_FAILED, "")
    assert "remote port forwarding failed" in back.err
    assert "lab: copied" not in thief.copy("sftp", "scp").out
    assert not world.server.node.exists(STOLEN)
    assert world.runs()[thief.node.name] == runs, "nothing was started by any of it"


def test_no_agent_is_forwarded_and_sshd_grants_a_command_alone(world: World, thief: Thief) -> None:
    """N5: a real agent is offered; sshd says what the key's line allows."""
    place = AGENT.rpartition("/")[0]
    world.server.node.run(f"install -d -o epp-server {place} && runuser -u epp-server -- ssh-agent -a {AGENT}")
    order = json.dumps({"campaign": "c-by-hand-0001", "version": "by hand", "trigger": "manual"}) + "\n"
    done = thief.run(options=("-v", "-A"), stdin=order)
    assert done.json()["result"] in ("updated", "current"), done
    requests = ("Requesting authentication agent forwarding", "Requesting agent forwarding")  # the second: OpenSSH 10.6
    assert any(request in done.err for request in requests), done.err
    granted = [line.split("key options: ")[1].strip() for line in done.err.splitlines() if "key options: " in line]
    assert granted
    assert set(granted) == {"command"}
    world.server.node.run("kill $(pgrep -u epp-server -x ssh-agent)")


def test_a_changed_host_key_stops_that_endpoint_only_and_a_new_pin_mends_it(world: World) -> None:
    """N5: the endpoint is told nothing, the administrator is."""
    swapped, server = FLEET[2], world.server
    world.nodes[swapped].run("rm /etc/ssh/ssh_host_* && ssh-keygen -A && systemctl restart ssh")
    before = taken(world.nodes[swapped])
    campaign = world.campaign()
    changed = ("failed", "host_key_changed")
    assert world.settled(campaign) == {**dict.fromkeys(FLEET, DONE), swapped: changed}
    assert taken(world.nodes[swapped]) == before
    assert f"notify {swapped}: {campaign} failed; host_key_changed" in server.node.journal()
    (known,) = [one for one in server.command("endpoints", "--json").json() if one["name"] == swapped]
    assert known["notice"]["result"] == "host_key_changed"
    assert server.command("endpoints", "pin", swapped, "--json").json()["kept"] == [swapped]
    replaced = server.command("endpoints", "pin", "--replace", swapped, "--json").json()
    public = world.nodes[swapped].read("/etc/ssh/ssh_host_ed25519_key.pub")
    assert replaced["pinned"] == {swapped: " ".join(public.split()[:2])}
    assert world.settled(world.campaign()) == dict.fromkeys(FLEET, DONE)
