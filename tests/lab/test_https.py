# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""HTTPS from end to end: a source is believed when the machine trusts its certificate, and only then."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import lab_documents as documents
import pytest
from lab_ansible import Ansible
from lab_cases import cases
from lab_certificates import Authority
from lab_nodes import Node
from lab_server import ComponentServer

MACHINE = "n14"
TRUSTED = "/usr/local/share/ca-certificates/lab.crt"
ELSEWHERE = "192.0.2.1"
Publish = Callable[[ComponentServer], None]


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("authority"))


@pytest.fixture(scope="module")
def enrolled(node: Callable[[str], Node], ansible: Ansible) -> Node:
    ansible.converge({MACHINE: documents.command(MACHINE)}).demand()
    return node(MACHINE)


@pytest.fixture
def machine(enrolled: Node) -> Iterator[Node]:
    """The machine without components, and with no authority but those that Debian trusts."""
    enrolled.run("rm -rf /var/lib/clamav/* /var/lib/epp-autoupdate/components /var/lib/epp-autoupdate/state.json")
    yield enrolled
    enrolled.run(f"rm -f {TRUSTED}; update-ca-certificates --fresh")


@pytest.fixture(params=cases(["files", "clamav"], "files"))
def product(
    request: pytest.FixtureRequest, component_server: ComponentServer, databases: Callable[[int], dict[str, Path]]
) -> str:
    """Both products that speak to sources themselves; this test's source has something for each."""
    files: dict[str, Any] = documents.file_source("1", {"a": b"one"})
    component_server.publish(files if request.param == "files" else databases(2))
    return str(request.param)


def test_a_certificate_of_a_trusted_authority(
    machine: Node, component_server: ComponentServer, authority: Authority, product: str
) -> None:
    component_server.use_tls(*authority.issue(component_server.address))
    trust(machine, authority)
    run = update(machine, component_server, product)
    assert (run["result"], run["changed"]) == ("updated", ["lab" if product == "files" else "test"]), run
    assert component_server.requests()
    assert component_server.url.startswith("https:")


def test_a_certificate_of_nobody_that_the_machine_trusts(
    machine: Node, component_server: ComponentServer, authority: Authority, product: str
) -> None:
    """The message names the certificate, nothing is fetched, and trust is all that is missing."""
    component_server.use_tls(*authority.issue(component_server.address))
    run = update(machine, component_server, product)
    assert run["result"] == "failed", run
    assert "certificate" in run["reason"], run
    assert component_server.address in run["reason"]
    assert component_server.requests() == []
    trust(machine, authority)
    assert update(machine, component_server, product)["result"] == "updated"


def test_a_trusted_certificate_of_another_server(
    machine: Node, component_server: ComponentServer, authority: Authority, product: str
) -> None:
    component_server.use_tls(*authority.issue(ELSEWHERE))
    trust(machine, authority)
    run = update(machine, component_server, product)
    assert run["result"] == "failed", run
    assert "certificate" in run["reason"], run
    assert component_server.requests() == []


def trust(machine: Node, authority: Authority) -> None:
    """Put the authority into the machine's own trust store."""
    machine.write(TRUSTED, authority.certificate.read_text())
    machine.run(["update-ca-certificates"])


def update(machine: Node, server: ComponentServer, product: str) -> dict[str, Any]:
    """Update by the hardened unit; what the status says of it."""
    make = documents.files if product == "files" else documents.clamav
    machine.apply(make(MACHINE, server.url))
    machine.run(["systemctl", "start", "epp-update@manual.service"], check=False)
    run = machine.agent_status()["last"]["manual"]
    assert isinstance(run, dict)
    return run
