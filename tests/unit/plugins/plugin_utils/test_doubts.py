# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Policy that is legal and may not be what was meant: each doubt, and what is no doubt."""

from __future__ import annotations

import re
from typing import Any

import pytest
from ansible_collections.epp.autoupdate.plugins.plugin_utils._doubts import DOUBTS, doubts
from ansible_collections.epp.autoupdate.plugins.plugin_utils._inventory import InventoryCheck

SERVER = {"server_host": "updates"}
TOGGLE = {"toggle_scheduled_update": True}


def keys(privileges: dict[str, Any], *, events: dict[str, Any] | None = None, **values: Any) -> list[str]:
    policy = {"privileges": privileges, "events": events or {}, "sources": {"urls": ["http://a.example"]}}
    check = InventoryCheck().host("n1", {"policy": policy, **values})
    assert check.document is not None, check.errors
    return [key for key, _text in doubts(check.document)]


@pytest.mark.parametrize(
    ("privileges", "more", "found"),
    [
        ({}, {}, []),
        ({"scheduled_update": False}, {}, []),
        (TOGGLE, {}, []),
        ({**TOGGLE, "scheduled_update": False}, {}, ["privileges.scheduled_update"]),
        ({"go_roaming": True}, {}, []),
        ({"go_roaming": True}, SERVER, ["privileges.go_roaming"]),
        ({"go_roaming": True}, {**SERVER, "events": {"include_roaming_and_offline": True}}, []),
        ({"go_roaming": True}, {**SERVER, "events": {"update_after_download": False}}, []),
        ({"vendor_fallback": True}, {}, ["privileges.vendor_fallback"]),
        ({"vendor_fallback": True}, {"product": "clamav"}, []),
        (
            {**TOGGLE, "scheduled_update": False, "go_roaming": True, "vendor_fallback": True},
            SERVER,
            ["privileges.scheduled_update", "privileges.go_roaming", "privileges.vendor_fallback"],
        ),
    ],
)
def test_each_doubt(privileges: dict[str, Any], more: dict[str, Any], found: list[str]) -> None:
    assert keys(privileges, **more) == found


def test_the_table_has_them_all() -> None:
    assert len(DOUBTS) == len({doubt.__name__ for doubt in DOUBTS}) == 6


def test_a_window_that_blackouts_swallow_is_told_with_its_days() -> None:
    week = {"days": ["saturday", "sunday"], "from": "11:00", "to": "15:00"}
    policy = {"schedule": {"blackouts": [week]}, "sources": {"urls": ["http://a.example"]}}
    check = InventoryCheck().host("n1", {"policy": policy})
    assert check.document is not None, check.errors
    ((key, text),) = doubts(check.document)
    assert key == "schedule.blackouts"
    assert re.search(r"swallow the window on 20\d\d-\d\d-\d\d, .* and \d more days", text)
    policy["schedule"]["blackouts"][0]["to"] = "13:00"
    cut = InventoryCheck().host("n1", {"policy": policy})
    assert cut.document is not None
    assert list(doubts(cut.document)) == []


ENGINE = {"scope": "all", "engine_packages": True, "engine_windows": [{"from": "02:00", "to": "04:00"}]}


@pytest.mark.parametrize(
    ("product", "blackout", "found"),
    [
        ("clamav", {"days": ["monday"], "from": "01:00", "to": "05:00"}, []),
        ("clamav", {"from": "02:00", "to": "04:00"}, ["components.engine_windows"]),
        ("clamav", {"from": "02:00", "to": "03:59"}, []),
        ("files", {"from": "05:00", "to": "06:00"}, ["components.engine_packages"]),
    ],
)
def test_packages_of_an_engine_that_are_never_upgraded(
    product: str, blackout: dict[str, Any], found: list[str]
) -> None:
    sources = {"urls": ["http://a.example"]}
    policy = {"components": ENGINE, "schedule": {"blackouts": [blackout]}, "sources": sources}
    check = InventoryCheck().host("n1", {"policy": policy, "product": product})
    assert check.document is not None, check.errors
    assert [key for key, _text in doubts(check.document)] == found
