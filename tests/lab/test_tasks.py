# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The guide by tasks: its inventory, its changes and its commands, section by section, as a user with sudo."""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml
from lab_ansible import INSTALLED, REPOSITORY
from lab_control import ControlNode, let_in
from lab_nodes import Node

pytestmark = pytest.mark.heavy  # a chain of two dozen runs; what each of them does has other tests
GUIDE = REPOSITORY / "docs/docsite/rst/tasks.rst"
MACHINES = {"updates": "n46", "till-1": "n47", "till-2": "n48", "till-3": "n49", "laptop-1": "n50"}


def section(heading: str) -> str:
    """The text below a heading of the guide, up to the next one."""
    text = GUIDE.read_text(encoding="utf-8")
    match = re.search(rf"^{re.escape(heading)}\n-+\n(.*?)(?=^[^\n]+\n---|\Z)", text, re.DOTALL | re.MULTILINE)
    assert match, heading
    return match[1]


def blocks(text: str, language: str) -> list[str]:
    """The code blocks of one language, without their indent."""
    found = re.findall(rf"code-block:: {language}\n\n((?:(?:    [^\n]*)?\n)+)", text)
    return ["\n".join(line[4:] for line in block.splitlines()) for block in found]


def merged(group: dict[str, Any], change: dict[str, Any]) -> dict[str, Any]:
    """A group of the inventory with a change written over it: a variable that is given is given anew."""
    result = dict(group)
    for key, value in (change or {}).items():
        if key == "vars":
            result[key] = {**result.get(key, {}), **value}
        else:
            mine = result.get(key) or {}
            result[key] = merged(mine, value) if isinstance(value, dict) and isinstance(mine, dict) else value
    return result


class Guide(ControlNode):
    """A control node with the guide's inventory, which grows from section to section."""

    def __init__(self, directory: Path, nodes: dict[str, Node]) -> None:
        super().__init__(directory, nodes, {"updates": {"autoupdate_server_install": False}})
        self._inventory: dict[str, Any] = {}
        self.install("1.0.0")

    def install(self, version: str) -> None:
        """As ``ansible-galaxy collection install --force`` leaves it."""
        place = self.collection
        shutil.rmtree(place, ignore_errors=True)
        for part in INSTALLED:
            shutil.copytree(REPOSITORY / part, place / part, ignore=shutil.ignore_patterns("__pycache__"))
        for file in (place / "plugins/module_utils/_core/version.py", place / "galaxy.yml"):
            text = (REPOSITORY / file.relative_to(place)).read_text(encoding="utf-8")
            file.write_text(re.sub(r"\d+\.\d+\.\d+(-\w+)?", version, text, count=1), encoding="utf-8")

    def follow(self, heading: str) -> list[str]:
        """Change the inventory as a section says, and type what it says; returns what each command printed."""
        text = section(heading)
        for block in blocks(text, "yaml"):
            self._inventory = merged(self._inventory, yaml.safe_load(block))
        (self.directory / "inventory.yml").write_text(yaml.safe_dump(self._inventory, sort_keys=False))
        lines = "\n".join(blocks(text, "console")).splitlines()
        return [self.type(line.removeprefix("$ ")) for line in lines if line.strip()]

    def type(self, line: str) -> str:
        """One line of the guide."""
        version = re.fullmatch(r"ansible-galaxy collection install epp\.autoupdate:==(\S+) --force", line)
        if version:
            self.install(version[1])
            return ""
        if not line.startswith("ansible-playbook "):
            done = self.nodes["updates"].run(line)
            return str(done.out + done.err)
        return self.run(line, expected=(0, 2) if line.endswith(".check") else (0,))

    def start_of(self, name: str) -> str:
        """When the window of an endpoint starts, as its agent has it."""
        return str(self.nodes[name].agent_status()["policy"]["schedule"]["start"])

    def registered(self) -> dict[str, str]:
        """The endpoints that the server knows, with their domains."""
        listed = self.nodes["updates"].run(["epp-server", "endpoints", "--json"]).json()
        return {row["name"]: row["domain"] for row in listed}


@pytest.fixture(scope="module")
def control(node: Callable[[str], Node], tmp_path_factory: pytest.TempPathFactory) -> Guide:
    nodes = {name: node(machine) for name, machine in MACHINES.items()}
    let_in(nodes, updates=nodes["updates"].machine.address)
    nodes["updates"].run("mkdir -p /srv/rules && echo 'rule one { condition: false }' >/srv/rules/one.yar")
    return Guide(tmp_path_factory.mktemp("control"), nodes)


def clean(output: str) -> bool:
    """Whether the last check found nothing."""
    return "failed=0" in output and not re.search(r"failed=[1-9]|changed=[1-9]", output)


def test_the_fleet_comes_up(control: Guide) -> None:
    planned, done, checked = control.follow("The fleet of this page")
    assert "changed=" in planned
    assert "changed=" in done
    assert clean(checked), checked
    assert control.registered() == {"till-1": "emea/finance", "till-2": "emea/finance", "laptop-1": "emea/staff"}


def test_another_window(control: Guide) -> None:
    *_runs, effective = control.follow("Change the window")
    assert "03:00" in effective
    control.nodes["laptop-1"].run(["epp-agent", "sync"])
    assert (control.start_of("laptop-1"), control.start_of("till-1")) == ("03:00", "22:00")


def test_new_components(control: Guide) -> None:
    control.nodes["updates"].run("systemctl stop epp-server-fetch.timer")  # it might be first, a minute after the boot
    control.nodes["updates"].write("/srv/rules/two.yar", "rule two { condition: false }\n")
    fetched, _campaigns, behind = control.follow("Fetch new components now")
    control.nodes["updates"].run("systemctl start epp-server-fetch.timer")
    assert "updated" in fetched
    control.nodes["updates"].run(["epp-server", "notify", "--until-settled"])
    assert "till-1" not in control.type("epp-server endpoints --outdated"), behind
    assert "two.yar" in control.nodes["till-1"].run(["find", "/var/lib/epp-autoupdate/components", "-type", "f"]).out


def test_an_endpoint_more_and_one_less(control: Guide) -> None:
    control.follow("Add an endpoint")
    assert control.registered()["till-3"] == "emea/finance"
    assert control.nodes["till-3"].run(["epp-agent", "status"]).code == 0
    control.follow("Remove an endpoint")
    assert "till-3" not in control.registered()
    assert not control.nodes["till-3"].exists("/usr/local/bin/epp-agent")
    del control._inventory["all"]["children"]["finance"]["hosts"]["till-3"]


def test_a_domain_is_renamed(control: Guide) -> None:
    _site, tree = control.follow("Rename a domain")
    assert "emea/treasury" in tree
    assert control.registered()["till-1"] == "emea/treasury"
    assert control.start_of("till-1") == "22:00"


def test_keys_are_rotated(control: Guide) -> None:
    *_rest, checked = control.follow("Rotate the keys")
    assert clean(checked), checked


def test_the_collection_is_upgraded_and_downgraded(control: Guide) -> None:
    _installed, checked, *_rest = control.follow("Upgrade the collection")
    assert "agent 1.0.0, collection 1.1.0" in " ".join(checked.split())
    assert control.nodes["till-2"].run(["epp-agent", "--version"]).out.strip().endswith("1.1.0")
    _installed, _site, checked = control.follow("Downgrade the collection")
    assert clean(checked), checked
    assert control.nodes["till-2"].run(["epp-agent", "--version"]).out.strip().endswith("1.0.0")


def test_a_lost_laptop(control: Guide) -> None:
    _registered, listed = control.follow("Remove a lost laptop")
    assert "laptop-1" not in listed
    assert "till-1" in listed


def test_what_tells_that_something_is_wrong(control: Guide) -> None:
    del control._inventory["all"]["children"]["staff"]
    checked, status, endpoints, verified = control.follow("Find out what is wrong")
    assert clean(checked), checked
    assert re.search(r"^endpoints +2 in", status, re.MULTILINE), status
    assert "till-2" in endpoints
    assert verified


def test_every_section_is_followed() -> None:
    headings = re.findall(r"^([^\n]+)\n-{4,}\n", GUIDE.read_text(encoding="utf-8"), re.MULTILINE)
    source = Path(__file__).read_text(encoding="utf-8")
    elsewhere = {"Recover a lost server"}
    assert [heading for heading in headings if f'follow("{heading}")' not in source and heading not in elsewhere] == []
