# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The lab itself: machines are what the other tests take them for."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import fleet as fleets
import pytest
from lab_cases import cases
from lab_host import cgroup_root
from lab_nodes import Node, eventually
from lab_plan import Plan
from lab_server import ComponentServer


def test_a_systemd_machine_is_whole(node: Callable[[str], Node]) -> None:
    machine = node("n1")
    machine.wait("systemctl is-system-running | grep -qx running", why="boot without a failed unit")
    assert machine.run(["hostname"]).out.strip() == "n1"
    assert machine.run(["systemctl", "is-active", "cron", "ssh"]).out.split() == ["active", "active"]
    machine.run(["systemctl", "start", "polkit"])
    off = machine.run(["systemctl", "is-enabled", "clamav-freshclam", "clamav-daemon", "nginx"], check=False)
    assert off.out.split() == ["disabled"] * 3


def test_a_bare_machine_has_cron_but_neither_systemd_nor_polkit(node: Callable[[str], Node]) -> None:
    machine = node("b1")
    assert not machine.exists("/run/systemd/system")
    assert not machine.exists("/usr/share/polkit-1")
    machine.run(["sh", "-c", "kill -0 $(cat /run/crond.pid)"])


def test_users_are_unprivileged_and_only_one_holds_the_group(node: Callable[[str], Node]) -> None:
    machine = node("n1")
    assert "epp-users" in machine.run(["id", "-nG"], user="alice").out.split()
    assert "epp-users" not in machine.run(["id", "-nG"], user="bob").out.split()
    assert machine.run(["sudo", "-n", "true"], user="alice", check=False).code != 0


def test_machines_do_not_share_control_groups(node: Callable[[str], Node]) -> None:
    node("n1").run(["systemctl", "stop", "cron"])
    try:
        assert node("n2").run(["systemctl", "is-active", "cron"]).out.strip() == "active"
        node("n2").run(["sh", "-c", "kill -0 $(cat /run/crond.pid)"])
    finally:
        node("n1").run(["systemctl", "start", "cron"])


def test_power(node: Callable[[str], Node]) -> None:
    machine = node("n2")
    machine.write("/etc/lab-mark", "kept")
    machine.power_off()
    machine.boot()
    assert machine.read("/etc/lab-mark") == "kept"
    machine.cut_power()
    machine.boot()
    assert machine.exists("/etc/lab-mark")
    machine.renew()
    assert not machine.exists("/etc/lab-mark")


def test_the_component_server_serves_refuses_and_dies(
    node: Callable[[str], Node], component_server: ComponentServer
) -> None:
    machine = node("n1")
    fetch = ["curl", "-sS", "-o", "/dev/null", "-w", "%{http_code}", f"{component_server.url}/a"]
    headers = ["curl", "-sS", "-o", "/dev/null", "-D", "-", f"{component_server.url}/a"]
    component_server.publish({"a": "one"})
    assert machine.run(fetch).out.split() == ["200"]
    component_server.answer(429, headers=("Retry-After 123",))
    answer = machine.run(headers).out.splitlines()
    assert (answer[0].split()[1], "Retry-After: 123" in answer) == ("429", True)
    component_server.answer(None)
    assert machine.run(fetch).out.split() == ["200"]
    assert [request.status for request in component_server.requests()] == [200, 429, 200]
    component_server.forget()
    component_server.stop()
    assert machine.run(fetch, check=False).code == 7
    component_server.start()
    assert machine.run(fetch).out.split() == ["200"]
    assert len(component_server.requests()) == 1


FLEET_OF_ANOTHER_PROCESS = """
import sys, time
from fleet import Fleet
from lab_plan import Plan
Fleet.up(Plan.of(name="epp79", subnet="10.79", systemd=1, bare=0), follow=True)
print("up", flush=True)
time.sleep(60)
"""


@pytest.mark.parametrize("victim", cases(["parent", "keeper"], "keeper"))
def test_a_killed_fleet_leaves_no_machine_behind(victim: str) -> None:
    plan = Plan.of(name="epp79", subnet="10.79", systemd=1, bare=0)
    group = cgroup_root() / plan.name / "n1" / "cgroup.events"
    parent = subprocess.Popen(
        [sys.executable, "-c", FLEET_OF_ANOTHER_PROCESS], cwd=Path(__file__).parent, stdout=subprocess.PIPE, text=True
    )
    try:
        assert parent.stdout is not None
        assert parent.stdout.readline() == "up\n"
        assert "populated 1" in group.read_text()
        keeper = int((plan.directory / "pid").read_text())
        os.kill(parent.pid if victim == "parent" else keeper, signal.SIGKILL)
        eventually(lambda: not _populated(group), seconds=10, why="the machine is gone")
        fleets.take_down(plan.name)
        assert not plan.directory.exists()
        assert plan.name not in {name for _index, name in socket.if_nameindex()}
    finally:
        parent.kill()
        parent.wait()
        fleets.take_down(plan.name)


def _populated(group: Path) -> bool:
    try:
        return "populated 1" in group.read_text()
    except FileNotFoundError:
        return False
