# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""When the packages of an engine may be upgraded."""

from __future__ import annotations

from datetime import datetime, timezone
from zoneinfo import ZoneInfo

import pytest
from ansible_collections.epp.autoupdate.plugins.module_utils._core.policy.policy import Policy
from ansible_collections.epp.autoupdate.plugins.module_utils._core.schedule.engine_windows import (
    TICK,
    EngineWindows,
    wakings,
)
from hypothesis import given
from hypothesis import strategies as st

BERLIN = ZoneInfo("Europe/Berlin")


def at(text: str) -> int:
    return int(datetime.fromisoformat(text).replace(tzinfo=timezone.utc).timestamp())


def windows(*found: dict[str, object]) -> EngineWindows:
    components = {"scope": "all", "engine_packages": True, "engine_windows": list(found)}
    return EngineWindows.of(Policy.from_dict({"components": components}), BERLIN, ZoneInfo)


@pytest.mark.parametrize(
    ("now", "start", "following"),
    [
        ("2026-11-22T00:59:59", None, "2026-11-22T01:00:00"),
        ("2026-11-22T01:00:00", "2026-11-22T01:00:00", "2026-11-29T01:00:00"),
        ("2026-11-22T03:59:59", "2026-11-22T01:00:00", "2026-11-29T01:00:00"),
        ("2026-11-22T04:00:00", None, "2026-11-29T01:00:00"),
    ],
)
def test_a_window_is_half_open_in_its_zone(now: str, start: str | None, following: str) -> None:
    known = windows({"days": ["sunday"], "from": "02:00", "to": "05:00"})
    span, later = known.at(at(now)), known.after(at(now))
    assert (span.start if span else None) == (at(start) if start else None)
    assert later is not None
    assert later.start == at(following)


def test_a_window_has_its_own_zone_and_may_reach_into_the_next_day() -> None:
    known = windows({"from": "23:00", "to": "01:00", "timezone": "UTC"})
    span = known.at(at("2026-11-22T00:30:00"))
    assert span is not None
    assert (span.start, span.end) == (at("2026-11-21T23:00:00"), at("2026-11-22T01:00:00"))


def test_each_day_of_windows_without_a_gap_is_one_of_its_own() -> None:
    known = windows({"from": "00:00", "to": "00:00", "timezone": "UTC"})
    starts = {span.start for hour in range(72) if (span := known.at(at("2026-11-22T00:00:00") + hour * 3600))}
    assert starts == {at(f"2026-11-{day}T00:00:00") for day in (22, 23, 24)}


@given(ordinal=st.integers(0, 10_000), hour=st.integers(0, 24 * 7))
def test_no_window_passes_without_a_waking(ordinal: int, hour: int) -> None:
    start = at("2026-11-22T00:00:00") + hour * 3600
    calendar = wakings("n1", ordinal)
    assert any((start + second) % calendar.tick == calendar.phase for second in range(TICK))


def test_wakings_are_spread_over_the_hour() -> None:
    assert len({wakings("", number).phase for number in range(TICK)}) == TICK
