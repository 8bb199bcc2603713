# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The timetable of one endpoint: its next slot, when to be woken, and what is due at a waking.

Schedulers only wake the agent. Whether a waking means a run is decided here, which makes cron (whole minutes, no
zones) and the days of a time change right by construction. Instants are Unix seconds.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import tzinfo
from enum import Enum
from typing import Callable, Union

from .. import timezones
from ..policy.policy import Schedule
from ..timestamps import iso
from ..values import frozen, replace
from .calendars import Calendar
from .intervals import IntervalGrid
from .slots import Slot, hashed_ordinal, length, nth
from .windows import WindowGrid

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .blackouts import BlackoutCalendar, Span

__all__ = ("EARLY", "LATE", "Action", "Decision", "Slot", "Timetable")

LATE = 90
"""Seconds after its slot for which an endpoint still counts as on time: a busy host starts its timers late."""

EARLY = 60
"""Seconds before its slot from which on an endpoint waits for it: cron knows whole minutes only."""

_PROMPT = 5
"""Seconds of lateness that never matter. A later one gives way to the next slot, should that be near."""


class Action(str, Enum):
    """What a waking means."""

    RUN = "run"
    WAIT = "wait"
    NOT_DUE = "not_due"
    BLACKED_OUT = "blacked_out"


@frozen
class Decision:
    """What to do at a waking, and why, in one sentence.

    ``slot`` is the occurrence that it is about and ``at`` the instant: RUN now; WAIT until then, and then run unless
    the occurrence has been run by another (do not decide again); NOT_DUE before then. BLACKED_OUT: the blackouts
    that ``reason`` names take this occurrence (G7), and end at ``at``.
    """

    action: Action
    at: float
    slot: Slot
    reason: str


@frozen
class Timetable:
    """The slots of one endpoint under one schedule."""

    grid: Union[WindowGrid, IntervalGrid]
    zone: tzinfo
    blackouts: BlackoutCalendar | None = None

    @classmethod
    def of(
        cls,
        schedule: Schedule,
        *,
        endpoint: str,
        ordinal: int | None,
        zone: tzinfo,
        zone_of: Callable[[str], tzinfo] = timezones.zone_of,
    ) -> Timetable:
        """The timetable of an endpoint; without an ordinal its name stands in for it (see ``hashed_ordinal``).

        ``zone_of`` gives the zones of blackouts that have one of their own; it raises KeyError.
        """
        number = hashed_ordinal(endpoint) if ordinal is None else ordinal
        blackouts = _blackouts(schedule, zone, zone_of)
        if schedule.frequency.windowed:
            return cls(WindowGrid(schedule, endpoint, number, zone, blackouts), zone, blackouts)
        return cls(IntervalGrid(schedule, endpoint, number, blackouts), zone, blackouts)

    def of_product(self, place: int) -> Timetable:
        """The same for the product at this place of the endpoint's list, 0 for the first (see ``product_shift``)."""
        return replace(self, grid=replace(self.grid, place=place)) if place else self

    def next_slot(self, now: float) -> Slot | None:
        """The first slot whose instant is later than ``now``; None where blackouts leave none."""
        found = next((slot for slot in self.grid.around(now) if slot.at > now and not slot.swallowed), None)
        if found is not None or self.blackouts is None:
            return found
        from .next_slots import search

        return search(self.grid, self.blackouts, self.zone, now)

    def calendar(self, year: int) -> Calendar:
        """When a scheduler has to wake the agent; the same value for all years in which the zone has the same rules."""
        return self.grid.calendar(year)

    def decide(self, now: float, ran: Sequence[str], draw: Callable[[], float]) -> Decision:
        """What is due at a waking.

        ``ran`` are the occurrences of scheduled runs as far as they are remembered, the last first. ``draw`` gives a
        number in [0, 1) and is called when the slot was missed and another instant of the window is needed (S4).
        """
        slots = self.grid.around(now)
        still = _not_run(slots, ran, now)
        left = still if self.blackouts is None else [slot for slot in still if not slot.swallowed]
        over = None if self.blackouts is None else self.blackouts.at(now)
        near = [slot for slot in left if now - LATE <= slot.at <= now + EARLY and (over is None or slot.at > now)]
        if near:
            return self._at_slot(near, now)
        return (
            self._at_start(left, now)
            or self._missed(slots, left, now=now, draw=draw)
            or (None if over is None else _blacked_out(still, over, now))
            or self._not_due(slots, still, now)
        )

    def _at_slot(self, near: list[Slot], now: float) -> Decision:
        past = [slot for slot in near if slot.at <= now]
        coming = [slot for slot in near if slot.at > now]
        if past and (now - past[-1].at <= _PROMPT or not coming):
            return Decision(Action.RUN, now, past[-1], f"the slot of {past[-1].occurrence} is now")
        slot = coming[0]
        if not self.grid.patient and slot.at - now > EARLY - _PROMPT:
            # The next waking is at the slot itself or, on a grain of whole minutes, promptly after it.
            return Decision(Action.NOT_DUE, slot.at, slot, f"the next slot is at {iso(slot.at)}")
        return Decision(Action.WAIT, slot.at, slot, f"the slot of {slot.occurrence} is at {iso(slot.at)}")

    def _at_start(self, still: list[Slot], now: float) -> Decision | None:
        for slot in still if self.grid.waiting else ():
            if slot.start - EARLY <= now < slot.at:
                return Decision(Action.WAIT, slot.at, slot, f"{slot.occurrence} drew {iso(slot.at)}")
        return None

    def _missed(
        self, slots: list[Slot], still: list[Slot], *, now: float, draw: Callable[[], float]
    ) -> Decision | None:
        for slot, following in zip(slots, slots[1:]):
            end = min(slot.end, following.start)
            if self.grid.patient and slot in still and slot.at < now < end:
                at = self._drawn(now, end, draw)
                if at is None:
                    return None
                reason = f"the slot of {slot.occurrence} was missed; its window is open until {iso(slot.end)}"
                return Decision(Action.WAIT, max(at, now), slot, reason)
        return None

    def _drawn(self, now: float, end: int, draw: Callable[[], float]) -> float | None:
        """An instant of what is left of a window; None where a blackout takes the rest."""
        if self.blackouts is None:
            return min(now + draw() * (end - now), end - 1e-3)
        # The parts begin at whole seconds, and this one is partly gone.
        parts = [(max(now, begin), last) for begin, last in self.blackouts.free(int(now), end)]
        left = length(parts)
        return nth(parts, min(draw() * left, left - 1e-3)) if left > 1e-3 else None

    def _not_due(self, slots: list[Slot], still: list[Slot], now: float) -> Decision:
        coming = next((slot for slot in still if slot.at > now and not slot.swallowed), None)
        if coming is None:
            coming = slots[-1] if self.blackouts is None else self.next_slot(now)
        ran = next((slot for slot in slots if slot.start <= now < slot.end and slot not in still), None)
        done = f"{ran.occurrence} has been run; " if ran else ""
        if coming is None:
            return Decision(Action.NOT_DUE, slots[-1].at, slots[-1], f"{done}blackouts leave no slot")
        return Decision(Action.NOT_DUE, coming.at, coming, f"{done}the next slot is at {iso(coming.at)}")


def _blackouts(schedule: Schedule, zone: tzinfo, zone_of: Callable[[str], tzinfo]) -> BlackoutCalendar | None:
    if not schedule.blackouts:
        return None
    from .blackouts import calendar_of

    return calendar_of(schedule, zone, zone_of)


def _blacked_out(still: list[Slot], over: Span, now: float) -> Decision | None:
    """The occurrence that is swallowed, or whose slot a blackout has come before; None where its slot is to come."""
    for slot in still:
        if slot.start <= now < slot.end and (slot.swallowed or slot.at <= now):
            return Decision(Action.BLACKED_OUT, over.end, slot, over.name)
    return None


def _not_run(slots: list[Slot], ran: Sequence[str], now: float) -> list[Slot]:
    """The slots whose occurrence is later than the last one that was run.

    One that can't have been run counts for nothing: it must not stop updates for years. It is another frequency's, or
    one of a time when the clock was wrong: long gone by, or still to come. The next one may have been run: by a clock
    that was some hours ahead, and then it is not run again.
    """
    index = next((index for index, slot in enumerate(slots) if slot.start > now), len(slots) - 1)
    current, following = slots[index - 1], slots[index]
    near = following.at - now < (following.at - current.at) / 2
    first, last = slots[0].occurrence, (following if near else current).occurrence
    possible = (one for one in ran if ("T" in one) == ("T" in first) and first <= one <= last)
    newest = next(possible, None)
    return slots if newest is None else [slot for slot in slots if slot.occurrence > newest]
