# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The way in of reports, from another machine: real nginx, real systemd, and whoever means harm (R4, R5)."""

from __future__ import annotations

import json
import re
import shlex
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.epp.autoupdate.plugins.module_utils._core.metadata.envelope import pack, unpack
from ansible_collections.epp.autoupdate.plugins.module_utils._core.reports.report import (
    MAX_SIZE,
    NAMESPACE,
    Occasion,
    Report,
)
from lab_ansible import Ansible
from lab_nodes import Node, eventually
from lab_update_server import UpdateServer

SERVER, CLIENT = "n55", "n56"
REPORTS = "/var/lib/epp-autoupdate-reports"
INBOX, INCOMING = f"{REPORTS}/inbox", f"{REPORTS}/incoming"
STATUS: dict[str, Any] = {"product": "files", "components": [{"name": "patterns/a.dat", "version": "2", "built": None}]}
# Many requests that send their header and a part of the body, and wait for what the server does.
SLOW = """
import socket, sys, time
address, path, count = sys.argv[1], sys.argv[2], int(sys.argv[3])
head = f"PUT {path} HTTP/1.1\\r\\nHost: {address}\\r\\nContent-Length: 1000\\r\\n\\r\\n".encode()
begin, answers = time.monotonic(), []
some = [socket.create_connection((address, 80), timeout=60) for _number in range(count)]
for one in some:
    one.sendall(head + b"x" * 10)
print("waiting", flush=True)
for one in some:
    answers.append((one.recv(4096).split(b" ") + [b"", b"closed"])[1].decode())
print(round(time.monotonic() - begin), *sorted(answers))
"""


class HostKey:
    """The key of an endpoint's sshd."""

    def __init__(self, path: Path) -> None:
        subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "", "-f", path], check=True)
        self.path = path
        self.public = " ".join(path.with_suffix(".pub").read_text().split()[:2])

    def report(self, endpoint: str, sequence: int) -> str:
        """The file of a report, as an endpoint sends it."""
        one = Report.of_status(
            STATUS, endpoint=endpoint, sequence=sequence, at=1_795_348_800, occasion=Occasion.RUN, agent="1.0.0"
        )
        command = ["ssh-keygen", "-Y", "sign", "-q", "-f", self.path, "-n", NAMESPACE]
        signature = subprocess.run(command, input=one.to_bytes(), capture_output=True, check=True).stdout.decode()
        return pack(one.to_bytes(), signature, NAMESPACE).decode()


@dataclass(frozen=True)
class World:
    """A server that knows three endpoints, and a machine that sends."""

    server: Node
    client: Node
    keys: dict[str, HostKey]

    @property
    def url(self) -> str:
        return f"http://{self.server.machine.address}"

    def put(self, name: str, content: str) -> int:
        """Send a report; the HTTP status."""
        return self.ask(f"reports/{name}", "-T", "-", stdin=content)

    def ask(self, path: str, *options: str, stdin: str = "") -> int:
        argv = ["curl", "-sS", "--path-as-is", "-o", "/dev/null", "-w", "%{http_code}", *options, f"{self.url}/{path}"]
        return int(self.client.run(argv, stdin=stdin, check=False).out or 0)

    def status(self) -> dict[str, Any]:
        """What the server tells of reports."""
        return dict(self.server.run(["epp-server", "status", "--json"]).json()["reports"])

    def refused(self) -> dict[tuple[str, str], int]:
        return {(one["endpoint"], one["code"]): one["count"] for one in self.status()["refused"]}

    def sequence(self, name: str) -> int:
        """The number of the last report that was taken; 0 without one."""
        script = (
            "import sqlite3,sys;d=sqlite3.connect('/var/lib/epp-autoupdate-server/server.db');"
            "r=d.execute('SELECT sequence FROM endpoint_reports WHERE endpoint=?',(sys.argv[1],)).fetchone();"
            "print(r[0] if r else 0)"
        )
        return int(self.server.run(["python3", "-c", script, name]).out)

    def left(self) -> list[str]:
        """Every file below the directory of reports but for places and that of e3, which waits for its key."""
        found = self.server.run(["find", REPORTS, "-mindepth", "2", "-not", "-path", f"{REPORTS}/places/*"]).out
        return sorted(path for path in found.split() if path != f"{REPORTS}/claimed/e3")


@pytest.fixture(scope="module")
def world(node: Callable[[str], Node], ansible: Ansible, tmp_path_factory: pytest.TempPathFactory) -> World:
    machine, directory = node(SERVER), tmp_path_factory.mktemp("keys")
    machine.run("mkdir -p /srv/components/patterns && echo one >/srv/components/patterns/a.dat")
    keys = {name: HostKey(directory / name) for name in ("e1", "e2", "stranger")}
    made = World(machine, node(CLIENT), keys)
    options = {"web": {"url": made.url}, "components": {"files": {"directory": "/srv/components"}}}
    task = {"name": "Converge", "epp.autoupdate.server": options}
    foretold = ansible.play([task], {SERVER: {}}, check=True).demand()[SERVER].results[-1]["result"]
    assert not machine.exists(REPORTS)
    done = ansible.play([task], {SERVER: {}}).demand()[SERVER].results[-1]["result"]
    assert (foretold["changes"], foretold["drift"]) == (done["changes"], done["drift"])
    for check in (False, True):
        again = ansible.play([task], {SERVER: {}}, check=check).demand()[SERVER].results[-1]["result"]
        assert (again["changed"], again["changes"], again["drift"]) == (False, [], [])
    entries = [{"name": name, "host_key": keys[name].public} for name in ("e1", "e2")]
    fleet = {"endpoints": [*entries, {"name": "e3"}]}
    machine.run(["epp-server", "register"], stdin=json.dumps(fleet))
    return made


def test_who_may_do_what_with_the_directories(world: World) -> None:
    modes = world.server.run(f"stat -c '%a %U:%G %n' {REPORTS} {REPORTS}/*").out.splitlines()
    assert modes == [
        f"755 root:root {REPORTS}",
        f"700 epp-server:epp-server {REPORTS}/claimed",
        f"2770 www-data:epp-server {INBOX}",
        f"2770 www-data:epp-server {INCOMING}",
        f"755 epp-server:epp-server {REPORTS}/places",
    ]
    assert world.server.run(["ls", INBOX], user="alice", check=False).code != 0
    assert sorted(world.server.run(["ls", f"{REPORTS}/places"]).out.split()) == ["e1", "e2", "e3"]


def test_a_good_report_is_taken_within_seconds(world: World) -> None:
    """By the path unit: the timer would take a minute."""
    assert world.put("e1", world.keys["e1"].report("e1", 1)) == 201
    eventually(lambda: world.sequence("e1") == 1, seconds=20, why="the first report is taken")
    assert world.put("e1", world.keys["e1"].report("e1", 2)) in (201, 204)
    eventually(lambda: world.sequence("e1") == 2, seconds=20, why="the second report is taken")
    assert world.left() == []
    told = world.server.run(["epp-server", "endpoints", "--json"]).json()
    assert {one["name"]: bool(one["reported"]) for one in told} == {"e1": True, "e2": False, "e3": False}


def test_what_is_not_an_endpoints_own_report_is_counted_and_not_believed(world: World) -> None:
    e1, e2, stranger = (world.keys[name] for name in ("e1", "e2", "stranger"))
    good = e1.report("e1", 3)
    sent = {
        "bad_signature": ("e1", good.replace('"sequence":3', '"sequence":4')),
        "wrong_key": ("e1", e2.report("e1", 9)),
        "replayed": ("e1", e1.report("e1", 2)),
        "other_endpoint": ("e1", e1.report("e2", 9)),
        "malformed": ("e2", "no report"),
        "no_pinned_key": ("e3", stranger.report("e3", 9)),
    }
    for code, (name, content) in sent.items():
        assert world.put(name, content) in (201, 204), code
        eventually(lambda: world.refused().get((name, code)) == 1, seconds=20, why=f"{code} is told")  # noqa: B023  # asked at once
    assert world.put("e2", json.dumps({"format": 1, "namespace": NAMESPACE, "signature": ""}) + "\n{}") == 201
    eventually(lambda: world.refused().get(("e2", "bad_signature")) == 1, seconds=20, why="an unsigned one is told")
    assert (world.sequence("e1"), world.sequence("e2"), world.sequence("e3")) == (2, 0, 0)
    shown = world.server.run(["epp-server", "status"]).out
    assert "e1: wrong_key, 1 times" in shown
    line = "e1: wrong_key, it is signed by another key"
    eventually(lambda: line in world.server.journal(unit="epp-server-ingest.service"), seconds=30, why="it is logged")
    world.put("e1", good)
    eventually(lambda: world.sequence("e1") == 3, seconds=20, why="a good one is taken")
    assert not [key for key in world.refused() if key[0] == "e1"], "and ends what was refused before"


def test_names_without_a_place_and_other_methods_are_absent_and_leave_nothing(world: World) -> None:
    good = world.keys["e1"].report("e1", 4)
    for name in ("e9", "e1/", "", "e1/x", "../e1", ".e1", "e1%00", "..%2fplaces%2fe9", "%2e%2e", "E1"):
        assert world.put(name, good) in (400, 404), name
    for method in ("GET", "DELETE", "PROPFIND", "MKCOL", "OPTIONS", "POST", "PROPPATCH", "LOCK"):
        for path in ("reports/e1", "reports/", "reports", "reports/e9"):
            assert world.ask(path, "-X", method) == 404, (method, path)
    for method in ("COPY", "MOVE"):
        away = ("-X", method, "-H", f"Destination: {world.url}/reports/e2")
        assert world.ask("reports/e1", *away) == 404
    assert world.ask("reports/e1", "--head") == 404
    assert world.ask("configuration/tree.json", "-T", "-", stdin=good) == 405
    assert world.left() == []
    assert (world.sequence("e1"), world.sequence("e2")) == (3, 0)


@pytest.mark.heavy
def test_bodies_that_are_too_large_or_too_slow_take_nobodys_place(world: World) -> None:
    world.client.run(["truncate", "-s", "100M", "/var/tmp/large"])
    world.client.write("/var/tmp/slow.py", SLOW)
    assert world.ask("reports/e1", "-T", "/var/tmp/large") == 413
    assert world.ask("reports/e1", "-T", "/var/tmp/large", "-H", "Expect:") in (413, 0)
    assert world.ask("reports/e1", "-T", "/var/tmp/large", "-H", "Expect:", "-H", "Transfer-Encoding: chunked") in (
        413,
        0,
    )
    slow = ["python3", "/var/tmp/slow.py", world.server.machine.address, "/reports/e1", "30"]
    world.client.run(f"setsid {shlex.join(slow)} </dev/null >/var/tmp/slow.out 2>&1 &")
    world.client.wait("grep -q waiting /var/tmp/slow.out")
    assert world.ask("configuration/tree.json") == 200, "downloads have places of their own"
    own = ["curl", "-sS", "-o", "/dev/null", "-w", "%{http_code}", "-T", "-", f"{world.url}/reports/e2"]
    e2 = world.server.run(own, stdin=world.keys["e2"].report("e2", 1))
    assert e2.out in ("201", "204"), "another address has places of its own"
    world.client.wait("[ $(wc -l </var/tmp/slow.out) = 2 ]", seconds=60)
    seconds, *answers = world.client.read("/var/tmp/slow.out").splitlines()[1].split()
    assert answers.count("503") == 20, answers
    assert set(answers) <= {"503", "408", "closed"}, answers
    assert int(seconds) < 30
    eventually(lambda: world.sequence("e2") == 1, seconds=20, why="the report of the other one is taken")
    assert world.left() == []


def test_a_flood_overwrites_itself_and_disturbs_nobody(world: World) -> None:
    world.client.write("/var/tmp/bad", world.keys["stranger"].report("e1", 9))
    one = f'upload-file = "/var/tmp/bad"\nurl = "{world.url}/reports/e1"\noutput = "/dev/null"\n'
    world.client.write("/var/tmp/flood", f'silent\nwrite-out = "%{{http_code}}\\n"\n{one * 1000}')
    world.client.run("setsid curl -K /var/tmp/flood </dev/null >/var/tmp/flood.out 2>&1 & echo $! >/var/tmp/flood.pid")
    assert world.put("e2", world.keys["e2"].report("e2", 2)) in (201, 204)
    assert world.ask("configuration/tree.json") == 200
    world.client.wait("[ $(wc -l </var/tmp/flood.out) = 1000 ]", seconds=120)
    assert set(world.client.read("/var/tmp/flood.out").split()) <= {"201", "204"}
    eventually(lambda: world.sequence("e2") == 2 and not world.left(), seconds=30, why="the good one is taken")
    assert 1 <= world.refused()[("e1", "wrong_key")] <= 1000
    assert world.sequence("e1") == 3


@pytest.mark.heavy
def test_a_web_server_that_is_taken_over_plants_nothing_that_acts(world: World, ansible: Ansible) -> None:
    """Links, fifos, directories, and a large file, as nginx's user; and what only root can mend is mended by site."""
    machine = world.server
    plant = (
        f"cd {INBOX} && umask 077 && ln -s /etc/passwd e1 && mkfifo e2 && mkdir e3 && truncate -s 200M e4 && "
        "touch \"$(printf 'a\\033[2Jb')\" && mkdir full && touch full/file && chmod 700 full"
    )
    machine.run(["setpriv", "--reuid", "www-data", "--regid", "www-data", "--init-groups", "sh", "-c", plant])
    eventually(lambda: world.left() == [f"{INBOX}/full", f"{INBOX}/full/file"], seconds=30, why="the rest is gone")
    assert {("e1", "malformed"), ("e2", "malformed"), ("e3", "malformed")} <= world.refused().keys()
    assert "\x1b" not in machine.run(["epp-server", "status"]).out
    assert world.put("e1", world.keys["e1"].report("e1", 5)) in (201, 204)
    eventually(lambda: world.sequence("e1") == 5, seconds=20, why="reports are taken beside what can't be removed")
    starts = "journalctl -b -o cat -u epp-server-ingest.service --since=-20s | grep -c '^Starting' || true"
    machine.run(["sleep", "20"])
    assert int(machine.run(starts).out) <= 2, "systemd does not start it again and again"
    machine.run(f"rm -r {INBOX}/full; chmod 0700 {INBOX}; systemctl stop 'epp-server-ingest.*'")
    failed = machine.run(["epp-server", "ingest"], check=False)
    assert (failed.code != 0, INBOX in failed.err) == (True, True)
    mended = machine.run("epp-server apply </etc/epp-autoupdate/server.json").json()
    assert {change["path"] for change in mended["changes"]} == {INBOX}
    assert mended["drift"] == [f"epp-server-ingest.{kind} is not active" for kind in ("path", "timer")]
    assert machine.run(["systemctl", "is-active", "epp-server-ingest.path"]).out.strip() == "active"


def test_a_removed_endpoint_has_no_place_any_more(world: World) -> None:
    world.server.run(["epp-server", "register"], stdin=json.dumps({"absent": ["e2"]}))
    assert world.put("e2", world.keys["e2"].report("e2", 7)) == 404
    assert world.left() == []
    world.server.run(f"rm {REPORTS}/places/e1; touch {REPORTS}/places/e9")
    world.server.run(["systemctl", "start", "epp-server-publish.service"])
    assert sorted(world.server.run(["ls", f"{REPORTS}/places"]).out.split()) == ["e1", "e3"]


def test_it_is_shut_in_and_absent_removes_all_of_it(world: World, ansible: Ansible) -> None:
    told = world.server.run(["systemd-analyze", "security", "--no-pager", "epp-server-ingest.service"], check=False).out
    exposure = re.search(r"Overall exposure level for \S+: ([0-9.]+)", told)
    assert exposure is not None, told
    assert float(exposure[1]) <= 0.7
    ansible.play([{"name": "Remove", "epp.autoupdate.server": {"state": "absent"}}], {SERVER: {}}).demand()
    assert world.server.run("find / -xdev -name '*epp-*' -not -path '/proc/*' -not -path '/root/*'").out == ""
    assert world.put("e1", "x") in (404, 405)


def test_an_endpoint_of_the_collection_is_heard(world: World, ansible: Ansible) -> None:
    """The whole way: the playbook brings a server and an endpoint, whose first report is there without any request."""
    server = UpdateServer(world.server)
    components = {"autoupdate_server_components": {"files": {"directory": "/srv/components"}}}
    hosts = {SERVER: server.variables(**components), CLIENT: {"autoupdate_product": "files"}}
    ansible.site(hosts).demand()
    eventually(lambda: world.status()["endpoints"] == 1, seconds=60, why="the endpoint is heard")
    before = world.sequence(CLIENT)
    told = world.client.agent("report").out
    assert "taken by" in told, told
    eventually(lambda: world.sequence(CLIENT) > before, seconds=20, why="its next report is taken")
    assert (world.status()["refused"], world.left()) == ([], [])


def test_where_the_web_server_takes_no_reports_the_server_asks(world: World) -> None:
    """On what the test before has left: nginx takes no PUT any more, and reports come by the key of notices."""
    server, client = world.server, world.client
    settings = json.loads(server.read("/etc/epp-autoupdate/server.json"))
    settings["web"]["reports"] = "ask"
    server.run(["epp-server", "apply"], stdin=json.dumps(settings))
    assert server.run(["systemctl", "is-active", "epp-server-ask.timer"]).out.strip() == "active"
    refused = client.agent("report", check=False).out
    assert refused.startswith("report: waits; the update server takes no reports: "), refused
    before = world.sequence(CLIENT)
    age = (
        "import sqlite3;d=sqlite3.connect('/var/lib/epp-autoupdate-server/server.db');"
        "d.execute('UPDATE endpoint_reports SET received = received - 90000.0');d.commit()"
    )
    server.run(["python3", "-c", age])
    server.run(["systemctl", "start", "epp-server-ask.service"])
    journal = server.journal(unit="epp-server-ask.service")
    assert world.sequence(CLIENT) > before, journal
    assert "1 endpoints asked: 1 taken" in journal
    told = client.agent_status()["report"]
    assert (told["occasion"], told["waiting"], told["reason"]) == ("request", False, "")
    report = Report.from_bytes(unpack(client.written("/var/lib/epp-autoupdate/report.json"), limit=MAX_SIZE).document)
    assert (report.sequence, report.drift) == (world.sequence(CLIENT), ()), "drift is seen from the sandbox of notices"
    assert server.run(["epp-server", "ask-reports", CLIENT, "--json"]).json()["results"] == {"taken": 1}
    assert world.left() == []
