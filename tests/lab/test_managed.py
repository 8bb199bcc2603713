# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Managed endpoints on real machines: enrolled once, then following their server without Ansible (C1-C3, N5, S2)."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import lab_documents as documents
import pytest
from ansible_collections.epp.autoupdate.plugins.module_utils._core.metadata.shard import Membership, file_of, shard_of
from ansible_collections.epp.autoupdate.tests.unit.plugins.module_utils._endpoint.publisher import Publisher
from lab_ansible import Ansible
from lab_nodes import Node
from lab_server import ComponentServer

SYSTEMD, BARE = "n16", "b5"
# polkit's rules, or sudo's where polkit is too old to read any (Debian 11).
RIGHTS = "/etc/polkit-1/rules.d/60-epp-autoupdate.rules /etc/sudoers.d/epp-autoupdate"


class Managed:
    """Two machines, and the files of their update server behind real nginx."""

    def __init__(self, server: ComponentServer, work: Path) -> None:
        self.server = server
        self.publisher = Publisher(server.www, work, time.time() - 3600)
        self.publisher.root = {
            "events": {"update_on_reconnect": False},
            "schedule": documents.quiet("")["policy"]["schedule"],
        }
        self.notify_key = self.publisher.public["b"]
        self.publish()

    def publish(self, **root: Any) -> None:
        """Publish the tree, with these sections, and both machines' shards."""
        self.publisher.root = {**self.publisher.root, **root}
        self.publisher.tree()
        for ordinal, name in enumerate((SYSTEMD, BARE)):
            self.publisher.endpoints = {name: Membership("lab", ordinal)}
            number = shard_of(name, self.publisher.shards)
            document = self.publisher.shard(number=number)
            document.replace(self._place(number))

    def _place(self, number: int) -> Path:
        place = self.server.www / file_of(number)
        place.parent.mkdir(parents=True, exist_ok=True)
        return place

    def document(self, name: str) -> dict[str, Any]:
        section = self.publisher.server(self.server.url, notify_key=self.notify_key)
        own = {"product": "command", "command": {"update": ["/bin/true"], "version": ["/bin/echo", "1"]}}
        return {"endpoint": name, "server": section, **own}

    def requests(self) -> list[int]:
        """The statuses of the answers since the last time."""
        statuses = [request.status for request in self.server.requests()]
        self.server.forget()
        return statuses


@pytest.fixture
def managed(component_server: ComponentServer, tmp_path: Path) -> Managed:
    return Managed(component_server, tmp_path / "keys")


def enrolled(managed: Managed, ansible: Ansible, machine: Node) -> Node:
    machine.renew()
    first = ansible.converge({machine.name: managed.document(machine.name)}).demand()[machine.name]
    assert first.task["changed"]
    assert first.task["host_key"].startswith("ssh-ed25519 ")
    assert managed.requests() == [200, 200]
    return machine


def test_an_enrollment_is_quiet_the_second_time(
    managed: Managed, ansible: Ansible, node: Callable[[str], Node]
) -> None:
    machine = enrolled(managed, ansible, node(SYSTEMD))
    line = f'restrict,command="/usr/local/bin/epp-agent notice" {managed.notify_key} epp-update-server\n'
    assert machine.read("/var/lib/epp-autoupdate-notify/.ssh/authorized_keys") == line
    assert "epp-update-server" not in machine.read("/root/.ssh/authorized_keys")
    results = []
    for fast in (True, True, False):
        again = ansible.converge({SYSTEMD: managed.document(SYSTEMD)}, fast=fast).demand()[SYSTEMD]
        assert not again.task["changed"], again.task
        results.append({key: again.task[key] for key in ("changes", "drift", "next_run", "host_key")})
    assert results[0] == results[2]
    assert managed.requests() == []
    assert machine.agent_status()["configuration"]["tree_serial"] == 1
    assert machine.run(["systemd-analyze", "verify", "--man=no", "epp-sync.service", "epp-configure.service"]).err == ""


def test_timers_and_rights_follow_the_server(managed: Managed, ansible: Ansible, node: Callable[[str], Node]) -> None:
    """The update is shut in; what has to be written, epp-configure.service writes."""
    machine = enrolled(managed, ansible, node(SYSTEMD))
    active = "systemctl is-active --quiet epp-update.timer"
    machine.run(active)
    managed.publish(privileges={"scheduled_update": False, "go_roaming": True})
    machine.run(["systemctl", "start", "epp-update@manual.service"])
    machine.wait(f"! {active}", why="the timer of an endpoint whose updates are off is gone")
    machine.wait(f"grep -qs 'epp-roaming@on.service\\|epp-agent roaming on' {RIGHTS}", why="the right is there")
    machine.wait("systemctl is-active --quiet epp-sync.timer", why="the endpoint still asks once a day")
    told = machine.agent_status()
    assert (told["configuration"]["result"], told["serial"], told["domain"]) == ("adopted", 2, "lab")
    assert machine.run(["systemctl", "--failed", "--plain", "--no-legend", "list-units", "epp-*"]).out == ""
    managed.requests()
    machine.run(["systemctl", "start", "epp-update@manual.service"])
    assert managed.requests() == [304, 304]
    assert not ansible.converge({SYSTEMD: managed.document(SYSTEMD)}).demand()[SYSTEMD].task["changed"]


def test_the_daily_waking_adopts_shut_in(managed: Managed, ansible: Ansible, node: Callable[[str], Node]) -> None:
    machine = enrolled(managed, ansible, node(SYSTEMD))
    machine.run("rm /var/lib/epp-autoupdate/configuration/adopted.json /etc/systemd/system/epp-update.timer")
    assert machine.agent_status()["configuration"]["adopted"] is None
    managed.publish(schedule={"frequency": "daily", "start": "03:00", "window": "1m"})
    machine.run(["systemctl", "start", "epp-sync.service"])
    machine.wait("grep -q 'OnCalendar=.*03:00' /etc/systemd/system/epp-update.timer", why="the timer is back")
    machine.wait("systemctl is-active --quiet epp-update.timer", why="and runs")
    assert "configuration: adopted; tree 2" in machine.journal()


def test_tampering_is_refused_and_told(managed: Managed, ansible: Ansible, node: Callable[[str], Node]) -> None:
    machine = enrolled(managed, ansible, node(SYSTEMD))
    managed.publisher.tree(key="b")
    done = machine.agent("sync", "--json", check=False)
    assert (done.code, json.loads(done.out)["result"]) == (65, "unknown_key")
    told = machine.agent_status()
    assert (told["serial"], told["configuration"]["result"]) == (1, "unknown_key")
    assert "configuration: unknown_key" in machine.journal()


def test_cron_follows_the_server_too(managed: Managed, ansible: Ansible, node: Callable[[str], Node]) -> None:
    machine = enrolled(managed, ansible, node(BARE))
    table = "/etc/cron.d/epp-autoupdate"
    assert "epp-agent sync --due" in machine.read(table)
    assert "--trigger schedule" in machine.read(table)
    managed.publish(privileges={"scheduled_update": False})
    machine.agent_run("manual")
    machine.wait(f"! grep -q 'trigger schedule' {table}", why="the lines of an endpoint whose updates are off are gone")
    assert not ansible.converge({BARE: managed.document(BARE)}).demand()[BARE].task["changed"]
    assert "epp-agent notice" in machine.read("/etc/sudoers.d/epp-autoupdate-notice")
    ansible.converge({BARE: managed.document(BARE)}, state="absent").demand()
    assert not machine.exists("/var/lib/epp-autoupdate-notify")
    assert not machine.exists("/etc/sudoers.d/epp-autoupdate-notice")
