# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The kernel kills clamd for want of memory, as it loads a database or as it scans: a failed probe that says so (G3).

A container has no controller of memory where its host keeps that for itself, so this takes a kernel of its own.
"""

from __future__ import annotations

import itertools
import os
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import lab_documents as documents
import pytest
from lab_ansible import Ansible
from lab_server import ComponentServer
from vm_machine import VirtualMachine

DIRECTORY, CONFIG, SERVICE = "/var/lib/clamav", "/etc/clamav/clamd.conf", "clamav-daemon.service"
SAMPLE, CLEAN = "/srv/probe/sample", "/bin/ls"
MARK = "EPP-VM-MARK"
ROOM = 16 << 20
"""What clamd may take beside what it has with small databases."""
EATS = '[ "$CLAM_VIRUSEVENT_VIRUSNAME" = Lab.Eat.UNOFFICIAL ] && head -c 2G /dev/zero | tail'
"""What clamd starts where it finds this: the kernel ends all of the service for it."""
DROP_IN = "[Service]\\nOOMPolicy=kill\\nMemorySwapMax=0\\nMemoryMax={}\\n"
_LATER = itertools.count(10, 10)
Databases = Callable[[int], dict[str, Path]]


def signature(name: str, marker: bytes) -> str:
    """A line of a ``.ndb`` database that finds the marker anywhere in any file."""
    return f"{name}:0:*:{marker.hex()}\n"


GOOD = signature("Lab.Mark", MARK.encode())


def large() -> str:
    """A good database that takes clamd more memory than it has."""
    return GOOD + "".join(signature(f"Lab.Large-{number}", os.urandom(48)) for number in range(300_000))


BAD = {
    "loads": (large, "when it loaded the databases"),
    "scans": (lambda: GOOD + signature("Lab.Eat", b"coreutils"), f"when it scanned {CLEAN}"),
}


@pytest.fixture(scope="module")
def host(machine: VirtualMachine) -> VirtualMachine:
    """The machine with the samples and a clamd that starts a program when it finds something."""
    machine.start()
    machine.run("apparmor_parser -R /etc/apparmor.d/usr.sbin.clamd")  # which lets clamd start nothing
    machine.run(f"mkdir -p /srv/probe; printf {MARK} >{SAMPLE}; echo 'VirusEvent {EATS}' >>{CONFIG}")
    return machine


@pytest.fixture
def limited(
    host: VirtualMachine, ansible: Ansible, component_server: ComponentServer, source: str, databases: Databases
) -> Iterator[VirtualMachine]:
    """The machine with good databases, and a clamd that may take a little more memory than it takes for them."""
    component_server.publish(databases(1))
    offer(component_server, GOOD)
    host.run(f"rm -rf {DIRECTORY}/* /var/lib/epp-autoupdate/state.json")
    probe = {"find": [SAMPLE], "clean": [CLEAN], "timeout": "5m"}
    wanted = documents.clamav(host.name, source, clamav={"custom_urls": [f"{source}/own.ndb"]}, probe=probe)
    ansible.converge({host.name: wanted}).demand()
    assert update(host)["result"] == "updated"
    host.run(f"systemctl enable -q {SERVICE}; systemctl start {SERVICE}; clamdscan --ping 100")
    used = int(host.run(["systemctl", "show", "--property=MemoryCurrent", "--value", SERVICE]).out)
    place = f"/run/systemd/system/{SERVICE}.d"
    host.run(f"mkdir -p {place}; printf '{DROP_IN.format(used + ROOM)}' >{place}/memory.conf; systemctl daemon-reload")
    host.run(f"systemctl restart {SERVICE}; clamdscan --ping 100")
    yield host
    host.run(
        f"rm {place}/memory.conf; systemctl daemon-reload; systemctl disable -q --now clamav-daemon.socket {SERVICE}"
    )


def offer(server: ComponentServer, database: str) -> None:
    """Serve this database, newer than the one before: freshclam goes by its time."""
    path = server.www / "own.ndb"
    path.write_text(database)
    newer = time.time() + next(_LATER)
    os.utime(path, (newer, newer))


def update(host: VirtualMachine) -> dict[str, Any]:
    host.run(["systemctl", "start", "epp-update@manual.service"], check=False)
    run = host.status()["last"]["manual"]
    assert isinstance(run, dict)
    return run


@pytest.mark.parametrize(("bad", "when"), list(BAD.values()), ids=list(BAD))
def test_a_clamd_that_is_killed_for_memory_is_a_failed_probe(
    limited: VirtualMachine, component_server: ComponentServer, bad: Callable[[], str], when: str
) -> None:
    limited.run(["journalctl", "--rotate"])
    offer(component_server, bad())
    run = update(limited)
    assert (run["result"], run.get("kind"), run["changed"]) == ("failed", "probe", []), run
    killed = "clamd was killed by the kernel for want of memory (systemd: oom-kill)"
    assert f"{killed} {when}" in run["reason"], run
    assert run["reason"].endswith("is back"), run
    assert "Memory cgroup out of memory: Killed process" in limited.run(["dmesg"]).out
    assert limited.run(["cat", f"{DIRECTORY}/own.ndb"]).out == GOOD
    found = limited.run(["clamdscan", "--fdpass", "--no-summary", SAMPLE, CLEAN], check=False).out
    assert f"{SAMPLE}: Lab.Mark.UNOFFICIAL FOUND" in found, found
    assert f"{CLEAN}: OK" in found
    status = limited.status()
    assert (status["probe"]["ok"], status["selftest"]["errors"]) == (False, [])
    better = GOOD + signature("Lab.Better", b"BETTER")
    offer(component_server, better)
    assert update(limited)["result"] == "updated"
