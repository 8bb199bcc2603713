# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Who is behind, product by product: what was added, changed, removed or renamed reaches its endpoint (E1)."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import lab_documents as documents
import pytest
from fleet import Fleet
from lab_ansible import Ansible
from lab_nodes import Node
from lab_update_server import UpdateServer

pytestmark = (
    pytest.mark.heavy
)  # the table of who is behind is a unit test; that campaigns reach them, test_update_server's
MACHINE = "n36"
FILES, COMMAND, CLAMAV = "n37", "n38", "n39"
PRODUCTS = {FILES: "files", COMMAND: "command", CLAMAV: "clamav"}
UPDATED = ("finished", "updated")
VENDOR = "/srv/vendor"

# Stands for cvdupdate: the databases of its settings come from a directory.
CVD = f"""#!/usr/bin/python3
import json, os, shutil, sys
settings = json.load(open(sys.argv[sys.argv.index("--config") + 1]))
target = settings["db directory"]
for name in os.listdir(target):
    os.unlink(os.path.join(target, name))
for name in os.listdir("{VENDOR}/clamav"):
    shutil.copy(os.path.join("{VENDOR}/clamav", name), target)
"""
# An updater that installs the set that the server has, and tells its components by the server's words.
UPDATE = """#!/bin/sh
exec curl -fsS {url}/components/command/manifest.json -o /opt/lab/installed
"""
VERSION = """#!/usr/bin/python3
import json
print(json.dumps({file["component"]: file["version"] for file in json.load(open("/opt/lab/installed"))["files"]}))
"""


class World:
    """A server with a source for each product, and an endpoint for each."""

    def __init__(self, server: UpdateServer, nodes: dict[str, Node], ansible: Ansible) -> None:
        self.server, self.nodes, self.ansible = server, nodes, ansible
        self.databases = ["one.ndb"]

    def offer(self, product: str, contents: dict[str, str]) -> None:
        """What the vendor has of a product from now on."""
        place = f"{VENDOR}/{product}"
        time.sleep(1.1)  # web servers tell versions of a plain file apart by whole seconds
        self.server.node.run(["rm", "-rf", place])
        for name, content in contents.items():
            self.server.node.run(["mkdir", "-p", str(Path(place, name).parent)])
            self.server.node.write(f"{place}/{name}", content)

    def converge(self) -> None:
        self.ansible.site(self.inventory()).demand()

    def campaign(self, product: str) -> dict[str, tuple[str, str]]:
        """Fetch a product and notify; what became of each endpoint."""
        (report,) = self.server.command("fetch", product, "--json").json()
        assert (report["result"], bool(report["campaign"])) == ("updated", True), report
        self.server.settle(report["campaign"])
        return self.server.told(report["campaign"])

    def outdated(self) -> list[str]:
        return [one["name"] for one in self.server.command("endpoints", "--outdated", "--json").json()]

    def installed(self, name: str) -> set[str]:
        return {one["name"] for one in self.nodes[name].agent_status()["components"]}

    def inventory(self) -> dict[str, dict[str, Any]]:
        url = self.server.url
        extra = {name: f"http://vendor.example/{name}" for name in self.databases}
        components = {
            "files": {"directory": f"{VENDOR}/files"},
            "command": {"fetch": ["/bin/cp", "-rT", f"{VENDOR}/command", "{directory}"]},
            "clamav": {"cvd": "/opt/lab-cvd", "databases": [], "extra": extra, "requests_per_hour": 1000},
        }
        own = {"autoupdate_server_components": components, "autoupdate_server_fetch": {"every": "1d"}}
        policy = {"events": {"update_on_reconnect": False}, "schedule": documents.quiet("x")["policy"]["schedule"]}
        endpoint = {"autoupdate_policy": policy}
        custom = [f"{url}/components/clamav/{name}" for name in self.databases]
        of_product: dict[str, dict[str, Any]] = {
            "files": {},
            "command": {"autoupdate_command": {"update": ["/opt/lab/update"], "version": ["/opt/lab/version"]}},
            "clamav": {"autoupdate_clamav": {"databases": [], "custom_urls": custom}},
        }
        hosts = {
            name: {**endpoint, "autoupdate_product": product, **of_product[product]}
            for name, product in PRODUCTS.items()
        }
        return {self.server.name: self.server.variables(**own), **hosts}


def signature(name: str) -> str:
    return f"Lab.{name}:0:*:{name.encode().hex()}0123456789abcdef\n"


@pytest.fixture(scope="module")
def world(fleet: Fleet, node: Callable[[str], Node], ansible: Ansible) -> World:
    """Everybody is enrolled and has the first version."""
    fleet.boot_if_off(MACHINE, *PRODUCTS)
    made = World(UpdateServer(node(MACHINE)), {name: node(name) for name in PRODUCTS}, ansible)
    made.server.node.write("/opt/lab-cvd", CVD, mode="0755")
    made.nodes[COMMAND].run("mkdir -p /opt/lab")
    made.nodes[COMMAND].write("/opt/lab/update", UPDATE.format(url=made.server.url), mode="0755")
    made.nodes[COMMAND].write("/opt/lab/version", VERSION, mode="0755")
    made.nodes[CLAMAV].run("rm -rf /var/lib/clamav/*")
    for product in ("files", "command"):
        made.offer(product, {"patterns/one.yar": "1"})
    made.offer("clamav", {"one.ndb": signature("one")})
    made.converge()
    made.server.node.run("systemctl disable --now epp-server-fetch.timer epp-server-notify.timer")
    made.server.command("fetch", check=False)
    made.server.command("update-now", "--all", "--timeout", "5m")
    for campaign in made.server.campaigns():
        made.server.settle(campaign["campaign"])
    assert made.outdated() == []
    return made


@pytest.mark.parametrize("name", [FILES, COMMAND])
def test_what_is_added_changed_removed_and_renamed_reaches_the_one_that_has_it(world: World, name: str) -> None:
    """And nobody else: the others have another product."""
    product = PRODUCTS[name]
    for contents, expected in (
        ({"one": "1", "two": "1"}, {"patterns-one", "patterns-two"}),
        ({"one": "1", "two": "2"}, {"patterns-one", "patterns-two"}),
        ({"one": "1"}, {"patterns-one"}),
        ({"three": "1"}, {"patterns-three"}),
    ):
        if product == "command":  # the working directory of a program stays
            world.server.node.run("rm -rf /var/lib/epp-autoupdate-server/sources/command/files/patterns")
        world.offer(product, {f"patterns/{stem}.yar": content for stem, content in contents.items()})
        assert world.campaign(product) == {name: UPDATED}, contents
        assert world.installed(name) == expected
        assert world.outdated() == []


def test_a_database_that_was_added_or_renamed_reaches_who_asks_for_it(world: World) -> None:
    """What an endpoint's settings ask for is registered, so it is known before the endpoint ever reported it."""
    for databases in (["one.ndb", "two.ndb"], ["one.ndb", "three.ndb"]):
        world.databases = databases
        world.converge()
        world.offer("clamav", {name: signature(name[:-4]) for name in databases})
        assert world.campaign("clamav") == {CLAMAV: UPDATED}, databases
        assert world.installed(CLAMAV) == set(databases)
        assert world.outdated() == []


def test_a_database_that_changed_and_one_that_nobody_asks_for(world: World) -> None:
    """The one campaign is of who has it, the other of nobody; one that the server takes back is nobody's either."""
    contents = {name: signature(name[:-4]) for name in world.databases}
    world.offer("clamav", {**contents, "one.ndb": signature("changed")})
    assert world.campaign("clamav") == {CLAMAV: UPDATED}
    settings = "/etc/epp-autoupdate/server.json"
    known = json.loads(world.server.node.read(settings))
    extra = known["components"]["clamav"]["extra"]
    extra["other.ndb"] = "http://vendor.example/other.ndb"
    world.server.node.write(settings, json.dumps(known))
    world.offer("clamav", {**contents, "one.ndb": signature("changed"), "other.ndb": signature("other")})
    assert world.campaign("clamav") == {}
    del extra["other.ndb"], extra["three.ndb"]
    world.server.node.write(settings, json.dumps(known))
    (report,) = world.server.command("fetch", "clamav", "--json").json()
    assert world.server.told(report["campaign"]) == {}
    assert world.outdated() == []
