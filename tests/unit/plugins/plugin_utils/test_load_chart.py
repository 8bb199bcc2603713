# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The load of schedules as charts: what is drawn, and how wide."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.epp.autoupdate.plugins.module_utils._server.terminal.capabilities import Terminal
from ansible_collections.epp.autoupdate.plugins.plugin_utils._load_chart import load_charts

DAILY = {"frequency": "daily", "start": "22:30", "window": "2h", "timezone": "UTC"}


def plan(curve: list[int], schedule: dict[str, Any] | None = None, window: int = 7200) -> dict[str, Any]:
    counts = {"endpoints": sum(curve), "curve": curve, "peak_starts": max(curve)}
    return {**counts, "window": window, "bucket": 60, "schedule": schedule or DAILY}


def test_a_window_has_times_of_the_day_and_its_peak() -> None:
    assert load_charts([plan([4, 8] * 60)], Terminal(40, blocks=False)) == [
        "daily from 22:30 for 2h (UTC): 720 endpo",
        "  8 ##############################",
        "    ##############################",
        "    ##############################",
        "    ##############################",
        "  0 ------------------------------",
        "    22:30  23:00   23:30     00:30",
    ]


def test_an_interval_counts_from_its_start() -> None:
    schedule = {"frequency": "minutes", "interval": 4}
    *_chart, marks = load_charts([plan([1, 4, 2, 1], schedule, window=240)], Terminal(60))
    assert marks.split() == ["+0s", "+1m", "+2m", "+3m", "+4m"]


@pytest.mark.parametrize("columns", [20, 80, 200])
def test_no_line_is_wider_than_the_terminal(columns: int) -> None:
    lines = load_charts(
        [plan([1, 50, 1000] * 200), plan([7], {"frequency": "minutes", "interval": 1}, 60)], Terminal(columns)
    )
    assert max(map(len, lines)) <= columns


def test_of_many_schedules_the_largest_are_drawn() -> None:
    lines = load_charts([plan([number + 1]) for number in range(8)], Terminal(80))
    assert [line.split(": ")[1].split()[0] for line in lines if line.startswith("daily")] == ["8", "7", "6", "5", "4"]
    assert lines[-1] == "and 3 more schedules"


def test_without_endpoints_there_is_nothing_to_draw() -> None:
    assert load_charts([plan([0, 0])], Terminal(80)) == []


def test_a_schedule_cannot_act_on_the_screen() -> None:
    lines = load_charts([plan([1], {**DAILY, "timezone": "\x1b[2J"})], Terminal(80))
    assert "\\x1b[2J" in lines[0]
