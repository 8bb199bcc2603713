# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The next slot of an endpoint where blackouts (G7) take those that are near."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import tzinfo
from itertools import takewhile
from typing import Union

from ..policy.enums import DAY
from ..timezones import offset_changes
from .blackouts import BlackoutCalendar, Span
from .intervals import IntervalGrid
from .slots import Slot
from .timetable import Timetable
from .windows import WindowGrid

_AHEAD = 15 * DAY
_YEAR = 366 * DAY
_STRIDES = 4
"""How many times the reach of a grid are looked through: more than a week, in which weekly blackouts have all come."""
_REACH = 3 * DAY
_INTERVALS = 400
"""How many spans of blackouts an interval schedule is followed through: 23 hours meet every time of a week in 168."""


def search(grid: Union[WindowGrid, IntervalGrid], blackouts: BlackoutCalendar, zone: tzinfo, now: float) -> Slot | None:
    """The first slot after ``now`` that is not swallowed; None where there is none within a year after all dates."""
    if isinstance(grid, IntervalGrid):
        return _interval(grid, blackouts, now)
    coming = sorted(edge for edge in blackouts.dates if edge > now)
    changes = sorted({at for one in (zone, *blackouts.zones) for at in offset_changes(now, now + _YEAR, one)})
    for begin in _beginnings(now, coming, changes):
        for number in range(_STRIDES):
            slots = grid.around(begin + number * _REACH)
            found = next((slot for slot in slots if slot.at > now and not slot.swallowed), None)
            if found is not None:
                return found
    return None


def coming_blackout(blackouts: BlackoutCalendar, now: float) -> Span | None:
    """The blackout in force, or the first one of the weeks after it, with those that follow without a gap."""
    over = blackouts.at(now)
    if over is not None:
        return over
    first = next(iter(blackouts.spans(int(now), int(now) + _AHEAD)), None)
    return None if first is None else blackouts.at(first.start)


def swallowed_before(timetable: Timetable, now: float) -> tuple[str, ...]:
    """The next windows of a schedule, by their names, that blackouts swallow before one that they do not."""
    grid = timetable.grid
    if isinstance(grid, IntervalGrid):
        return ()
    coming = (slot for slot in grid.around(now) if slot.end > now)
    return tuple(slot.occurrence for slot in takewhile(lambda slot: slot.swallowed, coming))


def _beginnings(now: float, coming: list[int], changes: list[int]) -> Iterator[float]:
    """Where what is left of windows can change: now, at dates, and at changes of an offset."""
    yield from sorted({now, *coming, *changes})


def _interval(grid: IntervalGrid, blackouts: BlackoutCalendar, now: float) -> Slot | None:
    moment = now
    for _number in range(_INTERVALS):
        slots = [slot for slot in grid.around(moment) if slot.at > now]
        found = next((slot for slot in slots if not slot.swallowed), None)
        if found is not None:
            return found
        over = blackouts.at(slots[-1].at)
        moment = slots[-1].at if over is None else over.end
    return None
