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
from ansible_collections.epp.autoupdate.plugins.plugin_utils._plans import Budget, fleet_plans, numbered
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
    ((plan,), _errors) = fleet_plans(fleet, Budget())
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
    ((plan,), _errors) = fleet_plans(fleet, Budget())
    assert (plan["peak_starts"], plan["peak_running"]) == (2, 2)


def test_an_update_server_gives_the_lowest_numbers_that_are_free() -> None:
    schedule = {"frequency": "daily", "start": "02:00", "window": "2h"}
    fleet = {name: document(name, None, schedule, managed=True) for name in ("a", "b", "c")}
    assert numbered(fleet) == {"a": 0, "b": 1, "c": 2}
