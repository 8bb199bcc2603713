# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""When scheduled updates should have started, and when they did: the newest occurrence of each schedule (S3, S5)."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import tzinfo
from statistics import median
from typing import Any, Callable, Union

from ..._core.durations import format_duration
from ..._core.policy.policy import Policy, Schedule
from ..._core.policy.privileges import scheduled_update_runs
from ..._core.results import Result, Trigger
from ..._core.schedule.slots import Slot
from ..._core.schedule.timetable import EARLY, LATE, Timetable
from ..._core.timestamps import iso, unix
from ..._core.values import frozen
from ..._host.timezone import LOCAL
from .columns import NEVER, Missing
from .counts import counted
from .facts import EndpointFacts

_MOST_STEPS = 60
_FEWEST_STEPS = 10
_STARTS_IN_A_STEP = 4
"""On average, at least: a step with one start or none is no curve."""
_MOST_SCHEDULES = 20
ZoneOf = Callable[[str], tzinfo]


@frozen
class Start:
    """The planned start of an endpoint and its real one (Unix seconds); each of them, or why it is not known.

    ``words`` is its schedule for people.
    """

    planned: Union[int, Missing]
    real: Union[int, Missing]
    words: Union[str, Missing]
    slot: Union[Slot, None] = None

    @property
    def late(self) -> Union[int, Missing]:
        """Seconds from the planned start to the real one."""
        for instant in (self.planned, self.real):
            if isinstance(instant, Missing):
                return instant
        return int(self.real) - int(self.planned)


def start_of(one: EndpointFacts, *, now: float, zone_of: ZoneOf) -> Start:
    """The newest occurrence of the schedule of an endpoint that has begun."""
    policy = one.member.policy_of(one.member.product)
    if policy is None:
        why = Missing("its policy is not valid")
        return Start(why, why, why)
    schedule = words(policy.schedule)
    unplanned = _unplanned(one, policy)
    if unplanned:
        return Start(Missing(unplanned), Missing(unplanned), schedule)
    try:
        zone = zone_of(policy.schedule.timezone)
        timetable = Timetable.of(
            policy.schedule, endpoint=one.name, ordinal=one.member.ordinal, zone=zone, zone_of=zone_of
        )
    except KeyError:
        why = Missing("the server does not know the time zone of its schedule")
        return Start(why, why, schedule)
    begun = [slot for slot in timetable.grid.around(now) if slot.start <= now]
    # Intervals follow each other at once, and an endpoint tells its newest run only.
    slot = begun[-1] if policy.schedule.frequency.windowed or begun[-1].at <= now - LATE else begun[-2]
    if slot.swallowed:
        why = Missing("a blackout swallows its slot")
        return Start(why, why, schedule)
    return Start(slot.at, _real(one, slot, now), schedule, slot)


def window(schedule: Schedule, starts: Iterable[Start], now: float) -> dict[str, Any]:
    """The starts of all endpoints of one schedule, counted in steps of its window or interval."""
    known = [(one, one.slot) for one in starts if one.slot is not None]
    first = min(slot.start for _one, slot in known)
    length = schedule.window if schedule.frequency.windowed else schedule.period
    step = -(-length // min(_MOST_STEPS, max(_FEWEST_STEPS, len(known) // _STARTS_IN_A_STEP)))
    planned, real = ([0] * -(-length // step) for _curve in range(2))
    late = sorted(one.late for one, _slot in known if not isinstance(one.late, Missing))
    for one, slot in known:
        planned[min((slot.at - slot.start) // step, len(planned) - 1)] += 1
        if not isinstance(one.real, Missing):
            real[min(max(0, one.real - slot.start) // step, len(real) - 1)] += 1
    return {
        "schedule": words(schedule),
        "windowed": schedule.frequency.windowed,
        "start": iso(first),
        "end": iso(first + length),
        "open": schedule.frequency.windowed and now < first + length,
        "endpoints": len(known),
        "step": step,
        "planned": planned,
        "real": real,
        "tolerance": {"early": EARLY, "late": LATE},
        "on_time": sum(-EARLY <= seconds <= LATE for seconds in late),
        "median_late": int(median(late)) if late else None,
        "most_late": max(late, key=abs) if late else None,
        "missing": counted(str(one.real) for one, _slot in known if isinstance(one.real, Missing)),
    }


def windows(facts: Iterable[EndpointFacts], starts: Iterable[Start], now: float) -> list[dict[str, Any]]:
    """The schedules of most endpoints."""
    found: dict[Schedule, list[Start]] = {}
    for one, start in zip(facts, starts):
        policy = one.member.policy_of(one.member.product)
        if start.slot is not None and policy is not None:
            found.setdefault(policy.schedule, []).append(start)
    most = sorted(found.items(), key=lambda item: (-len(item[1]), words(item[0])))[:_MOST_SCHEDULES]
    return [window(schedule, some, now) for schedule, some in most]


def words(schedule: Schedule) -> str:
    """A schedule in a few words, by which people recognise it."""
    count = len(schedule.blackouts)
    cut = f", {count} blackout{'' if count == 1 else 's'}" if count else ""
    if not schedule.frequency.windowed:
        return f"every {schedule.interval} {schedule.frequency.value}{cut}"
    clock = f"{schedule.start // 3600:02}:{schedule.start % 3600 // 60:02}"
    day = "daily" if schedule.frequency.value == "daily" else schedule.day.value
    window = f"window {format_duration(schedule.window)}, {schedule.spread.value}"
    return f"{day} at {clock} {schedule.timezone}, {window}{cut}"


def _unplanned(one: EndpointFacts, policy: Policy) -> str:
    """Why an endpoint has no planned start, empty where it has one."""
    status = one.report.status if one.report else {}
    if LOCAL in (policy.schedule.timezone, *(blackout.timezone for blackout in policy.schedule.blackouts)):
        return "its schedule goes by its own time zone, which the server does not know"
    runs = status.get("scheduled_update", scheduled_update_runs(policy.privileges, None))
    return "" if runs else "its scheduled update is off"


def _real(one: EndpointFacts, slot: Slot, now: float) -> Union[int, Missing]:
    if one.report is None:
        return NEVER
    run = one.report.run(Trigger.SCHEDULE.value)
    if "started" in run:
        started = unix(run["started"])
        if slot.start - EARLY <= started < slot.end + LATE:
            skipped = run.get("result") == Result.SKIPPED.value
            return Missing(f"it was skipped: {run.get('reason') or 'no reason was given'}") if skipped else started
    if slot.at > now:
        return Missing("its slot is still to come")
    if "started" in run:
        return Missing("its last scheduled run was not in this occurrence")
    return Missing("it has reported no scheduled run")
