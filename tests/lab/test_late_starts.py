# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Machines that were off at their slot (S4), under systemd and under cron: both wake the agent after a boot."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import datetime, timezone

import lab_documents as documents
import pytest
from lab_ansible import Ansible
from lab_nodes import Node, eventually
from lab_server import ComponentServer

SYSTEMD, CRON, TOO_LATE = "n12", "b4", "b5"
WINDOW = 120
LEAD = 80
"""How long the converge may take, beside other tests that boot their machines, before the slot."""
PROMPTLY = 92
"""An endpoint that is back sooner after its slot counts as on time and runs at once."""
BOOT_TIMER = 60
MARK = "/run/cron-has-seen-the-boot"


@pytest.mark.heavy
def test_back_inside_the_window_in_what_remains_of_it_and_after_it_not_at_all(
    node: Callable[[str], Node], ansible: Ansible, component_server: ComponentServer
) -> None:
    machines = {name: node(name) for name in (SYSTEMD, CRON, TOO_LATE)}
    component_server.publish(documents.file_source("1", {"a": b"one"}))
    slot = (int(time.time() + LEAD) // 60 + 1) * 60
    start = f"{datetime.fromtimestamp(slot, timezone.utc):%H:%M}"
    schedule = {"frequency": "daily", "start": start, "window": f"{WINDOW // 60}m"}
    # Ordinal 0: the slot is the window's first second.
    wanted = {
        name: documents.files(name, component_server.url, ordinal=0, policy={"schedule": schedule}) for name in machines
    }
    ansible.converge(wanted).demand()
    for machine in machines.values():
        assert machine.agent_run("manual").json()["result"] == "updated"
        assert documents.instant(machine.agent_status()["next_run"]) == slot
    machines[TOO_LATE].write("/etc/cron.d/lab-mark", f"@reboot root touch {MARK}\n")
    for machine in machines.values():
        machine.cut_power()
    assert time.time() < slot, "this host is too slow for the test's times"
    component_server.publish(documents.file_source("2", {"a": b"two"}))

    sleep_until(slot + PROMPTLY - BOOT_TIMER)
    machines[SYSTEMD].boot()
    sleep_until(slot + PROMPTLY)
    machines[CRON].boot()
    for name in (SYSTEMD, CRON):
        assert_ran_inside(machines[name], slot + PROMPTLY, slot + WINDOW)

    sleep_until(slot + WINDOW + 1)
    late = machines[TOO_LATE]
    late.boot()
    late.wait(f"test -e {MARK}", seconds=20, why="cron has run what is to run after a boot")
    time.sleep(5)
    assert version(late) == "1"
    assert "schedule" not in late.agent_status()["last"]
    assert documents.instant(late.agent_status()["next_run"]) == slot + 24 * 3600


def assert_ran_inside(machine: Node, opened: int, closes: int) -> None:
    run = eventually(
        lambda: machine.agent_status()["last"].get("schedule"),
        seconds=max(5.0, closes + 10 - time.time()),
        why=f"a late start on {machine.name}",
        pause=1,
    )
    assert (run["result"], run["changed"]) == ("updated", ["lab"]), run
    assert opened - 1 <= documents.instant(run["started"]) <= closes
    assert version(machine) == "2"


def version(node: Node) -> str:
    (component,) = node.agent_status()["components"]
    return str(component["version"])


def sleep_until(instant: float) -> None:
    time.sleep(max(0.0, instant - time.time()))
