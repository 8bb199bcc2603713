# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""README's quick starts, word for word: installed from the repository, as a user with sudo, on bare inventories."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path

import lab_root
import pytest
from fleet import Fleet
from lab_ansible import REPOSITORY
from lab_control import USER, ControlNode, let_in
from lab_names import NameServer
from lab_nodes import Node, eventually
from lab_server import ComponentServer

pytestmark = pytest.mark.heavy  # the guides' long way; each of its steps has other tests

MACHINES = {"updates": "n51", "till-1": "n52", "till-2": "n53", "laptop-1": "n54"}
ENDPOINTS = ("laptop-1", "till-1", "till-2")
OFFICIAL = ("bytecode", "daily", "main")
INSTALL, STANDALONE, MANAGED = "Install", "Quick start: standalone endpoints", "Quick start: with an update server"
CONNECTED = re.compile(r"ansible_host: [\d.]+(, )?")
Databases = Callable[[int], dict[str, Path]]


def blocks(heading: str, language: str) -> list[str]:
    """The code blocks of one language in a section of README."""
    text = (REPOSITORY / "README.md").read_text(encoding="utf-8")
    section = text.partition(f"\n## {heading}\n")[2].partition("\n## ")[0]
    return re.findall(rf"^```{language}\n(.*?)^```", section, re.DOTALL | re.MULTILINE)


def commands(heading: str) -> list[str]:
    lines = "".join(blocks(heading, "console")).splitlines()
    return [line.removeprefix("$ ") for line in lines]


def official(databases: dict[str, Path]) -> dict[str, Path]:
    """The test database as a mirror would have it under each of the official names."""
    named = ((name, re.sub("^test", official_name, name)) for name in databases for official_name in OFFICIAL)
    return {f"clamav/{as_official}": databases[name] for name, as_official in named}


@pytest.fixture(scope="module")
def source(fleet: Fleet, databases: Databases, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ComponentServer]:
    """components.example.com: the mirror of the first quick start, and what the server of the second downloads from."""
    server = ComponentServer(
        root=lab_root.path(), directory=tmp_path_factory.mktemp("mirror"), address=fleet.plan.gateway, port=80
    )
    server.publish({**official(databases(1)), "test.cvd": databases(1)["test.cvd"]})
    names = NameServer(fleet.plan.gateway)
    server.start()
    yield server
    server.stop()
    names.stop()


@pytest.fixture(scope="module")
def control(
    node: Callable[[str], Node], source: ComponentServer, wheelhouse: str, tmp_path_factory: pytest.TempPathFactory
) -> ControlNode:
    nodes = {name: node(machine) for name, machine in MACHINES.items()}
    let_in(nodes, components=source.address, updates=nodes["updates"].machine.address)
    for machine in nodes.values():
        machine.run("rm -rf /var/lib/clamav/*")
    nodes["updates"].run(f"echo nameserver {source.address} >/etc/resolv.conf")
    # No machine of the lab reaches ClamAV or an index of packages.
    clamav = {"databases": [], "extra": {"test.cvd": f"{source.url}/test.cvd"}, "nameserver": source.address}
    pip = {"autoupdate_server_cvdupdate_pip_arguments": wheelhouse}
    own = {"updates": {"autoupdate_server_components": {"clamav": clamav}, **pip}}
    made = ControlNode(tmp_path_factory.mktemp("newcomer"), nodes, own)
    from_galaxy, from_clone = commands(INSTALL)
    assert from_galaxy == "ansible-galaxy collection install epp.autoupdate"
    assert "was installed successfully" in made.run(from_clone, directory=REPOSITORY)
    return made


def start(control: ControlNode, heading: str) -> list[str]:
    """Write the inventory of a section; returns its commands."""
    inventory = CONNECTED.sub("", blocks(heading, "yaml")[0])
    (control.directory / "inventory.yml").write_text(inventory, encoding="utf-8")
    return commands(heading)


def clean(control: ControlNode) -> bool:
    return "changed=1" not in control.run("ansible-playbook -i inventory.yml epp.autoupdate.check")


def status(server: Node) -> str:
    """What the server tells of itself, as README has it."""
    return server.run(["sudo", "/usr/local/bin/epp-server", "status"], user=USER).out


@pytest.mark.heavy
def test_standalone_endpoints(control: ControlNode) -> None:
    look, converge, update, ask = start(control, STANDALONE)
    assert "(-v shows what is in them)" in control.run(look)
    assert not control.nodes["till-1"].exists("/usr/local/bin/epp-agent")
    control.run(converge)
    assert clean(control)
    told = control.run(update)
    assert "3 endpoints: 3 updated" in told, told
    for name in ENDPOINTS:
        assert f"{name}: updated; bytecode absent to 1, daily absent to 1, main absent to 1" in told, told
    assert control.run(ask).count('"result": "updated"') == len(ENDPOINTS)


def test_bad_policy_is_refused_in_the_words_that_readme_has(control: ControlNode) -> None:
    _look, converge, *_rest = start(control, STANDALONE)
    inventory = control.directory / "inventory.yml"
    inventory.write_text(inventory.read_text().replace("window: 3h", "window: 2x"))
    (words,) = blocks(STANDALONE, "text")
    assert words.strip() in control.run(converge, expected=(2,))


def test_with_an_update_server(control: ControlNode) -> None:
    converge, window, update = start(control, MANAGED)
    control.run(converge)
    assert clean(control)
    server = control.nodes["updates"]
    eventually(lambda: "fetched clamav" in status(server), seconds=60, why="the server has fetched by itself")
    assert re.search("^fetched clamav +updated", status(server), re.MULTILINE), status(server)
    (control.directory / "window.yml").write_text(blocks(MANAGED, "yaml")[1], encoding="utf-8")
    # Whether they are behind then depends on what they had before: the other tests of this file update them.
    eventually(lambda: "never_seen" not in control.run(window), seconds=90, why="all of them have reported")
    control.nodes["till-1"].agent("sync")
    assert control.nodes["till-1"].agent_status()["policy"]["schedule"]["start"] == "22:30"
    told = control.run(update, expected=(0, 2))
    assert "3 endpoints: " in told, told
    for name in ENDPOINTS:
        assert f"{name}: " in told, told
