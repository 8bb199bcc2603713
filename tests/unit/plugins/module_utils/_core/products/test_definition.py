# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Definitions: what is wrong with one is told by its place, and what is right is kept as it was given."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.epp.autoupdate.plugins.module_utils._core.products.arguments import expanded
from ansible_collections.epp.autoupdate.plugins.module_utils._core.settings.endpoint import EndpointDocument
from ansible_collections.epp.autoupdate.plugins.module_utils._core.validation.errors import InvalidDocument

CASES: list[dict[str, Any]] = json.loads(Path(__file__).with_name("bad_definitions.json").read_text(encoding="utf-8"))
RULES = {"file": "/v", "pattern": "(?P<version>[0-9]+)"}
SMALL: dict[str, Any] = {
    "format": 1,
    "components": {"rules": RULES},
    "settings": {"config": "/x", "channels": ["a", "b"]},
}


def document(definition: Any, **more: Any) -> EndpointDocument:
    defined = {"product": "mine", "product_definitions": {"mine": definition}}
    return EndpointDocument.from_dict({"format": 1, "endpoint": "n1", **defined, **more})


def test_the_table_is_as_long_as_it_should_be() -> None:
    assert len({case["name"] for case in CASES}) == len(CASES) >= 55


@pytest.mark.parametrize("case", CASES, ids=[case["name"] for case in CASES])
def test_it_is_refused_by_its_place(case: dict[str, Any]) -> None:
    with pytest.raises(InvalidDocument) as refused:
        document(case["definition"])
    places = (f"product_definitions.mine.{path}" if path else "product_definitions.mine" for path in case["paths"])
    assert sorted(error.path for error in refused.value.errors) == sorted(places)
    assert all(len(line) < 500 and line.isprintable() for line in str(refused.value).splitlines())
    assert "hunter2" not in str(refused.value)


def test_a_definition_without_end_is_refused() -> None:
    deep: Any = "x"
    for _level in range(5000):
        deep = [deep]
    with pytest.raises(InvalidDocument):
        document({**SMALL, "settings": {"config": deep}})


def test_exit_codes_may_be_numbers_as_yaml_has_them() -> None:
    whole = {**SMALL, "update": [{"command": ["/usr/bin/x"], "exit_codes": {0: "ok", 2: "updated"}}]}
    read = document(whole)
    assert read == EndpointDocument.from_dict(json.loads(json.dumps(read.to_dict())))
    assert read.to_dict()["product_definitions"]["mine"]["update"][0]["exit_codes"] == {"0": "ok", "2": "updated"}


def test_a_document_keeps_the_definition_of_its_product_alone() -> None:
    read = EndpointDocument.from_dict(
        {"format": 1, "endpoint": "n1", "product": "mine", "product_definitions": {"mine": SMALL, "other": SMALL}}
    )
    assert list(read.to_dict()["product_definitions"]) == ["mine"]
    assert "files" not in read.to_dict()


@pytest.mark.parametrize(
    ("raw", "error"),
    [
        (
            {"product": "rkhuntr"},
            'product: "rkhuntr" is not clamav, files or command, nor the name of a definition (did you mean rkhunter?)',
        ),
        (
            {"product": "mine", "product_definitions": {"clamav": SMALL, "mine": SMALL}},
            'product_definitions.clamav: "clamav" is not the name (small letters, digits, - and _) of a product that is not built in',  # noqa: E501
        ),
        ({"product": "clamav", "product_settings": {"x": "y"}}, "product_settings.x: "),
    ],
)
def test_names(raw: dict[str, Any], error: str) -> None:
    with pytest.raises(InvalidDocument) as refused:
        EndpointDocument.from_dict({"format": 1, "endpoint": "n1", **raw})
    assert str(refused.value).startswith(error)


def test_settings_replace_the_values_of_placeholders() -> None:
    read = document(SMALL, product_settings={"config": "/y", "channels": ["c"]})
    assert read.definition is not None
    values = {**read.definition.settings, **read.product_settings}
    argv = ("/usr/bin/x", "--config={config}", "{channels}", "{config} {channels}")
    assert expanded(argv, values) == ("/usr/bin/x", "--config=/y", "c", "/y c")
    assert EndpointDocument.from_dict(json.loads(json.dumps(read.to_dict()))) == read


@pytest.mark.parametrize("settings", [{"config": ["x"]}, {"channels": "x"}, {"confg": "x"}])
def test_settings_that_the_definition_has_no_use_for_are_refused(settings: dict[str, Any]) -> None:
    with pytest.raises(InvalidDocument) as refused:
        document(SMALL, product_settings=settings)
    assert [error.path for error in refused.value.errors] == [f"product_settings.{next(iter(settings))}"]
