# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The hosts of a play, registered with a real update server in a directory, in one task."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from .conftest import Control, Run

KEY = f"ssh-ed25519 {'A' * 68}"
OTHER_KEY = f"ssh-ed25519 {'B' * 68}"


@pytest.fixture
def served(control: Control, once: Callable[..., None]) -> Control:
    once(control.server, control.serve)
    return control


def register(
    control: Control,
    hosts: dict[str, dict[str, Any]],
    *arguments: str,
    options: dict[str, Any] | None = None,
    before: tuple[dict[str, Any], ...] = (),
    **play: Any,
) -> Run:
    """The play of hosts that are registered; the server is a host beside them."""
    wanted = {"use_variables": True, "installroot": str(control.server), **(options or {})}
    task = {"name": "Register", "epp.autoupdate.client_tree": wanted, "delegate_to": "updates", "run_once": True}
    content = {"name": "Test", "hosts": "all:!updates", "gather_facts": False, "tasks": [*before, task], **play}
    path = control.work / "register.json"
    path.write_text(json.dumps([content]))
    return control.playbook(str(path), {**hosts, "updates": {}}, *arguments)


def registered(control: Control) -> dict[str, Any]:
    return {one["name"]: one for one in control.ask("endpoints")}


def test_hosts_are_registered_as_their_variables_say_and_the_second_time_nothing_changes(served: Control) -> None:
    hosts: dict[str, dict[str, Any]] = {
        "n1": {"autoupdate_domain": "emea/finance", "ansible_host": "192.0.2.1", "autoupdate_host_key": KEY},
        "n2": {
            "ansible_ssh_host": "{{ 'fe80' ~ '::2' }}",
            "ansible_ssh_port": 2222,
            "autoupdate_ordinal": "{{ 4 + 1 }}",
        },
        "n3": {"autoupdate_address": "n3.example.com:22", "autoupdate_endpoint_policy": {"events": {}}},
        "n4": {"autoupdate_installroot": "/srv/n4"},
        "n5": {"autoupdate_state": "absent"},
    }
    shared = {"autoupdate_policy": {"schedule": {"start": "02:00"}}, "autoupdate_domain_policies": {"emea": None}}
    foretold = register(served, hosts, "--check", "--diff", vars=shared)
    assert foretold.of("n1")["counts"]["added"] == 4
    assert registered(served) == {}
    run = register(served, hosts, "--diff", vars=shared)
    assert run.code == 0, run.output
    assert run.of("n1")["diff"] == foretold.of("n1")["diff"]
    found = registered(served)
    assert {name: one["address"] for name, one in found.items()} == {
        "n1": "192.0.2.1",
        "n2": "[fe80::2]:2222",
        "n3": "n3.example.com:22",
        "n4": "/srv/n4",
    }
    assert (found["n1"]["domain"], found["n1"]["pinned"], found["n2"]["ordinal"]) == ("emea/finance", True, 5)
    assert served.ask("tree", "show")["root"]["own"] == {"schedule": {"start": "02:00"}}
    again = register(served, hosts, "--diff", vars=shared)
    assert again.of("n1")["changed"] is False
    assert len(again.results) == 1


def test_the_server_is_told_what_each_endpoint_is_to_have(served: Control) -> None:
    urls = [f"http://mirror.example.com/{name}?key=x" for name in ("local.ndb", "vendor.cvd")]
    hosts: dict[str, dict[str, Any]] = {
        "n1": {"autoupdate_product": "clamav", "autoupdate_clamav": {"databases": ["daily"], "custom_urls": urls}},
        "n2": {"autoupdate_product": "{{ 'clam' ~ 'av' }}"},
        "n3": {},
    }
    run = register(served, hosts, "--diff")
    assert run.code == 0, run.output
    told = [line for line in run.of("n1")["diff"]["after"].splitlines() if " product " in line or " databases " in line]
    assert told == [
        "endpoint n1: databases daily, local.ndb, vendor",
        "endpoint n1: product clamav",
        "endpoint n2: databases main, daily, bytecode",
        "endpoint n2: product clamav",
        "endpoint n3: product files",
    ]
    del hosts["n2"]["autoupdate_product"]
    assert register(served, hosts, "--diff").of("n1")["modified"] == ["n2"]
    assert register(served, hosts).of("n1")["changed"] is False


@pytest.mark.heavy
def test_a_host_that_is_to_be_no_endpoint_any_more_is_taken_out_and_nobody_else(served: Control) -> None:
    fleet: dict[str, dict[str, Any]] = {"n1": {}, "n2": {}, "n3": {}}
    register(served, fleet)
    hosts = {"n2": {"autoupdate_state": "absent"}, "n9": {"autoupdate_state": "absent"}}
    foretold = register(served, hosts, "--check", "--diff")
    assert sorted(registered(served)) == ["n1", "n2", "n3"]
    run = register(served, hosts, "--diff")
    assert run.of("n2")["removed"] == ["n2"], run.output
    assert run.of("n2")["diff"] == foretold.of("n2")["diff"]
    assert sorted(registered(served)) == ["n1", "n3"]
    assert register(served, hosts).of("n2")["changed"] is False


@pytest.mark.heavy
def test_two_slices_one_after_the_other_register_all_and_purge_nothing(served: Control) -> None:
    fleet = {f"n{number}": {"autoupdate_domain": f"d{number % 2}"} for number in range(6)}
    for part in (0, 1):
        names = list(fleet)[part::2]
        run = register(served, {name: fleet[name] for name in names})
        assert run.of(names[0])["counts"]["added"] == 3, run.output
        assert run.of(names[0])["counts"]["removed"] == 0
    found = registered(served)
    assert {name: one["domain"] for name, one in found.items()} == {
        name: one["autoupdate_domain"] for name, one in fleet.items()
    }
    assert sorted(one["ordinal"] for one in found.values()) == list(range(6))


def test_hosts_outside_the_play_are_not_looked_at(served: Control) -> None:
    hosts = {"n1": {}, "n2": {"autoupdate_domain": "{{ nowhere }}"}}
    run = register(served, hosts, "--limit", "n1")
    assert run.code == 0, run.output
    assert list(registered(served)) == ["n1"]


def test_host_keys_come_from_the_results_of_this_play_and_a_variable_wins(served: Control) -> None:
    hosts = {"n1": {}, "n2": {"autoupdate_host_key": OTHER_KEY}, "n3": {}}
    fact = {"name": "Converge", "ansible.builtin.set_fact": {"converged": "{{ {'host_key': key} }}"}}
    fact["when"] = "inventory_hostname != 'n3'"
    run = register(served, hosts, before=(fact,), vars={"key": KEY}, options={"host_keys_from": "converged"})
    assert run.code == 0, run.output
    pinned = {name: one["pinned"] for name, one in registered(served).items()}
    assert pinned == {"n1": True, "n2": True, "n3": False}


def test_what_hosts_do_not_set_stays_as_it_is(served: Control) -> None:
    register(
        served,
        {"n1": {"autoupdate_domain": "emea", "autoupdate_endpoint_policy": {"privileges": {"go_roaming": True}}}},
    )
    run = register(served, {"n1": {"ansible_host": "192.0.2.9"}})
    assert run.of("n1")["counts"]["modified"] == 1
    assert registered(served)["n1"]["domain"] == "emea"
    assert served.ask("tree", "explain", "n1")["policy"]["privileges"]["go_roaming"] is True


def test_all_errors_of_all_hosts_are_told_at_once_and_the_server_is_not_asked(control: Control) -> None:
    hosts = {
        "n1": {
            "autoupdate_domain_policies": {"emea": {"schedule": {"window": "1h"}}},
            "autoupdate_server_host": "other",
        },
        "n2": {"autoupdate_domain_policies": {"emea": {"schedule": {"window": "2h"}}}},
        "n3": {"autoupdate_ordinal": "{{ nowhere }}"},
    }
    run = register(control, hosts)
    lines = run.of("n1")["msg"].splitlines()
    assert lines[0].startswith('n1: autoupdate_server_host: "other" is not "updates", where this task runs')
    assert lines[1].startswith("n2: autoupdate_domain_policies[emea]: what it has is not what n1 has")
    assert lines[2].startswith("n3: autoupdate_ordinal: a template that fails is not usable")


def test_errors_name_the_host_and_the_variable(control: Control) -> None:
    hosts = {
        "n1": {"autoupdate_ordinal": -1, "autoupdate_host_key": "x"},
        "n2": {"autoupdate_domain": "a//b", "autoupdate_endpoint_policy": {"schedule": {"window": "2x"}}},
    }
    shared = {"autoupdate_policy": {"events": {"scan": True}}, "autoupdate_domain_policies": {"c//d": None}}
    run = register(control, hosts, vars=shared)
    paths = [line.rpartition(" is not ")[0].rpartition(": ")[0] for line in run.of("n1")["msg"].splitlines()]
    assert sorted(paths) == [
        "autoupdate_domain_policies[c//d]",
        "autoupdate_policy.events.scan",
        "n1: autoupdate_host_key",
        "n1: autoupdate_ordinal",
        "n2: autoupdate_domain",
        "n2: autoupdate_endpoint_policy.schedule.window",
    ]


def test_nothing_is_purged_from_what_a_play_sees(control: Control) -> None:
    run = register(control, {"n1": {}}, options={"purge": True})
    assert "purge: true is not allowed with use_variables" in run.of("n1")["msg"]
    run = register(control, {"n1": {}}, options={"use_variables": False, "host_keys_from": "x"})
    assert run.of("n1")["msg"].splitlines() == [
        'host_keys_from: "x" is not allowed without use_variables',
        "endpoints: missing, must be a list, unless policy, domains, absent or use_variables is given",
    ]
