# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Update Now for many, and what the server knows of its fleet: the modules on a real server with real endpoints."""

from __future__ import annotations

import pytest
from ansible_collections.epp.autoupdate.plugins.modules import client_tree, fleet_info, update_now

from .conftest import Modules


@pytest.fixture
def served(modules: Modules) -> Modules:
    """A server; an endpoint with an agent, and one in another domain that is off."""
    modules.serve()
    modules.enroll()
    endpoints = [
        {"name": "n1", "domain": "emea/finance", "address": str(modules.root)},
        {"name": "off", "domain": "apac", "address": str(modules.work / "off")},
    ]
    modules.on_server(client_tree, endpoints=endpoints)
    return modules


def test_endpoints_are_updated_through_the_server_and_their_results_returned(served: Modules) -> None:
    (served.work / "offered").write_text("2\n")
    foretold = served.on_server(update_now, check=True, domains=["emea"])
    assert (foretold["changed"], foretold["notified"], foretold["endpoints"]) == (False, ["n1"], [])
    assert (served.work / "installed").read_text() == "1\n"
    done = served.on_server(update_now, diff=True, domains=["emea"])
    assert (done["changed"], done["notified"], done["failed_endpoints"]) == (True, ["n1"], [])
    (endpoint,) = done["endpoints"]
    assert (endpoint["name"], endpoint["result"], endpoint["after"][0]["version"]) == ("n1", "updated", "2")
    assert done["diff"] == {"before": "n1: command 1\n", "after": "n1: command 2\n"}
    again = served.on_server(update_now, endpoints=["n1"])
    assert (again["changed"], again["endpoints"][0]["result"]) == (False, "current")


def test_who_is_off_is_listed_and_no_failure_whose_update_breaks_is_one(served: Modules) -> None:
    (served.work / "offered").unlink()
    result = served.on_server(update_now, domains=[""])
    assert (result["failed"], result["msg"]) == (True, "could not update: n1")
    assert (result["failed_endpoints"], result["not_reached"], result["pending"]) == (["n1"], ["off"], [])
    assert served.on_server(update_now, endpoints=["off"])["not_reached"] == ["off"]


def test_an_empty_list_means_nobody(served: Modules) -> None:
    result = served.on_server(update_now, endpoints=[])
    assert (result["changed"], result["campaign"], result["notified"]) == (False, None, [])


def test_what_there_is_not_is_refused_with_its_path(served: Modules) -> None:
    result = served.on_server(update_now, endpoints=["n1", "n9"], domains=["nowhere"])
    assert result["msg"].splitlines() == [
        'endpoints[1]: "n9" is not a registered endpoint',
        'domains[0]: "nowhere" is not a domain of the client tree',
    ]
    assert 'endpoints[0]: "n9" is not a registered' in served.on_server(fleet_info, endpoints=["n9"])["msg"]


def test_the_server_tells_what_it_knows_and_changes_nothing(served: Modules) -> None:
    served.on_server(update_now, endpoints=["n1"])
    before = served.files_of_server()
    found = served.on_server(fleet_info)
    assert found["changed"] is False
    endpoints = {one["name"]: one for one in found["endpoints"]}
    assert endpoints["n1"]["versions"] == {"command": {"command": "1"}}
    assert endpoints["n1"]["notice"]["result"] == "current"
    assert (endpoints["off"]["versions"], endpoints["off"]["state"]) == ({}, "never_seen")
    assert [one["trigger"] for one in found["campaigns"]] == ["manual"]
    assert (found["published"], found["status"]["endpoints"]) == ({}, 2)
    assert served.files_of_server() == before


def test_only_what_is_wanted_is_returned(served: Modules) -> None:
    served.on_server(update_now, endpoints=["n1"])
    found = served.on_server(fleet_info, gather=["campaigns"], recent_campaigns=0)
    assert found.keys() - {"invocation"} == {"campaigns", "changed"}  # ansible-core 2.21 returns no invocation

    def names(**options: object) -> list[str]:
        return [one["name"] for one in served.on_server(fleet_info, gather=["endpoints"], **options)["endpoints"]]

    assert names(domains=["emea"]) == ["n1"]
    assert names(endpoints=["off"], domains=["emea"]) == ["n1", "off"]
    assert names(endpoints=[]) == []
    assert names(outdated=True) == []
    assert names(states=["never_seen"]) == ["off"]


def test_whom_there_is_not_looks_like_nobody_to_no_task(served: Modules) -> None:
    result = served.on_server(fleet_info, gather=["endpoints"], endpoints=["off", "n9"], domains=["emea", "nowhere"])
    assert result["msg"].splitlines() == [
        'endpoints[1]: "n9" is not a registered endpoint',
        'domains[1]: "nowhere" is not a domain of the client tree',
    ]
