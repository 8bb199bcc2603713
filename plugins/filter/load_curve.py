# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Filter ``load_curve``."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from ansible.errors import AnsibleFilterError
from ansible_collections.epp.autoupdate.plugins.module_utils._core.durations import parse_duration
from ansible_collections.epp.autoupdate.plugins.module_utils._core.policy.policy import Policy
from ansible_collections.epp.autoupdate.plugins.plugin_utils._plans import Budget, load_plan


def load_curve(  # noqa: PLR0913 - a filter's options are its arguments
    policy: Mapping[str, Any],
    endpoints: int,
    *,
    component_size: int = 0,
    link: int = 0,
    run_time: str = "30s",
    bucket: str = "1m",
) -> dict[str, Any]:
    """What the schedule of a policy does to a fleet of so many endpoints."""
    try:
        budget = Budget(size=component_size, link=link, run=parse_duration(run_time))
        return load_plan(Policy.from_dict(policy).schedule, budget.fleet(endpoints), bucket=parse_duration(bucket))
    except (TypeError, ValueError, ZeroDivisionError) as error:
        raise AnsibleFilterError(f"load_curve: {error}") from error


class FilterModule:
    """What Ansible asks for filters."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        return {"load_curve": load_curve}
