# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Who is meant by an Update Now, and on which way each endpoint is reached."""

from __future__ import annotations

from typing import Any

import pytest
from ansible.errors import AnsibleFilterError
from ansible_collections.epp.autoupdate.plugins.filter.update_targets import update_targets

HOSTVARS: dict[str, dict[str, Any]] = {
    "updates": {},
    "n1": {"autoupdate_domain": "emea/finance"},
    "n2": {"autoupdate_domain": "emea"},
    "web 01": {"autoupdate_domain": "emeasouth", "autoupdate_endpoint_name": None},
    "n4": {"autoupdate_server_host": "", "autoupdate_endpoint_name": "till-4"},
    "stranger": {"autoupdate_domain": "emea"},
}
GROUPS = {
    "all": list(HOSTVARS),
    "autoupdate_servers": ["updates"],
    "autoupdate_endpoints": ["n1", "n2", "web 01", "n4"],
}


def test_endpoints_are_those_of_the_group_each_by_its_way() -> None:
    assert update_targets(HOSTVARS, list(HOSTVARS), GROUPS) == {
        "servers": {"updates": ["n1", "n2", "web-01-a89c7fb9"]},
        "direct": ["n4"],
        "names": {"n1": "n1", "n2": "n2", "web-01-a89c7fb9": "web 01", "till-4": "n4"},
    }


def test_hosts_outside_the_play_are_left_alone() -> None:
    found = update_targets(HOSTVARS, ["n2", "updates"], GROUPS)
    assert (found["servers"], found["direct"]) == ({"updates": ["n2"]}, [])
    assert update_targets(HOSTVARS, ["updates"], GROUPS)["names"] == {}


@pytest.mark.parametrize(
    ("domains", "wanted"),
    [
        ("", ["n1", "n2", "web 01", "n4"]),
        ("emea", ["n1", "n2"]),
        ("emea/finance, emeasouth", ["n1", "web 01"]),
        (["emea/finance"], ["n1"]),
        (["emea", ""], ["n1", "n2", "web 01", "n4"]),
        ("eme.", []),
    ],
)
def test_domains_are_meant_with_those_below_them(domains: Any, wanted: list[str]) -> None:
    assert list(update_targets(HOSTVARS, list(HOSTVARS), GROUPS, domains)["names"].values()) == wanted


def test_a_server_that_the_inventory_lacks_is_refused_unless_told_otherwise() -> None:
    typo = {**HOSTVARS, "n1": {"autoupdate_server_host": "updatse"}}
    with pytest.raises(
        AnsibleFilterError, match=r'"updatse" is not a host of the inventory \(did you mean updates\?\)'
    ):
        update_targets(typo, ["n1"], GROUPS)
    typo["n1"]["autoupdate_strict"] = False
    assert update_targets(typo, ["n1"], GROUPS)["servers"] == {"updatse": ["n1"]}


def test_of_several_servers_one_has_to_be_named() -> None:
    groups = {**GROUPS, "autoupdate_servers": ["updates", "other"]}
    with pytest.raises(AnsibleFilterError, match="the group autoupdate_servers has several hosts"):
        update_targets(HOSTVARS, ["n1", "n2"], groups)


def test_an_inventory_without_the_groups_is_refused_with_an_example() -> None:
    with pytest.raises(AnsibleFilterError, match="neither of the groups autoupdate_servers and autoupdate_endpoints"):
        update_targets(HOSTVARS, list(HOSTVARS), {"all": list(HOSTVARS)})
