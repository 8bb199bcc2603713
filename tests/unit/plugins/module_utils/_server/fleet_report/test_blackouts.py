# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Blackouts in the report on the fleet (G7): a start that a blackout takes is told, and is no missing one."""

from __future__ import annotations

from typing import Any
from zoneinfo import ZoneInfo

import pytest
from ansible_collections.epp.autoupdate.plugins.module_utils._core.policy.policy import Policy
from ansible_collections.epp.autoupdate.plugins.module_utils._core.reports.states import Assessment, EndpointState
from ansible_collections.epp.autoupdate.plugins.module_utils._core.timestamps import unix
from ansible_collections.epp.autoupdate.plugins.module_utils._server.fleet.policies import EndpointPolicy
from ansible_collections.epp.autoupdate.plugins.module_utils._server.fleet.states import EndpointHealth
from ansible_collections.epp.autoupdate.plugins.module_utils._server.fleet_report.columns import Missing
from ansible_collections.epp.autoupdate.plugins.module_utils._server.fleet_report.facts import EndpointFacts
from ansible_collections.epp.autoupdate.plugins.module_utils._server.fleet_report.starts import start_of, words

NOW = unix("2026-06-10T12:30:00Z")  # a Wednesday


def facts(**blackout: Any) -> EndpointFacts:
    policy = Policy.from_dict({"schedule": {"blackouts": [blackout]}})
    health = EndpointHealth(Assessment(EndpointState.CURRENT))
    return EndpointFacts(name="n1", domain="", member=EndpointPolicy("n1", 0, policy), health=health)


@pytest.mark.parametrize(
    ("blackout", "planned"),
    [
        ({"from": "09:00", "to": "18:00"}, "a blackout swallows its slot"),
        ({"from": "09:00", "to": "12:20"}, "2026-06-10T12:20:00Z"),
        ({"from": "18:00", "to": "20:00"}, "2026-06-10T12:00:00Z"),
        ({"from": "09:00", "to": "10:00", "timezone": "local"}, "its schedule goes by its own time zone"),
    ],
)
def test_the_planned_start_is_that_of_the_endpoint(blackout: dict[str, str], planned: str) -> None:
    start = start_of(facts(**blackout), now=NOW, zone_of=ZoneInfo)
    if isinstance(start.planned, Missing):
        assert str(start.planned).startswith(planned)
        assert start.slot is None
    else:
        assert start.planned == unix(planned)


def test_a_schedule_says_that_it_has_blackouts() -> None:
    schedule = facts(**{"from": "09:00", "to": "18:00"}).member.policy
    assert schedule is not None
    assert words(schedule.schedule).endswith("even, 1 blackout")
    hourly = Policy.from_dict({"schedule": {"frequency": "hours", "blackouts": [{"from": "01:00", "to": "02:00"}]}})
    assert words(hourly.schedule) == "every 1 hours, 1 blackout"
