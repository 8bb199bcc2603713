# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Bad databases and the real freshclam and clamd: each is taken back, the next good one goes through (G3, G5)."""

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
from lab_cases import cases
from lab_nodes import Node
from lab_server import ComponentServer

MACHINE = "n18"
DIRECTORY = "/var/lib/clamav"
CONFIG = "/etc/clamav/clamd.conf"
SAMPLE, CLEAN = "/srv/probe/sample", "/bin/ls"
MARK = "EPP-LAB-MARK"
Databases = Callable[[int], dict[str, Path]]
_LATER = itertools.count(10, 10)


def signature(name: str, marker: str) -> str:
    """A line of a ``.ndb`` database that finds the marker anywhere in any file."""
    return f"{name}:0:*:{marker.encode().hex()}\n"


GOOD = signature("Lab.Mark", MARK)
DIES = '[ "$CLAM_VIRUSEVENT_VIRUSNAME" = Lab.Kill.UNOFFICIAL ] && kill -9 $(pidof clamd)'
"""What clamd does where it finds this: a database by which it ends when it scans."""

BAD = {
    "flags a clean file of the system": (
        GOOD + signature("Lab.Wrong", "coreutils"),
        f"{CLEAN} is clean, and was called",
    ),
    "misses what it must find": (signature("Lab.Other", "ANOTHER-MARK"), f"{SAMPLE} was not found"),
    "kills clamd when it scans": (GOOD + signature("Lab.Kill", "coreutils"), "when it scanned /bin/ls"),
}
REFUSED = {
    "truncated": GOOD[:-2],
    "no database": "<html>Sign in</html>\n",
}


@pytest.fixture(scope="module")
def enrolled(node: Callable[[str], Node], ansible: Ansible) -> Iterator[Node]:
    ansible.converge({MACHINE: documents.clamav(MACHINE, "http://127.0.0.1:1")}).demand()
    machine = node(MACHINE)
    machine.run(f"mkdir -p /srv/probe; printf {MARK} >{SAMPLE}; printf 'VirusEvent {DIES}\\n' >/srv/probe/event")
    machine.run(f"cp {CONFIG} /srv/probe/clamd.conf; cat /srv/probe/event >>{CONFIG}")
    yield machine
    machine.run(f"systemctl disable --now clamav-daemon; cp /srv/probe/clamd.conf {CONFIG}; rm -r /srv/probe")


@pytest.fixture
def machine(enrolled: Node, component_server: ComponentServer, databases: Databases) -> Iterator[Node]:
    """The machine with good databases and a clamd that has loaded them, by the hardened unit."""
    component_server.publish(databases(1))
    enrolled.run(f"rm -rf {DIRECTORY}/* /var/lib/epp-autoupdate/state.json /var/lib/epp-autoupdate/status.json")
    enrolled.apply(document(component_server))
    offer(component_server, GOOD)
    assert update(enrolled)["result"] == "updated"
    assert enrolled.exists(f"{DIRECTORY}/epp-probe.hsb")
    enrolled.run("systemctl reset-failed 'clamav-daemon.*'; systemctl enable -q clamav-daemon")
    enrolled.run("systemctl stop 'clamav-daemon.*'; systemctl start clamav-daemon || journalctl -n 30 -u clamav-daemon")
    enrolled.wait("clamdscan --ping 1", seconds=60, why="clamd answers")
    yield enrolled
    # Else the next first update would start it by itself, while the test does.
    enrolled.run(["systemctl", "disable", "-q", "--now", "clamav-daemon"], check=False)


def document(server: ComponentServer, **changes: Any) -> documents.Document:
    probe = {"find": [SAMPLE], "clean": [CLEAN], "timeout": "60s"}
    return documents.clamav(
        MACHINE, server.url, clamav={"custom_urls": [f"{server.url}/own.ndb"]}, probe=probe, **changes
    )


def offer(server: ComponentServer, database: str) -> None:
    """Serve this database, newer than the one before: freshclam goes by its time."""
    path = server.www / "own.ndb"
    path.write_text(database)
    newer = time.time() + next(_LATER)
    os.utime(path, (newer, newer))


def update(machine: Node, trigger: str = "manual") -> dict[str, Any]:
    machine.run(["systemctl", "start", f"epp-update@{trigger}.service"], check=False)
    run = machine.agent_status()["last"][trigger]
    assert isinstance(run, dict)
    return run


def in_force(machine: Node) -> str:
    return machine.run(["cat", f"{DIRECTORY}/own.ndb"]).out


def works(machine: Node) -> bool:
    """Whether clamd finds the sample and nothing in the clean file."""
    found = machine.run(["clamdscan", "--fdpass", "--no-summary", SAMPLE, CLEAN], check=False).out
    return f"{SAMPLE}: Lab.Mark.UNOFFICIAL FOUND" in found and f"{CLEAN}: OK" in found


@pytest.mark.parametrize(("bad", "why"), cases(BAD, "flags a clean file of the system", "kills clamd when it scans"))
def test_a_bad_database_is_taken_back_and_the_next_good_one_goes_through(
    machine: Node, component_server: ComponentServer, bad: str, why: str
) -> None:
    offer(component_server, bad)
    run = update(machine)
    assert (run["result"], run.get("kind"), run["changed"]) == ("failed", "probe", []), run
    assert why in run["reason"]
    assert run["reason"].endswith("is back")
    assert in_force(machine) == GOOD
    assert works(machine)
    status = machine.agent_status()
    assert (status["probe"]["ok"], status["selftest"]["errors"]) == (False, [])

    again = update(machine)
    assert (again["result"], again.get("kind")) == ("failed", "probe")
    assert "is not begun again before" in again["reason"]
    assert in_force(machine) == GOOD

    better = GOOD + signature("Lab.Better", "BETTER")
    offer(component_server, better)
    assert update(machine)["result"] == "updated"
    assert in_force(machine) == better
    assert works(machine)


@pytest.mark.heavy
@pytest.mark.parametrize("bad", list(REFUSED.values()), ids=list(REFUSED))
def test_what_freshclam_itself_refuses_never_comes(machine: Node, component_server: ComponentServer, bad: str) -> None:
    offer(component_server, bad)
    run = update(machine)
    assert (run["result"], run.get("kind")) == ("failed", None), run
    assert in_force(machine) == GOOD
    assert works(machine)
    offer(component_server, GOOD + signature("Lab.Better", "BETTER"))
    assert update(machine)["result"] == "updated"


@pytest.mark.heavy
@pytest.mark.parametrize("kept", [True, False], ids=["kept", "fetched"])
def test_a_held_version_is_replaced_and_stays_away_over_a_converge(
    machine: Node, component_server: ComponentServer, databases: Databases, kept: bool
) -> None:
    component_server.publish({**databases(2), "own.ndb": GOOD})
    assert update(machine)["result"] == "updated"
    hold = [{"component": "test", "version": "2", "reason": "it is bad"}]
    machine.apply(document(component_server, held_versions=hold))
    if not kept:
        machine.run(["rm", "-r", f"{DIRECTORY}/epp-kept"])
        component_server.publish({**databases(1), "own.ndb": GOOD})
    run = update(machine)
    assert (run["result"], machine_version(machine)) == ("held", "1"), run
    assert "test 2 is held: it is bad" in run["reason"]
    assert works(machine)
    assert machine.apply(document(component_server, held_versions=hold)).json()["changed"] is False
    component_server.publish({**databases(2), "own.ndb": GOOD})
    component_server.forget()
    assert update(machine)["result"] == "held"
    assert [one.size for one in component_server.requests() if one.path == "/test.cvd"] == [512]
    component_server.publish({**databases(3), "own.ndb": GOOD})
    assert update(machine)["result"] == "updated"
    assert machine_version(machine) == "3"


def machine_version(machine: Node) -> str:
    return next(one["version"] for one in machine.agent_status()["components"] if one["name"] == "test")
