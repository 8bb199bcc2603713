# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The modules that set one section of an endpoint's policy."""

from __future__ import annotations

import json
from typing import Any

import pytest
from ansible_collections.epp.autoupdate.plugins.modules import update_events, update_privileges, update_schedule

from .conftest import Modules


def policy(modules: Modules) -> dict[str, Any]:
    document = json.loads((modules.root / "etc/epp-autoupdate/endpoint.json").read_text())
    found: dict[str, Any] = document["policy"]
    return found


@pytest.mark.parametrize(
    ("module", "section", "values"),
    [
        (update_events, "events", {"scan_after_update": True}),
        (update_schedule, "schedule", {"start": "22:00", "window": "1h30m"}),
        (update_privileges, "privileges", {"update_now": False, "go_roaming": True}),
    ],
    ids=["events", "schedule", "privileges"],
)
def test_a_section_takes_the_keys_that_are_given_and_keeps_the_others(
    modules: Modules, module: Any, section: str, values: dict[str, Any]
) -> None:
    modules.enroll()
    before = policy(modules)
    foretold = modules.run(module, check=True, diff=True, **values)
    assert policy(modules) == before
    done = modules.run(module, diff=True, **values)
    assert foretold == done
    assert done["changed"] is True
    assert done["before"] == before[section]
    assert done["after"] == policy(modules)[section] == {**before[section], **values}
    assert done["diff"][0]["before_header"] == f"policy.{section}"
    assert {name: values for name, values in policy(modules).items() if name != section} == {
        name: values for name, values in before.items() if name != section
    }
    again = modules.run(module, diff=True, **values)
    assert (again["changed"], again["diff"]) == (False, [])


def test_another_frequency_drops_what_it_makes_meaningless(modules: Modules) -> None:
    modules.enroll(policy={"schedule": {"window": "3h"}})
    after = modules.run(update_schedule, frequency="hours", interval=2)["after"]
    assert after["frequency"] == "hours"
    assert "window" not in after


def test_a_contradiction_is_refused_and_nothing_changes(modules: Modules) -> None:
    modules.enroll(policy={"schedule": {"frequency": "hours"}})
    before = policy(modules)
    result = modules.run(update_schedule, window="2h")
    assert result["failed"] is True
    assert result["msg"].startswith('schedule.window: "2h" is not allowed with frequency hours')
    assert policy(modules) == before


@pytest.mark.parametrize("module", [update_events, update_schedule, update_privileges])
def test_a_host_that_is_not_enrolled_and_a_task_without_a_key_are_refused(modules: Modules, module: Any) -> None:
    key = {update_events: "scan_after_update", update_schedule: "interval", update_privileges: "update_now"}[module]
    assert "not enrolled" in modules.run(module, **{key: 1})["msg"]
    assert "one of the following is required" in modules.run(module)["msg"]
