# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Several products of an endpoint and its update server: from the client tree to what the server tells (D2)."""

from __future__ import annotations

import json
import subprocess
from typing import Any

import pytest
from ansible_collections.epp.autoupdate.plugins.module_utils._server import paths
from ansible_collections.epp.autoupdate.plugins.modules import client_tree
from ansible_collections.epp.autoupdate.tests.unit.plugins.module_utils._host.http.scripted_server import (
    ScriptedServer,
)

from .conftest import Modules


def definition(fleet: Modules, name: str) -> dict[str, Any]:
    """A product whose version is a file's content; an update copies what is upstream."""
    for suffix in ("installed", "upstream"):
        (fleet.work / f"{name}.{suffix}").write_text("1\n")
    return {
        "format": 1,
        "title": name,
        "components": {
            "rules": {"command": ["/bin/cat", str(fleet.work / f"{name}.installed")], "pattern": "(?P<version>[0-9]+)"}
        },
        "update": [
            {"command": ["/bin/cp", str(fleet.work / f"{name}.upstream"), str(fleet.work / f"{name}.installed")]}
        ],
    }


class Several:
    """A managed endpoint with the products ``files``, ``ids`` and ``spam``."""

    def __init__(self, fleet: Modules, web: ScriptedServer) -> None:
        self.fleet = fleet
        self.web = web
        self.key = fleet.managed_root / "etc/ssh/ssh_host_ed25519_key"
        self.key.parent.mkdir(parents=True)
        subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", self.key], check=True)
        web.places.add("/reports/managed")

    def register(self, **policy: Any) -> dict[str, Any]:
        public = self.key.with_suffix(".pub").read_text().strip()
        entry = {"name": "managed", "product": "files", "further": ["ids", "spam"], "host_key": public}
        return self.fleet.on_server(client_tree, policy=policy, endpoints=[entry])

    def converge(self, **options: Any) -> dict[str, Any]:
        names = ("ids", "spam")
        own = {"installroot": str(self.fleet.managed_root), "endpoint": "managed", "product": "files", "command": None}
        several = {
            "products": ["files", *names],
            "product_definitions": {name: definition(self.fleet, name) for name in names},
            "server": {"url": self.web.url, "signers": self.fleet.ask("enrollment")["signers"]},
        }
        return self.fleet.enroll(**{**own, **several, **options})

    def agent(self, *words: str) -> Any:
        program = self.fleet.managed_root / "usr/local/bin/epp-agent"
        command = [program, "--root", self.fleet.managed_root, *words, "--json"]
        return json.loads(subprocess.run(command, capture_output=True, check=False).stdout)

    def ingested(self) -> dict[str, Any]:
        """What the server knows of the endpoint once it has taken its newest report."""
        inbox = self.fleet.server_root / paths.INBOX.lstrip("/")
        inbox.mkdir(parents=True, exist_ok=True)
        (inbox / "managed").write_bytes(self.web.stored()[-1])
        self.fleet.ask("ingest")
        (found,) = [one for one in self.fleet.ask("endpoints") if one["name"] == "managed"]
        return dict(found)


@pytest.fixture
def several(fleet: Modules, web: ScriptedServer) -> Several:
    made = Several(fleet, web)
    made.register(schedule={"window": "1h"}, products={"ids": {"schedule": {"window": "2h"}}})
    told = made.converge()
    assert not told.get("failed"), told
    assert made.agent("sync")["result"] == "adopted"
    return made


def test_the_tree_decides_for_each_product_and_the_server_is_told_of_each(several: Several) -> None:
    status = several.agent("status")
    windows = {one["product"]: one["policy"]["schedule"]["window"] for one in status["products"]}
    assert windows == {"files": "1h", "ids": "2h", "spam": "1h"}
    assert several.converge()["changed"] is False
    (several.fleet.work / "ids.upstream").write_text("7\n")
    assert several.agent("update-now")["products"][1]["result"] == "updated"
    told = several.ingested()
    assert told["state"] == "current"
    assert told["versions"] == {"files": told["versions"]["files"], "ids": {"rules": "7"}, "spam": {"rules": "1"}}
    assert told["versions"]["files"]


def test_a_product_whose_update_fails_is_what_the_server_tells_of_the_endpoint(several: Several) -> None:
    (several.fleet.work / "spam.upstream").unlink()
    several.agent("update-now", "--product", "spam")
    told = several.ingested()
    assert told["state"] == "failing"
    assert told["reason"].startswith("spam: failed; ")


def test_what_is_changed_in_the_tree_reaches_its_product(several: Several) -> None:
    several.register(schedule={"window": "1h"}, products={"spam": {"schedule": {"window": "3h"}}})
    assert several.agent("sync")["result"] == "adopted"
    windows = {one["product"]: one["policy"]["schedule"]["window"] for one in several.agent("status")["products"]}
    assert windows == {"files": "1h", "ids": "1h", "spam": "3h"}
    explained = several.fleet.ask("tree", "explain", "managed")
    assert list(explained["products"]) == ["spam"]


def test_a_product_that_the_server_publishes_is_updated_at_any_place(several: Several) -> None:
    assert several.converge(products=["ids", "files"]).get("failed", False) is False
    assert several.agent("update-now", "--product", "files")["result"] == "updated"
    told = several.agent("status")["products"]
    assert [one["product"] for one in told] == ["ids", "files"]
    assert told[1]["components"]
