# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What schedules do to a fleet and its link, as plain values for playbooks (S8)."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from ansible_collections.epp.autoupdate.plugins.module_utils._core.durations import format_duration
from ansible_collections.epp.autoupdate.plugins.module_utils._core.policy.policy import Schedule
from ansible_collections.epp.autoupdate.plugins.module_utils._core.schedule.capacity import (
    DoesNotFit,
    Fleet,
    check_fit,
    make_plan,
)
from ansible_collections.epp.autoupdate.plugins.module_utils._core.schedule.ordinals import give
from ansible_collections.epp.autoupdate.plugins.module_utils._core.schedule.slots import hashed_ordinal
from ansible_collections.epp.autoupdate.plugins.module_utils._core.settings.endpoint import EndpointDocument
from ansible_collections.epp.autoupdate.plugins.module_utils._core.validation.errors import ValidationError

_UNLIMITED = 2**53
_FIGURES = ("window", "bucket", "peak_starts", "peak_running", "peak_rate", "finish", "fits")


@dataclass(frozen=True)
class Budget:
    """What an update costs and what there is: bytes a component, bytes a second (0: no limit), seconds a run."""

    size: int = 0
    link: int = 0
    run: int = 30

    def fleet(self, endpoints: int, ordinals: tuple[int, ...] = ()) -> Fleet:
        return Fleet(endpoints, self.size, self.link or _UNLIMITED, self.run, ordinals)


def load_plan(schedule: Schedule, fleet: Fleet, *, bucket: int = 60) -> dict[str, Any]:
    """The plan of one schedule: its curve of starts, the peaks, and when the last run ends."""
    plan = make_plan(schedule, fleet, bucket=bucket)
    return {"endpoints": fleet.endpoints, "curve": list(plan.curve), **{name: getattr(plan, name) for name in _FIGURES}}


def numbered(documents: Mapping[str, EndpointDocument]) -> dict[str, int]:
    """The number by which each host finds its slot, as ``next_run`` has it.

    That is its ordinal, else what its name stands for; an update server will give the lowest that are free.
    """
    claimed = {host: one.ordinal for host, one in documents.items() if one.ordinal is not None}
    managed = [host for host, one in documents.items() if one.server is not None and host not in claimed]
    given = give((), {host: number for host, number in claimed.items() if documents[host].server}, managed)
    return {host: given.get(host, claimed.get(host, hashed_ordinal(one.endpoint))) for host, one in documents.items()}


def fleet_plans(
    documents: Mapping[str, EndpointDocument], budget: Budget
) -> tuple[list[dict[str, Any]], dict[str, ValidationError]]:
    """A plan for each schedule that hosts have in common, and the error of each host whose schedule can't be kept."""
    groups: dict[str, list[str]] = {}
    for host, document in documents.items():
        groups.setdefault(json.dumps(document.policy.to_dict()["schedule"], sort_keys=True), []).append(host)
    numbers = numbered(documents)
    plans, errors = [], {}
    for hosts in groups.values():
        policy = documents[hosts[0]].policy
        schedule, fleet = policy.schedule, budget.fleet(len(hosts), tuple(numbers[host] for host in hosts))
        plans.append({"hosts": hosts, "schedule": policy.to_dict()["schedule"]})
        plans[-1].update(load_plan(schedule, fleet))
        try:
            check_fit(schedule, fleet)
        except DoesNotFit as error:
            errors.update(dict.fromkeys(hosts, error.error))
    return plans, errors


def sentences(plans: Iterable[Mapping[str, Any]]) -> list[str]:
    """One line a plan, for people."""
    return [
        f"{plan['endpoints']} {'endpoint' if plan['endpoints'] == 1 else 'endpoints'} {when(plan['schedule'])}: "
        f"at most {plan['peak_starts']} start in a minute and "
        f"{plan['peak_running']} run at a time{_rate(plan['peak_rate'])}; "
        f"the last is done {format_duration(plan['finish'])} after the start"
        for plan in plans
    ]


def _rate(peak: int) -> str:
    return f", {peak} bytes/s" if peak else ""


def when(schedule: Mapping[str, Any]) -> str:
    """When a schedule runs, in words."""
    if "window" not in schedule:
        return f"every {schedule['interval']} {schedule['frequency']}"
    day = f" on {schedule['day']}" if "day" in schedule else ""
    return f"{schedule['frequency']}{day} from {schedule['start']} for {schedule['window']} ({schedule['timezone']})"
