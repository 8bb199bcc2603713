# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The roles in a playbook of one's own: endpoints of an update server, in each way that a play can go."""

from __future__ import annotations

import json
from typing import Any

import pytest

from .conftest import Fleet, Inventory, Run

WAYS: dict[str, tuple[dict[str, Any], tuple[str, ...]]] = {
    # Keywords of the play, and arguments.
    "alone": ({}, ()),
    "serial": ({"serial": 1}, ()),
    "limit": ({}, ("--limit", "n1,updates")),
    "free": ({"strategy": "free"}, ()),
    "host_pinned": ({"strategy": "ansible.builtin.host_pinned"}, ()),
}
SERVER = {
    "name": "Serve",
    "hosts": "updates",
    "gather_facts": False,
    "tasks": [{"name": "Serve", "ansible.builtin.import_role": {"name": "epp.autoupdate.server"}}],
}


def endpoints(hosts: str = "all:!updates", **play: Any) -> dict[str, Any]:
    role = {"name": "epp.autoupdate.endpoint", "rolespec_validate": False}
    tasks = [{"name": "Converge", "ansible.builtin.import_role": role}]
    return {"name": "Endpoints", "hosts": hosts, "gather_facts": False, "tasks": tasks, **play}


def run(fleet: Fleet, plays: list[dict[str, Any]], *arguments: str) -> Run:
    path = fleet.control.work / "own.json"
    path.write_text(json.dumps(plays))
    return fleet.control.playbook(str(path), fleet.hosts(), *arguments)


def changed(done: Run) -> list[str]:
    return [line["host"] for line in done.results if line["result"].get("changed")]


@pytest.mark.heavy
@pytest.mark.parametrize("way", WAYS)
def test_the_role_works_from_the_first_run_on_and_is_quiet_the_second_time(fleet: Fleet, way: str) -> None:
    keywords, arguments = WAYS[way]
    plays = [SERVER, endpoints(**keywords)]
    foretold = run(fleet, plays, "--check", *arguments)
    assert foretold.code == 0, foretold.output
    assert not fleet.control.root("n1").exists()
    first = run(fleet, plays, *arguments)
    assert first.code == 0, first.output
    wanted = ["n1"] if way == "limit" else ["n1", "n2"]
    assert [one["name"] for one in fleet.control.ask("endpoints")] == wanted
    for name in wanted:
        assert (fleet.control.root(name) / "var/lib/epp-autoupdate/configuration/adopted.json").exists()
    again = run(fleet, plays, *arguments)
    assert (again.code, changed(again)) == (0, []), again.output
    checked = run(fleet, plays, "--check", "--diff", *arguments)
    assert (checked.code, changed(checked)) == (0, []), checked.output


@pytest.mark.usefixtures("site")
def test_site_and_the_role_agree(fleet: Fleet) -> None:
    """After one, the other has nothing to do; a domain that was given to an endpoint stays with it."""
    after = run(fleet, [endpoints()])
    assert (after.code, changed(after)) == (0, []), after.output
    assert {one["name"]: one["domain"] for one in fleet.control.ask("endpoints")} == {"n1": "emea", "n2": ""}
    imported = [{"name": "Site", "import_playbook": "epp.autoupdate.site"}, endpoints(strategy="free")]
    both = run(fleet, imported)
    assert (both.code, changed(both)) == (0, []), both.output


@pytest.mark.parametrize("strategy", [pytest.param("linear", marks=pytest.mark.heavy), "free"])
def test_bad_policy_stops_before_any_host_is_touched(fleet: Fleet, strategy: str) -> None:
    assert run(fleet, [SERVER]).code == 0
    fleet.adapt = lambda hosts: {**hosts, "n2": {**hosts["n2"], "autoupdate_ordinal": -1}}
    done = run(fleet, [endpoints(strategy=strategy)])
    assert done.code == 2, done.output
    assert "n2: autoupdate_ordinal: -1 is not a whole number" in done.text
    assert not fleet.control.root("n1").exists()
    assert fleet.control.ask("endpoints") == []


def test_without_its_server_the_role_says_what_to_do(fleet: Fleet) -> None:
    done = run(fleet, [endpoints(strategy="free")])
    assert done.code == 2, done.output
    assert "there is no update server on this host; apply the role epp.autoupdate.server to it first" in done.text
    assert not fleet.control.root("n1").exists()


@pytest.mark.heavy
def test_an_endpoint_that_is_to_go_leaves_the_registry(fleet: Fleet) -> None:
    assert run(fleet, [SERVER, endpoints()]).code == 0
    done = run(fleet, [endpoints(strategy="free")], "--limit", "n2", "-e", "autoupdate_state=absent")
    assert done.code == 0, done.output
    assert [one["name"] for one in fleet.control.ask("endpoints")] == ["n1"]
    assert not (fleet.control.root("n2") / "var/lib/epp-autoupdate").exists()


@pytest.mark.heavy
def test_hosts_of_two_servers_and_of_none_in_one_play(fleet: Fleet) -> None:
    control = fleet.control
    assert run(fleet, [SERVER, endpoints("n1")]).code == 0

    def adapt(hosts: Inventory) -> Inventory:
        alone = {**hosts["n2"], "autoupdate_server_host": ""}
        alone["autoupdate_policy"] = {"sources": {"urls": ["http://127.0.0.1:9"]}}
        return {"a0": {**alone, "autoupdate_installroot": str(control.root("a0"))}, **hosts}

    fleet.adapt = adapt
    for strategy in ("linear", "free"):
        done = run(fleet, [endpoints(strategy=strategy)])
        assert done.code == 0, done.output
    assert changed(done) == []
    assert [one["name"] for one in control.ask("endpoints")] == ["n1", "n2"]
