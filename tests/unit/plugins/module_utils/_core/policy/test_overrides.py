# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What nodes set: own over born, key by key, and a change at root for all or for domains that come later (P2)."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.epp.autoupdate.plugins.module_utils._core.policy.overrides import (
    KNOWN,
    Node,
    changed,
    flat,
    nested,
    read_part,
    replaced_by,
    without,
)
from ansible_collections.epp.autoupdate.plugins.module_utils._core.validation.errors import ValidationErrors
from hypothesis import given
from hypothesis import strategies as st

FLAT = st.dictionaries(st.sampled_from(KNOWN), st.integers(0, 3))


@given(FLAT, FLAT)
def test_own_values_win_over_born_ones_key_by_key(own: dict[str, int], born: dict[str, int]) -> None:
    values = flat(Node(own=nested(own), born=nested(born), future=nested({"schedule.window": 9})).values)
    assert values == {key: own.get(key, born.get(key)) for key in {*own, *born}}


@given(FLAT, FLAT, st.sets(st.sampled_from(KNOWN)))
def test_a_change_touches_its_keys_and_no_other(had: dict[str, int], new: dict[str, int], inherit: set[str]) -> None:
    after = flat(changed(nested(had), nested(new), inherit))
    assert not inherit & set(after)
    assert all(after[key] == new.get(key, had.get(key)) for key in after)
    assert set(after) == {*had, *new} - inherit
    assert without(nested(after), after) == {}


@given(FLAT)
def test_nested_and_flat_are_the_same(values: dict[str, int]) -> None:
    assert flat(nested(values)) == values
    assert "" not in nested(values)


def test_equal_values_have_one_form() -> None:
    errors = ValidationErrors()
    one = read_part({"schedule": {"window": "120m", "start": "04:00"}}, path="values", errors=errors)
    other = read_part({"schedule": {"start": "04:00", "window": "2h"}}, path="values", errors=errors)
    assert one == other == {"schedule": {"start": "04:00", "window": "2h"}}
    assert list(one["schedule"]) == list(other["schedule"])


@pytest.mark.parametrize(
    ("values", "inherit", "also"),
    [
        ({"schedule": {"frequency": "hours"}}, (), {"schedule.interval", "schedule.window", "schedule.day"}),
        ({"events": {"update_after_download": False}}, (), {"events.include_roaming_and_offline"}),
        ({"schedule": {"window": "2h"}}, (), set()),
        ({}, ("schedule.frequency",), {"schedule.start", "schedule.configuration_once_per_day"}),
    ],
)
def test_keys_that_mean_nothing_without_another_go_with_it(
    values: dict[str, Any], inherit: tuple[str, ...], also: set[str]
) -> None:
    replaced = replaced_by(values, inherit)
    assert replaced >= {*flat(values), *inherit, *also}
    assert "privileges.update_now" not in replaced


OF_PRODUCTS = {
    "schedule": {"window": "1h"},
    "products": {"ids": {"events": {"update_on_reconnect": False}, "schedule": {"window": "2h"}}},
}


def test_keys_of_single_products_are_keys_of_their_own() -> None:
    keys = flat(OF_PRODUCTS)
    assert keys == {
        "schedule.window": "1h",
        "products.ids.events.update_on_reconnect": False,
        "products.ids.schedule.window": "2h",
    }
    assert nested(keys) == OF_PRODUCTS
    assert nested({}) == {}
    more = {"products": {"spam": {"schedule": {"window": "3h"}}}}
    assert changed(OF_PRODUCTS, more, ["products.ids.schedule.window"])["products"] == {
        "ids": {"events": {"update_on_reconnect": False}},
        "spam": {"schedule": {"window": "3h"}},
    }
    frequency = replaced_by({"products": {"ids": {"schedule": {"frequency": "daily"}}}}, [])
    assert "products.ids.schedule.window" in frequency
    assert "schedule.window" not in frequency
