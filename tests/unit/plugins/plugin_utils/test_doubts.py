# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Policy that is legal and may not be what was meant: each doubt, and what is no doubt."""

from __future__ import annotations

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
    assert len(DOUBTS) == len({doubt.__name__ for doubt in DOUBTS}) == 3
