# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The real packages of ClamAV, packed anew with a higher version: upgraded by the hardened unit, and taken back."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import lab_documents as documents
import pytest
from lab_ansible import Ansible
from lab_nodes import Node, differences
from lab_packages import Packages
from lab_server import ComponentServer

pytestmark = pytest.mark.heavy

MACHINE = "n137"
ALWAYS = [{"from": "00:00", "to": "00:00"}]
ON = {"scope": "all", "engine_packages": True, "engine_windows": ALWAYS}
UNIT = "epp-engine.service"
Databases = Callable[[int], dict[str, Path]]


@pytest.fixture(scope="module")
def enrolled(node: Callable[[str], Node], ansible: Ansible) -> Node:
    ansible.converge({MACHINE: documents.clamav(MACHINE, "http://127.0.0.1:1")}).demand()
    return node(MACHINE)


@pytest.fixture(scope="module")
def packed(enrolled: Node) -> Packages:
    """The machine's own packages with the versions that tests need."""
    packages = Packages(enrolled)
    packages.pack("+epp1")
    packages.pack("+epp2")
    return packages


@pytest.fixture
def machine(
    enrolled: Node, packed: Packages, component_server: ComponentServer, databases: Databases
) -> Iterator[Node]:
    """The machine with the packages of its distribution, clamd, a database, and a package source with nothing new."""
    packed.install("")
    component_server.publish(databases(1))
    enrolled.run("rm -rf /var/cache/epp-autoupdate /var/lib/epp-autoupdate/state.json /srv/refuses")
    converge(enrolled, component_server)
    enrolled.run(["systemctl", "start", "epp-update@manual.service"])
    enrolled.run("systemctl enable -q clamav-daemon; systemctl restart clamav-daemon")
    enrolled.wait("clamdscan --ping 1", seconds=60, why="clamd answers")
    packed.offer(component_server, "")
    yield enrolled
    enrolled.run(["systemctl", "disable", "-q", "--now", "clamav-daemon"], check=False)


def converge(machine: Node, server: ComponentServer, **changes: Any) -> None:
    components = changes.pop("components", ON)
    probe = {"command": ["/usr/bin/test", "!", "-e", "/srv/refuses"], "timeout": "60s"}
    document = documents.clamav(MACHINE, server.url, policy={"components": components}, probe=probe, **changes)
    machine.apply(document)
    # The window is the whole day, and a slot lies somewhere in it: a run of the timer would be this window's only one.
    machine.run(["systemctl", "stop", "epp-engine.timer"], check=False)


def upgrade(machine: Node) -> dict[str, Any]:
    """One run as the timer starts it."""
    machine.run(["systemctl", "start", UNIT], check=False)
    told = machine.agent_status()["engine"]
    assert isinstance(told, dict)
    return told


def engine(machine: Node) -> str:
    return next(one["version"] for one in machine.agent_status()["components"] if one["name"] == "engine")


def test_the_real_packages_are_upgraded_by_their_unit_and_clamd_is_the_new_one(
    machine: Node, packed: Packages, component_server: ComponentServer
) -> None:
    before = machine.run("systemctl show -p MainPID --value clamav-daemon").out
    packed.offer(component_server, "+epp1")
    run = upgrade(machine)
    assert (run["result"], run["reason"], run["changed"]) == ("updated", "", ["engine"]), machine.journal(unit=UNIT)
    assert engine(machine) == packed.version("+epp1")
    assert packed.installed() == {packed.version("+epp1")}
    machine.run("clamdscan --ping 5")
    assert machine.run("systemctl show -p MainPID --value clamav-daemon").out != before
    assert machine.run(["dpkg", "--audit"]).out == ""
    updater = machine.run(["systemctl", "is-enabled", "clamav-freshclam"], check=False).out.strip()
    active = machine.run(["systemctl", "is-active", "clamav-freshclam"], check=False).out.strip()
    assert (updater, active) == ("disabled", "inactive")
    assert machine.agent_status()["selftest"]["errors"] == []
    assert machine.agent("engine", "--json").json()["result"] == "current"


def test_what_the_packages_switch_on_again_is_switched_off_again(
    machine: Node, packed: Packages, component_server: ComponentServer
) -> None:
    """As deb-systemd-helper does where it takes the service for a new one."""
    packed.pack("+epp3", postinst="systemctl enable clamav-freshclam\n", only="clamav-freshclam")
    packed.offer(component_server, "+epp3")
    assert upgrade(machine)["result"] == "updated"
    assert machine.run(["systemctl", "is-enabled", "clamav-freshclam"], check=False).out.strip() == "disabled"


def test_off_by_default_and_check_mode_writes_nothing(
    machine: Node, packed: Packages, component_server: ComponentServer
) -> None:
    packed.offer(component_server, "+epp1")
    machine.run(["apt-get", "update", "-q"])
    before = machine.manifest()
    told = machine.agent("engine", "--check", "--json").json()
    assert told["reason"] == f"would upgrade engine {packed.version('')} to {packed.version('+epp1')}"
    changed = differences(before, machine.manifest())
    assert {path for path in changed if not path.startswith("/var/cache/apt/")} == set()
    converge(machine, component_server, components={"scope": "all"})
    assert not machine.exists(f"/etc/systemd/system/{UNIT}")
    assert "engine" not in machine.agent_status()
    assert machine.agent("engine", "--despite-window", "--json").json()["result"] == "skipped"
    assert packed.installed() == {packed.version("")}


def test_a_held_version_is_left_and_the_next_one_comes(
    machine: Node, packed: Packages, component_server: ComponentServer
) -> None:
    hold = [{"component": "engine", "version": packed.version("+epp1"), "reason": "it crashes"}]
    converge(machine, component_server, held_versions=hold)
    packed.offer(component_server, "+epp1")
    run = upgrade(machine)
    assert (run["result"], packed.installed()) == ("held", {packed.version("")})
    assert "it crashes" in run["reason"]
    packed.offer(component_server, "+epp2")
    assert machine.agent("engine", "--json").json()["result"] == "updated"
    assert packed.installed() == {packed.version("+epp2")}


def test_a_source_that_is_gone_is_unreachable(
    machine: Node, packed: Packages, component_server: ComponentServer
) -> None:
    packed.offer(component_server, "+epp1")
    component_server.stop()
    run = upgrade(machine)
    assert run["result"] == "unreachable", run
    component_server.start()
    assert upgrade(machine)["result"] == "updated"  # the window has not had its run


def test_another_package_manager_is_waited_for_and_left_alone(
    machine: Node, packed: Packages, component_server: ComponentServer
) -> None:
    packed.offer(component_server, "+epp1")
    script = (
        "import fcntl,time; f=open('/var/lib/dpkg/lock-frontend','w'); fcntl.lockf(f,fcntl.LOCK_EX); time.sleep(140)"
    )
    machine.run(f'systemd-run -q --unit=lab-dpkg python3 -c "{script}"')
    run = upgrade(machine)
    assert (run["result"], run["reason"]) == ("skipped", "another package manager is at work")
    assert packed.installed() == {packed.version("")}
    machine.run(["systemctl", "stop", "lab-dpkg"])
    assert upgrade(machine)["result"] == "updated"


def test_outside_its_window_nothing_is_done(machine: Node, packed: Packages, component_server: ComponentServer) -> None:
    hour = int(machine.run(["date", "-u", "+%H"]).out)
    later = [{"from": f"{(hour + 3) % 24:02}:00", "to": f"{(hour + 5) % 24:02}:00"}]
    converge(machine, component_server, components={**ON, "engine_windows": later})
    packed.offer(component_server, "+epp1")
    machine.run(["systemctl", "start", UNIT])
    assert "engine" not in machine.agent_status()
    told = machine.agent("engine", "--json").json()
    assert (told["result"], packed.installed()) == ("skipped", {packed.version("")})
    assert told["reason"].startswith("outside components.engine_windows; the next one opens at ")


def test_a_failing_probe_brings_the_packages_before_back(
    machine: Node, packed: Packages, component_server: ComponentServer
) -> None:
    packed.offer(component_server, "", "+epp1")  # the source still has the installed version, to be kept
    machine.run(["touch", "/srv/refuses"])
    run = upgrade(machine)
    assert (run["result"], run.get("kind")) == ("failed", "probe"), run
    assert run["reason"].endswith(f"engine {packed.version('')} is back")
    assert packed.installed() == {packed.version("")}
    machine.wait("clamdscan --ping 1", seconds=60, why="clamd is back")
    assert machine.run(["dpkg", "--audit"]).out == ""


def test_a_clamd_that_does_not_come_back_is_a_failed_probe(
    machine: Node, packed: Packages, component_server: ComponentServer
) -> None:
    packed.pack("+epp4", postinst="systemctl stop 'clamav-daemon.*'\nsystemctl mask -q --runtime clamav-daemon\n")
    packed.offer(component_server, "", "+epp4")
    run = upgrade(machine)
    machine.run(
        "systemctl unmask -q --runtime clamav-daemon clamav-daemon.socket; systemctl daemon-reload", check=False
    )
    assert (run["result"], run.get("kind")) == ("failed", "probe"), run
    assert packed.installed() == {packed.version("")}
