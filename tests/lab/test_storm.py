# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A storm: two hundred endpoints come back within a second. The server's cap holds, and all end current (N3, E2)."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from statistics import median
from typing import Any

import pytest
from ansible_collections.epp.autoupdate.plugins.module_utils._endpoint import payload
from lab_ansible import Ansible
from lab_nodes import Node
from lab_update_server import PORT, PUBLIC, UpdateServer

pytestmark = pytest.mark.heavy  # what the cap does to a few, and what is not signed, the update server's tests try
SERVER = "n31"
ENDPOINTS = 200
CAP = 20
RETRY_AFTER = 2
FILES = 5
"""What a run that brings a version asks for: tree, shard, manifest, catalog, and the component itself."""
UPSTREAM = "/srv/upstream/patterns/a.dat"
NGINX = "/etc/nginx/conf.d/epp-autoupdate.conf"
STORM_LOG = "/var/log/nginx/storm.log"
LOGGED = "$msec $request_time $status $sent_http_retry_after $connections_writing $request_uri"
# Downloads take seconds. One worker does one thing at a time: where it ends a request, it is not refusing another.
INSTRUMENT = f"""
set -eu
echo "log_format storm '{LOGGED.replace("$", chr(92) + "$")}'; limit_rate 12k;" >/etc/nginx/conf.d/00-storm.conf
sed -i 's#access_log .*#access_log {STORM_LOG} storm;#' {NGINX}
sed -i 's#^worker_processes .*#worker_processes 1;#' /etc/nginx/nginx.conf
nginx -t -q && systemctl restart nginx
"""
# A connection that nobody has accepted yet is established for the kernel, and its request is in the receive queue.
WAITING = f"ss -Htn state established 'sport = :{PORT}' | awk '$1 > 0' | wc -l"


@dataclass(frozen=True)
class Request:
    """A line of the storm's log; times are milliseconds.

    ``being_answered`` is how many there were when this one ended, itself included. The number falls only where one
    ends, so the highest of all lines is the most that there ever were.
    """

    endpoint: str
    path: str
    arrived: int
    ended: int
    status: int
    retry_after: str
    being_answered: int

    @classmethod
    def of(cls, line: str) -> Request:
        ended, took, status, retry_after, others, url = line.split()
        _root, endpoint, _up, _epp, path = url.split("/", 4)
        end = _milliseconds(ended)
        return cls(endpoint, path, end - _milliseconds(took), end, int(status), retry_after, int(others) + 1)

    @property
    def refused(self) -> bool:
        return self.status == 503


# Takes the agent's file, its words as JSON, and the endpoints' directories. The agent is loaded once for all of them:
# on a busy host, two hundred starts of Python take longer than an agent waits for an answer.
TOGETHER = """
import json, os, pkgutil, sys, urllib.request
agent, words, *roots = sys.argv[1:]
sys.path.insert(0, agent)
import epp_autoupdate
for module in pkgutil.walk_packages(epp_autoupdate.__path__, "epp_autoupdate."):
    if not module.name.endswith("__main__"):
        __import__(module.name)
for root in roots:
    if not os.fork():
        sys.argv[1:] = ["--root", root, *json.loads(words)]
        sys.stdin, sys.stdout = open(root + ".in"), open(root + ".out", "w")
        raise SystemExit(epp_autoupdate._endpoint.cli.main.main())
raise SystemExit(int(any([os.wait()[1] for _root in roots])))
"""


class Sandbox:
    """An endpoint that is a directory of this host. The agent reads a file beside it, and writes another."""

    def __init__(self, root: Path) -> None:
        self.root, self.name = root, root.name
        self.components = root / "var/lib/epp-autoupdate/components"
        root.mkdir()

    def prepare(self, enrollment: dict[str, Any]) -> None:
        """Give it the document of its enrollment."""
        # Each knows the server by a path of its own, and they all mean the same: that is how the log tells them apart.
        own = {**enrollment, "url": enrollment["url"].replace("/epp", f"/{self.name}/../epp"), "notify_key": None}
        document = {
            "format": 1,
            "endpoint": self.name,
            "product": "files",
            "scheduler": "systemd",
            "server": own,
            "reconnect": {"probe": "10s", "jitter": "0s", "wait": "5m"},
            "limits": {"update": "5m"},
        }
        self.root.with_suffix(".in").write_text(json.dumps(document))

    def restart(self) -> None:
        """Its boot, as far as the agent is concerned."""
        boot = self.root / "proc/sys/kernel/random/boot_id"
        boot.parent.mkdir(parents=True)
        boot.write_text("another boot\n")

    def update_now(self) -> dict[str, Any]:
        argv = [str(self.root.parent / "agent"), "--root", str(self.root), "update-now", "--json"]
        return dict(json.loads(subprocess.run(argv, capture_output=True, text=True, check=False).stdout))

    def result(self) -> str:
        """What its last run together with the others came to."""
        return str(json.loads(self.root.with_suffix(".out").read_text())["result"])

    def has(self, version: int) -> bool:
        """Whether the status says so, and the file is the one of this version."""
        status = json.loads((self.root / "var/lib/epp-autoupdate/status.json").read_text())
        told = [component["version"] for component in status["components"]]
        return told == [str(version)] and (self.components / "current/patterns/a.dat").read_text() == _content(version)


@pytest.fixture(scope="module")
def server(node: Callable[[str], Node], ansible: Ansible) -> UpdateServer:
    made = UpdateServer(node(SERVER))
    own = {
        "autoupdate_server_components": {"files": {"directory": "/srv/upstream"}},
        "autoupdate_server_notify": {"max_in_flight": CAP},
        "autoupdate_server_retry_after": RETRY_AFTER,
    }
    task = {"name": "Role", "ansible.builtin.include_role": {"name": "epp.autoupdate.server"}}
    ansible.play([task], {SERVER: made.variables(**own)}).demand()
    # Endpoints come back unasked, and a version comes when the test brings it.
    made.node.run("systemctl stop epp-server-notify.timer epp-server-fetch.timer epp-server-fetch.service")
    made.node.run(["mkdir", "-p", str(Path(UPSTREAM).parent)])
    return made


@pytest.fixture(scope="module")
def endpoints(server: UpdateServer, tmp_path_factory: pytest.TempPathFactory) -> list[Sandbox]:
    """Registered in one call, enrolled, and updated to version 1."""
    _publish(server, 1)
    place = tmp_path_factory.mktemp("storm")
    agent = place / "agent"
    agent.write_bytes(payload.build(payload.sources(), interpreter=sys.executable))
    agent.chmod(0o755)
    made = [Sandbox(place / f"s{number}") for number in range(ENDPOINTS)]
    listed = {"endpoints": [{"name": one.name, "domain": "storm", "address": "192.0.2.1"} for one in made]}
    server.command("register", stdin=json.dumps(listed))
    enrollment = server.command("enrollment").json()
    for one in made:
        one.prepare(enrollment)
    for words in (["apply"], ["update-now", "--json"]):
        with _together(made, *words) as agents:
            assert agents.wait(timeout=300) == 0
    assert Counter(one.result() for one in made) == {"updated": ENDPOINTS}
    assert all(one.has(version=1) for one in made)
    return made


def test_the_cap_holds_and_all_end_current(server: UpdateServer, endpoints: list[Sandbox]) -> None:
    """They missed version 2 and wait at a server that hangs; when it goes on, they are all there at one instant."""
    server.node.run(INSTRUMENT)
    _publish(server, 2)
    for one in endpoints:
        one.restart()
    with _together(endpoints, "run", "--trigger", "reconnect", "--json") as agents:
        with _hanging(server.node):
            server.node.wait(f"[ $({WAITING}) = {ENDPOINTS} ]", seconds=100, why="all endpoints wait for an answer")
        agents.wait(timeout=600)
    results = Counter(one.result() for one in endpoints)
    log = [Request.of(line) for line in server.node.read(STORM_LOG).splitlines()]
    by_endpoint = {one.name: [request for request in log if request.endpoint == one.name] for one in endpoints}
    span, busiest = _report(log, by_endpoint, results)

    assert results == {"updated": ENDPOINTS}
    assert all(one.has(version=2) for one in endpoints)
    assert span < 1000, "no storm: the test's own part did not work"
    assert any(request.refused for request in log), "a storm that never met the cap proves nothing"
    assert busiest == CAP, "the cap was reached, and it held"
    for name, requests in by_endpoint.items():
        _assert_patient(name, requests)


TAMPERINGS = {
    # What is done to the public files, as a shell's script; what the refusal says.
    "a digest in the catalog": (
        'sed -i \'s/"sha256":"./"sha256":"x/\' configuration/catalog.json',
        "bad_signature",
    ),
    "no catalog": ("rm configuration/catalog.json", "unreachable"),
    "the tree as the catalog": ("cp configuration/tree.json configuration/catalog.json", "catalog"),
    "a path in the manifest": ("sed -i 's#patterns/a.dat#patterns/b.dat#' components/files/manifest.json", "catalog"),
    "the content of a component": ("for f in components/files/objects/*/*; do printf X >>$f; done", "a.dat"),
}


@pytest.mark.parametrize("what", TAMPERINGS)
def test_components_that_nobody_signed_are_refused(server: UpdateServer, endpoints: list[Sandbox], what: str) -> None:
    """C2, R1, from the web server's side: nothing is put in place that the signed catalog does not vouch for."""
    script, said = TAMPERINGS[what]
    one = endpoints[0]
    components = one.components
    shutil.rmtree(components)
    server.node.run(f"rm -rf /root/kept && cp -a {PUBLIC} /root/kept && cd {PUBLIC} && {script}")
    try:
        told = one.update_now()
        installed = [path for path in components.rglob("*.dat") if path.is_file()] if components.exists() else []
    finally:
        server.node.run(f"rm -rf {PUBLIC}/* && cp -a /root/kept/. {PUBLIC}/")
    assert told["result"] in ("failed", "held", "unreachable"), told
    assert said in told["reason"], told
    assert not installed
    assert one.update_now()["result"] == "updated"


@contextmanager
def _hanging(machine: Node) -> Iterator[None]:
    """The web server does nothing; its kernel goes on to take connections and what is sent on them."""
    machine.run(["systemctl", "freeze", "nginx"])
    try:
        yield
    finally:
        machine.run(["systemctl", "thaw", "nginx"])


@contextmanager
def _together(endpoints: list[Sandbox], *words: str) -> Iterator[subprocess.Popen[bytes]]:
    """The agent runs on all endpoints at one time."""
    agent, roots = endpoints[0].root.parent / "agent", [str(one.root) for one in endpoints]
    argv = [sys.executable, "-IS", "-c", TOGETHER, str(agent), json.dumps(words), *roots]
    with subprocess.Popen(argv, start_new_session=True) as process:
        try:
            yield process
        finally:
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)


def _publish(server: UpdateServer, version: int) -> None:
    server.node.write(UPSTREAM, _content(version))
    assert server.fetch()["result"] == "updated"


def _content(version: int) -> str:
    return f"version {version}\n" * 6000


def _report(log: list[Request], by_endpoint: dict[str, list[Request]], results: Counter[str]) -> tuple[int, int]:
    """Print what the storm was; returns within how many milliseconds all came, and the most served at one time."""
    begun = min(request.arrived for request in log)
    span = max(min(request.arrived for request in requests) for requests in by_endpoint.values()) - begun
    served = [request for request in log if not request.refused]
    busiest = max(request.being_answered for request in served)
    each = sorted(len(requests) for requests in by_endpoint.values())
    print(
        f"\n{len(by_endpoint)} endpoints came within {span / 1000:.3f} s: {len(served)} requests served,"
        f" at most {busiest} at one time (cap {CAP}), {len(log) - len(served)} refused with 503;"
        f" requests per endpoint {each[0]} / {median(each):g} / {each[-1]} (least, median, most);"
        f" the last was current after {(max(request.ended for request in served) - begun) / 1000:.1f} s;"
        f" {dict(results)}"
    )
    return span, busiest


def _assert_patient(name: str, requests: list[Request]) -> None:
    """Each file was given once, and each 503 was followed by half the pause that it asked for, or more.

    Half a pause is a second, so an endpoint's requests are its files and at most one more for each second of the storm.
    """
    served = [request.path for request in requests if request.status in (200, 304)]
    refused = [request for request in requests if request.refused]
    assert len(set(served)) == len(served) == FILES, (name, served)
    assert len(served) + len(refused) == len(requests), (name, requests)
    assert {request.retry_after for request in refused} <= {str(RETRY_AFTER)}, (name, refused)
    for one, following in pairwise(requests):
        # nginx sends no sooner than at the time that it logs, and cuts what is less than a millisecond.
        assert not one.refused or following.arrived - one.ended >= RETRY_AFTER * 500 - 1, (name, one, following)


def _milliseconds(seconds: str) -> int:
    return int(seconds.replace(".", ""))
