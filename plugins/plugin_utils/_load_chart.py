# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The load of schedules as charts for a terminal: how many endpoints start in each minute of a window (S8)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from ansible_collections.epp.autoupdate.plugins.module_utils._core.durations import format_duration
from ansible_collections.epp.autoupdate.plugins.module_utils._core.untrusted_text import LONGEST_LINE, shown
from ansible_collections.epp.autoupdate.plugins.module_utils._server.terminal.capabilities import Terminal
from ansible_collections.epp.autoupdate.plugins.module_utils._server.terminal.charts import (
    glyphs,
    histogram,
    merged,
    scale,
)
from ansible_collections.epp.autoupdate.plugins.plugin_utils._plans import when

_ROWS = 4
_MOST = 5
_DAY_S = 86400


def load_charts(plans: Sequence[Mapping[str, Any]], terminal: Terminal) -> list[str]:
    """A chart for each plan, of many only for those with the most endpoints; every line is data and fits (R5)."""
    largest = sorted(plans, key=lambda plan: -plan["endpoints"])[:_MOST]
    lines = [line for plan in largest if plan["endpoints"] for line in _chart(plan, terminal)]
    if len(plans) > _MOST:
        lines.append(f"and {len(plans) - _MOST} more schedules")
    return [shown(line.rstrip(), LONGEST_LINE)[: terminal.columns] for line in lines]


def _chart(plan: Mapping[str, Any], terminal: Terminal) -> Iterator[str]:
    using, peak = glyphs(blocks=terminal.blocks), str(plan["peak_starts"])
    columns = merged(plan["curve"], terminal.columns - len(peak) - 3)
    minute = "a minute" if plan["bucket"] == 60 else f"in {format_duration(plan['bucket'])}"
    yield f"{when(plan['schedule'])}: {plan['endpoints']} endpoints, at most {peak} start {minute}"
    for number, row in enumerate(histogram(columns, rows=_ROWS, using=using)):
        yield f"  {'' if number else peak:>{len(peak)}} {row}"
    yield f"  {0:>{len(peak)}} {using.rule * len(columns)}"
    yield f"  {'':>{len(peak)}} {scale(_marks(plan, len(columns)), len(columns))}"


def _marks(plan: Mapping[str, Any], columns: int) -> list[tuple[int, str]]:
    """The quarters of the window: times of the day, or of an interval the time since its start."""
    parts, window = 4, plan["window"]
    start = plan["schedule"].get("start")
    offsets = [(part * columns // parts, part * window // parts) for part in range(parts + 1)]
    if start is None:
        return [(column, f"+{format_duration(offset)}") for column, offset in offsets]
    hours, _colon, minutes = start.partition(":")
    begins = int(hours) * 3600 + int(minutes) * 60
    return [(column, _clock((begins + offset) % _DAY_S)) for column, offset in offsets]


def _clock(second: int) -> str:
    return f"{second // 3600:02}:{second % 3600 // 60:02}"
