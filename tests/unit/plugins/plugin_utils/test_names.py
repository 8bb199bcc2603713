# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Any name of a host makes one of an endpoint, and no two hosts get the same."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.epp.autoupdate.plugins.module_utils._core.validation.strings import endpoint_name
from ansible_collections.epp.autoupdate.plugins.plugin_utils._drift import of_tree
from ansible_collections.epp.autoupdate.plugins.plugin_utils._inventory import InventoryCheck
from ansible_collections.epp.autoupdate.plugins.plugin_utils._members import Members
from ansible_collections.epp.autoupdate.plugins.plugin_utils._names import NAME, VARIABLE, name_of, shared
from ansible_collections.epp.autoupdate.plugins.plugin_utils._policy_layers import PREFIX
from hypothesis import given
from hypothesis import strategies as st

POLICY = {"sources": {"urls": ["http://a.example"]}}
NAMES = {
    # The host's name, and the endpoint's.
    "n1": "n1",
    "N1.example.com": "N1.example.com",
    "2001:db8::1": "2001:db8::1",
    "web 01": "web-01-a89c7fb9",
    "härtetest": "hartetest-4b83356a",
    "Web 01": "web-01-ad63fded",
    "-x-": "x-c6cf95e5",
    "東京": "host-130016b2",
    "a/b": "a-b-c14cddc0",
}


def test_the_variable_is_named_as_the_prefix_says() -> None:
    assert PREFIX + NAME == VARIABLE


@pytest.mark.parametrize("host", NAMES)
def test_a_name_that_fits_stays_and_another_is_made_of_it(host: str) -> None:
    assert name_of(host) == NAMES[host]


@given(st.text(min_size=1), st.text(min_size=1))
def test_what_is_made_is_always_a_name_and_never_anothers(one: str, other: str) -> None:
    assert endpoint_name(name_of(one)) == name_of(one)
    assert (name_of(one) == name_of(other)) == (one == other)


@pytest.mark.parametrize(("set_to", "name"), [("till-7", "till-7"), (7, "7"), ("", "n1"), (None, "n1")])
def test_what_is_set_comes_first(set_to: Any, name: str) -> None:
    document = InventoryCheck().host("n1", {"policy": POLICY, "endpoint_name": set_to}).document
    assert document is not None
    assert document.endpoint == name


@pytest.mark.parametrize("wrong", ["web 01", "a\nb", [], True])
def test_what_can_be_no_name_is_refused_by_its_variable(wrong: Any) -> None:
    (error,) = InventoryCheck().host("n1", {"policy": POLICY, "endpoint_name": wrong}).errors
    assert str(error).startswith("autoupdate_endpoint_name: ")
    members = Members()
    members.add("n1", {VARIABLE: wrong}, lambda value: value)
    assert [(list(hosts), one.path) for hosts, one in members.errors()] == [(["n1"], "autoupdate_endpoint_name")]


def test_hosts_with_one_name_are_told_with_each_other_and_the_variable() -> None:
    made = name_of("web 01")
    ((error, hosts),) = shared({"web 01": made, made: made, "n1": "n1"})
    assert hosts == ["web 01", made]
    assert str(error) == (
        f'autoupdate_endpoint_name: "{made}" is not the name of one endpoint alone (hosts "web 01", "{made}" have it): '
        "set it for one of them"
    )
    assert [hosts for _fault, hosts in shared({"web 01": made}, {made, "n2"})] == [["web 01"]]
    assert list(shared({"web 01": made, "n1": "n1"}, {"n2"})) == []
    members = Members()
    for host in ("web 01", made):
        members.add(host, {"ansible_host": "n.example"}, lambda value: value)
    assert [(hosts, one.path) for hosts, one in members.errors()] == [(["web 01", made], "autoupdate_endpoint_name")]


def test_who_is_to_go_goes_by_its_name() -> None:
    members = Members()
    members.add("web 01", {"autoupdate_state": "absent"}, lambda value: value)
    members.add("n2", {}, lambda value: value)
    assert members.options()["absent"] == ["web-01-a89c7fb9"]


def test_drift_of_an_endpoint_is_found_by_its_name_whatever_it_has_inside() -> None:
    lines = "endpoint 2001:db8::1\nendpoint 2001:db8::1: address n\nendpoint 2001: address n\n"
    found = list(of_tree({"diff": {"before": "", "after": lines}}, "2001:db8::1", speaks_for_all=False))
    assert [(one.path, one.text) for one in found] == [("endpoint 2001:db8::1", "not registered")]
