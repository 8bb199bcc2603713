# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a schedule will do to a fleet and its link, before anything is deployed (SPEC S8).

The model: every run takes a place for ``run`` seconds, in which it moves ``size`` bytes at an even rate. A plan fits
when the runs of every second together stay within the link and each ends before the endpoint's next. An even spread is
planned for dense ordinals; endpoints that only their names number spread as by chance, so plan them as random.

Times are seconds after the window's start; an interval schedule's window is its interval, and its runs go round.
"""

from __future__ import annotations

from collections.abc import Iterable
from itertools import accumulate, repeat
from math import ceil, log, sqrt
from typing import Callable

from ..durations import format_duration
from ..policy.enums import Spread
from ..policy.policy import Schedule
from ..validation.errors import ValidationError
from ..values import frozen, replace
from .slots import length, product_shift, stride

Parts = tuple[tuple[int, int], ...]
# A random spread is planned for the load that one occurrence in a thousand exceeds.
_CONFIDENCE = 1000
# A window is looked for in steps of half a percent, of one percent when eight of them did not do, and so on.
_STEPS = 200
_PATIENCE = 8


@frozen
class Fleet:
    """What is to be moved: ``endpoints`` times ``size`` bytes over ``link`` bytes a second, ``duration`` s at least.

    ``ordinals`` are those that the endpoints have, or what stands in for them; none: they are dense. ``of_products``
    are the places of the products in the lists of these endpoints (see ``product_shift``); none: all are the first.
    """

    endpoints: int
    size: int
    link: int
    duration: int = 30
    ordinals: tuple[int, ...] = ()
    of_products: tuple[int, ...] = ()

    def __post_init__(self) -> None:
        if self.endpoints < 0 or self.size < 0 or self.link < 1 or self.duration < 1:
            raise ValueError("a fleet has endpoints and bytes, a link of 1 byte/s or more, runs of 1 s or more")

    @property
    def run(self) -> int:
        """Seconds of one run; longer than ``duration`` where the link alone needs longer for one endpoint."""
        return max(self.duration, -(-self.size // self.link))

    @property
    def places(self) -> int:
        """How many runs the link carries at a time."""
        return self.link * self.run // self.size if self.size else max(self.endpoints, 1)


@frozen
class Plan:
    """A schedule's load: ``curve`` counts the starts per ``bucket`` seconds.

    ``peak_starts`` is the fullest bucket, ``peak_running`` the most runs at a time, ``peak_rate`` what they take in
    bytes a second, ``finish`` the end of the last run. With a random spread the curve is the expected one.
    """

    window: int
    bucket: int
    curve: tuple[int, ...]
    peak_starts: int
    peak_running: int
    peak_rate: int
    finish: int
    fits: bool


class DoesNotFit(ValueError):
    """A schedule that the link cannot carry. What would do instead, each on its own, None where nothing does:

    ``window`` (seconds; the interval for interval schedules), ``link`` (bytes a second), ``endpoints``.
    """

    def __init__(self, error: ValidationError, *, window: int | None, link: int | None, endpoints: int) -> None:
        self.error = error
        self.window = window
        self.link = link
        self.endpoints = endpoints
        super().__init__(str(error))


def make_plan(schedule: Schedule, fleet: Fleet, *, bucket: int = 60, parts: Parts = ()) -> Plan:
    """What the schedule does with this fleet; a plan that does not fit is one too.

    ``parts`` are what blackouts leave of the window, in seconds after its start; none: they leave all of it (G7).
    """
    window = _window(schedule)
    running = _peak(schedule, fleet, window, parts)
    if schedule.spread is Spread.RANDOM:
        curve = _expected_curve(fleet.endpoints, parts or ((0, window),), window, bucket)
        last = (parts[-1][1] if parts else window) - 1
    else:
        starts = _starts_in(fleet, window, parts)
        curve = tuple(sum(starts[first : first + bucket]) for first in range(0, window, bucket))
        last = max((slot for slot, count in enumerate(starts) if count), default=0)
    return Plan(
        window=window,
        bucket=bucket,
        curve=curve,
        peak_starts=max(curve),
        peak_running=running,
        peak_rate=-(-running * fleet.size // fleet.run),
        finish=last + fleet.run if fleet.endpoints else 0,
        fits=_carries(schedule, fleet, window, running),
    )


def check_fit(schedule: Schedule, fleet: Fleet, parts: Parts = ()) -> Plan:
    """The plan of a schedule that fits; DoesNotFit, with the numbers that would do, for one that does not.

    ``parts``: see ``make_plan``; the window that would do is then the time that blackouts would have to leave.
    """
    plan = make_plan(schedule, fleet, parts=parts)
    if plan.fits:
        return plan
    cut = bool(parts) and make_plan(schedule, fleet).fits
    key = "blackouts" if cut else "window" if schedule.frequency.windowed else "interval"
    window = shortest_window(schedule, fleet)
    link = _link_needed(schedule, fleet, parts)
    endpoints = _most_endpoints(schedule, fleet, parts)
    needs = [format_duration(window)] if window else []
    needs += [f"{link} bytes/s"] if link else []
    allowed = (
        f"long enough for {fleet.endpoints} endpoints with {fleet.size} bytes each over {fleet.link} bytes/s "
        f"(needs {' or '.join(needs) or 'shorter runs'}; there is room for {endpoints})"
    )
    found = format_duration(plan.window)
    if parts:
        found = f"{format_duration(int(length(parts)))}, which blackouts leave of the window of {found},"
    error = ValidationError(f"schedule.{key}", found, allowed)
    raise DoesNotFit(error, window=window, link=link, endpoints=endpoints)


def shortest_window(schedule: Schedule, fleet: Fleet) -> int | None:
    """The shortest window that carries the fleet, in whole minutes; None where none does.

    With an interval schedule the shortest interval, in its own unit. It carries the fleet, and one that is shorter by
    a minute (or unit) does not. To look at each would take minutes.
    """
    if schedule.frequency.windowed:
        grain, most = 60, schedule.frequency.unit - 1
    else:
        grain, most = schedule.frequency.unit, _longest_interval(schedule)
    # The runs of a window that fits have room in it and in one run's length after it.
    least = max(1, fleet.endpoints * fleet.run // max(fleet.places, 1) - fleet.run)
    first, last = -(-least // grain), most // grain
    if first > last:
        return None
    found = _smallest(lambda n: _fits(schedule, fleet, n * grain), first, last)
    return None if found is None else found * grain


def load_curve(offsets: Iterable[int], *, length: int, bucket: int) -> tuple[int, ...]:
    """How many of the offsets fall into each bucket of [0, length); the others are left out."""
    curve = [0] * -(-length // bucket)
    for offset in offsets:
        if 0 <= offset < length:
            curve[offset // bucket] += 1
    return tuple(curve)


def _window(schedule: Schedule) -> int:
    return schedule.window if schedule.frequency.windowed else schedule.period


def _longest_interval(schedule: Schedule) -> int:
    return schedule.frequency.unit * (59 if schedule.frequency.unit == 60 else 23)


def _fits(schedule: Schedule, fleet: Fleet, window: int, parts: Parts = ()) -> bool:
    return _carries(schedule, fleet, window, _peak(schedule, fleet, window, parts))


def _carries(schedule: Schedule, fleet: Fleet, window: int, running: int) -> bool:
    """Whether the link carries as many runs at a time, and each ends before its endpoint's next."""
    period = schedule.period if schedule.frequency.windowed else window
    return fleet.endpoints == 0 or (fleet.run <= period and running <= fleet.places)


def _peak(schedule: Schedule, fleet: Fleet, window: int, parts: Parts = ()) -> int:
    """The most runs at a time."""
    if schedule.spread is Spread.RANDOM:
        return _random_peak(fleet, int(length(parts)) if parts else window)
    if fleet.run >= window:
        # All of a window run at a time; with an interval schedule those of earlier intervals run still.
        return fleet.endpoints * (1 if schedule.frequency.windowed else -(-fleet.run // window))
    starts = _starts_in(fleet, window, parts)
    if not schedule.frequency.windowed:
        # An interval's first runs meet the last ones of the interval before.
        starts += starts[: fleet.run]
    return _most_within(starts, fleet.run)


def _most_within(starts: list[int], length: int) -> int:
    """The most starts that lie within ``length`` seconds, of the starts in each second."""
    before = list(accumulate(starts, initial=0))
    return max(after - first for after, first in zip(before[length:], before))


def _starts_in(fleet: Fleet, window: int, parts: Parts) -> list[int]:
    """How many start in each second of a window of which blackouts leave these parts (none: all of it)."""
    if not parts:
        return _even_starts(fleet, window)
    left = _even_starts(fleet, int(length(parts)))
    starts, gone = [0] * window, 0
    for begin, end in parts:
        starts[begin:end] = left[gone : gone + end - begin]
        gone += end - begin
    return starts


def _even_starts(fleet: Fleet, window: int) -> list[int]:
    """How many start in each second of the window."""
    # Where they are dense: as many in each second, and one more in those of the ordinals that are left over.
    each, over = (0, 0) if fleet.ordinals else divmod(fleet.endpoints, window)
    starts, distance = [each] * window, stride(window)
    numbers = fleet.ordinals or range(over)
    shifts = {place: product_shift(place, window) for place in set(fleet.of_products)}
    for ordinal, place in zip(numbers, fleet.of_products or repeat(0)):
        starts[(ordinal * distance + shifts.get(place, 0)) % window] += 1
    return starts


def _random_peak(fleet: Fleet, window: int) -> int:
    """Bernstein's bound for the fullest of all seconds: exceeded in fewer than one occurrence in a thousand."""
    if not fleet.endpoints:
        return 0
    mean = fleet.endpoints * min(fleet.run, window) / window
    surprise = log(_CONFIDENCE * window)
    return min(fleet.endpoints, ceil(mean + surprise / 3 + sqrt(surprise * surprise / 9 + 2 * mean * surprise)))


def _expected_curve(endpoints: int, parts: Parts, window: int, bucket: int) -> tuple[int, ...]:
    left = int(length(parts))
    gone = [sum(max(0, min(end, at) - begin) for begin, end in parts) for at in range(0, window + bucket, bucket)]
    marks = [endpoints * seconds // left for seconds in gone]
    return tuple(after - before for before, after in zip(marks, marks[1:]))


def _link_needed(schedule: Schedule, fleet: Fleet, parts: Parts) -> int | None:
    """Bytes a second at which each run takes its ``duration`` and all runs of the fullest second have room.

    None where no link helps, as the runs are longer than the time between two of them.
    """
    if fleet.duration > schedule.period:
        return None
    quick = replace(fleet, link=max(fleet.link, -(-fleet.size // fleet.duration)))
    return -(-_peak(schedule, quick, _window(schedule), parts) * fleet.size // fleet.duration)


def _most_endpoints(schedule: Schedule, fleet: Fleet, parts: Parts) -> int:
    """By halves: a fleet that fits does so without some of its endpoints."""
    window = _window(schedule)
    # Each part may end with runs that go on after it.
    room = int(length(parts)) + fleet.run * (len(parts) - 1) if parts else window
    # Each run ends within its own length after the window, so more have no room whatever their instants are.
    most = min(fleet.endpoints, fleet.places * (room + fleet.run) // fleet.run)
    return _largest(
        lambda n: _fits(schedule, _first_of(fleet, n), window, parts),
        most,
    )


def _first_of(fleet: Fleet, count: int) -> Fleet:
    ordinals, of_products = fleet.ordinals[:count], fleet.of_products[:count]
    return replace(fleet, endpoints=count, ordinals=ordinals, of_products=of_products)


def _smallest(holds: Callable[[int], bool], first: int, last: int) -> int | None:
    """A number of [first, last] that holds where the one before it, if any, does not; None where none is found.

    What holds for a number mostly does for larger ones. So it is looked for in steps, small ones where it is likely.
    """
    low, high, step, misses = first - 1, first, max(1, first // _STEPS), 0
    while not holds(high):
        if high == last:
            return None
        misses += 1
        step *= 2 if misses % _PATIENCE == 0 else 1
        low, high = high, min(last, high + step)
    return low + _largest(lambda n: not holds(low + n), high - low - 1) + 1


def _largest(holds: Callable[[int], bool], most: int) -> int:
    low, high = 0, most
    while low < high:
        middle = (low + high + 1) // 2
        if holds(middle):
            low = middle
        else:
            high = middle - 1
    return low
