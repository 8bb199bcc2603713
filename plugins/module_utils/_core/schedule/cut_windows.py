# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""When a scheduler wakes an endpoint for windows that blackouts cut (G7): its slot in them is another one."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime, timedelta

from ..policy.enums import DAY, Weekday
from ..timezones import instant_of, local_date, offset_changes
from ..values import replace
from .calendars import DailyCalendar, LocalRule, rules_of
from .slots import Slot

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .blackouts import BlackoutCalendar
    from .windows import WindowGrid

_SAMPLE = 3, 9
"""Days after a change of an offset, the first and the last, by which the weeks after it are known."""
_CLOSE = 16 * DAY
"""Changes nearer to each other than this leave no ordinary week between them."""


def with_cut_windows(calendar: DailyCalendar, grid: WindowGrid, begin: int, end: int) -> DailyCalendar:
    """The calendar of the uncut windows with the wakings of the cut ones.

    It goes on waking at the slots that the blackouts took, and so the endpoint tells that they did.
    """
    if grid.blackouts is None:
        return calendar
    cuts = _CutWindows(grid, grid.blackouts, begin, end)
    weekly = cuts.weekly()
    times = {(moment.weekday(), _second(moment)) for moment in (cuts.local(slot.at) for slot in weekly)}
    single = [slot for slot in cuts.single() if not cuts.is_woken(slot.at, times)]
    minutes = {slot.at // 60 % 60 for slot in (*weekly, *single)}
    return replace(
        calendar,
        cut=_rules(times),
        extra=(*calendar.extra, *rules_of(sorted({slot.at for slot in single}))),
        utc_minutes=tuple(sorted({*calendar.utc_minutes, *minutes})),
    )


class _CutWindows:
    """The cut windows of a grid, from ``begin`` to ``end``."""

    def __init__(self, grid: WindowGrid, blackouts: BlackoutCalendar, begin: int, end: int) -> None:
        self._grid = grid
        self._blackouts = blackouts
        self._zones = tuple(dict.fromkeys((grid.zone, *blackouts.zones)))
        changes = {at for zone in self._zones for at in offset_changes(begin - 8 * DAY, end + 8 * DAY, zone)}
        self._marks = [begin, *sorted(changes)]

    def local(self, instant: int) -> datetime:
        return datetime.fromtimestamp(instant, self._grid.zone)

    def weekly(self) -> list[Slot]:
        """One week's cut windows for each way in which the zones lie to each other."""
        weekly = self._blackouts.weekly()
        grid = replace(self._grid, blackouts=weekly)
        found: dict[tuple[timedelta | None, ...], list[Slot]] = {}
        for mark in self._marks if weekly is not None else ():
            offsets = tuple(datetime.fromtimestamp(mark + DAY, zone).utcoffset() for zone in self._zones)
            if offsets not in found:
                day = local_date(mark, grid.zone)
                found[offsets] = [one for one in grid.between(*_days(day, *_SAMPLE)) if self._is_cut(one)]
        return [slot for slots in found.values() for slot in slots]

    def single(self) -> Iterator[Slot]:
        """The cut windows that differ from those of ordinary weeks, or may: near changes, and near dates."""
        before = 2 + (self._grid.schedule.start + self._grid.schedule.window) // DAY
        for mark, following in zip(self._marks, (*self._marks[1:], None)):
            close = following is not None and following - mark < _CLOSE
            yield from self._near(mark, before, (_CLOSE // DAY) if close else 2)
        for edge in self._blackouts.dates:
            yield from self._near(edge, 8, 1)

    def is_woken(self, instant: int, times: set[tuple[int, int]]) -> bool:
        """Whether the local rules wake at an instant, and once."""
        moment = self.local(instant)
        found = instant_of(moment.date(), _second(moment), self._grid.zone)
        return (moment.weekday(), _second(moment)) in times and found.plain and found.instant == instant

    def _near(self, instant: int, before: int, after: int) -> Iterator[Slot]:
        day = local_date(instant, self._grid.zone)
        return (one for one in self._grid.between(*_days(day, -before, after)) if self._is_cut(one))

    def _is_cut(self, slot: Slot) -> bool:
        return not slot.swallowed and slot.at != slot.start + self._grid.offset


def _days(day: date, first: int, last: int) -> tuple[date, date]:
    return day + timedelta(days=first), day + timedelta(days=last)


def _second(moment: datetime) -> int:
    return moment.hour * 3600 + moment.minute * 60 + moment.second


def _rules(times: set[tuple[int, int]]) -> tuple[LocalRule, ...]:
    """A rule for each second, with its days."""
    seconds = sorted({second for _day, second in times})
    days = list(Weekday)
    return tuple(LocalRule(tuple(day for day in days if (day.number, second) in times), second) for second in seconds)
