# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The definitions that the collection brings: each is valid, and says where its facts are from."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from ansible_collections.epp.autoupdate.plugins.module_utils._core import products
from ansible_collections.epp.autoupdate.plugins.module_utils._core.products.about import Proven
from ansible_collections.epp.autoupdate.plugins.module_utils._core.settings.endpoint import EndpointDocument
from ansible_collections.epp.autoupdate.plugins.module_utils._core.validation.errors import InvalidDocument
from ansible_collections.epp.autoupdate.plugins.plugin_utils._definitions import shipped, with_definition

OBSERVED = {"bitdefender", "sophos", "trend", "withsecure"}
RUN = {"crowdsec", "fangfrisch", "rkhunter", "spamassassin", "suricata"}


def document(name: str, **more: Any) -> EndpointDocument:
    return EndpointDocument.from_dict(with_definition({"format": 1, "endpoint": "n1", "product": name, **more}))


def test_each_file_is_named() -> None:
    directory = Path(products.__file__).parent / "definitions"
    assert sorted(path.stem for path in directory.glob("*.json")) == list(products.SHIPPED)


@pytest.mark.parametrize("name", products.SHIPPED)
def test_it_is_valid_and_says_what_is_known(name: str) -> None:
    definition = document(name).definition
    assert definition is not None
    about = definition.about
    assert about.title
    assert about.about
    assert about.pages
    assert about.platforms
    assert about.vendor_way
    assert about.unproven
    assert bool(definition.update) == (name not in OBSERVED)
    assert (about.proven is Proven.RUN) == (name in RUN) == bool(about.proven_with)


@pytest.mark.parametrize("name", products.SHIPPED)
def test_its_commands_are_bounded_and_ask_for_no_more_than_they_need(name: str) -> None:
    definition = document(name).definition
    assert definition is not None
    assert all(step.timeout <= 1800 for step in definition.update)
    assert all(sum(part.timeout for part in steps) <= 2400 for steps in (definition.update, definition.reload))
    assert not {"/etc", "/usr", "/var", "/opt", "/var/lib"} & set(definition.writes)
    assert definition.capabilities == ()


def test_a_definition_of_ones_own_counts_instead() -> None:
    own = {**shipped("rkhunter"), "title": "Mine"}
    definition = document("rkhunter", product_definitions={"rkhunter": own}).definition
    assert definition is not None
    assert definition.about.title == "Mine"


def test_other_names_are_left_alone() -> None:
    assert with_definition({"product": "clamav"}) == {"product": "clamav"}
    assert with_definition({"product": ["rkhunter"]}) == {"product": ["rkhunter"]}
    assert with_definition({"product": "rkhunter", "product_definitions": "x"})["product_definitions"] == "x"
    with pytest.raises(InvalidDocument, match="did you mean suricata"):
        document("suricat")
