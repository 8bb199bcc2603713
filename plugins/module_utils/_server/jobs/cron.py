# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Cron, for servers without systemd."""

from __future__ import annotations

from collections.abc import Collection

from ..._core.resources.resources import File, Resource
from ..._host.cron.table import ENVIRONMENT, intervals, table_line
from ..._host.host import Host
from .job_plan import Interval, JobPlan

TABLE = "/etc/cron.d/epp-autoupdate-server"

_HEAD = """\
# Managed by the Ansible collection epp.autoupdate; changes are undone by the next converge.
"""


class CronJobs:
    """Jobs as one file in ``/etc/cron.d``, which cron reads again by itself when it changes."""

    name = "cron"

    def __init__(self, host: Host) -> None:
        self._host = host

    def entries(self, plan: JobPlan) -> tuple[Resource, ...]:
        lines = [_line("* * * * *", plan, "notify"), *_regularly(plan.publish, plan, "publish")]
        if plan.fetch is not None:
            lines += _regularly(plan.fetch, plan, "fetch")
        table = _HEAD + ENVIRONMENT + "".join(f"{line}\n" for line in lines)
        return (File(TABLE, table.encode()),)

    def owned(self) -> tuple[str, ...]:
        return (TABLE,)

    def drift(self, plan: JobPlan) -> tuple[str, ...]:  # noqa: ARG002 (cron holds nothing but its file)
        return ()

    def activate(self, plan: JobPlan, changed_paths: Collection[str]) -> None:
        """Nothing: cron finds changes itself."""

    def deactivate(self) -> None:
        """Nothing: the removal of the file is all; a job under way is waited for."""

    def forget(self) -> None:
        """Nothing: cron sees that the file is gone."""


def _regularly(interval: Interval, plan: JobPlan, command: str) -> list[str]:
    """At its minutes, and after a boot: who was off has missed them."""
    times = ("@reboot", *intervals(interval.every, interval.phase))
    return [_line(when, plan, command) for when in times]


def _line(when: str, plan: JobPlan, command: str) -> str:
    return table_line(when, plan.user, (plan.program, command))
