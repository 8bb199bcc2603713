# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The host's own scheduler, whichever it is, behind one door."""

from __future__ import annotations

from typing import Callable

from ..._host.host import Host
from ..._host.service_manager import own_scheduler
from .job_plan import Scheduler

AUTO = "auto"


def _systemd(host: Host) -> Scheduler:
    from .systemd import SystemdScheduler

    return SystemdScheduler(host)


def _cron(host: Host) -> Scheduler:
    from .cron import CronScheduler

    return CronScheduler(host)


_SCHEDULERS: dict[str, Callable[[Host], Scheduler]] = {"systemd": _systemd, "cron": _cron}
"""Doors rather than classes: the agent's start pays for the one that it uses."""


def select_scheduler(kind: str, host: Host) -> Scheduler:
    """The scheduler called ``kind``; ``auto`` takes systemd where it is the host's init, otherwise cron.

    Raises ValueError for a kind that does not exist.
    """
    name = own_scheduler(host) if kind == AUTO else kind
    if name not in _SCHEDULERS:
        raise ValueError(f"scheduler: {kind!r} is unknown (one of: {', '.join((AUTO, *_SCHEDULERS))})")
    return _SCHEDULERS[name](host)


def all_schedulers(host: Host) -> tuple[Scheduler, ...]:
    """Every scheduler there is, so that what another one left behind can be removed."""
    return tuple(door(host) for door in _SCHEDULERS.values())
