# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Cron, for hosts without systemd."""

from __future__ import annotations

from collections.abc import Collection

from ..._core.exit_codes import DONE, FAILED
from ..._core.resources.resources import File, Resource
from ..._core.schedule.calendars import DailyCalendar
from ..._host.cron.table import ENVIRONMENT, table_line
from ..._host.host import Host
from ..paths import AGENT
from .job_plan import JobPlan

TABLE = "/etc/cron.d/epp-autoupdate"

_HEAD = """\
# Managed by the Ansible collection epp.autoupdate; changes are undone by the next converge.
# These lines only wake the agent, at the right minute of every hour; its timetable decides whether a run is due, and
# it waits for its own second. So neither seconds, zones nor daylight saving time need a word here.
"""

_DAEMONS = ("cron", "crond", "fcron")
_TRIAL_S = 200.0
_DIRECTORIES = ("/usr/bin", "/bin", "/usr/sbin", "/sbin")
_LOW_PRIORITY = (("nice", "-n", "19"), ("ionice", "-c", "3"))
_TIMEOUT_S = 10.0

_IN_BACKGROUND = 'exec </dev/null >/dev/null 2>&1; "$@" &'
_IN_A_SESSION = 'setsid /bin/sh -c "$0" "$@"; exit $?'
"""Constants for the shell; what they start comes as arguments.

The shell in between leads the process group, so that setsid itself need not fork and is waited for. It has an option
for that on most systems, and none in busybox. A shell could replace itself by its last command, hence the ``exit``.
"""


class CronScheduler:
    """Jobs as one file in ``/etc/cron.d``, which cron reads again by itself when it changes."""

    name = "cron"

    def __init__(self, host: Host) -> None:
        self._host = host

    def entries(self, plan: JobPlan) -> tuple[Resource, ...]:
        lines = (*self._scheduled(plan), *_reconnecting(plan), *self._configuring(plan))
        table = _HEAD + ENVIRONMENT + "".join(f"{line}\n" for line in lines)
        return (File(TABLE, table.encode()),)

    def owned(self) -> tuple[str, ...]:
        return (TABLE,)

    def drift(self, plan: JobPlan) -> tuple[str, ...]:
        from .vendor_updaters import drift

        return drift(self._host, plan.beside)

    def activate(self, plan: JobPlan, changed_paths: Collection[str]) -> None:
        from .vendor_updaters import stop

        stop(self._host, plan.beside, changed_paths)

    def deactivate(self) -> None:
        """Nothing: the removal of the file is all; a run under way ends by its own limits."""

    def forget(self) -> None:
        """Nothing: cron sees that the file is gone."""

    def reckon_anew(self) -> None:
        """Cron looks at the clock every minute."""

    def errors(self) -> tuple[str, ...]:
        if not self._host.live or self._host.runs(_DAEMONS):
            return ()
        return (f"no cron daemon runs, so nothing is ever started: start one ({' or '.join(_DAEMONS[:2])})",)

    def try_agent(self) -> str:
        try:
            done = self._host.run((AGENT, "selftest"), timeout=_TRIAL_S)
        except OSError as error:
            return error.strerror or str(error)
        started = done.code in (DONE, FAILED) and not done.timed_out
        return "" if started else done.err.strip() or f"exit status {done.code}"

    def start_scan(self) -> bool:
        return self._start("scan", (*self._low_priority(), AGENT, "scan"))

    def start_configuring(self) -> bool:
        return self._start("converge", (AGENT, "sync", "--adopted"))

    def _start(self, what: str, command: tuple[str, ...]) -> bool:
        """Start a command in a session of its own, which outlives both this process and its process group."""
        if not self._host.live:
            return False
        argv = ("/bin/sh", "-c", _IN_A_SESSION, _IN_BACKGROUND, f"epp-{what}", *command)
        done = self._host.run(argv, timeout=_TIMEOUT_S)
        if done.code != 0:
            why = done.err.strip() or f"it {done.ended}"
            raise OSError(f"the {what} could not be started: {why}")
        return True

    def _configuring(self, plan: JobPlan) -> tuple[str, ...]:
        if plan.configuration is None:
            return ()
        from ..._host.cron.minutes import minutes_of_hour

        minutes = ",".join(str(minute) for minute in minutes_of_hour(plan.configuration, self._host))
        return (table_line(f"{minutes} * * * *", "root", (plan.agent, "sync", "--due")),)

    def _scheduled(self, plan: JobPlan) -> tuple[str, ...]:
        if plan.calendar is None:
            return ()
        from ..._host.cron.minutes import minutes_of_hour

        minutes = ",".join(str(minute) for minute in minutes_of_hour(plan.calendar, self._host))
        slots = _line(f"{minutes} * * * *", plan, "schedule")
        # An endpoint that comes back inside its window gets an instant in what remains of it (S4).
        return (slots, _line("@reboot", plan, "schedule")) if isinstance(plan.calendar, DailyCalendar) else (slots,)

    def _low_priority(self) -> tuple[str, ...]:
        present = (prefix for prefix in _LOW_PRIORITY if self._has(prefix[0]))
        return tuple(word for prefix in present for word in prefix)

    def _has(self, program: str) -> bool:
        return any(self._host.exists(f"{directory}/{program}") for directory in _DIRECTORIES)


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
    return table_line(when, "root", (plan.agent, "run", "--trigger", trigger))
