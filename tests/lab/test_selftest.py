# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Green means that it can run: what keeps jobs from starting, or the product from working, fails converge and check.

Each error is a real one, on a host that every file says is well, and is gone once its cause is.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import lab_documents as documents
import pytest
from lab_ansible import Ansible
from lab_cases import cases
from lab_nodes import AGENT, Node, eventually
from lab_server import ComponentServer

SYSTEMD, BARE = "n45", "b8"
DATABASES = "/var/lib/clamav"
SETTLED = "/var/lib/epp-autoupdate/converge-fingerprint"
Databases = Callable[[int], dict[str, Path]]


def variables(**more: Any) -> dict[str, Any]:
    """What the inventory says of a host with the product ``clamav`` and a source that nobody asks."""
    policy = {
        "events": {"update_on_reconnect": False},
        "schedule": documents.quiet("x")["policy"]["schedule"],
        "sources": {"urls": ["http://127.0.0.1:9"]},
    }
    return {
        "autoupdate_product": "clamav",
        "autoupdate_clamav": {"databases": ["test"]},
        "autoupdate_policy": policy,
        **more,
    }


@pytest.fixture(params=cases([SYSTEMD, BARE], SYSTEMD))
def machine(request: pytest.FixtureRequest, node: Callable[[str], Node]) -> Node:
    """A fresh machine, one with systemd and one with cron."""
    found = node(request.param)
    found.renew()
    return found


@pytest.fixture
def host(node: Callable[[str], Node]) -> Iterator[Node]:
    """A fresh machine with systemd."""
    found = node(SYSTEMD)
    found.renew()
    yield found
    found.run(["systemctl", "stop", "clamav-daemon"], check=False)


def sees(ansible: Ansible, machine: Node, words: str, **more: Any) -> None:
    """Each way of asking tells this error, and none of them with success."""
    site = ansible.site({machine.name: variables(**more)})
    assert site.code == 2, site.output
    assert words in site[machine.name].message
    again = ansible.site({machine.name: variables(**more)})
    assert not again[machine.name].changed, again.output
    assert words in again[machine.name].message
    check = ansible.playbook("check", {machine.name: variables(**more)})
    assert check.code == 2, check.output
    assert f"{machine.name}: self-test: " in check.output
    assert words in check.output
    allowed = ansible.site({machine.name: variables(autoupdate_require=False, **more)})
    assert allowed.code == 0, allowed.output


def well(ansible: Ansible, machine: Node, **more: Any) -> None:
    ansible.site({machine.name: variables(**more)}).demand()
    check = ansible.playbook("check", {machine.name: variables(**more)})
    assert check.code == 0, check.output
    assert machine.agent_status()["selftest"]["errors"] == []


def test_a_host_that_is_well_is_tried_once_and_then_settles(machine: Node, ansible: Ansible) -> None:
    well(ansible, machine)
    first = machine.agent_status()["selftest"]["at"]
    machine.run(["rm", "-f", SETTLED])

    def settled() -> bool:
        assert not ansible.site({machine.name: variables()}).demand()[machine.name].changed
        return machine.exists(SETTLED)

    eventually(settled, seconds=60, why="what was looked at is older than two seconds")
    assert machine.agent_status()["selftest"]["at"] == first


@pytest.mark.heavy
def test_programs_that_may_not_be_executed(machine: Node, ansible: Ansible) -> None:
    machine.run("mount --bind /usr/local /usr/local && mount -o remount,bind,noexec /usr/local")
    sees(ansible, machine, "mounted noexec")
    machine.run(["umount", "/usr/local"])
    well(ansible, machine)


@pytest.mark.heavy
def test_a_python_that_units_do_not_see(host: Node, ansible: Ansible) -> None:
    """The system's own is taken where there is one; where there is none, the error is told."""
    host.run("/usr/bin/python3 -m venv --copies /root/venv")
    python = {"ansible_python_interpreter": "/root/venv/bin/python3"}
    well(ansible, host, **python)
    assert host.run(["head", "-c", "19", AGENT]).out == "#!/usr/bin/python3 "
    host.run("mv /usr/bin/python3 /usr/bin/python3.gone")
    sees(ansible, host, "is hidden from units", **python)
    host.run("mv /usr/bin/python3.gone /usr/bin/python3")
    well(ansible, host, **python)


@pytest.mark.heavy
def test_a_python_that_is_called_by_its_version_is_not_frozen(machine: Node, ansible: Ansible) -> None:
    version = machine.run(["readlink", "-f", "/usr/bin/python3"]).out.strip()
    assert version != "/usr/bin/python3"
    well(ansible, machine, ansible_python_interpreter=version)
    assert machine.run(["head", "-c", "19", AGENT]).out == "#!/usr/bin/python3 "


@pytest.mark.heavy
def test_a_host_whose_cron_does_not_run(node: Callable[[str], Node], ansible: Ansible) -> None:
    machine = node(BARE)
    machine.renew()
    well(ansible, machine)
    machine.run("kill $(cat /run/crond.pid)")
    machine.wait("! pgrep -x cron", why="cron has ended")
    sees(ansible, machine, "no cron daemon runs")
    assert "no cron daemon runs" in machine.agent("status").out
    machine.run(["cron"])
    well(ansible, machine)


@pytest.mark.heavy
def test_databases_that_freshclam_may_not_write(machine: Node, ansible: Ansible) -> None:
    machine.run(f"chown root: {DATABASES} && chmod 700 {DATABASES}")
    sees(ansible, machine, "freshclam does not work here: ")
    machine.run(f"chown clamav: {DATABASES} && chmod 755 {DATABASES}")
    well(ansible, machine)


@pytest.mark.heavy
def test_clamd_is_started_when_the_first_databases_have_come_and_missed_when_it_is_off(
    host: Node, ansible: Ansible, component_server: ComponentServer, databases: Databases
) -> None:
    component_server.publish(databases(1))
    source = {**variables()["autoupdate_policy"], "sources": {"urls": [component_server.url]}}
    host.run(["systemctl", "enable", "clamav-daemon"])
    well(ansible, host, autoupdate_policy=source)
    host.run(["systemctl", "stop", "clamav-daemon.*"], check=False)
    host.run(["systemctl", "start", "epp-update@manual.service"])
    run = host.agent_status()["last"]["manual"]
    assert (run["result"], run["reason"]) == (
        "updated",
        "clamav-daemon.service is started, now that there are databases",
    )
    host.wait("clamdscan --ping 1", seconds=60, why="clamd answers")
    well(ansible, host, autoupdate_policy=source)
    host.run(["systemctl", "stop", "clamav-daemon.*"])
    sees(ansible, host, "clamd does not run", autoupdate_policy=source)
    host.run(["systemctl", "start", "clamav-daemon"])
    well(ansible, host, autoupdate_policy=source)
