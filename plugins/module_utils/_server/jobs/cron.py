# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The server's table of cron's."""

from __future__ import annotations

from ..._host.cron.table import intervals, table_line, table_text
from .job_plan import Interval, JobPlan

_HEAD = """\
# Managed by the Ansible collection epp.autoupdate; changes are undone by the next converge.
"""


def table(plan: JobPlan) -> str:
    """The table for a plan."""
    fetch = [] if plan.fetch is None else _regularly(plan.fetch, plan, "fetch")
    each_minute = [_line("* * * * *", plan, command) for command in ("notify", "ingest")]
    regular = [*_regularly(plan.publish, plan, "publish"), *_regularly(plan.metrics, plan, "metrics --write")]
    promote = [] if plan.promote is None else _regularly(plan.promote, plan, "promote")
    ask = [] if plan.ask is None else _regularly(plan.ask, plan, "ask-reports")
    return table_text(_HEAD, [*each_minute, *regular, *fetch, *promote, *ask])


def _regularly(interval: Interval, plan: JobPlan, command: str) -> list[str]:
    """At its minutes, and after a boot: who was off has missed them."""
    times = ("@reboot", *intervals(interval.every, interval.phase))
    return [_line(when, plan, command) for when in times]


def _line(when: str, plan: JobPlan, command: str) -> str:
    return table_line(when, plan.user, (plan.program, *command.split()))
