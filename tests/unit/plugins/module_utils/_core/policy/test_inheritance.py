# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""P2: endpoint > nearest domain > ... > root, key by key, with the origin of every key."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.epp.autoupdate.plugins.module_utils._core.policy.inheritance import (
    Effective,
    Layer,
    layers_of,
    resolve,
)
from ansible_collections.epp.autoupdate.plugins.module_utils._core.policy.policy import Policy
from ansible_collections.epp.autoupdate.plugins.module_utils._core.validation.errors import InvalidDocument
from hypothesis import given
from hypothesis import strategies as st


def effective(domain: str = "emea/finance", **parts: Any) -> Effective:
    return resolve(layers_of(domain, **{"root": {}, "domains": {}, **parts}))


def paths(domain: str = "emea/finance", **parts: Any) -> list[str]:
    with pytest.raises(InvalidDocument) as refused:
        effective(domain, **parts)
    return [error.path for error in refused.value.errors]


def test_every_key_comes_from_the_nearest_layer_that_sets_it() -> None:
    found = effective(
        root={"schedule": {"start": "01:00", "window": "1h"}, "privileges": {"update_now": False}},
        domains={
            "emea": {"schedule": {"window": "2h", "timezone": "Europe/Berlin"}},
            "emea/finance": {"schedule": {"window": "3h"}},
            "apac": {"schedule": {"start": "05:00"}},
        },
        endpoint={"events": {"scan_after_update": True}},
    )
    schedule = found.policy.schedule
    assert (schedule.start, schedule.window, schedule.timezone) == (3600, 10800, "Europe/Berlin")
    assert found.policy.events.scan_after_update
    assert not found.policy.privileges.update_now
    assert {
        key: found.origins[key]
        for key in ("schedule.start", "schedule.window", "schedule.timezone", "events.scan_after_update")
    } == {
        "schedule.start": "root",
        "schedule.window": "emea/finance",
        "schedule.timezone": "emea",
        "events.scan_after_update": "endpoint",
    }
    assert found.origins["schedule.spread"] == "default"


def test_an_endpoint_under_the_root_inherits_from_the_root_only() -> None:
    found = effective("", root={"schedule": {"window": "1h"}}, domains={"emea": {"schedule": {"window": "2h"}}})
    assert found.policy.schedule.window == 3600


def test_what_a_new_frequency_makes_meaningless_falls_away() -> None:
    found = effective(
        root={"schedule": {"frequency": "weekly", "day": "friday", "window": "1d"}},
        domains={"emea": {"schedule": {"frequency": "hours", "interval": 4}}},
    )
    assert found.policy.to_dict()["schedule"]["interval"] == 4
    assert "schedule.window" not in found.origins
    assert found.origins["schedule.interval"] == "emea"


def test_a_key_that_got_lost_on_the_way_comes_back_with_its_frequency() -> None:
    found = effective(
        root={"schedule": {"window": "1h"}},
        domains={
            "emea": {"schedule": {"frequency": "hours"}},
            "emea/finance": {"schedule": {"frequency": "daily"}},
        },
    )
    assert found.policy.schedule.window == 3600


@pytest.mark.parametrize(
    ("parts", "expected"),
    [
        ({"root": {"schedule": {"frequency": "hours", "window": "1h"}}}, ["schedule.window"]),
        (
            {"domains": {"emea": {"schedule": {"frequency": "hours", "window": "1h"}}}},
            ["domains[emea].schedule.window"],
        ),
        (
            {
                "root": {"schedule": {"frequency": "hours"}},
                "domains": {"emea/finance": {"schedule": {"window": "1h"}}},
            },
            ["domains[emea/finance].schedule.window"],
        ),
        (
            {"root": {"schedule": {"frequency": "hours"}}, "endpoint": {"schedule": {"day": "friday"}}},
            ["endpoint_policy.schedule.day"],
        ),
        (
            {
                "root": {"schedule": {"frequency": "minutes", "interval": 30}},
                "domains": {"emea": {"schedule": {"frequency": "hours"}}},
            },
            ["domains[emea].schedule.frequency"],
        ),
        (
            {
                "root": {"schedule": {"frequency": "weekly", "window": "2d"}},
                "endpoint": {"schedule": {"frequency": "daily"}},
            },
            ["endpoint_policy.schedule.frequency"],
        ),
        (
            {
                "root": {"events": {"update_after_download": False}},
                "endpoint": {"events": {"include_roaming_and_offline": True}},
            },
            ["endpoint_policy.events.include_roaming_and_offline"],
        ),
    ],
)
def test_a_layer_that_contradicts_itself_or_an_outer_one_is_named(parts: Any, expected: list[str]) -> None:
    assert paths(**parts) == expected


def test_e1a_falls_away_with_e1() -> None:
    found = effective(
        root={"events": {"include_roaming_and_offline": True}},
        domains={"emea": {"events": {"update_after_download": False}}},
    )
    assert not found.policy.events.include_roaming_and_offline
    assert found.origins["events.include_roaming_and_offline"] == "default"


def test_the_errors_of_all_layers_come_at_once() -> None:
    found = paths(
        root={"schedule": {"windw": "1h"}},
        domains={"emea": {"events": []}},
        endpoint={"schedule": {"start": "1"}},
    )
    assert found == ["schedule.windw", "domains[emea].events", "endpoint_policy.schedule.start"]


BOOLEANS = st.dictionaries(
    st.sampled_from(["toggle_scheduled_update", "scheduled_update", "update_now", "go_roaming", "vendor_fallback"]),
    st.booleans(),
)


@given(st.lists(BOOLEANS, max_size=5))
def test_inheritance_is_one_mapping_over_the_other(levels: list[dict[str, bool]]) -> None:
    found = resolve([Layer(str(rank), {"privileges": level}) for rank, level in enumerate(levels)])
    merged: dict[str, bool] = {}
    for level in levels:
        merged.update(level)
    assert found.policy == Policy.from_dict({"privileges": merged})
    for key in merged:
        nearest = max(rank for rank, level in enumerate(levels) if key in level)
        assert found.origins[f"privileges.{key}"] == str(nearest)


def test_what_is_stored_keeps_a_zone_that_is_not_known_any_more() -> None:
    layer = Layer("root", {"schedule": {"timezone": "Mars/Base_1"}})
    with pytest.raises(InvalidDocument, match="that is known here"):
        resolve([layer])
    assert resolve([layer], stored=True).policy.schedule.timezone == "Mars/Base_1"
    with pytest.raises(InvalidDocument, match="IANA name"):
        resolve([Layer("root", {"schedule": {"timezone": "../etc/passwd"}})], stored=True)
