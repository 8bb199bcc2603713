# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The list of endpoints is data: what does not fit is left out, what acts on a screen is escaped."""

from __future__ import annotations

import json
from typing import Any

import pytest
from ansible_collections.epp.autoupdate.plugins.modules import fleet_info
from ansible_collections.epp.autoupdate.plugins.plugin_utils._fleet import groups, hosts, records
from ansible_collections.epp.autoupdate.plugins.plugin_utils._fleet.records import NoList
from ansible_collections.epp.autoupdate.tests.unit.project import repository

N1: dict[str, Any] = {"name": "n1", "domain": "emea/finance", "state": "failing"}


def one(**more: Any) -> dict[str, Any]:
    (found,) = records.checked([{**N1, **more}]).endpoints
    return dict(found)


def test_what_the_module_returns_of_an_endpoint_is_what_is_read() -> None:
    documented = repository.returns(fleet_info.__name__.rpartition(".")[2])["endpoints"]["contains"]
    assert list(records.READERS.keys() ^ documented.keys()) == []
    sample = {name: value.get("sample") for name, value in documented.items()}
    sample["notice"] = {name: value["sample"] for name, value in documented["notice"]["contains"].items()}
    assert one(**sample) == sample


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "not JSON"),
        ("Last login: \x1b[2J", r"not JSON, but begins with 'Last login: \\\\x1b\[2J'"),
        ("[" * 100_000, "not JSON"),
        ("{}", "no list of endpoints"),
        ('"n1"', "no list of endpoints"),
        ('[{"name": "n1"}]', "none of its entries"),
    ],
)
def test_what_is_no_list_is_refused(text: str, why: str) -> None:
    with pytest.raises(NoList, match=why):
        records.parse(text)


def test_a_list_and_a_result_of_the_module_are_the_same() -> None:
    assert records.parse(json.dumps([N1])) == records.parse(json.dumps({"endpoints": [N1], "changed": False}))
    assert records.parse("[]").endpoints == ()


@pytest.mark.parametrize("name", ["", "a b", "../a", "a\n", 1, None, "\u202ea", "x" * 300])
def test_an_endpoint_without_a_fit_name_is_left_out_and_counted(name: object) -> None:
    fleet = records.checked([{**N1, "name": name}, N1])
    assert ([found["name"] for found in fleet.endpoints], fleet.unfit) == (["n1"], 1)


def test_what_is_of_another_type_counts_as_not_told_and_the_rest_is_bounded_and_escaped() -> None:
    strange = one(reason="a\n\x1b[31m" + "b" * 9999, since="yesterday", versions={"p\n": {"c": "v\u202e", "d": 1}})
    assert strange["reason"].startswith("a\\n\\x1b[31mb")
    assert len(strange["reason"]) == 500
    assert (strange["since"], strange["versions"]) == (None, {"p\\n": {"c": "v\\u202e"}})
    assert one(ordinal=-1, address="-oProxyCommand=x", more=[1])["address"] == ""
    assert one(versions={str(count): {} for count in range(99)})["versions"].keys() == set(map(str, range(20)))


def test_domains_and_states_choose() -> None:
    places = {"n1": "emea/finance", "n2": "emea", "n3": "emea2", "n4": ""}
    fleet = records.checked([{"name": name, "domain": domain, "state": "silent"} for name, domain in places.items()])

    def names(domains: list[str], states: list[str]) -> list[str]:
        return [found["name"] for found in records.chosen(fleet, domains, states)]

    assert names([], []) == list(places)
    assert names(["emea"], ["silent"]) == ["n1", "n2"]
    assert names(["emea2", "emea/finance"], []) == ["n1", "n3"]
    assert (names([""], []), names([], ["failing"])) == (list(places), [])


def test_groups_of_domains_are_nested_and_no_two_domains_share_one() -> None:
    found = groups.of_domains(["emea/north-west", "emea/north", ""])
    assert found.names == {
        "emea": "autoupdate_domain_emea",
        "emea/north": "autoupdate_domain_emea_north",
        "emea/north-west": "autoupdate_domain_emea_north_west",
    }
    assert found.parents == {
        "emea": "autoupdate_fleet",
        "emea/north": "autoupdate_domain_emea",
        "emea/north-west": "autoupdate_domain_emea",
    }
    two = groups.of_domains(["emea_x", "emea/x"])
    assert two.shared == ("emea/x", "emea_x")
    assert len(set(two.names.values())) == 3


def test_a_state_of_a_later_server_has_no_group() -> None:
    domains = groups.of_domains(["emea"])
    assert list(groups.of_endpoint({**N1, "domain": "", "state": "servers"}, domains)) == ["autoupdate_fleet"]


@pytest.mark.parametrize(
    ("address", "variables"),
    [
        ("", {}),
        ("/srv/n1", {}),
        ("n1.example.com", {"ansible_host": "n1.example.com"}),
        ("192.0.2.1:2222", {"ansible_host": "192.0.2.1", "ansible_port": 2222}),
        ("[2001:db8::1]:22", {"ansible_host": "2001:db8::1"}),
        ("2001:db8::1", {"ansible_host": "2001:db8::1"}),
    ],
)
def test_an_endpoint_is_reached_as_its_server_reaches_it(address: str, variables: dict[str, Any]) -> None:
    assert hosts.connection(address) == variables
