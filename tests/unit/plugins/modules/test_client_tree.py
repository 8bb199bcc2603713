# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Domains and endpoints in bulk, on a real update server in a directory."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from ansible_collections.epp.autoupdate.plugins.modules import client_tree

from .conftest import Modules

WINDOW = {"schedule": {"window": "1h"}}


@pytest.fixture
def served(modules: Modules, once: Callable[..., None]) -> Modules:
    once(modules.server_root, modules.serve)
    return modules


def registered(modules: Modules) -> dict[str, Any]:
    return {one["name"]: one for one in modules.ask("endpoints")}


def test_what_is_wanted_is_registered_once_and_check_mode_foretells_it(served: Modules) -> None:
    wanted: dict[str, Any] = {
        "policy": {"schedule": {"start": "02:00"}},
        "domains": {"emea": None, "emea/finance": WINDOW},
        "endpoints": [
            {"name": "n1", "domain": "emea/finance", "address": "192.0.2.1:2222"},
            {"name": "n2", "domain": "apac", "policy": {"privileges": {"go_roaming": True}}, "ordinal": 7},
        ],
    }
    before = served.files_of_server()
    foretold = served.on_server(client_tree, check=True, diff=True, **wanted)
    assert served.files_of_server() == before
    done = served.on_server(client_tree, diff=True, **wanted)
    assert foretold["diff"] == done["diff"]
    assert (foretold["changed"], foretold["counts"]) == (done["changed"], done["counts"])
    assert done["counts"] == {"added": 2, "domains": 3, "modified": 0, "registered": 2, "removed": 0}
    assert (done["added"], done["domains"]) == (["n1", "n2"], ["apac", "emea", "emea/finance"])
    assert done["diff"]["before"] == ""
    assert done["diff"]["after"].splitlines() == [
        "root: schedule.start 02:00",
        "domain apac",
        "domain emea",
        "domain emea/finance",
        "domain emea/finance: schedule.window 1h",
        "endpoint n1",
        "endpoint n1: address 192.0.2.1:2222",
        "endpoint n1: domain emea/finance",
        "endpoint n1: ordinal 0",
        "endpoint n2",
        "endpoint n2: domain apac",
        "endpoint n2: ordinal 7",
        "endpoint n2: privileges.go_roaming true",
    ]
    again = served.on_server(client_tree, diff=True, **wanted)
    assert (again["changed"], again["diff"]["before"], again["diff"]["after"]) == (False, "", "")
    assert again["enrollment"] == done["enrollment"] == served.serve()["enrollment"]


def test_what_is_not_given_stays_and_the_diff_is_of_what_changes(served: Modules) -> None:
    served.on_server(client_tree, endpoints=[{"name": "n1", "domain": "emea", "address": "a"}, {"name": "n2"}])
    done = served.on_server(client_tree, diff=True, endpoints=[{"name": "n1", "address": "b"}])
    assert (done["counts"]["modified"], done["modified"], done["counts"]["registered"]) == (1, ["n1"], 2)
    changed = set(done["diff"]["before"].splitlines()) ^ set(done["diff"]["after"].splitlines())
    assert changed == {"endpoint n1: address a", "endpoint n1: address b"}
    assert registered(served)["n1"]["domain"] == "emea"


def test_only_purge_removes_and_only_what_is_not_named(served: Modules) -> None:
    served.on_server(client_tree, endpoints=[{"name": "n1", "domain": "emea"}, {"name": "n2", "domain": "apac"}])
    served.on_server(client_tree, endpoints=[{"name": "n1"}])
    assert sorted(registered(served)) == ["n1", "n2"]
    done = served.on_server(client_tree, endpoints=[{"name": "n1"}], domains={}, purge=True)
    assert (done["removed"], done["domains"]) == (["n2"], ["apac"])
    assert sorted(registered(served)) == ["n1"]


def test_all_errors_are_told_at_once_with_their_paths_and_nothing_changes(served: Modules) -> None:
    before = served.files_of_server()
    result = served.on_server(
        client_tree,
        policy={"schedule": {"window": "2x"}},
        domains={"a//b": {}, "emea": {"events": {"scan": True}}},
        endpoints=[{"name": "n 1"}, {"name": "n2", "ordinal": -1}, {"name": "n2", "host_key": "x"}],
    )
    assert result["failed"] is True
    paths = [line.partition(": ")[0] for line in result["msg"].splitlines()]
    assert paths == [
        "policy.schedule.window",
        "domains[a//b]",
        "domains[emea].events.scan",
        "endpoints[0].name",
        "endpoints[1].ordinal",
        "endpoints[2].host_key",
        "endpoints[2].name",
    ]
    assert served.files_of_server() == before


def test_check_mode_before_there_is_a_server_tells_that_all_is_new(modules: Modules) -> None:
    wanted = {"endpoints": [{"name": "n1", "domain": "emea"}]}
    result = modules.on_server(client_tree, check=True, diff=True, **wanted)
    assert (result["changed"], result["added"], result["enrollment"]) == (True, ["n1"], None)
    assert "no update server on this host" in modules.on_server(client_tree, **wanted)["msg"]


@pytest.mark.heavy
def test_ten_thousand_in_one_call(served: Modules) -> None:
    endpoints = [
        {"name": f"n{number:05}", "domain": f"r{number % 10}/s{number % 100}", "address": f"10.0.{number % 256}.1"}
        for number in range(10_000)
    ]
    done = served.on_server(client_tree, endpoints=endpoints)
    assert (done["counts"]["added"], done["counts"]["registered"], len(done["added"])) == (10_000, 10_000, 20)
    assert sorted(one["ordinal"] for one in registered(served).values()) == list(range(10_000))
    assert served.on_server(client_tree, endpoints=endpoints)["changed"] is False
