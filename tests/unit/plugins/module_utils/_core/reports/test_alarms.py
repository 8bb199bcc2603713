# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The alarms of a fleet (R7)."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.epp.autoupdate.plugins.module_utils._core.reports.alarms import (
    Alarm,
    Fetch,
    FleetFacts,
    alarms,
    span,
)
from ansible_collections.epp.autoupdate.plugins.module_utils._core.reports.states import EndpointState
from ansible_collections.epp.autoupdate.plugins.module_utils._core.settings.alarms import AlarmSettings

NOW = 1795348800.0
DAY = 86400
State = EndpointState


def raised(limits: AlarmSettings | None = None, **facts: Any) -> list[Alarm]:
    return alarms(FleetFacts(**{"states": {State.CURRENT: 10}, **facts}), limits or AlarmSettings(), now=NOW)


def test_a_fleet_that_is_well_raises_none() -> None:
    well = {
        "fetches": {"clamav": Fetch("current"), "files": Fetch("cooling_down")},
        "published": {"clamav": NOW - 2 * DAY, "files": NOW - 900 * DAY},
        "outdated": {"clamav": 0, "files": 3},
        "ends": {"tree": NOW + 3 * DAY},
    }
    assert raised(**well) == []
    assert raised(states={}) == []


@pytest.mark.parametrize(
    ("facts", "name", "words"),
    [
        ({"ends": {"tree": NOW + DAY}}, "expiry", "tree: what is published ends in 1d"),
        ({"ends": {"shards": NOW}}, "expiry", "shards: what is published has expired, and endpoints refuse it"),
        (
            {"fetches": {"clamav": Fetch("failed", "no space left")}},
            "fetch",
            "clamav: the last fetch ended with failed: no space left",
        ),
        ({"fetches": {"clamav": Fetch("unreachable")}}, "fetch", "clamav: the last fetch ended with unreachable"),
        (
            {"published": {"clamav": NOW - 5 * DAY}},
            "component_age",
            "clamav: nothing new has been published for 5d (limit 3d)",
        ),
        (
            {"outdated": {"clamav": 1}, "published": {"clamav": NOW}},
            "outdated",
            "clamav: 1 endpoint without what was published more than 3d ago",
        ),
        ({"outdated": {"clamav": 2}}, "outdated", "clamav: 2 endpoints whose newest component is more than 3d old"),
        (
            {"states": {State.CURRENT: 9, State.FAILING: 1}, "reasons": {State.FAILING: "failed; the disk is full"}},
            "failing",
            "1 endpoint of 10 failing (failed; the disk is full) (limit 5 %)",
        ),
        ({"states": {State.CURRENT: 999, State.REFUSING: 1}}, "refusing", "1 endpoint of 1000 refusing (limit 0 %)"),
        ({"states": {State.CURRENT: 8, State.SILENT: 2}}, "silent", "2 endpoints of 10 silent (limit 10 %)"),
    ],
)
def test_each_alarm_has_its_name_and_says_what_is_wrong(facts: dict[str, Any], name: str, words: str) -> None:
    (found,) = raised(**facts)
    assert (found.name, found.words) == (name, words)


def test_a_share_is_beyond_its_limit_and_not_at_it() -> None:
    assert raised(states={State.CURRENT: 9, State.SILENT: 1}) == []
    assert raised(AlarmSettings(silent_share=9), states={State.CURRENT: 9, State.SILENT: 1}) != []


@pytest.mark.parametrize(("seconds", "words"), [(59, "59s"), (60, "1m"), (5400, "1h30m"), (3 * DAY + 5, "3d")])
def test_spans_are_short(seconds: float, words: str) -> None:
    assert span(seconds) == words
