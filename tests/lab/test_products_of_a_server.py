# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""An endpoint with two products, both from its update server: each has its versions and its section (D2)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import lab_documents as documents
import pytest
from lab_ansible import Ansible
from lab_nodes import Node, eventually
from lab_update_server import UpdateServer

pytestmark = pytest.mark.heavy

SERVER, ENDPOINT = "n151", "n152"
RULES, COMMAND = "/srv/rules", "/srv/command"
UPDATE = """#!/bin/sh
exec curl -fsS {url}/components/command/manifest.json -o /opt/lab/installed
"""
VERSION = """#!/usr/bin/python3
import json
print(json.dumps({file["component"]: file["version"] for file in json.load(open("/opt/lab/installed"))["files"]}))
"""


class World:
    """A server with two products, and an endpoint that has both: the one that ``files`` is comes second."""

    def __init__(self, server: UpdateServer, endpoint: Node, ansible: Ansible) -> None:
        self.server, self.endpoint, self._ansible = server, endpoint, ansible
        self.products = ["command", "files"]

    def offer(self, product: str, content: str) -> None:
        place = {"files": RULES, "command": COMMAND}[product]
        self.server.node.run(["mkdir", "-p", f"{place}/patterns"])
        self.server.node.write(f"{place}/patterns/lab.yar", content)
        self.server.command("fetch", product)

    def site(self) -> dict[str, bool]:
        """Converge both; whether each of them has changed."""
        done = self._ansible.site(self.hosts()).demand()
        return {name: one.changed for name, one in done.hosts.items()}

    def hosts(self) -> dict[str, dict[str, Any]]:
        components = {
            "files": {"directory": RULES},
            "command": {"fetch": ["/bin/cp", "-rT", COMMAND, "{directory}"]},
        }
        own = {"autoupdate_server_components": components, "autoupdate_server_fetch": {"every": "1d"}}
        policy = {
            "events": {"update_on_reconnect": False, "update_after_download": False},
            "schedule": documents.quiet("x")["policy"]["schedule"],
            "products": {"files": {"components": {"scope": "patterns"}}},
        }
        endpoint = {
            "autoupdate_products": self.products,
            "autoupdate_policy": policy,
            "autoupdate_command": {"update": ["/opt/lab/update"], "version": ["/opt/lab/version"]},
        }
        return {SERVER: self.server.variables(**own), ENDPOINT: endpoint}

    def update(self) -> dict[str, str]:
        """Update Now of all products; the result of each."""
        told = self.endpoint.agent("update-now", "--json", check=False).json()
        return {one["product"]: one["result"] for one in told["products"]}

    def update_one(self, product: str) -> str:
        """Update Now of one product; its result."""
        return str(self.endpoint.agent("update-now", "--json", "--product", product, check=False).json()["result"])

    def outdated(self) -> list[str]:
        return [one["name"] for one in self.server.command("endpoints", "--outdated", "--json").json()]

    def known(self) -> dict[str, tuple[dict[str, str], Any]]:
        """Product to the versions of its components and its last runs, as the endpoint tells them."""
        told = self.endpoint.agent_status()["products"]
        return {
            one["product"]: ({part["name"]: part["version"] for part in one["components"]}, one["last"]) for one in told
        }


@pytest.fixture(scope="module")
def world(node: Callable[[str], Node], ansible: Ansible) -> World:
    made = World(UpdateServer(node(SERVER)), node(ENDPOINT), ansible)
    made.endpoint.run("mkdir -p /opt/lab")
    made.endpoint.write("/opt/lab/update", UPDATE.format(url=made.server.url), mode="0755")
    made.endpoint.write("/opt/lab/version", VERSION, mode="0755")
    made.endpoint.run("echo '{\"files\": []}' >/opt/lab/installed")
    for place in (RULES, COMMAND):
        made.server.node.run(f"mkdir -p {place}/patterns; echo 1 >{place}/patterns/lab.yar")
    assert made.site() == {SERVER: True, ENDPOINT: True}
    made.server.command("fetch", check=False)
    return made


def test_a_second_run_is_quiet_and_both_products_come_from_the_server(world: World) -> None:
    assert world.site() == {SERVER: False, ENDPOINT: False}
    assert world.update() == {"command": "updated", "files": "updated"}
    assert world.update() == {"command": "current", "files": "current"}
    eventually(lambda: world.outdated() == [], seconds=90, why="the server has the versions of both", pause=2)


@pytest.mark.parametrize("product", ["files", "command"])
def test_a_new_version_of_one_leaves_the_other_alone(world: World, product: str) -> None:
    (other,) = {"files", "command"} - {product}
    before = world.known()
    world.offer(product, f"new {product}")
    assert world.outdated() == [ENDPOINT]
    assert world.update_one(product) == "updated"
    after = world.known()
    assert after[product][0] != before[product][0]
    assert after[other] == before[other]
    eventually(lambda: world.outdated() == [], seconds=90, why=f"the server has the version of {product}", pause=2)


def test_a_product_that_leaves_the_list_is_no_longer_missed(world: World) -> None:
    world.products = ["command"]
    world.site()
    world.offer("files", "for nobody")
    assert world.outdated() == []
    assert not world.endpoint.exists("/etc/systemd/system/epp-update-files.timer")
