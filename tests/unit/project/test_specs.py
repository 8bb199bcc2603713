# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Options of modules and variables of roles are typed to the leaf."""

from __future__ import annotations

import pytest
import yaml

from . import repository

FREE_KEYS = (
    *("autoupdate_domain_policies", "domains"),
    *("autoupdate_product_definitions", "product_definitions", "autoupdate_product_settings", "product_settings"),
    *("autoupdate_product_overrides", "product_overrides", "autoupdate_policy.products", "policy.products"),
    *("autoupdate_endpoint_policy.products", "endpoints.policy.products"),
    *("components.clamav.extra", "autoupdate_server_components.clamav.extra"),
    *("alarms.component_age", "autoupdate_server_alarms.component_age"),
)
"""Mappings whose keys are the users' own, such as the paths of domains and the names of products, and definitions: no
specification can type what is below, and the library reads it."""


def entry_points(role: str) -> dict:
    return repository.load("roles", role, "meta", "argument_specs.yml")["argument_specs"]


@pytest.mark.parametrize("role", repository.roles())
def test_a_role_has_a_readme_and_metadata(role):
    directory = repository.ROOT / "roles" / role
    assert (directory / "README.md").is_file()
    assert (directory / "meta" / "main.yml").is_file()


@pytest.mark.parametrize("role", repository.roles())
def test_every_variable_of_a_role_is_typed_and_described(role):
    for name, entry in entry_points(role).items():
        assert untyped(entry.get("options", {})) == [], name


@pytest.mark.parametrize("module", repository.modules())
def test_every_option_of_a_module_is_typed_and_described(module):
    assert untyped(repository.documentation(module).get("options", {})) == []


@pytest.mark.parametrize("callback", repository.callbacks())
def test_every_option_of_a_callback_is_typed_and_can_be_set_in_two_ways(callback):
    documentation = yaml.safe_load(repository.assigned(callback, "DOCUMENTATION", "callback"))
    options = documentation.get("options", {})
    assert untyped(options) == []
    assert [name for name, option in options.items() if not (option.get("env") and option.get("ini"))] == []
    assert documentation["name"] == callback


def untyped(options: dict) -> list[str]:
    return [path for path, option in repository.leaves(options) if path not in FREE_KEYS and not is_typed(option)]


def is_typed(option: dict) -> bool:
    kind = option.get("type")
    nested = option.get("options") or option.get("suboptions")
    if not kind or not option.get("description"):
        return False
    if kind == "list" and not option.get("elements"):
        return False
    return bool(nested) or (kind != "dict" and option.get("elements") != "dict")
