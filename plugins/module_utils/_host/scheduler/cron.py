# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Cron, for hosts without systemd."""

from __future__ import annotations

from collections.abc import Collection
from typing import TYPE_CHECKING

from ..._core.resources.resources import Absent, File, Resource
from ..host import Host
from .base import Job, Texts

if TYPE_CHECKING:
    from ..systemd.state import States

_TABLES = "/etc/cron.d"
_DAEMONS = ("cron", "crond", "fcron")
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

    def __init__(self, host: Host, table: str) -> None:
        self._host = host
        self._path = _path(table)

    def entries(self, texts: Texts) -> tuple[Resource, ...]:
        wanted = [File(_path(name), text.encode()) for name, text in texts.items()]
        kept = {entry.path for entry in wanted}
        return (*wanted, *(Absent(path) for path in self.owned() if path not in kept))

    def owned(self) -> tuple[str, ...]:
        return (self._path,)

    def states(self, others: Collection[str] = ()) -> States | None:
        """Systemd may run where cron was asked for; the units of others are its affair then."""
        from ..systemd.state import systemd_runs, unit_states

        if not self._host.live:
            return None
        return unit_states(self._host, (), in_memory=others) if others and systemd_runs(self._host) else {}

    def drift(self, texts: Texts, states: States | None = None) -> tuple[str, ...]:  # noqa: ARG002  # the protocol's
        """Nothing: cron holds nothing but its file."""
        return ()

    def activate(self, texts: Texts, changed_paths: Collection[str], states: States | None = None) -> None:  # noqa: ARG002  # the protocol's
        """Cron finds changes itself; systemd, where it runs beside cron, is told of those in units of others."""
        from ..systemd.state import reload_changed, systemd_runs

        if states is not None and systemd_runs(self._host):
            reload_changed(self._host, changed_paths, states)

    def deactivate(self) -> None:
        """Nothing: the removal of the file is all; a job under way ends by its own limits, or is waited for."""

    def forget(self) -> None:
        """Nothing: cron sees that the file is gone."""

    def reckon_anew(self) -> None:
        """Nothing: cron looks at the clock every minute."""

    def errors(self) -> tuple[str, ...]:
        if not self._host.live or self._host.runs(_DAEMONS):
            return ()
        return (f"no cron daemon runs, so nothing is ever started: start one ({' or '.join(_DAEMONS[:2])})",)

    def start(self, job: Job) -> bool:
        """In a session of its own, which outlives both this process and its process group."""
        if not self._host.live:
            return False
        command = (*self._low_priority(), *job.command) if job.idle else job.command
        argv = ("/bin/sh", "-c", _IN_A_SESSION, _IN_BACKGROUND, f"epp-{job.name}", *command)
        done = self._host.run(argv, timeout=_TIMEOUT_S)
        if done.code != 0:
            why = done.err.strip() or f"it {done.ended}"
            raise OSError(f"the {job.name} could not be started: {why}")
        return True

    def trial(self, job: Job, *, timeout: float) -> str:
        try:
            done = self._host.run(job.command, timeout=timeout)
        except OSError as error:
            return error.strerror or str(error)
        started = done.code in job.successes and not done.timed_out
        return "" if started else done.err.strip() or f"exit status {done.code}"

    def _low_priority(self) -> tuple[str, ...]:
        present = (prefix for prefix in _LOW_PRIORITY if self._has(prefix[0]))
        return tuple(word for prefix in present for word in prefix)

    def _has(self, program: str) -> bool:
        return any(self._host.exists(f"{directory}/{program}") for directory in _DIRECTORIES)


def _path(table: str) -> str:
    return f"{_TABLES}/{table}"
