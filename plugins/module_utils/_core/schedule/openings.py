# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What blackouts leave of the windows of a schedule (G7), for whoever plans them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import date, timedelta, tzinfo

from ..policy.policy import Schedule
from ..timezones import local_date
from ..values import frozen
from .blackouts import calendar_of
from .capacity import Parts
from .slots import length
from .windows import WindowGrid

_WEEKS = timedelta(days=35)
"""How far ordinary weeks are looked through: every weekly window comes, and so does a change of an offset soon."""
_AROUND = timedelta(days=8)


@frozen
class Opening:
    """What is left of some windows, in seconds after their start; nothing of those that a blackout swallows.

    ``occurrences`` are the local dates of these windows, in order.
    """

    parts: Parts
    occurrences: tuple[str, ...]

    @property
    def seconds(self) -> int:
        return int(length(self.parts))


def openings(schedule: Schedule, zone: tzinfo, zone_of: Callable[[str], tzinfo], now: float) -> tuple[Opening, ...]:
    """The windows of the coming weeks, and those near a blackout with a date, by what is left of them; the least first.

    Empty where no blackout touches any, and for schedules without windows. Raises KeyError for an unknown zone.
    """
    if not schedule.blackouts or not schedule.frequency.windowed:
        return ()
    blackouts = calendar_of(schedule, zone, zone_of)
    grid = WindowGrid(schedule, "", 0, zone, blackouts)
    found: dict[Parts, list[str]] = {}
    today = local_date(now, zone)
    for first, last in _periods(today, [local_date(edge, zone) for edge in blackouts.dates]):
        for slot in grid.between(first, last):
            parts = tuple((begin - slot.start, end - slot.start) for begin, end in blackouts.free(slot.start, slot.end))
            found.setdefault(parts, []).append(slot.occurrence)
    whole = ((0, schedule.window),)
    if set(found) <= {whole}:
        return ()
    shapes = (Opening(parts, tuple(sorted(set(days)))) for parts, days in found.items())
    return tuple(sorted(shapes, key=lambda one: (one.seconds, one.occurrences)))


def _periods(today: date, edges: list[date]) -> Iterator[tuple[date, date]]:
    yield today, today + _WEEKS
    for edge in edges:
        first, last = max(today, edge - _AROUND), edge + _AROUND
        if first <= last:
            yield first, last
