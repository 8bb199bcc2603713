# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Endpoints that report, on real machines: at each occasion, from their sandboxes, and by cron (R4)."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import lab_documents as documents
import pytest
from ansible_collections.epp.autoupdate.plugins.module_utils._core.metadata.envelope import unpack
from ansible_collections.epp.autoupdate.plugins.module_utils._core.metadata.shard import Membership, file_of, shard_of
from ansible_collections.epp.autoupdate.plugins.module_utils._core.reports.report import MAX_SIZE, NAMESPACE, Report
from ansible_collections.epp.autoupdate.plugins.module_utils._host.local_host import LocalHost
from ansible_collections.epp.autoupdate.plugins.module_utils._host.ssh_signatures import verify
from ansible_collections.epp.autoupdate.tests.unit.plugins.module_utils._endpoint.publisher import Publisher
from ansible_collections.epp.autoupdate.tests.unit.plugins.module_utils._host.http.scripted_server import ScriptedServer
from fleet import Fleet
from lab_ansible import Ansible
from lab_nodes import Node, eventually

SYSTEMD, BARE = "n46", "b8"
RECORD = "/var/lib/epp-autoupdate/reporting.json"


class Gateway:
    """An update server on the fleet's bridge: published files, and a place for the reports of one endpoint."""

    def __init__(self, fleet: Fleet, name: str, work: Path) -> None:
        self.name, self._address, self._folder = name, fleet.plan.gateway, work / "www"
        self._folder.mkdir()
        self.publisher = Publisher(self._folder, work / "keys", time.time() - 3600)
        self.publisher.root = {
            "events": {"update_on_reconnect": False},
            "schedule": documents.quiet("")["policy"]["schedule"],
            "privileges": {"toggle_scheduled_update": True, "go_roaming": True},
        }
        self.publisher.tree()
        self.publisher.endpoints = {name: Membership("lab", 0)}
        number = shard_of(name, self.publisher.shards)
        shard = self.publisher.shard(number=number)
        place = self._folder / file_of(number)
        place.parent.mkdir(parents=True, exist_ok=True)
        shard.replace(place)
        self.server = self._started(port=0)

    def _started(self, port: int) -> ScriptedServer:
        server = ScriptedServer(str(self._folder), address=self._address, port=port)
        server.places.add(f"/reports/{self.name}")
        return server

    def back(self) -> None:
        self.server = self._started(self.server.port)

    def document(self) -> dict[str, Any]:
        section = self.publisher.server(self.server.url, notify_key=self.publisher.public["b"])
        own = {"product": "command", "command": {"update": ["/bin/true"], "version": ["/bin/echo", "1"]}}
        return {"endpoint": self.name, "server": section, **own}


class Reporting:
    """A machine and what it sends."""

    def __init__(self, gateway: Gateway, machine: Node) -> None:
        self.gateway, self.machine = gateway, machine
        self._key = " ".join(machine.read("/etc/ssh/ssh_host_ed25519_key.pub").split()[:2])
        self.sequences: list[int] = []

    def next(self, occasion: str) -> Report:
        """The one report that comes, with this occasion, this machine's signature and a higher number."""
        eventually(self.gateway.server.stored, seconds=30, why=f"the report of {occasion}", pause=0.1)
        told = self.only()
        assert told.occasion.value == occasion
        return told

    def only(self) -> Report:
        (content,) = self.gateway.server.stored()
        self.gateway.server.forget()
        envelope = unpack(content, limit=MAX_SIZE)
        verify(LocalHost(), envelope.document, envelope.signature, [self._key], NAMESPACE)
        told = Report.from_bytes(envelope.document)
        assert (told.endpoint, told.sequence > max(self.sequences, default=0)) == (self.machine.name, True)
        self.sequences.append(told.sequence)
        return told


@pytest.fixture
def gateway(fleet: Fleet, request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Gateway]:
    made = Gateway(fleet, request.param, tmp_path)
    yield made
    made.server.stop()


@pytest.fixture
def reporting(gateway: Gateway, ansible: Ansible, node: Callable[[str], Node]) -> Reporting:
    """A machine that was just enrolled, and has said so."""
    machine = node(gateway.name)
    machine.renew()
    made = Reporting(gateway, machine)
    ansible.converge({machine.name: gateway.document()}).demand()
    first = made.next("converge")
    assert (first.drift, first.status["configuration"]["tree_serial"]) == ((), 1)
    return made


on_systemd = pytest.mark.parametrize("gateway", [SYSTEMD], indirect=True)
on_cron = pytest.mark.parametrize("gateway", [BARE], indirect=True)


@on_systemd
def test_every_occasion_is_reported_from_its_sandbox(reporting: Reporting) -> None:
    machine = reporting.machine
    machine.run(["systemctl", "start", "epp-update@manual.service"])
    assert reporting.only().status["last"]["manual"]["result"] == "current"
    assert machine.agent("schedule", "disable", user="alice").code == 0
    assert reporting.next("switch").status["switch"] is False
    assert machine.agent("roaming", "on", user="alice").code == 0
    assert reporting.next("roaming").status["roaming"] is True
    machine.run(["rm", RECORD])
    machine.run(["systemctl", "start", "epp-sync.service"])
    daily = reporting.only()
    assert (daily.occasion.value, daily.drift) == ("daily", ())
    machine.run(["systemctl", "start", "epp-sync.service"])
    assert reporting.gateway.server.stored() == [], "once a day"
    told = machine.agent_status()["report"]
    assert (told["occasion"], told["waiting"], told["reason"]) == ("daily", False, "")
    assert machine.run(["stat", "-c", "%U %a", "/var/lib/epp-autoupdate/report.json"]).out == "root 644\n"
    assert machine.run(["systemctl", "--failed", "--plain", "--no-legend", "list-units", "epp-*"]).out == ""


@on_systemd
def test_drift_is_seen_from_the_sandbox_of_the_daily_waking(reporting: Reporting, ansible: Ansible) -> None:
    machine, unit = reporting.machine, "/etc/systemd/system/epp-scan.service"
    machine.run(f"echo '# by hand' >>{unit}; systemctl daemon-reload; systemctl stop epp-update.timer; rm {RECORD}")
    machine.run(["systemctl", "start", "epp-sync.service"])
    daily = reporting.only()
    assert daily.drift == (f"{unit} has another content", "epp-update.timer is not active")
    assert daily.drift_count == 2
    ansible.converge({machine.name: reporting.gateway.document()}).demand()
    assert reporting.next("converge").drift == ()


@on_systemd
def test_a_report_waits_for_its_server_and_the_newest_alone_is_sent(reporting: Reporting) -> None:
    machine, gateway = reporting.machine, reporting.gateway
    gateway.server.stop()
    machine.run(["systemctl", "start", "epp-update@manual.service"])
    assert machine.agent("schedule", "disable", user="alice").code == 0
    machine.wait('grep -q \'"occasion": "switch"\' /var/lib/epp-autoupdate/status.json', why="it has reported")
    told = machine.agent_status()["report"]
    assert (told["waiting"], told["occasion"]) == (True, "switch")
    assert "the report could not be delivered" in told["reason"]
    assert machine.journal().count("the report could not be delivered") == 1
    gateway.back()
    machine.run(["systemctl", "start", "epp-report.service"])
    assert reporting.only().occasion.value == "switch"
    assert machine.agent_status()["report"]["waiting"] is False
    gateway.server.places.clear()
    assert machine.agent("report", check=False).out.startswith("report: waits; the update server takes no reports: ")
    assert machine.run(["systemctl", "--failed", "--plain", "--no-legend", "list-units", "epp-*"]).out == ""


@pytest.mark.heavy
@on_cron
def test_cron_reports_too(reporting: Reporting, ansible: Ansible) -> None:
    machine = reporting.machine
    machine.agent_run("manual")
    assert reporting.only().status["last"]["manual"]["result"] == "current"
    assert machine.agent("schedule", "disable", user="alice").code == 0
    assert reporting.next("switch").status["switch"] is False
    machine.run(f"rm {RECORD}; echo '# by hand' >>/etc/cron.d/epp-autoupdate")
    machine.agent("sync", "--due")
    assert reporting.only().drift == ("/etc/cron.d/epp-autoupdate has another content",)
    ansible.converge({machine.name: reporting.gateway.document()}, state="absent").demand()
    assert not machine.exists("/var/lib/epp-autoupdate")
    assert not machine.exists("/run/epp-autoupdate")
