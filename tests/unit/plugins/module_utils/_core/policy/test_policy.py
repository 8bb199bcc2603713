# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The policy: messages, ranges, and what goes together."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.epp.autoupdate.plugins.module_utils._core.policy.policy import (
    Frequency,
    Policy,
    Spread,
    Weekday,
)
from ansible_collections.epp.autoupdate.plugins.module_utils._core.validation.errors import InvalidDocument


def refusal(policy: Any) -> str:
    with pytest.raises(InvalidDocument) as refused:
        Policy.from_dict(policy)
    return str(refused.value)


@pytest.mark.parametrize(
    ("policy", "message"),
    [
        ({"schedule": {"window": 7200}}, "schedule.window: 7200 is not a duration (try 2h for 7200 seconds)"),
        ({"schedule": {"window": "300"}}, 'schedule.window: "300" is not a duration (try 5m for 300 seconds)'),
        ({"schedule": {"window": "2x"}}, 'schedule.window: "2x" is not a duration (try 90m, 2h)'),
        ({"schedule": {"windw": "2h"}}, 'schedule.windw: "windw" is not a known key (did you mean window?)'),
        (
            {"schedule": {"frequency": "dayly"}},
            'schedule.frequency: "dayly" is not minutes, hours, daily or weekly (did you mean daily?)',
        ),
        (
            {"schedule": {"start": 720}},
            'schedule.start: 720 is not a time "HH:MM" from "00:00" to "23:59" (in quotes)',
        ),
        (
            {"events": {"update_on_reconnect": "yes"}},
            'events.update_on_reconnect: "yes" is not true or false (without quotes)',
        ),
        (
            {"schedule": {"frequency": "hours", "window": "2h"}},
            'schedule.window: "2h" is not allowed with frequency hours (only with daily or weekly)',
        ),
        (
            {"schedule": {"window": "1d"}},
            'schedule.window: "1d" is not shorter than its period, as frequency daily demands',
        ),
        ("daily", 'document: "daily" is not a mapping (keys: events, schedule, privileges, components, sources)'),
    ],
)
def test_messages_say_where_what_and_what_else(policy: Any, message: str) -> None:
    assert refusal(policy) == message


def test_all_errors_come_at_once() -> None:
    lines = refusal({"schedule": {"window": "2x", "start": 5}, "events": {"x": 1}, "y": {}}).splitlines()
    assert [line.partition(":")[0] for line in lines] == ["y", "schedule.window", "schedule.start", "events.x"]


@pytest.mark.parametrize(
    ("schedule", "shown"),
    [
        ({"frequency": "minutes", "interval": 59}, {"interval", "configuration_once_per_day"}),
        ({"frequency": "hours", "interval": 23}, {"interval", "configuration_once_per_day"}),
        ({"frequency": "daily", "window": "86399s"}, {"start", "window"}),
        ({"frequency": "weekly", "window": "6d23h59m59s", "day": "sunday"}, {"start", "window", "day"}),
    ],
)
def test_only_keys_with_a_meaning_are_shown(schedule: dict[str, Any], shown: set[str]) -> None:
    policy = Policy.from_dict({"schedule": schedule})
    always = {"frequency", "timezone", "spread", "initiator", "blackouts", "blackout_exceptions"}
    assert set(policy.to_dict()["schedule"]) == always | shown
    assert Policy.from_dict(policy.to_dict()) == policy


def test_values_are_typed() -> None:
    schedule = Policy.from_dict(
        {"schedule": {"frequency": "weekly", "day": "sunday", "start": "23:59", "spread": "random"}}
    ).schedule
    assert (schedule.frequency, schedule.day, schedule.spread) == (Frequency.WEEKLY, Weekday.SUNDAY, Spread.RANDOM)
    assert schedule.start == 86340
    assert schedule.period == 7 * 86400


def test_an_empty_policy_is_the_default_one() -> None:
    assert Policy.from_dict({}) == Policy()
    assert Policy.from_dict(Policy().to_dict()) == Policy()


def test_what_says_no_to_e1_may_say_no_to_e1a_too() -> None:
    events = {"update_after_download": False, "include_roaming_and_offline": False}
    assert not Policy.from_dict({"events": events}).events.include_roaming_and_offline
