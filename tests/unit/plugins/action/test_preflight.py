# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Bad policy is refused for all hosts at once, before any of them is contacted (SPEC 2)."""

from __future__ import annotations

from typing import Any

from .conftest import POLICY, Control

FAR = {"ansible_connection": "ssh", "ansible_host": "192.0.2.1", "ansible_ssh_common_args": "-o ConnectTimeout=60"}
GOOD = {"autoupdate_policy": POLICY}


def host(**variables: Any) -> dict[str, Any]:
    return {**FAR, **GOOD, **{f"autoupdate_{name}": value for name, value in variables.items()}}


def test_all_errors_of_all_hosts_are_told_at_once_and_no_host_is_contacted(control: Control) -> None:
    hosts = {
        "good": host(),
        "bad": host(ordinal=-1, scan_paths=["x"]),
        "worse": host(endpoint_policy={"schedule": {"frequency": "hours", "window": "2h"}}, product="clamv"),
        "also": host(ordinal=-1),
    }
    run = control.playbook("epp.autoupdate.site", hosts)
    assert run.code != 0
    assert [line["kind"] for line in run.results] == ["failed"]
    assert sorted(run.results[0]["result"]["errors"]) == [
        "bad, also: autoupdate_ordinal: -1 is not a whole number from 0 to 9007199254740991",
        'bad: autoupdate_scan_paths[0]: "x" is not an absolute path (from / on, without . and ..)',
        'worse: autoupdate_endpoint_policy.schedule.window: "2h" is not allowed with frequency hours (only with daily or weekly)',  # noqa: E501
        'worse: autoupdate_product: "clamv" is not clamav, files or command, nor the name of a definition (did you mean clamav?)',  # noqa: E501
    ]


def test_a_domain_that_nobody_is_in_is_checked_too(control: Control) -> None:
    policies = {"emea": {"events": {"update_on_reconect": True}}, "a//b": {}}
    run = control.playbook("epp.autoupdate.site", {"n1": host(domain_policies=policies)})
    assert "autoupdate_domain_policies[emea].events.update_on_reconect" in run.results[0]["result"]["msg"]
    assert 'autoupdate_domain_policies: "a//b" is not a domain' in run.results[0]["result"]["msg"]


def test_variables_of_the_play_and_templates_count(control: Control) -> None:
    task = [{"name": "Check", "epp.autoupdate.preflight": {}, "run_once": True}]
    run = control.play(
        task, {"n1": FAR}, vars={"autoupdate_policy": POLICY, "autoupdate_user_group": "{{ 'A' ~ 'B' }}"}
    )
    assert 'n1: autoupdate_user_group: "AB" is not an account name' in run.of("n1")["msg"]


def test_a_template_that_fails_is_a_fault_of_its_host(control: Control) -> None:
    run = control.playbook("epp.autoupdate.site", {"n1": host(domain="{{ nowhere }}"), "n2": host(ordinal=-1)})
    errors = run.results[0]["result"]["errors"]
    assert [error.partition(":")[0] for error in errors] == ["n1", "n2"]
    assert errors[0].startswith("n1: autoupdate_domain: a template that fails is not usable: ")


def test_a_shared_ordinal_is_warned_about(control: Control) -> None:
    task = [{"name": "Check", "epp.autoupdate.preflight": {}, "run_once": True}]
    run = control.play(task, {"n1": host(ordinal=1), "n2": host(ordinal=1)})
    assert run.code == 0
    assert "n1, n2 share the ordinal 1" in run.text


def test_a_variable_that_is_none_of_ours_is_refused_unless_told_otherwise(control: Control) -> None:
    task = [{"name": "Check", "epp.autoupdate.preflight": {}, "run_once": True}]
    hosts = {"n1": host(polcy={}), "n2": host(polcy={})}
    words = "autoupdate_polcy: it is not a variable of epp.autoupdate (did you mean autoupdate_policy?)"
    run = control.play(task, hosts)
    assert run.code != 0
    assert f"n1, n2: {words}" in run.text
    loose = control.play(task, hosts, "-e", "autoupdate_strict=false")
    assert loose.code == 0, loose.output
    assert words in loose.text


def test_with_a_server_domains_are_declared_and_a_typo_gets_the_nearest_name(control: Control) -> None:
    task = [{"name": "Check", "epp.autoupdate.preflight": {"groups": True}, "run_once": True}]
    served = {"domain_policies": {"emea/finance": {"schedule": {"window": "1h"}}, "apac": {}}}
    hosts = {
        "n1": host(**served, domain="emea/finanse"),
        "n2": host(**served, domain="emea"),
        "n3": host(**served, domain="apac"),
        "updates": FAR,
    }
    run = control.play(task, hosts)
    assert run.code != 0
    (error,) = run.of("n1")["errors"]
    assert 'n1: autoupdate_domain: "emea/finanse" is not a declared domain (did you mean emea/finance?)' in error
    assert "name it as a key of autoupdate_domain_policies" in error
    loose = control.play(task, hosts, "-e", "autoupdate_strict=false")
    assert loose.code == 0, loose.output
    assert "is not a declared domain" in loose.text
    alone = {"domain": "emea/finanse", "domain_policies": served["domain_policies"]}
    assert control.play(task, {"n1": host(**alone)}).code == 0, "without a server nothing is made of it"


def test_a_policy_of_a_domain_without_endpoints_is_told(control: Control) -> None:
    task = [{"name": "Check", "epp.autoupdate.preflight": {}, "run_once": True}]
    policies = {"emea": {"schedule": {"window": "1h"}}, "apac": {"schedule": {"window": "1h"}}, "latam": {}}
    hosts = {"n1": host(domain="emea/finance", domain_policies=policies), "n2": host(domain_policies=policies)}
    told = control.play(task, hosts).text
    assert "autoupdate_domain_policies[apac]: no endpoint of the inventory is in this domain or below it" in told
    assert "[emea]" not in told
    assert "[latam]" not in told, "it only declares a domain"
    assert "[apac]" not in control.play(task, hosts, "--limit", "n1").text, "a part of an inventory says nothing of it"


def test_hosts_that_are_to_go_need_no_policy(control: Control) -> None:
    task = [{"name": "Check", "epp.autoupdate.preflight": {}, "run_once": True}]
    assert control.play(task, {"n1": {**FAR, "autoupdate_state": "absent"}}).code == 0


def test_a_plan_tells_the_load_and_refuses_what_cannot_fit(control: Control) -> None:
    hosts = {f"n{number}": host(ordinal=number) for number in range(3)}
    fits = control.playbook("epp.autoupdate.preview", hosts, "-e", "autoupdate_component_size=20M")
    assert fits.code == 0, fits.output
    assert "3 endpoints daily from 02:00 for 2h (UTC): at most 1 start in a minute" in fits.text
    narrow = ("-e", "autoupdate_component_size=2000M", "-e", "autoupdate_link=1Mb")
    refused = control.playbook("epp.autoupdate.preview", hosts, *narrow)
    assert refused.code != 0
    assert "n0, n1, n2: schedule.window: 2h is not long enough for 3 endpoints" in refused.results[0]["result"]["msg"]


def test_the_role_in_a_playbook_of_ones_own_refuses_first(control: Control) -> None:
    task = {"name": "Converge", "ansible.builtin.import_role": {"name": "epp.autoupdate.endpoint"}}
    role = {**task, "vars": {"autoupdate_ordinal": -1}}
    role["ansible.builtin.import_role"]["rolespec_validate"] = False
    run = control.play([role], {"n1": host(), "n2": host()})
    assert [line["kind"] for line in run.results] == ["failed"]
    assert "n1, n2: autoupdate_ordinal" in run.results[0]["result"]["msg"]


def test_packages_are_installed_where_they_are_wanted_and_nowhere_else(control: Control) -> None:
    def root(name: str) -> dict[str, Any]:
        return {**GOOD, "autoupdate_installroot": str(control.root(name))}

    hosts = {
        "with": {**GOOD, "autoupdate_install": True, "autoupdate_packages": []},
        "templated": {**GOOD, "autoupdate_install": "{{ 1 == 1 }}", "autoupdate_packages": []},
        "image": {**root("image"), "autoupdate_install": True},
        "without": {**root("without"), "autoupdate_install": False},
    }
    run = control.playbook("epp.autoupdate.site", hosts, "--check")
    asked = [line["host"] for line in run.results if "packages" in line["result"]]
    assert sorted(asked) == ["templated", "with"], run.output
    assert all(run.of(name)["changed"] for name in ("image", "without")), run.output


def test_of_several_servers_an_endpoint_names_its_own(control: Control) -> None:
    task = [{"name": "Check", "epp.autoupdate.preflight": {"groups": True}, "run_once": True}]
    control.groups = lambda _hosts: {"autoupdate_servers": ["a", "b"], "autoupdate_endpoints": ["n1", "n2", "n3", "b"]}
    hosts = {"a": FAR, "b": host(), "n1": host(server_host="a"), "n2": host(ordinal=-1), "n3": host(server_host="")}
    run = control.play(task, hosts)
    assert run.code == 2
    ambiguous, ordinal = run.of("a")["errors"]
    assert ambiguous.startswith(
        "b, n2: autoupdate_server_host: missing, must be this endpoint's update server, for the"
    )
    assert ordinal.startswith("n2: autoupdate_ordinal: -1 is not a whole number")
    told = control.play(task, {**hosts, "n2": host(server_host="b"), "b": host(server_host="b")})
    assert (told.code, sorted(told.of("a")["servers"])) == (0, ["a", "b"]), told.output


def test_update_servers_are_no_endpoints_and_their_typos_are_told(control: Control) -> None:
    task = [{"name": "Check", "epp.autoupdate.preflight": {"groups": True}, "run_once": True}]
    hosts = {"n1": host(), "updates": {**FAR, "autoupdate_policy": "none", "autoupdate_server_ur": "http://x"}}
    (error,) = control.play(task, hosts).of("n1")["errors"]
    assert error.startswith("updates: autoupdate_server_ur: it is not a variable of epp.autoupdate (did you mean")


def test_a_host_that_is_in_neither_group_and_has_variables_of_ours_is_told(control: Control) -> None:
    task = [{"name": "Check", "epp.autoupdate.preflight": {"groups": True}, "run_once": True}]
    control.groups = lambda _hosts: {"autoupdate_endpoints": ["n1"]}
    run = control.play(task, {"n1": host(), "n2": host(ordinal=-1), "n3": FAR})
    assert run.code == 0, run.output
    words = "n2: set autoupdate_ordinal, autoupdate_policy, but are in neither of the groups autoupdate_endpoints and"
    assert words in run.text
    assert "n3" not in run.text
