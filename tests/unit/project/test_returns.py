# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Return values are typed to the leaf, and their instants have the one form."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from ansible_collections.epp.autoupdate.tests.unit.plugins.modules.instants import of_another_form

from . import repository


def values(returns: dict[str, Any], path: str = "") -> Iterator[tuple[str, dict[str, Any]]]:
    """Every return value of a documentation, with its path, through all levels."""
    for name, value in (returns or {}).items():
        here = f"{path}.{name}" if path else name
        yield here, value
        yield from values(value.get("contains"), here)


def lacks(name: str, value: dict[str, Any]) -> list[str]:
    """What the documentation of a value lacks; a mapping of free keys tells by its sample what they lead to."""
    wanted = ["description", "type", "returned"]
    wanted += ["elements"] if value.get("type") == "list" else []
    mappings = "dict" in (value.get("type"), value.get("elements"))
    wanted += [] if "contains" in value else ["sample"]
    missing = [key for key in wanted if key not in value]
    if mappings and not value.get("contains") and not value.get("sample"):
        missing.append("contains, or a sample that shows what is in it")
    return [*missing, *(["another name: dictionaries have a method of this one"] if hasattr(dict, name) else [])]


@pytest.mark.parametrize("module", repository.modules())
def test_every_return_value_of_a_module_is_typed_and_described(module: str) -> None:
    found = {path: lacks(path.rpartition(".")[2], value) for path, value in values(repository.returns(module))}
    assert {path: missing for path, missing in found.items() if missing} == {}


@pytest.mark.parametrize("module", repository.modules())
def test_no_sample_has_an_instant_in_another_form(module: str) -> None:
    found = dict(values(repository.returns(module)))
    assert of_another_form([{path.rpartition(".")[2]: value.get("sample")} for path, value in found.items()]) == []
    words = " ".join(str(value["description"]) for value in found.values())
    assert "unix" not in words.lower()
