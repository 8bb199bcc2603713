# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The filters are thin faces of the library, and refuse as it does."""

from __future__ import annotations

from typing import Any

import pytest
from ansible.errors import AnsibleFilterError
from ansible_collections.epp.autoupdate.plugins.filter import (
    effective_policy,
    load_curve,
    server_settings,
    update_results,
)

ROOT = {"schedule": {"start": "02:00", "window": "2h"}, "sources": {"urls": ["http://a.example"]}}
DOMAINS = {
    "emea": {"schedule": {"timezone": "Europe/Berlin"}},
    "emea/finance": {"schedule": {"frequency": "hours", "interval": 2}},
}
effective = effective_policy.FilterModule().filters()["effective_policy"]
settings = server_settings.FilterModule().filters()["server_settings"]
told = update_results.FilterModule().filters()["update_results"]
curve = load_curve.FilterModule().filters()["load_curve"]


@pytest.mark.parametrize(
    ("domain", "endpoint", "expected"),
    [
        ("", None, {"frequency": "daily", "timezone": "UTC", "window": "2h"}),
        ("emea", None, {"frequency": "daily", "timezone": "Europe/Berlin", "window": "2h"}),
        ("emea/other/deep", None, {"frequency": "daily", "timezone": "Europe/Berlin"}),
        ("emea/finance", {}, {"frequency": "hours", "interval": 2}),
        ("emea", {"schedule": {"window": "1h"}}, {"window": "1h", "start": "02:00"}),
    ],
)
def test_the_innermost_setting_counts(domain: str, endpoint: Any, expected: dict[str, Any]) -> None:
    schedule = effective(ROOT, DOMAINS, domain, endpoint)["schedule"]
    assert {key: schedule[key] for key in expected} == expected


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (({"schedule": {"window": "2x"}},), "autoupdate_policy.schedule.window"),
        ((ROOT, {"emea": {"nonsense": {}}}, "emea"), "autoupdate_domain_policies[emea].nonsense"),
        ((ROOT, {}, "", {"schedule": {"day": "noday"}}), "autoupdate_endpoint_policy.schedule.day"),
        ((ROOT, ["emea"], "emea"), "takes mappings"),
        ((3,), "takes mappings"),
    ],
)
def test_what_is_wrong_is_told_with_its_variable(arguments: tuple[Any, ...], message: str) -> None:
    with pytest.raises(AnsibleFilterError) as refused:
        effective(*arguments)
    assert message in str(refused.value)


def test_the_load_of_a_schedule() -> None:
    plan = curve(ROOT, 7200, component_size=1_000_000)
    assert plan["endpoints"] == sum(plan["curve"]) == 7200
    assert set(plan["curve"]) == {60}
    assert (plan["peak_starts"], plan["window"], plan["fits"]) == (60, 7200, True)
    assert plan["finish"] == 7199 + 30
    assert curve(ROOT, 7200, component_size=10**9, link=1)["fits"] is False


@pytest.mark.parametrize("options", [{"run_time": "soon"}, {"bucket": "0s"}, {"link": -1}])
def test_a_load_that_can_not_be_told(options: dict[str, Any]) -> None:
    with pytest.raises(AnsibleFilterError):
        curve(ROOT, 10, **options)


def test_the_settings_of_a_server_are_filled_in_or_refused_with_every_fault() -> None:
    whole = settings({"web": {"url": "http://a.example"}, "notify": {"max_in_flight": "50"}, "fetch": {"offset": None}})
    assert (whole["notify"]["max_in_flight"], whole["notify"]["max_in_flight_peak"], whole["fetch"]["every"]) == (
        50,
        50,
        "1h",
    )
    with pytest.raises(AnsibleFilterError) as refused:
        settings({"web": {}, "notify": {"max_in_flight": 0}})
    assert all(path in str(refused.value) for path in ("web.url", "notify.max_in_flight"))
    with pytest.raises(AnsibleFilterError, match="takes a mapping"):
        settings(["web"])


def test_the_end_of_a_cool_down_is_told():
    result = {"result": "cooling_down", "reason": "the source refuses", "until": "2026-11-29T13:00:00Z"}
    assert told({"n1": result})[1:] == ["n1: cooling_down; the source refuses; until 2026-11-29T13:00:00Z"]
