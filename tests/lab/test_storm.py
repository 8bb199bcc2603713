# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A storm: two hundred endpoints come back at one time. The server's cap holds, and all end current (N3, E2)."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.epp.autoupdate.plugins.module_utils._endpoint import payload
from lab_ansible import Ansible
from lab_nodes import Node
from lab_update_server import PUBLIC, UpdateServer

SERVER = "n31"
ENDPOINTS = 200
CAP = 20
NGINX = "/etc/nginx/conf.d/epp-autoupdate.conf"
STORM_LOG = "/var/log/nginx/storm.log"
SLOW = "log_format storm '$msec $request_time $status $request_uri $http_user_agent'; limit_rate 12k;"
INSTRUMENT = f"""
set -eu
echo "{SLOW.replace("$", chr(92) + "$")}" >/etc/nginx/conf.d/00-storm.conf
sed -i 's#access_log .*#access_log {STORM_LOG} storm;#' {NGINX}
nginx -t -q && systemctl reload nginx
"""


class Sandbox:
    """An endpoint that is a directory of this host."""

    def __init__(self, root: Path) -> None:
        self.root, self.name = root, root.name
        self._agent = [str(root.parent / "agent"), "--root", str(root)]

    def enrol(self, enrolment: dict[str, object]) -> None:
        document = {
            "format": 1,
            "endpoint": self.name,
            "product": "files",
            "scheduler": "systemd",
            "server": {**enrolment, "notify_key": None},
            "reconnect": {"probe": "10s", "jitter": "0s", "wait": "5m"},
        }
        self.root.mkdir()
        argv = [*self._agent, "apply"]
        done = subprocess.run(argv, input=json.dumps(document), capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr

    def reconnect(self) -> subprocess.Popen[str]:
        """Its boot, as far as the agent is concerned."""
        boot = self.root / "proc/sys/kernel/random/boot_id"
        boot.parent.mkdir(parents=True)
        boot.write_text("another boot\n")
        argv = [*self._agent, "run", "--trigger", "reconnect", "--json"]
        return subprocess.Popen(argv, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)

    def update_now(self) -> dict[str, Any]:
        argv = [*self._agent, "update-now", "--json"]
        return dict(json.loads(subprocess.run(argv, capture_output=True, text=True, check=False).stdout))


@pytest.fixture(scope="module")
def server(node: Callable[[str], Node], ansible: Ansible) -> UpdateServer:
    made = UpdateServer(node(SERVER))
    made.node.run("mkdir -p /srv/upstream/patterns && head -c 60000 /dev/urandom >/srv/upstream/patterns/a.dat")
    own = {
        "autoupdate_server_components": {"files": {"directory": "/srv/upstream"}},
        "autoupdate_server_notify": {"cap": CAP},
        "autoupdate_server_retry_after": 2,
    }
    task = {"name": "Role", "ansible.builtin.include_role": {"name": "epp.autoupdate.server"}}
    ansible.play([task], {SERVER: made.variables(**own)}).demand()
    made.command("fetch", "--json", check=False)
    return made


@pytest.fixture(scope="module")
def endpoints(server: UpdateServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[Sandbox]]:
    """Registered in one call, then enrolled one after the other."""
    place = tmp_path_factory.mktemp("storm")
    agent = place / "agent"
    agent.write_bytes(payload.build(payload.sources(), interpreter=sys.executable))
    agent.chmod(0o755)
    made = [Sandbox(place / f"s{number}") for number in range(ENDPOINTS)]
    listed = {"endpoints": [{"name": one.name, "domain": "storm", "address": "192.0.2.1"} for one in made]}
    server.command("register", stdin=json.dumps(listed))
    enrolment = server.command("enrolment").json()
    with ThreadPoolExecutor(3) as pool:
        list(pool.map(lambda one: one.enrol(enrolment), made))
    return made


def test_the_cap_holds_and_all_end_current(server: UpdateServer, endpoints: list[Sandbox]) -> None:
    server.node.run(INSTRUMENT)
    runs = [one.reconnect() for one in endpoints]
    results = Counter(json.loads(run.communicate(timeout=600)[0])["result"] for run in runs)
    served, refused, busiest, first, last = _measure(server.node.read(STORM_LOG))
    print(
        f"\n{ENDPOINTS} endpoints: {served} requests served, at most {busiest} at one time (cap {CAP}),"
        f" {refused} sent away with 503; {last - first:.1f} s from the first answer to the last; {dict(results)}"
    )
    assert results == {"updated": ENDPOINTS}
    assert busiest <= CAP
    assert refused, "a storm that never met the cap proves nothing"
    assert refused <= 60 * ENDPOINTS, "nobody asks in a tight loop"


TAMPERINGS = {
    # What is done to the public files, as a shell's script; what the refusal says.
    "a digest in the catalogue": (
        'sed -i \'s/"sha256":"./"sha256":"x/\' configuration/catalogue.json',
        "bad_signature",
    ),
    "no catalogue": ("rm configuration/catalogue.json", "unreachable"),
    "the tree as the catalogue": ("cp configuration/tree.json configuration/catalogue.json", "catalogue"),
    "a path in the manifest": ("sed -i 's#patterns/a.dat#patterns/b.dat#' components/files/manifest.json", "catalogue"),
    "the content of a component": ("for f in components/files/objects/*/*; do printf X >>$f; done", "a.dat"),
}


@pytest.mark.parametrize("what", TAMPERINGS)
def test_components_that_nobody_signed_are_refused(server: UpdateServer, endpoints: list[Sandbox], what: str) -> None:
    """C2, R1, from the web server's side: nothing is put in place that the signed catalogue does not vouch for."""
    script, said = TAMPERINGS[what]
    one = endpoints[0]
    components = one.root / "var/lib/epp-autoupdate/components"
    shutil.rmtree(components)
    server.node.run(f"rm -rf /root/kept && cp -a {PUBLIC} /root/kept && cd {PUBLIC} && {script}")
    try:
        told = one.update_now()
        installed = [path for path in components.rglob("*.dat") if path.is_file()] if components.exists() else []
    finally:
        server.node.run(f"rm -rf {PUBLIC}/* && cp -a /root/kept/. {PUBLIC}/")
    assert told["result"] in ("failed", "held", "unreachable"), told
    assert said in told["why"], told
    assert not installed
    assert one.update_now()["result"] == "updated"


def _measure(log: str) -> tuple[int, int, int, float, float]:
    """Requests served, those refused, the most that were served at one time, the first and the last answer."""
    moments: list[tuple[float, int]] = []
    served = refused = 0
    times = []
    for line in log.splitlines():
        ended, took, status, _rest = line.split(" ", 3)
        times.append(float(ended))
        if status == "503":
            refused += 1
            continue
        served += 1
        moments += [(float(ended) - float(took), 1), (float(ended), -1)]
    busy = busiest = 0
    for _instant, step in sorted(moments):
        busy += step
        busiest = max(busiest, busy)
    return served, refused, busiest, min(times), max(times)
