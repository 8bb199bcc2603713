# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What ``status`` draws below its lines at a terminal: states of endpoints, newest campaigns, two weeks of states."""

from __future__ import annotations

import sqlite3
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from datetime import date, timedelta
from textwrap import wrap

from ..._core.reports.states import EndpointState
from ..._core.rollout.delivery import DeliveryStatus
from ..._core.timestamps import iso
from ..._host.local_host import LocalHost
from ..campaigns.queries import Summary, is_failure, summaries, worst_first
from ..fleet.state_history import history
from ..health import assessments
from ..terminal.capabilities import Terminal
from ..terminal.charts import Glyphs, gauge, glyphs, shares, sparkline
from ..terminal.painting import DIM, GREEN, RED, YELLOW, Line, Span, plain

_CAMPAIGNS = 5
_DAYS = 14
_WIDEST_BAR = 60
_LONGEST_HEAD = 56
_ATTENTION = (EndpointState.FAILING, EndpointState.REFUSING, EndpointState.SILENT, EndpointState.BEHIND)
_COLORS = {
    EndpointState.FAILING: RED,
    EndpointState.REFUSING: RED,
    EndpointState.SILENT: YELLOW,
    EndpointState.BEHIND: YELLOW,
    EndpointState.CURRENT: GREEN,
}
_GOOD = ("updated", "current")
_OPEN = frozenset(status.value for status in DeliveryStatus if status.open)
_SHADES = (RED, GREEN, "", DIM)
_WORDS = ("failed", "up to date", "neither", "open")
"""Colors and words of the classes of results, in the order of ``Glyphs.shades``."""


def status_charts(host: LocalHost, connection: sqlite3.Connection, terminal: Terminal) -> list[Line]:
    """The lines for a terminal; none for a server without endpoints."""
    using = glyphs(blocks=terminal.blocks)
    counts = Counter(one.state for one in assessments(host, connection).values())
    if not counts:
        return []
    lines = [plain(""), *state_bars(counts, columns=terminal.columns, using=using)]
    newest = summaries(connection)[:_CAMPAIGNS]
    if newest:
        lines += [plain(""), *campaign_bars(newest, columns=terminal.columns, using=using)]
    trend = trend_lines(history(connection), today=iso(host.now()).partition("T")[0], using=using)
    return [*lines, plain(""), *trend] if trend else lines


def state_bars(counts: Mapping[EndpointState, int], *, columns: int, using: Glyphs) -> list[Line]:
    """A bar for each state that an endpoint is in, as its share of all; those that need somebody come first."""
    total = sum(counts.values())
    told = [(state, counts[state]) for state in EndpointState if counts.get(state)]
    head = [f"{state.value:<{_longest(told)}}  {count:>{len(str(total))}}  " for state, count in told]
    room = min(_WIDEST_BAR, columns - max(map(len, head), default=0))
    return [
        (Span(before), Span(gauge(count, of=total, columns=room, using=using), _COLORS.get(state, "")))
        for before, (state, count) in zip(head, told)
    ]


def _longest(told: Sequence[tuple[EndpointState, int]]) -> int:
    return max((len(state.value) for state, _count in told), default=0)


def campaign_bars(newest: Sequence[Summary], *, columns: int, using: Glyphs) -> list[Line]:
    """What the bars are drawn with; then of each campaign its subject with a bar of its results, and these in words."""
    legend = (Span(f"  {shade} {word}", color) for shade, word, color in zip(using.shades, _WORDS, _SHADES))
    heads = [f"{iso(one.created)}  {one.product} {one.version}"[:_LONGEST_HEAD] for one in newest]
    width = max(map(len, heads))
    lines: list[Line] = [(Span("campaigns"), *legend)]
    for head, one in zip(heads, newest):
        lines.append((Span(f"{head:<{width}}  "), *_results(one, min(_WIDEST_BAR, columns - width - 2), using)))
        told = ", ".join(f"{count} {word}" for word, count in worst_first(one.results).items()) or one.words()
        lines += [plain(f"  {part}") for part in wrap(told, max(20, columns - 2))]
    return lines


def _results(one: Summary, columns: int, using: Glyphs) -> Iterator[Span]:
    classes = [0, 0, 0, 0]
    for word, count in one.results.items():
        classes[_class(word)] += count
    cells = shares(classes, max(columns, len(classes)))
    return (Span(shade * count, color) for shade, count, color in zip(using.shades, cells, _SHADES))


def _class(word: str) -> int:
    if is_failure(word):
        return 0
    return 1 if word in _GOOD else 3 if word in _OPEN else 2


def trend_lines(days: Mapping[str, Mapping[str, int]], *, today: str, using: Glyphs) -> list[Line]:
    """How many were current, and how many needed attention, on each of the last days; none without history of two."""
    last = date.fromisoformat(today)
    names = [(last - timedelta(days=_DAYS - 1 - number)).isoformat() for number in range(_DAYS)]
    if sum(name in days for name in names) < 2:
        return []
    groups = {"current": ((EndpointState.CURRENT,), GREEN), "attention": (_ATTENTION, RED)}
    lines: list[Line] = []
    for label, (states, color) in groups.items():
        values = [sum(days[name].get(state.value, 0) for state in states) if name in days else None for name in names]
        known = [value for value in values if value is not None]
        drawn = sparkline(values, top=max(known), using=using)
        words = f"  {min(known)} to {max(known)}, now {known[-1]}"
        lines.append((Span(f"{_DAYS} days  {label:<9}  "), Span(drawn, color), Span(words)))
    return lines
