# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The server's jobs: what each scheduler is to hold for a plan."""

from __future__ import annotations

from typing import Callable

from ..._host.scheduler.base import Owned, Texts, Units
from .cron import table
from .job_plan import JobPlan
from .units import PATHS, SERVICES, TIMERS, unit_texts

OWNED = Owned(Units(SERVICES, TIMERS, paths=PATHS, loaded=SERVICES), table="epp-autoupdate-server")

_TEXTS: dict[str, Callable[[JobPlan], Texts]] = {
    "systemd": unit_texts,
    "cron": lambda plan: {OWNED.table: table(plan)},
}


def texts(plan: JobPlan, *, scheduler: str) -> Texts:
    """What the scheduler of this name is to hold."""
    return _TEXTS[scheduler](plan)
