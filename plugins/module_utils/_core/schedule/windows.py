# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The slots of daily and weekly schedules: local dates, and elapsed time after a window's start (S3, S7)."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime, timedelta, timezone, tzinfo
from functools import lru_cache

from ..policy.enums import DAY, Frequency, Spread
from ..policy.policy import Schedule
from ..timezones import date_exists, instant_of, local_date, offset_changes
from ..values import frozen, replace
from .calendars import DailyCalendar, rules_of
from .slots import Slot, even_slot, length, nth, product_shift, random_slot

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .blackouts import BlackoutCalendar

# Long enough for every date that a rule such as "the last Sunday of March" can mean: so each year finds the same ones.
_REACH = 20


@frozen
class WindowGrid:
    """The slots of one endpoint in the windows of a daily or weekly schedule."""

    schedule: Schedule
    endpoint: str
    ordinal: int
    zone: tzinfo
    blackouts: BlackoutCalendar | None = None
    place: int = 0
    """That of its product in the endpoint's list."""

    patient = True
    """Who misses a slot gets another instant inside the window (S4)."""

    @property
    def waiting(self) -> bool:
        """Whether the agent is woken at the window's start and waits there for its slot."""
        return self.schedule.spread is Spread.RANDOM

    def around(self, now: float) -> list[Slot]:
        """The slots of all windows that can be open at ``now``, of the one before and the one after, in order."""
        today = local_date(now, self.zone)
        reach = timedelta(days=4 if self.schedule.frequency is Frequency.DAILY else 23)
        return list(self._slots(today - reach, today + reach))

    def calendar(self, year: int) -> DailyCalendar:
        """When to be woken: right from ``year`` on, for twenty years, and longer where the zone goes on as it did."""
        nominal = self.schedule.start + self.offset
        weekly = self.schedule.frequency is Frequency.WEEKLY
        begin, end = (int(datetime(y, 1, 1, tzinfo=timezone.utc).timestamp()) for y in (year, year + _REACH))
        changes = offset_changes(begin - 8 * DAY, end + 8 * DAY, self.zone)
        extra = sorted({at for at in self._irregular(changes) if begin <= at < end})
        calendar = DailyCalendar(
            weekday=self.schedule.day.later(nominal // DAY) if weekly else None,
            hour=nominal % DAY // 3600,
            minute=nominal % 3600 // 60,
            second=nominal % 60,
            zone_name=self.schedule.timezone,
            extra=rules_of(extra),
            utc_minutes=self._utc_minutes(begin, changes, extra),
        )
        if self.blackouts is None or self.waiting:
            return calendar
        from .cut_windows import with_cut_windows

        return with_cut_windows(calendar, self, begin, end)

    def between(self, first: date, last: date) -> list[Slot]:
        """The slots of the windows that open on these local dates, in order."""
        more = timedelta(days=3 if self.schedule.frequency is Frequency.DAILY else 15)
        starts = list(self._starts(first, last + more))
        return [
            self._slot(day.isoformat(), start, following)
            for (day, start), (_next, following) in zip(starts, starts[1:])
            if day <= last
        ]

    @property
    def offset(self) -> int:
        """Seconds from the window's start to the waking."""
        return 0 if self.waiting else self._even(self.schedule.window)

    def _even(self, slots: int) -> int:
        return (even_slot(self.ordinal, slots) + product_shift(self.place, slots)) % slots

    def _random(self, occurrence: str, slots: int) -> int:
        return (random_slot(self.endpoint, occurrence, slots) + product_shift(self.place, slots)) % slots

    def _starts(self, first: date, last: date) -> Iterator[tuple[date, int]]:
        """The windows of the local dates from ``first`` to ``last``; a date that its zone leaves out has none."""
        weekday = self.schedule.day.number if self.schedule.frequency is Frequency.WEEKLY else None
        yield from _starts(first, last, weekday, self.schedule.start, self.zone)

    def _slots(self, first: date, last: date) -> Iterator[Slot]:
        starts = list(self._starts(first, last))
        for (day, start), (_next, following) in zip(starts, starts[1:]):
            yield self._slot(day.isoformat(), start, following)

    def _slot(self, occurrence: str, start: int, following: int) -> Slot:
        window = self.schedule.window
        # A window of nearly a day can reach into the next one when a day has 23 hours. Random slots stay in order.
        seconds = min(window, following - start) if self.waiting else window
        offset = self._random(occurrence, seconds) if self.waiting else self.offset
        natural = Slot(occurrence, start, start + offset, start + window)
        return natural if self.blackouts is None else self._in_what_remains(natural, seconds, self.blackouts)

    def _in_what_remains(self, natural: Slot, seconds: int, blackouts: BlackoutCalendar) -> Slot:
        """The slot among the seconds of a window that no blackout takes: by the same rule, so that S5 holds there."""
        parts = blackouts.free(natural.start, natural.start + seconds)
        left = int(length(parts))
        if left == seconds:
            return natural
        if not left:
            return replace(natural, swallowed=True)
        number = self._random(natural.occurrence, left) if self.waiting else self._even(left)
        return replace(natural, at=int(nth(parts, number)))

    def _irregular(self, changes: list[int]) -> Iterator[int]:
        """The instants near changes of the offset at which the plain local rule does not wake, or may not."""
        before = timedelta(days=2 + (self.schedule.start + self.schedule.window) // DAY)
        for change in changes:
            day = local_date(change, self.zone)
            for start_day, start in self._starts(day - before, day + timedelta(days=2)):
                local = instant_of(start_day, self.schedule.start + self.offset, self.zone)
                if not local.plain or local.instant != start + self.offset:
                    yield start + self.offset

    def _utc_minutes(self, begin: int, changes: list[int], extra: list[int]) -> tuple[int, ...]:
        nominal = self.schedule.start + self.offset
        days = [local_date(instant, self.zone) + timedelta(days=2) for instant in (begin, *changes)]
        plain = [instant_of(day, nominal, self.zone).instant for day in days]
        return tuple(sorted({instant // 60 % 60 for instant in (*plain, *extra)}))


@lru_cache(maxsize=64)
def _starts(first: date, last: date, weekday: int | None, start: int, zone: tzinfo) -> tuple[tuple[date, int], ...]:
    """The windows between two dates, of one weekday or of all: the same for each endpoint of a schedule, and a server
    plans for all of them."""
    days = (first + timedelta(days=number) for number in range((last - first).days + 1))
    wanted = (day for day in days if weekday is None or day.weekday() == weekday)
    return tuple((day, instant_of(day, start, zone).instant) for day in wanted if date_exists(day, zone))
