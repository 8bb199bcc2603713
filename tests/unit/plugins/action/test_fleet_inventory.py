# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The inventory of a real update server in a directory, beside an inventory of the user's own."""

from __future__ import annotations

import json
from typing import Any

import yaml
from ansible_collections.epp.autoupdate.tests.unit.project import repository

from .conftest import Control, Run

EVIL = "{{ lookup('ansible.builtin.pipe', 'touch MARK') }} {{ 7 * 7 }} {% raw %}"
SHOWN = {
    "groups": "{{ group_names }}",
    "state": "{{ epp_state | default('none') }}",
    "reason": "{{ epp_reason | default('none') }}",
    "versions": "{{ epp_versions | default({}) }}",
    "host": "{{ ansible_host | default('none') }}",
    "why": "{{ why | default('none') }}",
}


def read(control: Control, configuration: dict[str, Any], hosts: dict[str, Any], *arguments: str) -> Run:
    """A play that shows what it knows of each host."""
    return read_all(control, [configuration], hosts, *arguments)


def read_all(control: Control, configurations: list[dict[str, Any]], hosts: dict[str, Any], *arguments: str) -> Run:
    """The same with several sources, one after the other."""
    sources = []
    for number, configuration in enumerate(configurations):
        place = control.work / f"fleet-{number}.autoupdate.yml"
        place.write_text(json.dumps({"plugin": "epp.autoupdate.fleet", **configuration}))
        sources += ["-i", str(place)]
    task = {"name": "Show", "ansible.builtin.debug": {"msg": {**SHOWN, "all": "{{ groups.keys() | list }}"}}}
    return control.play([task], hosts, *sources, *arguments)


def known(run: Run) -> dict[str, dict[str, Any]]:
    assert run.code == 0, run.output
    return {line["host"]: line["result"]["msg"] for line in run.results}


def told(control: Control, *endpoints: dict[str, Any], name: str = "fleet.json") -> dict[str, str]:
    """A configuration for a file with these endpoints."""
    whole = [{"domain": "", "state": "current", **one} for one in endpoints]
    (control.work / name).write_text(json.dumps(whole))
    return {"file": name}


def test_a_servers_endpoints_are_hosts_with_groups_by_state_and_domain(control: Control) -> None:
    control.serve()
    endpoints = [
        {"name": "n1", "domain": "emea/finance", "address": "192.0.2.1"},
        {"name": "n2", "address": "192.0.2.2:2222"},
    ]
    options = {"installroot": str(control.server), "endpoints": endpoints}
    assert control.play([{"name": "Register", "epp.autoupdate.client_tree": options}], {"updates": {}}).code == 0
    found = known(read(control, {"installroot": str(control.server)}, {"n1": {"ansible_host": "mine"}}))
    assert found.keys() == {"n1", "n2"}
    assert {name: one["groups"] for name, one in found.items()} == {
        "n1": [
            "autoupdate_domain_emea",
            "autoupdate_domain_emea_finance",
            "autoupdate_endpoints",
            "autoupdate_fleet",
            "autoupdate_never_seen",
        ],
        "n2": ["autoupdate_fleet", "autoupdate_never_seen"],
    }
    assert (found["n1"]["state"], found["n1"]["host"], found["n2"]["host"]) == ("never_seen", "mine", "192.0.2.2")
    assert {"autoupdate_failing", "autoupdate_current", "autoupdate_switched_off"} <= set(found["n1"]["all"])
    run = read(control, {"installroot": str(control.server), "states": ["failing"]}, {"n1": {}})
    assert known(run)["n1"]["groups"] == ["autoupdate_endpoints"]


def test_what_endpoints_say_is_never_a_template(control: Control) -> None:
    evil = EVIL.replace("MARK", str(control.work / "mark"))
    endpoint = {"name": "n1", "state": "failing", "reason": evil, "versions": {"clamav": {"daily": evil}}}
    own = {
        "compose": {"why": "'{' ~ epp_reason"},
        "groups": {"daily": "'lookup' in epp_versions.clamav.daily"},
        "keyed_groups": [{"key": "epp_versions.clamav.daily", "prefix": "daily"}],
        "strict": True,
    }
    found = known(read(control, {**told(control, endpoint), **own}, {"n1": {}}))["n1"]
    assert (found["reason"], found["versions"], found["why"]) == (evil, {"clamav": {"daily": evil}}, "{" + evil)
    assert not (control.work / "mark").exists()
    assert "daily" in found["groups"]
    (keyed,) = [name for name in found["groups"] if name.startswith("daily_")]
    assert keyed.replace("_", "").isalnum()


def test_a_host_is_an_endpoint_by_its_name_or_by_the_name_that_it_has_as_one(control: Control) -> None:
    (control.work / "host_vars").mkdir()
    (control.work / "host_vars" / "c.yml").write_text("autoupdate_endpoint_name: till-3\n")
    hosts = {"web 01": {}, "b.example.com": {"autoupdate_endpoint_name": "{{ inventory_hostname_short }}"}, "c": {}}
    names = ("web-01-a89c7fb9", "b", "till-3", "n9")
    file = told(control, *({"name": name} for name in names))
    assert {host: one["state"] for host, one in known(read(control, file, hosts)).items()} == {
        **dict.fromkeys(hosts, "current"),
        "n9": "current",
    }
    assert known(read(control, {**file, "add_hosts": False}, hosts)).keys() == hosts.keys()


def test_a_name_that_a_group_has_concerns_nobody_of_that_group(control: Control) -> None:
    file = told(control, {"name": "autoupdate_endpoints", "state": "failing"}, {"name": "n1"})
    run = read(control, file, {"n1": {}, "n2": {}})
    assert {host: one["state"] for host, one in known(run).items()} == {"n1": "current", "n2": "none"}
    assert "autoupdate_endpoints: left out, for a group has this name, too" in run.text


def test_what_is_wrong_is_told_with_the_way_out(control: Control) -> None:
    wrong: dict[str, dict[str, Any]] = {
        "nowhere.json: it can't be read (No such file or directory)": {"file": "nowhere.json"},
        "server, file: they are mutually exclusive": {"file": "fleet.json", "server": "updates"},
        "timeout: '2x' is not a duration (try 90m, 2h)": {"timeout": "2x"},
        "there is no /nowhere/usr/local/bin/epp-server": {"installroot": "/nowhere"},
        "play.json: this is no list of endpoints: none of its entries": {"file": "play.json"},
        "broken": {"file": "fleet.json", "states": ["broken"]},
        "Could not set why for host n1": {"file": "fleet.json", "strict": True, "compose": {"why": "nothing"}},
    }
    told(control, {"name": "n1"})
    said = read_all(control, list(wrong.values()), {"n1": {}}).text
    assert [words for words in wrong if words not in said] == []


def test_two_hosts_that_are_one_endpoint_are_refused(control: Control) -> None:
    hosts = {"a": {"autoupdate_endpoint_name": "n1"}, "n1": {}}
    assert "hosts" in (words := read(control, told(control, {"name": "n1"}), hosts).text)
    assert 'autoupdate_endpoint_name: "n1" is not the name of one endpoint alone' in words


def test_what_was_fetched_is_kept_where_the_cache_is_on_until_it_is_flushed(control: Control) -> None:
    kept = {"cache": True, "cache_plugin": "ansible.builtin.jsonfile", "cache_connection": str(control.work / "kept")}
    configuration = {**told(control, {"name": "n1", "state": "failing"}), **kept}
    assert known(read(control, configuration, {"n1": {}}))["n1"]["state"] == "failing"
    told(control, {"name": "n1", "state": "current"})
    assert known(read(control, configuration, {"n1": {}}))["n1"]["state"] == "failing"
    assert known(read(control, configuration, {"n1": {}}, "--flush-cache"))["n1"]["state"] == "current"


def test_the_examples_are_what_the_plugin_takes(control: Control) -> None:
    """The lists come from files here, wherever they come from there."""
    examples = list(yaml.safe_load_all(repository.assigned("fleet", "EXAMPLES", "inventory")))
    common = {"state": "failing", "reason": "no space left on /", "versions": {"clamav": {"daily": "27001"}}}
    configurations = []
    for number, example in enumerate(examples):
        file = told(control, {"name": f"n{number}", "domain": "emea", **common}, name=f"{number}.json")
        configurations.append({**{name: one for name, one in example.items() if name != "server"}, **file})
    found = known(read_all(control, configurations, {"n0": {}, "n1": {}}))
    assert sorted(found) == [f"n{number}" for number in range(len(examples))]
    assert all({"autoupdate_domain_emea", "autoupdate_failing"} <= set(one["groups"]) for one in found.values())
    assert {"autoupdate_endpoints", "disk_full", "daily_27001"} <= set(found["n2"]["groups"])
