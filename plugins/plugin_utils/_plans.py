# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Private: what schedules do to a fleet and its link, as plain values for playbooks (S8)."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from ansible_collections.epp.autoupdate.plugins.module_utils._core.durations import format_duration
from ansible_collections.epp.autoupdate.plugins.module_utils._core.faults import Fault
from ansible_collections.epp.autoupdate.plugins.module_utils._core.planner import (
    DoesNotFit,
    Fleet,
    check_fit,
    make_plan,
)
from ansible_collections.epp.autoupdate.plugins.module_utils._core.policy import Policy, Schedule

_UNLIMITED = 2**53
_FIGURES = ("window", "bucket", "peak_starts", "peak_running", "peak_rate", "finish", "fits")


@dataclass(frozen=True)
class Budget:
    """What an update costs and what there is: bytes a component, bytes a second (0: no limit), seconds a run."""

    size: int = 0
    link: int = 0
    run: int = 30

    def fleet(self, endpoints: int) -> Fleet:
        return Fleet(endpoints=endpoints, size=self.size, link=self.link or _UNLIMITED, duration=self.run)


def load_plan(schedule: Schedule, endpoints: int, budget: Budget, *, bucket: int = 60) -> dict[str, Any]:
    """The plan of one schedule: its curve of starts, the peaks, and when the last run ends."""
    plan = make_plan(schedule, budget.fleet(endpoints), bucket=bucket)
    return {"endpoints": endpoints, "curve": list(plan.curve), **{name: getattr(plan, name) for name in _FIGURES}}


def fleet_plans(policies: Mapping[str, Policy], budget: Budget) -> tuple[list[dict[str, Any]], dict[str, Fault]]:
    """A plan for each schedule that hosts have in common, and the fault of each host whose schedule can't be kept."""
    groups: dict[str, list[str]] = {}
    for host, policy in policies.items():
        groups.setdefault(json.dumps(policy.to_dict()["schedule"], sort_keys=True), []).append(host)
    plans, faults = [], {}
    for hosts in groups.values():
        schedule = policies[hosts[0]].schedule
        plans.append({"hosts": hosts, "schedule": policies[hosts[0]].to_dict()["schedule"]})
        plans[-1].update(load_plan(schedule, len(hosts), budget))
        try:
            check_fit(schedule, budget.fleet(len(hosts)))
        except DoesNotFit as error:
            faults.update(dict.fromkeys(hosts, error.fault))
    return plans, faults


def sentences(plans: Iterable[Mapping[str, Any]]) -> list[str]:
    """One line a plan, for people."""
    return [
        f"{plan['endpoints']} {'endpoint' if plan['endpoints'] == 1 else 'endpoints'} {_when(plan['schedule'])}: "
        f"at most {plan['peak_starts']} start in a minute and "
        f"{plan['peak_running']} run at a time{_rate(plan['peak_rate'])}; "
        f"the last is done {format_duration(plan['finish'])} after the start"
        for plan in plans
    ]


def _rate(peak: int) -> str:
    return f", {peak} bytes/s" if peak else ""


def _when(schedule: Mapping[str, Any]) -> str:
    if "window" not in schedule:
        return f"every {schedule['interval']} {schedule['frequency']}"
    day = f" on {schedule['day']}" if "day" in schedule else ""
    return f"{schedule['frequency']}{day} from {schedule['start']} for {schedule['window']} ({schedule['timezone']})"
