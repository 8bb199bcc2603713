# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""One reading of the inventory's variables, for the check of all hosts and for each converge."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml
from ansible_collections.epp.autoupdate.plugins.module_utils import _core
from ansible_collections.epp.autoupdate.plugins.plugin_utils import _inventory as inventory

COLLECTION = Path(_core.__file__).parents[3]
BAD_DOCUMENTS = Path(__file__).parents[1] / "module_utils/_core/settings/bad_documents.json"
POLICY = {"sources": {"urls": ["http://a.example"]}}


def errors(**values: Any) -> list[str]:
    return [str(error) for error in inventory.InventoryCheck().host("n1", values).errors]


def test_the_role_offers_the_variables_that_are_read() -> None:
    specification = yaml.safe_load((COLLECTION / "roles/endpoint/meta/argument_specs.yml").read_text())
    offered = set(specification["argument_specs"]["main"]["options"])
    assert {inventory.PREFIX + name for name in inventory.READ} <= offered <= set(inventory.KNOWN)


def test_the_roles_defaults_are_those_of_the_library() -> None:
    """So the playbook site, which needs no role to converge an endpoint, does what the role does."""
    role = yaml.safe_load((COLLECTION / "roles/endpoint/defaults/main.yml").read_text())
    defaults = {name[len(inventory.PREFIX) :]: one for name, one in role.items() if one is not None}
    read = {name: one for name, one in defaults.items() if name in inventory.READ}
    check = inventory.InventoryCheck()
    assert check.host("n1", {**read, "policy": POLICY}) == check.host("n1", {"policy": POLICY})


def test_a_right_host_has_no_errors_and_its_document() -> None:
    check = inventory.InventoryCheck().host("n1", {"policy": POLICY, "domain": "emea", "ordinal": "4"})
    assert check.errors == ()
    assert check.document is not None
    assert (check.document.endpoint, check.document.domain, check.document.ordinal) == ("n1", "emea", 4)


@pytest.mark.parametrize("name", ["policy", "domain_policies", "endpoint_policy"])
@pytest.mark.parametrize("value", [[], 3, "x", True], ids=repr)
def test_a_layer_must_be_a_mapping(name: str, value: Any) -> None:
    assert any(line.startswith(f"autoupdate_{name}: ") for line in errors(**{"policy": POLICY, name: value}))


def test_a_fault_that_many_layers_share_is_told_once() -> None:
    domains: dict[str, Any] = {"emea": {"events": {"x": 1}}, "emea/a": {}, "emea/b": {}}
    assert len(errors(policy=POLICY, domain_policies=domains, domain="emea/a")) == 1


def test_a_definition_is_checked_by_its_variable_and_one_of_the_collection_is_taken() -> None:
    rules = {"rules": {"file": "/v", "pattern": "(?P<version>[0-9]+)"}}
    wrong = {"format": 1, "components": rules, "update": [{"command": ["av", "{key}"]}]}
    found = errors(policy=POLICY, product="mine", product_definitions={"mine": wrong})
    assert [line.partition(": ")[0] for line in found] == [
        "autoupdate_product_definitions.mine.update[0].command[0]",
        "autoupdate_product_definitions.mine.update[0].command[1]",
    ]
    assert errors(policy=POLICY, product="rkhunter") == []
    assert errors(policy=POLICY, product="rkhunter", product_settings={"config": "/etc/own.conf"}) == []
    (unknown,) = errors(policy=POLICY, product="rkhunter", product_settings={"confg": "/etc/own.conf"})
    assert unknown.startswith("autoupdate_product_settings.confg: ")
    assert "did you mean config?" in unknown


RIGHT_HERE = {
    "a section that is empty": "null is not given",
    "a boolean that is nothing": "null is not given",
    "an ordinal as text": "a template of ansible-core 2.18 makes one of a number",
    "an interval as text": "a template of ansible-core 2.18 makes one of a number",
}


def bad() -> list[Any]:
    """The documents of the table that an inventory can hold: with a name, and of the only format."""
    cases = json.loads(BAD_DOCUMENTS.read_text(encoding="utf-8"))
    usable = [case for case in cases if isinstance(case["document"], dict) and case["document"].get("format") == 1]
    other = [case for case in usable if not {"endpoint", "format"} & set(case["paths"])]
    return [pytest.param(case, id=case["name"]) for case in other if case["name"] not in RIGHT_HERE]


@pytest.mark.parametrize("case", bad())
def test_bad_documents_are_bad_inventories_too(case: dict[str, Any]) -> None:
    values = {name: value for name, value in case["document"].items() if name not in ("format", "endpoint")}
    unknown = [name for name in values if inventory.PREFIX + name not in inventory.KNOWN]
    if unknown:
        assert list(inventory.unknown_variables(iter([inventory.PREFIX + unknown[0]])))
        return
    found = errors(**values)
    assert found
    assert all(line.startswith("autoupdate_") for line in found)
    assert "hunter2" not in "".join(found)


def managed(**values: Any) -> dict[str, Any]:
    return {"server": {"url": "http://updates.example", "signers": ["ssh-ed25519 " + 68 * "A"]}, **values}


def test_with_a_server_the_policy_s_variables_go_to_its_tree() -> None:
    values = managed(policy=POLICY, domain_policies={"emea": {}}, endpoint_policy={}, domain="emea", ordinal=4)
    options = inventory.endpoint_options("n1", values)
    assert {"policy", "domain", "ordinal"}.isdisjoint(options)
    check = inventory.InventoryCheck().host("n1", values)
    assert check.errors == ()
    assert check.document is not None
    assert (check.document.domain, check.document.policy.sources.urls) == ("emea", ("http://a.example",))


def test_they_are_checked_all_the_same() -> None:
    assert errors(**managed(policy={"schedule": {"window": "2x"}}, domain="emea")) == [
        'autoupdate_policy.schedule.window: "2x" is not a duration (try 90m, 2h)'
    ]
    assert errors(**managed(ordinal=-1))[0].startswith("autoupdate_ordinal: ")


def test_only_what_may_hold_a_template_is_templated() -> None:
    """Vault texts are no strings of Python's own, so they go through the templating that decrypts them."""
    secret = object()
    variables = {
        "autoupdate_domain": "{{ site }}/finance",
        "autoupdate_policy": {"sources": {"urls": ["http://a.example", "{% if x %}http://b.example{% endif %}"]}},
        "autoupdate_limits": {"update": "20m"},
        "autoupdate_ordinal": 4,
        "autoupdate_product": "files",
        "autoupdate_user_group": secret,
    }
    templated: list[Any] = []
    inventory.read_variables(variables, lambda raw: templated.append(raw) or raw)
    assert templated == [
        variables[f"autoupdate_{name}"] for name in inventory.READ if name in ("domain", "policy", "user_group")
    ]
