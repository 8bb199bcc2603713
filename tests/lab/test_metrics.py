# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The Prometheus textfile, as a real node_exporter reads it (R2)."""

from __future__ import annotations

import re
import time
import urllib.request
from collections.abc import Callable

import lab_documents as documents
import pytest
from lab_ansible import Ansible
from lab_nodes import Node
from lab_server import ComponentServer

MACHINE = "n13"
TEXTFILES = "/var/lib/prometheus/node-exporter"
PORT = 9100


@pytest.fixture
def machine(node: Callable[[str], Node], ansible: Ansible, component_server: ComponentServer) -> Node:
    """A machine that is scraped: Debian's node_exporter with the directory that its package makes."""
    component_server.publish(documents.file_source("2026.11.24", {"a": b"one"}))
    found = node(MACHINE)
    found.run("test -e /var/lib/prometheus || cp -a /usr/share/lab-prometheus /var/lib/prometheus")
    found.run(["systemctl", "start", "prometheus-node-exporter"])
    found.wait(f"curl -sf -o /dev/null http://127.0.0.1:{PORT}/", why="node_exporter answers")
    ansible.converge({MACHINE: documents.files(MACHINE, component_server.url)}).demand()
    return found


def test_the_metrics_are_on_the_nodes_page(machine: Node, component_server: ComponentServer) -> None:
    """Written by the hardened unit, read by another user's process, scraped over the network."""
    began = int(time.time())
    machine.run(["systemctl", "start", "epp-update@manual.service"])
    metrics = scrape(machine)
    assert metrics['epp_autoupdate_component_info{component="lab",product="files",version="2026.11.24"}'] == 1
    assert metrics['epp_autoupdate_last_run_result{product="files",result="updated",trigger="manual"}'] == 1
    assert metrics['epp_autoupdate_last_run_timestamp_seconds{product="files",trigger="manual"}'] >= began
    assert metrics["epp_autoupdate_roaming"] == 0
    assert metrics['epp_autoupdate_scheduled_update_enabled{product="files"}'] == 1
    next_run = metrics['epp_autoupdate_next_run_timestamp_seconds{product="files"}']
    assert next_run == documents.instant(machine.agent_status()["next_run"])
    assert metrics["node_textfile_scrape_error"] == 0

    component_server.stop()
    machine.run(["systemctl", "start", "epp-update@manual.service"])
    metrics = scrape(machine)
    assert metrics['epp_autoupdate_last_run_result{product="files",result="unreachable",trigger="manual"}'] == 1
    assert not any('result="updated"' in name for name in metrics)


def test_the_owner_of_the_directory_leads_root_nowhere(machine: Node) -> None:
    """Debian gives the directory around it to prometheus, who may put a link in its place (C3)."""
    began, metrics = time.time(), "epp_autoupdate.prom"
    their_shell = ["runuser", "-u", "prometheus", "--", "sh", "-ec"]
    machine.run([*their_shell, f"mv {TEXTFILES} {TEXTFILES}.own; ln -s /etc/cron.d {TEXTFILES}"])
    try:
        machine.agent("update-now")
        assert metrics not in machine.run(["ls", "/etc/cron.d"]).out
        told = f"{TEXTFILES} is a symbolic link that the user prometheus could have made"
        assert told in machine.journal(since=began)
    finally:
        machine.run([*their_shell, f"rm {TEXTFILES}; mv {TEXTFILES}.own {TEXTFILES}"])
    machine.agent("update-now")
    assert metrics in machine.run(["ls", TEXTFILES]).out


def test_absent_takes_them_from_the_page(machine: Node, ansible: Ansible, component_server: ComponentServer) -> None:
    assert any(name.startswith("epp_") for name in scrape(machine))
    ansible.converge({MACHINE: documents.files(MACHINE, component_server.url)}, state="absent").demand()
    assert not any(name.startswith("epp_") for name in scrape(machine))
    assert machine.run(["ls", TEXTFILES]).out == ""


def scrape(machine: Node) -> dict[str, float]:
    """What Prometheus would get: a series' name with its labels -> its value."""
    with urllib.request.urlopen(f"http://{machine.machine.address}:{PORT}/metrics", timeout=20) as answer:
        text = answer.read().decode()
    lines = re.findall(r"^(\w+(?:\{.*\})?) (\S+)$", text, re.MULTILINE)
    return {name: float(value) for name, value in lines}
