# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What preview says of a fleet is what its endpoints do: their own next_run, host by host (S8)."""

from __future__ import annotations

from collections import Counter
from typing import Any

from ansible_collections.epp.autoupdate.plugins.module_utils._core.schedule.timetable import Timetable
from ansible_collections.epp.autoupdate.plugins.module_utils._core.settings.endpoint import EndpointDocument
from ansible_collections.epp.autoupdate.plugins.module_utils._core.timezones import zone_of
from ansible_collections.epp.autoupdate.plugins.plugin_utils._plans import Budget, fleet_plans, numbered, sentences
from hypothesis import given, settings
from hypothesis import strategies as st

MIDNIGHT = 1_790_000_000 - 1_790_000_000 % 86400
SERVER = {"url": "http://updates.invalid", "signers": [f"ssh-ed25519 {'A' * 68}"]}


def document(name: str, ordinal: int | None, schedule: dict[str, Any], *, managed: bool = False) -> EndpointDocument:
    policy = {"schedule": schedule, "sources": {"urls": ["http://127.0.0.1:9"]}}
    raw = {"format": 1, "endpoint": name, "ordinal": ordinal, "policy": policy}
    return EndpointDocument.from_dict({**raw, **({"server": SERVER} if managed else {})})


SCHEDULES = st.one_of(
    st.builds(lambda minutes: {"frequency": "daily", "start": "02:00", "window": f"{minutes}m"}, st.integers(1, 240)),
    st.builds(lambda hours: {"frequency": "hours", "interval": hours}, st.sampled_from([1, 2, 3, 4, 6, 8, 12])),
)


@settings(max_examples=60, deadline=None)
@given(SCHEDULES, st.lists(st.one_of(st.none(), st.integers(0, 300)), min_size=1, max_size=60))
def test_the_plan_is_the_sum_of_the_endpoints_own_next_runs(
    schedule: dict[str, Any], ordinals: list[int | None]
) -> None:
    fleet = {f"host{n}": document(f"host{n}", ordinal, schedule) for n, ordinal in enumerate(ordinals)}
    ((plan,), _errors) = fleet_plans(fleet, Budget(), now=MIDNIGHT)
    starts: Counter[int] = Counter()
    for one in fleet.values():
        table = Timetable.of(one.policy.schedule, endpoint=one.endpoint, ordinal=one.ordinal, zone=zone_of("UTC"))
        slot = table.next_slot(MIDNIGHT)
        starts[(slot.at - slot.start) // 60] += 1
    assert {minute: count for minute, count in enumerate(plan["curve"]) if count} == dict(starts)
    assert plan["peak_starts"] == max(starts.values())


def test_two_with_one_ordinal_start_at_one_instant() -> None:
    schedule = {"frequency": "daily", "start": "02:00", "window": "2h"}
    fleet = {name: document(name, 3, schedule) for name in ("a", "b")}
    ((plan,), _errors) = fleet_plans(fleet, Budget(), now=MIDNIGHT)
    assert (plan["peak_starts"], plan["peak_running"]) == (2, 2)


def test_an_update_server_gives_the_lowest_numbers_that_are_free() -> None:
    schedule = {"frequency": "daily", "start": "02:00", "window": "2h"}
    fleet = {name: document(name, None, schedule, managed=True) for name in ("a", "b", "c")}
    assert numbered(fleet) == {"a": 0, "b": 1, "c": 2}


BLACKOUT = {"days": ["saturday"], "from": "02:00", "to": "03:30", "name": "backup"}


def test_blackouts_are_planned_in_what_they_leave_and_told() -> None:
    schedule = {"frequency": "daily", "start": "02:00", "window": "2h", "blackouts": [BLACKOUT]}
    fleet = {f"n{number}": document(f"n{number}", number, schedule) for number in range(600)}
    ((plan,), errors) = fleet_plans(fleet, Budget(), now=MIDNIGHT)
    assert errors == {}
    assert sum(plan["curve"][:90]) == 0
    assert sum(plan["curve"][90:]) == 600
    assert set(plan["curve"][90:]) <= {19, 20, 21}
    assert [one["seconds"] for one in plan["blackouts"]["cut"]] == [1800, 7200]
    assert len(plan["blackouts"]["cut"][0]["windows"]) in (5, 6)
    assert plan["blackouts"]["swallowed"] == []
    assert "blackouts leave 30m of the window on 2026-" in sentences([plan])[0]


def test_a_window_that_blackouts_make_too_short_is_refused_with_the_numbers() -> None:
    schedule = {"frequency": "daily", "start": "02:00", "window": "2h", "blackouts": [BLACKOUT]}
    fleet = {f"n{number}": document(f"n{number}", number, schedule) for number in range(100)}
    budget = Budget(size=1_000_000, link=33_334)  # one endpoint in 30 seconds: 50 minutes for all
    (_plans, errors) = fleet_plans(fleet, budget, now=MIDNIGHT)
    assert set(errors) == set(fleet)
    text = str(errors["n0"])
    assert text.startswith("schedule.blackouts: 30m, which blackouts leave of the window of 2h, is not long enough for")
    assert "needs " in text
    assert "there is room for " in text
    without = {key: one for key, one in schedule.items() if key != "blackouts"}
    fleet = {f"n{number}": document(f"n{number}", number, without) for number in range(100)}
    assert fleet_plans(fleet, budget, now=MIDNIGHT)[1] == {}


def test_blackouts_that_leave_no_window_are_refused() -> None:
    schedule = {"start": "02:00", "window": "2h", "blackouts": [{"from": "01:00", "to": "05:00"}]}
    ((plan,), errors) = fleet_plans({"n1": document("n1", 0, schedule)}, Budget(), now=MIDNIGHT)
    assert "no scheduled update would ever run" in str(errors["n1"])
    assert len(plan["blackouts"]["swallowed"]) == 36
    assert "swallow the window on" in sentences([plan])[0]


@settings(max_examples=30, deadline=None)
@given(SCHEDULES, st.lists(st.integers(0, 300), min_size=1, max_size=30, unique=True), st.integers(1, 5))
def test_products_of_an_endpoint_are_planned_as_they_run_and_never_start_together(
    schedule: dict[str, Any], ordinals: list[int], further: int
) -> None:
    names = [f"p{number}" for number in range(further)]
    own = {"format": 1, "title": "p", "components": {"c": {"file": "/v", "pattern": "(?P<version>.+)"}}}
    step = {"update": [{"command": ["/bin/true"]}]}
    more = [{"product": name, "product_definitions": {name: {**own, **step}}} for name in names]
    fleet = {
        f"n{ordinal}": EndpointDocument.from_dict(
            {**document(f"n{ordinal}", ordinal, schedule).to_dict(), "products": more}
        )
        for ordinal in ordinals
    }
    ((plan,), _errors) = fleet_plans(fleet, Budget(), now=MIDNIGHT)
    starts: Counter[int] = Counter()
    for whole in fleet.values():
        slots = []
        for one in whole.each():
            table = Timetable.of(one.policy.schedule, endpoint=one.endpoint, ordinal=one.ordinal, zone=zone_of("UTC"))
            slot = table.of_product(one.place).next_slot(MIDNIGHT)
            assert slot is not None
            slots.append(slot.at - slot.start)
            starts[slots[-1] // 60] += 1
        length = plan["window"]
        apart = [(later - earlier) % length for earlier in slots for later in slots if earlier is not later]
        assert len(set(slots)) == further + 1
        assert min(apart) >= length // (3 * (further + 1)) - 1
    assert {minute: count for minute, count in enumerate(plan["curve"]) if count} == dict(starts)
    assert plan["endpoints"] == len(ordinals) * (further + 1)
    assert plan["hosts"] == list(fleet)
    assert f"{plan['endpoints']} products on {len(ordinals)} endpoint" in sentences([plan])[0]
