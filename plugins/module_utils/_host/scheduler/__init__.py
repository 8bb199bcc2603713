# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The host's own scheduler, whichever it is, behind one door."""

from __future__ import annotations

from collections.abc import Collection
from typing import Callable

from ..host import Host
from .base import Owned, Scheduler

AUTO = "auto"
_SYSTEMD_RUNS = "/run/systemd/system"
_SYSTEMD_PROGRAMS = ("/usr/lib/systemd/systemd", "/lib/systemd/systemd")


def _systemd(host: Host, owned: Owned) -> Scheduler:
    from .systemd import SystemdScheduler

    return SystemdScheduler(host, owned.units)


def _cron(host: Host, owned: Owned) -> Scheduler:
    from .cron import CronScheduler

    return CronScheduler(host, owned.table)


_SCHEDULERS: dict[str, Callable[[Host, Owned], Scheduler]] = {"systemd": _systemd, "cron": _cron}
"""Doors rather than classes: a program's start pays for the one that it uses."""


def select_scheduler(kind: str, host: Host, owned: Owned) -> Scheduler:
    """The scheduler called ``kind``, for one program's jobs; ``auto`` takes the one that the host has.

    Raises ValueError for a kind that does not exist.
    """
    name = own_scheduler(host) if kind == AUTO else kind
    if name not in _SCHEDULERS:
        raise ValueError(f"scheduler: {kind!r} is unknown (one of: {', '.join((AUTO, *_SCHEDULERS))})")
    return _SCHEDULERS[name](host, owned)


def all_schedulers(host: Host, owned: Owned) -> tuple[Scheduler, ...]:
    """Every scheduler there is, so that what another one left behind can be removed."""
    return tuple(door(host, owned) for door in _SCHEDULERS.values())


def every_owned_path(host: Host, owned: Owned) -> tuple[str, ...]:
    """The paths that a program may ever have had by any scheduler."""
    return tuple(path for scheduler in all_schedulers(host, owned) for path in scheduler.owned())


def schedulers_left(
    chosen: Scheduler, host: Host, owned: Owned, *, changed_paths: Collection[str]
) -> tuple[Scheduler, ...]:
    """The schedulers that a program's jobs leave for the chosen one: their files are among those that change."""
    others = (other for other in all_schedulers(host, owned) if other.name != chosen.name)
    return tuple(other for other in others if not set(other.owned()).isdisjoint(changed_paths))


def own_scheduler(host: Host) -> str:
    """``systemd`` where it is the host's init, otherwise ``cron``.

    A live host is asked what runs; a directory (an image being built) what would run once it boots.
    """
    evidence = (_SYSTEMD_RUNS,) if host.live else _SYSTEMD_PROGRAMS
    return "systemd" if any(host.exists(path) for path in evidence) else "cron"
