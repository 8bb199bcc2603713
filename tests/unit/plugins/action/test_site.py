# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The playbooks over a whole fleet in a sandbox: its update server first, then its endpoints."""

from __future__ import annotations

from typing import Any

import pytest

from .conftest import POLICY, Control, Fleet, Inventory, Run


def changed(run: Run) -> set[str]:
    return {line["host"] for line in run.results if line["result"].get("changed")}


def test_site_brings_up_server_and_endpoints_and_is_quiet_the_second_time(fleet: Fleet) -> None:
    first = fleet.play("site")
    assert first.code == 0, first.output
    assert changed(first) == {"n1", "n2", "updates"}
    assert {one["name"]: one["domain"] for one in fleet.control.ask("endpoints")} == {"n1": "emea", "n2": ""}
    assert not fleet.control.root("updates").exists()
    assert (fleet.control.root("n1") / "var/lib/epp-autoupdate").exists()
    again = fleet.play("site")
    assert (again.code, changed(again)) == (0, set()), again.output
    assert fleet.play("check").code == 0


@pytest.mark.heavy
@pytest.mark.usefixtures("site")
def test_an_endpoint_that_is_to_go_leaves_no_trace_and_the_registry(fleet: Fleet) -> None:
    gone = fleet.play("site", "--limit", "n2", "-e", "autoupdate_state=absent")
    assert gone.code == 0, gone.output
    assert [one["name"] for one in fleet.control.ask("endpoints")] == ["n1"]
    assert not (fleet.control.root("n2") / "var/lib/epp-autoupdate").exists()
    again = fleet.play("site", "--limit", "n2", "-e", "autoupdate_state=absent")
    assert (again.code, changed(again)) == (0, set()), again.output
    endpoints = fleet.play("site", "-e", "autoupdate_state=absent")
    assert endpoints.code == 0, endpoints.output
    assert "The update server stays; autoupdate_server_state: absent removes it" in endpoints.text
    assert fleet.control.ask("endpoints") == []
    everything = fleet.play("site", "-e", "autoupdate_state=absent", "-e", "autoupdate_server_state=absent")
    assert everything.code == 0, everything.output


def test_check_mode_before_there_is_anything_writes_nothing_and_foretells_changes(fleet: Fleet) -> None:
    run = fleet.play("site", "--check")
    assert run.code == 0, run.output
    assert changed(run) == {"n1", "n2", "updates"}
    assert [path for path in fleet.control.server.rglob("*") if path.is_file()] == []
    assert not fleet.control.root("n1").exists()


def test_an_endpoint_of_a_server_never_becomes_a_standalone_one(fleet: Fleet) -> None:
    task = {"name": "Converge", "epp.autoupdate.endpoint": {"use_variables": True}}
    run = fleet.control.play([task], fleet.hosts(), "--limit", "n1")
    words = "the update server is updates, but this run has not asked it about this endpoint"
    assert words in run.of("n1")["msg"]
    assert not fleet.control.root("n1").exists()


@pytest.mark.heavy
def test_a_part_of_the_inventory_registers_this_part_and_takes_nobody_away(fleet: Fleet) -> None:
    for name in ("n1", "n2"):
        fleet.names = (name,)
        run = fleet.play("site")
        assert run.code == 0, run.output
    assert [one["name"] for one in fleet.control.ask("endpoints")] == ["n1", "n2"]


@pytest.mark.heavy
def test_a_limited_run_registers_endpoints_at_a_server_that_is_not_in_it(fleet: Fleet) -> None:
    assert fleet.play("site", "--limit", "updates").code == 0
    run = fleet.play("site", "--limit", "n1")
    assert run.code == 0, run.output
    assert changed(run) == {"n1"}
    assert [one["name"] for one in fleet.control.ask("endpoints")] == ["n1"]


@pytest.mark.usefixtures("site")
def test_update_now_goes_by_the_inventory_and_tells_what_came_of_each(fleet: Fleet) -> None:
    foretold = fleet.play("update_now", "-e", "autoupdate_domains=emea", "--check")
    assert foretold.code == 0, foretold.output
    assert "1 endpoint: 1 would be notified" in foretold.text
    assert "n1: would be notified" in foretold.text
    run = fleet.play("update_now", "--limit", "n2")
    assert run.code == 2, run.output
    assert "1 endpoint: 1 failed" in run.text
    assert "n2: failed; " in run.text
    assert "404" in run.text
    limited = fleet.play("update_now", "--limit", "n1")
    assert ("n1: failed" in limited.text, "n2: " in limited.text) == (True, False), limited.output
    everybody = fleet.play("update_now")
    assert everybody.code == 2
    assert "2 endpoints: 2 failed" in everybody.text
    assert {line["host"] for line in everybody.results if line["kind"] == "failed"} == {"n1", "n2"}
    assert "there is no agent on this host" not in everybody.text


@pytest.mark.heavy
def test_update_now_without_a_server_goes_to_each_host(control: Control) -> None:
    hosts = {
        name: {
            "autoupdate_installroot": str(control.root(name)),
            "autoupdate_policy": POLICY,
            "autoupdate_domain": name,
        }
        for name in ("n1", "n2")
    }
    assert control.playbook("epp.autoupdate.site", {"n1": hosts["n1"]}).code == 0
    run = control.playbook("epp.autoupdate.update_now", hosts)
    assert run.code == 2
    lines = [line.strip(' ",') for line in run.output.splitlines()]
    (counts,) = (line for line in lines if line.startswith("2 endpoints: "))
    assert set(counts.partition(": ")[2].split(", ")) == {"1 failed", "1 unreachable"}
    assert any(line.startswith("n2: failed; there is no agent on this host") for line in lines)
    one = control.playbook("epp.autoupdate.update_now", hosts, "-e", "autoupdate_domains=n1")
    assert ("n1: unreachable" in one.text, "n2: failed" in one.text) == (True, False), one.output


def test_preflight_refuses_what_a_managed_inventory_gets_wrong(control: Control) -> None:
    managed = {"autoupdate_server_host": "updates"}
    hosts: dict[str, Any] = {
        "n1": {**managed, "autoupdate_policy": POLICY, "autoupdate_address": "a b"},
        "n2": {**managed, "autoupdate_policy": {"schedule": {"start": "03:00"}}, "autoupdate_host_key": "x"},
        "updates": {},
    }
    run = control.play([{"name": "Check", "epp.autoupdate.preflight": {"groups": True}, "run_once": True}], hosts)
    paths = [line.partition(": ")[0] + ": " + line.split(": ")[1] for line in run.of("n1")["errors"]]
    assert paths == ["n2: autoupdate_policy", "n1: autoupdate_address", "n2: autoupdate_host_key"]
    assert "no variable of epp.autoupdate" not in run.text


def test_without_a_server_no_play_is_about_one(control: Control) -> None:
    hosts = {"n1": {"autoupdate_installroot": str(control.root("n1")), "autoupdate_policy": POLICY}}
    run = control.playbook("epp.autoupdate.site", hosts)
    assert run.code == 0, run.output
    assert [line["host"] for line in run.results] == ["n1", "n1"]


@pytest.mark.heavy
def test_several_servers_each_have_their_own_endpoints(fleet: Fleet) -> None:
    """The second one takes over the endpoint that names it, and is an endpoint itself; the drift of both is told."""
    control, second = fleet.control, str(fleet.control.work / "second")

    def adapt(hosts: Inventory) -> Inventory:
        other = {**hosts["n2"], **hosts["updates"], "autoupdate_server_installroot": second}
        other |= {"autoupdate_server_web": "none", "autoupdate_installroot": str(control.root("other"))}
        hosts["n1"]["autoupdate_server_host"] = "updates"
        return {**hosts, "other": {**other, "autoupdate_server_host": "updates"}}

    fleet.adapt = adapt
    control.groups = lambda hosts: {
        "autoupdate_servers": ["updates", "other"],
        "autoupdate_endpoints": [name for name in hosts if name != "updates"],
    }
    refused = fleet.play("site")
    assert "n2: autoupdate_server_host: missing, must be this endpoint's update server" in refused.text
    run = fleet.play("site", "--limit", "!n2")
    assert run.code == 0, run.output
    assert [one["name"] for one in control.ask("endpoints")] == ["n1", "other"]
    assert (control.work / "second/usr/local/bin/epp-server").exists()
    now = fleet.play("update_now", "--check", "--limit", "!n2")
    assert "2 endpoints: 2 would be notified" in now.text
    assert fleet.play("check", "--limit", "!n2").code == 0


@pytest.mark.heavy
def test_nobody_becomes_another_where_a_directory_stands_for_the_host(fleet: Fleet) -> None:
    fails = ("-e", "ansible_become_exe=/bin/false", "-e", "ansible_become_user=nobody")
    run = fleet.play("site", *fails)
    assert run.code == 0, run.output
    assert fleet.play("check", *fails).code == 0
    assert "2 endpoints: 2 failed" in fleet.play("update_now", *fails).text
    told = fleet.play("site", *fails, "-e", "ansible_become=true")
    assert told.code == 2, "what the inventory says counts in any case"


ODD = ("web 01", "härtetest")


@pytest.mark.heavy
def test_hosts_with_odd_names_are_endpoints_like_all_others(fleet: Fleet) -> None:
    """One name that can't be an endpoint's stops nobody: it is known by one that is made of it."""

    def adapt(hosts: Inventory) -> Inventory:
        first = hosts["n1"]
        odd = {
            name: {**first, "autoupdate_installroot": str(fleet.control.root(f"odd{n}"))} for n, name in enumerate(ODD)
        }
        named = {**first, "autoupdate_installroot": str(fleet.control.root("n9")), "autoupdate_endpoint_name": "till-9"}
        return {**hosts, **odd, "n9": named}

    fleet.adapt = adapt
    first = fleet.play("site")
    assert first.code == 0, first.output
    known = ["hartetest-4b83356a", "n1", "n2", "till-9", "web-01-a89c7fb9"]
    assert [one["name"] for one in fleet.control.ask("endpoints")] == known
    again = fleet.play("site")
    assert (again.code, changed(again)) == (0, set()), again.output
    assert "Could not match" not in again.output
    fleet.policy = {"schedule": {"start": "03:00"}}
    assert fleet.play("check").code == 2
    fleet.policy = {"schedule": {"start": "02:00"}}
    foretold = fleet.play("update_now", "--check", "--limit", "web 01,härtetest,n9")
    assert foretold.code == 0, foretold.output
    for name in (*ODD, "n9"):
        assert f"{name}: would be notified" in foretold.text
    run = fleet.play("update_now", "--limit", "web 01,")
    assert "web 01: failed" in run.text
    assert [line["host"] for line in run.results if line["kind"] == "failed"] == ["web 01"]
    gone = fleet.play("site", "--limit", "web 01,", "-e", "autoupdate_state=absent")
    assert gone.code == 0, gone.output
    assert [one["name"] for one in fleet.control.ask("endpoints")] == known[:-1]


def test_a_name_that_two_hosts_have_is_refused_with_both(fleet: Fleet) -> None:
    made = "web-01-a89c7fb9"

    def adapt(hosts: Inventory) -> Inventory:
        more = {
            name: {**hosts["n1"], "autoupdate_installroot": str(fleet.control.root(name))} for name in ("web 01", made)
        }
        return {**hosts, **more}

    fleet.adapt = adapt
    words = (
        f'autoupdate_endpoint_name: "{made}" is not the name of one endpoint alone (hosts "web 01", "{made}" have it)'
    )
    for limit, who in ((), f"web 01, {made}"), (("--limit", "web 01,"), "web 01"):
        run = fleet.play("site", *limit)
        assert run.code != 0
        assert f"{who}: {words}" in run.text


def test_an_update_server_that_is_no_host_of_the_inventory_is_named(fleet: Fleet) -> None:
    hosts = fleet.hosts()
    hosts["n2"]["autoupdate_server_host"] = "updatse"
    for playbook in ("site", "check"):
        run = fleet.control.playbook(f"epp.autoupdate.{playbook}", hosts)
        assert run.code == 2
        words = '"updatse" is not a host of the group autoupdate_servers (did you mean updates?)'
        assert f"n2: autoupdate_server_host: {words}" in run.text
    assert not fleet.control.server.joinpath("etc").exists()
    for name in ("n1", "n2"):
        hosts[name]["autoupdate_server_host"] = "nowhere.invalid"
    run = fleet.control.playbook("epp.autoupdate.site", hosts)
    assert 'n1, n2: autoupdate_server_host: "nowhere.invalid" is not a host of the group autoupdate_servers' in run.text
    now = fleet.control.playbook("epp.autoupdate.update_now", hosts, "--limit", "n1,n2")
    assert now.code == 2, now.output
    assert 'autoupdate_server_host: "nowhere.invalid" is not a host of the inventory' in now.text
    hosts["n1"]["autoupdate_server_host"] = hosts["n2"]["autoupdate_server_host"] = "localhost"
    slice_alone = {"n1": hosts["n1"], "n2": hosts["n2"]}
    task = [{"name": "Check", "epp.autoupdate.preflight": {}}]
    assert fleet.control.play(task, slice_alone).code == 0  # a name that can be looked up
