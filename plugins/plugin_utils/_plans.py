# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What schedules do to a fleet and its link, as plain values for playbooks (S8)."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import tzinfo
from typing import Any

from ansible_collections.epp.autoupdate.plugins.module_utils._core.durations import format_duration
from ansible_collections.epp.autoupdate.plugins.module_utils._core.policy.policy import Policy, Schedule
from ansible_collections.epp.autoupdate.plugins.module_utils._core.schedule.blackouts import calendar_of
from ansible_collections.epp.autoupdate.plugins.module_utils._core.schedule.capacity import (
    DoesNotFit,
    Fleet,
    Parts,
    check_fit,
    make_plan,
)
from ansible_collections.epp.autoupdate.plugins.module_utils._core.schedule.engine_windows import EngineWindows
from ansible_collections.epp.autoupdate.plugins.module_utils._core.schedule.openings import Opening, openings
from ansible_collections.epp.autoupdate.plugins.module_utils._core.schedule.ordinals import give
from ansible_collections.epp.autoupdate.plugins.module_utils._core.schedule.slots import hashed_ordinal
from ansible_collections.epp.autoupdate.plugins.module_utils._core.settings.endpoint import EndpointDocument
from ansible_collections.epp.autoupdate.plugins.module_utils._core.timezones import zone_of
from ansible_collections.epp.autoupdate.plugins.module_utils._core.validation.errors import ValidationError
from ansible_collections.epp.autoupdate.plugins.module_utils._host.timezone import LOCAL

_SHOWN_DAYS = 3
_UNLIMITED = 2**53
_FIGURES = ("window", "bucket", "peak_starts", "peak_running", "peak_rate", "finish", "fits")


@dataclass(frozen=True)
class Budget:
    """What an update costs and what there is: bytes a component, bytes a second (0: no limit), seconds a run."""

    size: int = 0
    link: int = 0
    run: int = 30

    def fleet(self, endpoints: int, ordinals: tuple[int, ...] = (), of_products: tuple[int, ...] = ()) -> Fleet:
        return Fleet(endpoints, self.size, self.link or _UNLIMITED, self.run, ordinals, of_products)


def load_plan(schedule: Schedule, fleet: Fleet, *, bucket: int = 60, parts: Parts = ()) -> dict[str, Any]:
    """The plan of one schedule: its curve of starts, the peaks, and when the last run ends.

    ``parts`` are what blackouts leave of its window; none: they leave all of it.
    """
    plan = make_plan(schedule, fleet, bucket=bucket, parts=parts)
    return {"endpoints": fleet.endpoints, "curve": list(plan.curve), **{name: getattr(plan, name) for name in _FIGURES}}


def windows_left(schedule: Schedule, now: float) -> tuple[Opening, ...]:
    """What blackouts leave of the windows of a schedule, the least first; empty where they touch none (G7).

    Which zone ``local`` is, only a host knows: here it is UTC, which is right where all times of a schedule are local.
    """
    return openings(schedule, _zone(schedule.timezone), _zone, now)


def engine_windows_swallowed(policy: Policy, now: float) -> bool:
    """Whether blackouts leave nothing of the windows in which packages of an engine may be upgraded."""
    schedule, zone = policy.schedule, _zone(policy.schedule.timezone)
    return EngineWindows.of(policy, zone, _zone).swallowed_by(calendar_of(schedule, zone, _zone), now)


def _zone(name: str) -> tzinfo:
    return zone_of("UTC" if name == LOCAL else name)


def numbered(documents: Mapping[str, EndpointDocument]) -> dict[str, int]:
    """The number by which each host finds its slot, as ``next_run`` has it.

    That is its ordinal, else what its name stands for; an update server will give the lowest that are free.
    """
    claimed = {host: one.ordinal for host, one in documents.items() if one.ordinal is not None}
    managed = [host for host, one in documents.items() if one.server is not None and host not in claimed]
    given = give((), {host: number for host, number in claimed.items() if documents[host].server}, managed)
    return {host: given.get(host, claimed.get(host, hashed_ordinal(one.endpoint))) for host, one in documents.items()}


def fleet_plans(
    documents: Mapping[str, EndpointDocument], budget: Budget, *, now: float
) -> tuple[list[dict[str, Any]], dict[str, ValidationError]]:
    """A plan for each schedule that hosts have in common, and the error of each host whose schedule can't be kept.

    Each product of an endpoint is updated by itself, and so counts. Where blackouts cut windows, the plan is that of
    the window with the least time left, and it has to fit.
    """
    groups: dict[str, list[tuple[str, EndpointDocument]]] = {}
    for host, document in documents.items():
        for one in document.each():
            groups.setdefault(json.dumps(one.policy.to_dict()["schedule"], sort_keys=True), []).append((host, one))
    numbers = numbered(documents)
    plans, errors = [], {}
    for members in groups.values():
        policy, hosts = members[0][1].policy, list(dict.fromkeys(host for host, _one in members))
        schedule, ordinals = policy.schedule, tuple(numbers[host] for host, _one in members)
        places = tuple(one.place for _host, one in members)
        fleet = budget.fleet(len(members), ordinals, places if any(places) else ())
        plans.append({"hosts": hosts, "schedule": policy.to_dict()["schedule"]})
        left = windows_left(schedule, now)
        least = next((one.parts for one in left if one.parts), ())
        plans[-1].update(load_plan(schedule, fleet, parts=least), blackouts=_told(left))
        try:
            check_fit(schedule, fleet, least)
        except DoesNotFit as error:
            errors.update(dict.fromkeys(hosts, error.error))
        if left and not least and all(not one.parts for one in left):
            errors.update(dict.fromkeys(hosts, _all_swallowed(schedule)))
    return plans, errors


def _told(left: Iterable[Opening]) -> dict[str, list[Any]]:
    """Which windows of the coming weeks blackouts cut, with the seconds that are left, and which they swallow."""
    cut = [{"seconds": one.seconds, "windows": list(one.occurrences)} for one in left if one.parts]
    return {"cut": cut, "swallowed": [day for one in left if not one.parts for day in one.occurrences]}


def _all_swallowed(schedule: Schedule) -> ValidationError:
    count = len(schedule.blackouts)
    found = f"a list of {count}, which leaves nothing of the window of {format_duration(schedule.window)},"
    return ValidationError("schedule.blackouts", found, "allowed: no scheduled update would ever run")


def sentences(plans: Iterable[Mapping[str, Any]]) -> list[str]:
    """One line a plan, for people."""
    return [
        f"{_how_many(plan)} {when(plan['schedule'])}: "
        f"at most {plan['peak_starts']} start in a minute and "
        f"{plan['peak_running']} run at a time{_rate(plan['peak_rate'])}; "
        f"the last is done {format_duration(plan['finish'])} after the start{_of_blackouts(plan)}"
        for plan in plans
    ]


def _how_many(plan: Mapping[str, Any]) -> str:
    """Endpoints, and the products that are updated on them where those are more."""
    updates, hosts = plan["endpoints"], len(plan.get("hosts") or ())
    if hosts and updates > hosts:
        return f"{updates} products on {hosts} {'endpoint' if hosts == 1 else 'endpoints'}"
    return f"{updates} {'endpoint' if updates == 1 else 'endpoints'}"


def _of_blackouts(plan: Mapping[str, Any]) -> str:
    """What blackouts do to the windows of a plan, which has to be read before it is believed."""
    told: Mapping[str, list[Any]] = plan.get("blackouts") or {"cut": [], "swallowed": []}
    words = [
        f"blackouts leave {format_duration(one['seconds'])} of the window on {named_days(one['windows'])}"
        for one in told["cut"]
        if one["seconds"] < plan["window"]
    ]
    if told["swallowed"]:
        words.append(f"blackouts swallow the window on {named_days(told['swallowed'])}")
    return "".join(f"; {word}" for word in words)


def named_days(windows: list[str]) -> str:
    """The first of some windows by their dates, and how many more there are."""
    more = f" and {len(windows) - _SHOWN_DAYS} more days" if len(windows) > _SHOWN_DAYS else ""
    return ", ".join(windows[:_SHOWN_DAYS]) + more


def _rate(peak: int) -> str:
    return f", {peak} bytes/s" if peak else ""


def when(schedule: Mapping[str, Any]) -> str:
    """When a schedule runs, in words."""
    if "window" not in schedule:
        return f"every {schedule['interval']} {schedule['frequency']}"
    day = f" on {schedule['day']}" if "day" in schedule else ""
    return f"{schedule['frequency']}{day} from {schedule['start']} for {schedule['window']} ({schedule['timezone']})"
