# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The agent's table of cron's."""

from __future__ import annotations

from ..._core.schedule.calendars import Calendar, DailyCalendar
from ..._host.cron.table import table_line, table_text
from ..._host.host import Host
from .job_plan import JobPlan

_HEAD = """\
# Managed by the Ansible collection epp.autoupdate; changes are undone by the next converge.
# These lines only wake the agent, at the right minute of every hour; its timetable decides whether a run is due, and
# it waits for its own second. So neither seconds, zones nor daylight saving time need a word here.
"""


def table(plan: JobPlan, host: Host) -> str:
    """The table for a plan; the host's zone decides at which of cron's minutes an instant lies."""
    further = (line for one in plan.further for line in (*_scheduled(one, host), *_reconnecting(one)))
    return table_text(
        _HEAD,
        (*_scheduled(plan, host), *_reconnecting(plan), *_configuring(plan, host), *_engine(plan, host), *further),
    )


def _scheduled(plan: JobPlan, host: Host) -> tuple[str, ...]:
    if plan.calendar is None:
        return ()
    slots = _line(_hourly(plan.calendar, host), plan, "schedule")
    # An endpoint that comes back inside its window gets an instant in what remains of it (S4).
    return (slots, _line("@reboot", plan, "schedule")) if isinstance(plan.calendar, DailyCalendar) else (slots,)


def _configuring(plan: JobPlan, host: Host) -> tuple[str, ...]:
    if plan.configuration is None:
        return ()
    return (table_line(_hourly(plan.configuration, host), "root", (plan.agent, "sync", "--due")),)


def _engine(plan: JobPlan, host: Host) -> tuple[str, ...]:
    if plan.engine is None:
        return ()
    return (table_line(_hourly(plan.engine, host), "root", (plan.agent, "engine", "--due")),)


def _hourly(calendar: Calendar, host: Host) -> str:
    from ..._host.cron.minutes import minutes_of_hour

    return f"{','.join(map(str, minutes_of_hour(calendar, host)))} * * * *"


def _reconnecting(plan: JobPlan) -> tuple[str, ...]:
    if plan.reconnect_probe is None:
        return ()
    return (_line("@reboot", plan, "reconnect"), _line(_every(plan.reconnect_probe), plan, "reconnect"))


def _every(seconds: int) -> str:
    """Cron's nearest word for an interval, never longer than a day."""
    minutes = max(1, -(-seconds // 60))
    if minutes < 60:
        return "* * * * *" if minutes == 1 else f"*/{minutes} * * * *"
    hours = min(24, minutes // 60)
    return f"0 {'*' if hours == 1 else '0' if hours == 24 else f'*/{hours}'} * * *"


def _line(when: str, plan: JobPlan, trigger: str) -> str:
    return table_line(when, "root", (plan.agent, "run", "--trigger", trigger, *plan.options))
