# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Options are typed to the leaf, and a role's defaults are those of its specification."""

from __future__ import annotations

import re

import pytest
from ansible_collections.epp.autoupdate.plugins.plugin_utils import _inventory, _members, _server_inventory
from ansible_collections.epp.autoupdate.plugins.plugin_utils._inventory import unknown_variables

from . import repository

FREE_KEYS = (
    *("autoupdate_domain_policies", "domains"),
    *("components.clamav.extra", "autoupdate_server_components.clamav.extra"),
)
"""Mappings whose keys are the users' own, such as the paths of domains: no specification can type what is below."""


def entry_points(role: str) -> dict:
    return repository.load("roles", role, "meta", "argument_specs.yml")["argument_specs"]


@pytest.mark.parametrize("role", repository.roles())
def test_the_defaults_of_a_role_and_of_its_specification_are_the_same(role):
    options = entry_points(role)["main"]["options"]
    defaults = repository.load("roles", role, "defaults", "main.yml")
    assert set(defaults) <= set(options)
    specified = {name: option["default"] for name, option in options.items() if "default" in option}
    assert specified == {name: value for name, value in defaults.items() if value is not None}


@pytest.mark.parametrize("role", repository.roles())
def test_a_role_has_a_readme_and_metadata(role):
    directory = repository.ROOT / "roles" / role
    assert (directory / "README.md").is_file()
    assert (directory / "meta" / "main.yml").is_file()


@pytest.mark.parametrize("role", repository.roles())
def test_every_variable_of_a_role_is_typed_and_described(role):
    for name, entry in entry_points(role).items():
        assert untyped(entry.get("options", {})) == [], name


@pytest.mark.parametrize("role", repository.roles())
def test_no_variable_of_a_role_is_taken_for_a_slip_of_the_pen(role):
    assert list(unknown_variables(iter(entry_points(role)["main"]["options"]))) == []


def test_the_readme_names_every_variable_that_there_is_and_no_other():
    rows = [line for line in repository.text("README.md").splitlines() if line.startswith("| `autoupdate_")]
    named = {name for row in rows for name in re.findall(r"`(autoupdate_\w+)`", row.split("|")[1])}
    assert named == set(_inventory.KNOWN)


def test_every_variable_that_is_documented_is_read_by_something():
    """In playbooks and roles by its name, on the control node by the lists of what is read there."""
    places = [*(repository.ROOT / "playbooks").glob("*.yml")]
    for part in ("tasks", "vars", "handlers", "templates"):
        places += (repository.ROOT / "roles").glob(f"*/{part}/*")
    read = {name for path in places for name in re.findall(r"(?<!_)autoupdate_\w+", path.read_text(encoding="utf-8"))}
    read |= {
        _inventory.PREFIX + name
        for name in (*_inventory.READ, *_members._READ, *_server_inventory.READ, _inventory.STRICT)
    }
    documented = {name for role in repository.roles() for name in entry_points(role)["main"]["options"]}
    assert (documented | set(_inventory.KNOWN)) - read == set()


@pytest.mark.parametrize("module", repository.modules())
def test_every_option_of_a_module_is_typed_and_described(module):
    assert untyped(repository.documentation(module).get("options", {})) == []


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
