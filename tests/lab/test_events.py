# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Events on real machines: downloads, returns from being off, and the scans that follow (E1-E3, S4)."""

from __future__ import annotations

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import lab_documents as documents
import pytest
from lab_ansible import Ansible
from lab_cases import cases
from lab_nodes import Node, eventually
from lab_server import ComponentServer

SCANNER = "n4"
RETURNING, STAYING, ROAMING, EARLY = "n4", "n5", "n6", "n7"
MARK = b"lab-planted-e3b0c44298fc1c149afbf4c8996fb924"
HARMLESS = "Lab.Other:0:*:" + b"nobody-ever-writes-this-0123456789".hex() + "\n"
FINDS_IT = HARMLESS + "Lab.Planted:0:*:" + MARK.hex() + "\n"


@pytest.fixture
def scanner(node: Callable[[str], Node], ansible: Ansible, component_server: ComponentServer) -> Node:
    """A machine with a planted file and signatures that do not know it yet."""
    component_server.publish({"lab.ndb": HARMLESS})
    machine = node(SCANNER)
    machine.run("rm -rf /var/lib/clamav/* /srv/* /var/lib/epp-autoupdate/state.json")
    machine.run(f"printf 'x {MARK.decode()} y' >/srv/planted")
    ansible.converge({SCANNER: scanning(component_server)}).demand()
    assert machine.agent_run("manual").json()["result"] == "updated"
    assert machine.agent_status()["scan"]["last"] is None
    return machine


def scanning(server: ComponentServer, **changes: Any) -> documents.Document:
    """Scans after events."""
    own = {
        "product": "clamav",
        "clamav": {"databases": [], "custom_urls": [f"{server.url}/lab.ndb"]},
        "policy": {
            "events": {"scan_after_update": True},
            "privileges": {"go_roaming": True},
        },
    }
    return documents.merged(documents.quiet(SCANNER, ordinal=0, **own), changes)


def publish_what_finds_it(server: ComponentServer, note: str = "") -> None:
    time.sleep(1.1)  # web servers and freshclam tell versions of a plain file apart by whole seconds
    server.publish({"lab.ndb": FINDS_IT + (f"Lab.{note}:0:*:{note.encode().hex() * 4}\n" if note else "")})


def test_a_download_brings_the_signature_and_the_scan_finds_the_file(
    scanner: Node, component_server: ComponentServer
) -> None:
    """E1, E3: told by status and journal; the scan runs at low priority in its own unit."""
    publish_what_finds_it(component_server)
    since = time.time()
    scanner.run(["systemctl", "start", "epp-update@download.service"])
    assert scanner.agent_status()["last"]["download"]["result"] == "updated"
    scan = finished_scan(scanner)
    assert scan["ok"], scan
    assert scan["found"] == 1
    (finding,) = scan["findings"]
    assert finding["path"] == "/srv/planted"
    assert "Lab.Planted" in finding["signature"]
    journal = scanner.journal(since=since - 1)
    assert "Lab.Planted" in journal
    assert "/srv/planted" in journal
    assert journal.count("update (download): updated") == 1, "what is logged is not printed into the journal, too"
    assert journal.count("scan: found Lab.Planted") == 1, journal
    published = scanner.run(["cat", "/var/lib/epp-autoupdate/status.json"], user="bob").json()
    assert published["scan"]["last"]["findings"] == scan["findings"]

    scanner.run(["systemctl", "start", "epp-update@download.service"])
    assert scanner.agent_status()["last"]["download"]["result"] == "current"
    time.sleep(2)
    assert finished_scan(scanner)["started"] == scan["started"], "once per campaign"


@pytest.mark.parametrize("trigger", cases(["schedule", "manual"], "schedule"))
def test_other_updates_do_not_scan(scanner: Node, component_server: ComponentServer, trigger: str) -> None:
    """E3: not after a scheduled update, and Update Now is no event either."""
    publish_what_finds_it(component_server)
    if trigger == "schedule":
        scanner.apply(scanning(component_server, policy={"schedule": documents.due_now()}))
    scanner.run(["systemctl", "start", f"epp-update@{trigger}.service"])
    assert scanner.agent_status()["last"][trigger]["result"] == "updated"
    time.sleep(3)
    scan = scanner.agent_status()["scan"]
    assert (scan["last"], scan["due"]) == (None, False)


def test_a_roaming_endpoint_takes_no_notice(scanner: Node, component_server: ComponentServer) -> None:
    """E1a: no update by a notice while roaming; and with include_roaming_and_offline the update, but no scan (E3)."""
    publish_what_finds_it(component_server)
    scanner.agent("roaming", "on")
    scanner.run(["systemctl", "start", "epp-update@download.service"])
    run = scanner.agent_status()["last"]["download"]
    assert run["result"] == "skipped"
    assert "roaming" in run["reason"]
    included = {"policy": {"events": {"include_roaming_and_offline": True}}}
    scanner.apply(scanning(component_server, **included))
    scanner.run(["systemctl", "start", "epp-update@download.service"])
    assert scanner.agent_status()["last"]["download"]["result"] == "updated"
    time.sleep(3)
    assert scanner.agent_status()["scan"]["last"] is None
    scanner.agent("roaming", "off")


def test_clamd_scans_where_it_runs(scanner: Node, component_server: ComponentServer) -> None:
    scanner.run(["systemctl", "start", "clamav-daemon"])
    scanner.wait("clamdscan --ping 1", seconds=30, why="clamd answers")
    try:
        publish_what_finds_it(component_server, note="clamd")
        scanner.run(["systemctl", "start", "epp-update@download.service"])
        scan = finished_scan(scanner)
        assert scan["ok"], scan
        assert scan["findings"][0]["path"] == "/srv/planted"
    finally:
        scanner.run(["systemctl", "stop", "clamav-daemon"])


@pytest.mark.heavy
def test_machines_that_were_off_while_a_version_came_out(
    node: Callable[[str], Node],
    ansible: Ansible,
    component_server: ComponentServer,
    another_component_server: ComponentServer,
) -> None:
    """E2: current with no hand touching it; off, or roaming: it waits for its schedule (S4).

    Another one boots while its server is down, and survives the first 30 s.
    """
    late = another_component_server
    sources = {RETURNING: component_server, STAYING: component_server, ROAMING: component_server, EARLY: late}
    for server in (component_server, late):
        server.publish(documents.file_source("1", {"a": b"one"}))
    ansible.converge({name: returning(name, server) for name, server in sources.items()}).demand()
    machines = [node(name) for name in sources]
    for machine in machines:
        assert machine.agent_run("manual").json()["result"] == "updated"
    node(ROAMING).agent("roaming", "on")

    with ThreadPoolExecutor() as pool:
        list(pool.map(Node.power_off, machines))
    for server in (component_server, late):
        server.publish(documents.file_source("2", {"a": b"two"}))
    late.stop()
    for machine in machines:
        machine.boot()
    booted = time.time()

    eventually(lambda: version(node(RETURNING)) == "2", seconds=60, why="E2 after a boot", pause=1)
    run = node(RETURNING).agent_status()["last"]["reconnect"]
    assert (run["result"], run["changed"]) == ("updated", ["lab"])
    time.sleep(max(0.0, booted + 30 - time.time()))
    assert version(node(EARLY)) == "1"
    late.start()
    eventually(lambda: version(node(EARLY)) == "2", seconds=60, why="E2 once the server is up", pause=1)
    assert version(node(STAYING)) == "1"
    assert version(node(ROAMING)) == "1"
    assert "reconnect" not in node(STAYING).agent_status()["last"]


@pytest.mark.heavy
def test_a_server_that_was_lost_and_came_back_with_a_new_version(
    node: Callable[[str], Node], ansible: Ansible, component_server: ComponentServer
) -> None:
    """E2 without a boot."""
    component_server.publish(documents.file_source("1", {"a": b"one"}))
    ansible.converge({RETURNING: returning(RETURNING, component_server)}).demand()
    machine = node(RETURNING)
    machine.agent_run("manual")
    component_server.stop()
    lost = """grep -q '"source_lost": true' /var/lib/epp-autoupdate/state.json"""
    machine.wait(lost, seconds=30, why="the machine notes the loss")
    component_server.publish(documents.file_source("3", {"a": b"three"}))
    component_server.start()
    eventually(lambda: version(machine) == "3", seconds=45, why="E2 after the server's return", pause=1)


def returning(name: str, server: ComponentServer) -> documents.Document:
    policy = {"events": {"update_on_reconnect": name != STAYING}, "privileges": {"go_roaming": True}}
    return documents.files(name, server.url, policy=policy)


def version(node: Node) -> str:
    (component,) = node.agent_status()["components"]
    return str(component["version"])


def finished_scan(node: Node) -> dict[str, Any]:
    scan = eventually(lambda: node.agent_status()["scan"]["last"], seconds=40, why="a scan has finished", pause=1)
    assert isinstance(scan, dict)
    return scan
