# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""When blackouts are (G7): spans of time, and what they leave. Instants are Unix seconds; spans are half-open."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from datetime import date, timedelta, tzinfo
from functools import lru_cache

from ..policy.blackouts import Blackout, DatedBlackout, Moment, WeeklyBlackout
from ..policy.enums import DAY
from ..policy.policy import Schedule
from ..timezones import boundary, local_date
from ..values import frozen
from .slots import Part

_MOST_JOINED = 1000
"""How many spans that touch are followed to their end."""
_EPOCH = date(1970, 1, 1)
_KEPT_WINDOWS = 256
"""For how many windows the parts that are left are kept: those of some weeks, which a fleet asks for many times."""


@frozen
class Span:
    """One stretch of blackouts that overlap or touch, with their names."""

    start: int
    end: int
    names: tuple[str, ...]

    @property
    def name(self) -> str:
        return ", ".join(self.names)


class BlackoutCalendar:
    """The blackouts of one policy in their zones. ``calendar_of`` gives the same object for the same ones."""

    def __init__(self, periods: tuple[tuple[Blackout, tzinfo], ...]) -> None:
        self._periods = periods
        self._parts: dict[Part, tuple[Part, ...]] = {}

    @property
    def zones(self) -> tuple[tzinfo, ...]:
        """The zones of the blackouts, each once."""
        return tuple(dict.fromkeys(zone for _one, zone in self._periods))

    @property
    def dates(self) -> tuple[int, ...]:
        """The begins and ends of those that have a date, in order."""
        dated = (_dated(one, zone) for one, zone in self._periods if isinstance(one, DatedBlackout))
        return tuple(sorted({edge for span in dated for edge in span}))

    def weekly(self) -> BlackoutCalendar | None:
        """Those of every week alone; None where there is none."""
        periods = tuple(one for one in self._periods if isinstance(one[0], WeeklyBlackout))
        return _calendar(periods) if periods else None

    def at(self, instant: float) -> Span | None:
        """The blackout in force at an instant, with those that follow it without a gap; None where there is none."""
        now = int(instant // 1)
        found: Span | None = None
        for _number in range(_MOST_JOINED):
            more = next((span for span in self.spans(now, now + 1) if span.start <= now < span.end), None)
            if more is None:
                break
            found = more if found is None else _joined(found, more)
            now = found.end
        return found

    def spans(self, first: int, last: int) -> tuple[Span, ...]:
        """What lies in [first, last), whole, in order; spans that overlap or touch are one."""
        merged: list[Span] = []
        for span in sorted(self._raw(first, last), key=lambda one: (one.start, one.end)):
            if merged and span.start <= merged[-1].end:
                merged[-1] = _joined(merged[-1], span)
            else:
                merged.append(span)
        return tuple(merged)

    def free(self, first: int, last: int) -> tuple[Part, ...]:
        """What is left of [first, last), in order."""
        known = self._parts.get((first, last))
        if known is None:
            if len(self._parts) >= _KEPT_WINDOWS:
                self._parts.clear()
            known = self._parts[first, last] = tuple(_gaps(self.spans(first, last), first, last))
        return known

    def _raw(self, first: int, last: int) -> Iterator[Span]:
        for one, zone in self._periods:
            for start, end in _parts_of(one, first, last, zone):
                if start < last and first < end and start < end:
                    yield Span(start, end, (one.words,))


def calendar_of(schedule: Schedule, zone: tzinfo, zone_of: Callable[[str], tzinfo]) -> BlackoutCalendar:
    """The blackouts of a schedule whose own zone is ``zone``; raises KeyError for a zone that is not known."""
    zones = tuple(zone if one.timezone is None else zone_of(one.timezone) for one in schedule.blackouts)
    return _calendar(tuple(zip(schedule.blackouts, zones)))


@lru_cache(maxsize=64)
def _calendar(periods: tuple[tuple[Blackout, tzinfo], ...]) -> BlackoutCalendar:
    return BlackoutCalendar(periods)


def _parts_of(one: Blackout, first: int, last: int, zone: tzinfo) -> Iterable[Part]:
    return (_dated(one, zone),) if isinstance(one, DatedBlackout) else _weekly(one, first, last, zone)


def _weekly(one: WeeklyBlackout, first: int, last: int, zone: tzinfo) -> Iterator[Part]:
    numbers = {day.number for day in one.days}
    begin = local_date(first, zone) - timedelta(days=3)
    for number in range((local_date(last, zone) - begin).days + 2):
        day = begin + timedelta(days=number)
        if day.weekday() in numbers:
            yield boundary(day, one.start, zone, last=False), boundary(day, one.end, zone, last=True)


def _dated(one: DatedBlackout, zone: tzinfo) -> Part:
    return _instant(one.start, zone, last=False), _instant(one.end, zone, last=True)


def _instant(moment: Moment, zone: tzinfo, *, last: bool) -> int:
    if moment.utc:
        return moment.seconds
    days, seconds = divmod(moment.seconds, DAY)
    return boundary(_EPOCH + timedelta(days=days), seconds, zone, last=last)


def _joined(one: Span, more: Span) -> Span:
    return Span(one.start, max(one.end, more.end), tuple(dict.fromkeys((*one.names, *more.names))))


def _gaps(spans: Iterable[Span], first: int, last: int) -> Iterator[Part]:
    for span in spans:
        if first < span.start:
            yield first, span.start
        first = max(first, span.end)
    if first < last:
        yield first, last
