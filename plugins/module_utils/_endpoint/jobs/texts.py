# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What each scheduler is to hold for a plan of the agent's jobs."""

from __future__ import annotations

from typing import Callable

from ..._host.host import Host
from ..._host.scheduler.base import Texts
from . import OWNED
from .job_plan import JobPlan


def texts(plan: JobPlan, host: Host, *, scheduler: str) -> Texts:
    """What the scheduler of this name is to hold."""
    return _TEXTS[scheduler](plan, host)


def _unit_texts(plan: JobPlan, _host: Host) -> Texts:
    from .units import unit_texts

    return unit_texts(plan)


def _table(plan: JobPlan, host: Host) -> Texts:
    from .cron import table

    return {OWNED.table: table(plan, host)}


_TEXTS: dict[str, Callable[[JobPlan, Host], Texts]] = {"systemd": _unit_texts, "cron": _table}
