# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The host's own scheduler for the server's jobs, whichever it is, behind one door."""

from __future__ import annotations

from typing import Callable

from ..._core.settings.endpoint_keys import SchedulerKind
from ..._host.host import Host
from ..._host.service_manager import own_scheduler
from .job_plan import Jobs


def _systemd(host: Host) -> Jobs:
    from .systemd import SystemdJobs

    return SystemdJobs(host)


def _cron(host: Host) -> Jobs:
    from .cron import CronJobs

    return CronJobs(host)


_DOORS: dict[str, Callable[[Host], Jobs]] = {"systemd": _systemd, "cron": _cron}


def select_jobs(kind: SchedulerKind, host: Host) -> Jobs:
    """The scheduler of this kind; ``auto`` takes systemd where it is the host's init, otherwise cron."""
    return _DOORS[own_scheduler(host) if kind is SchedulerKind.AUTO else kind.value](host)


def all_jobs(host: Host) -> tuple[Jobs, ...]:
    """Every scheduler there is, so that what another one left behind can be removed."""
    return tuple(door(host) for door in _DOORS.values())
