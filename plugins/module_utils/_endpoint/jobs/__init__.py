# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the agent's jobs are called: its units, its table of cron's, and what is started on demand."""

from __future__ import annotations

from collections.abc import Collection

from ..._core.exit_codes import DONE, FAILED
from ..._core.values import replace
from ..._host.scheduler.base import Job, Owned, Units
from ..paths import AGENT, unit_of_product

UPDATE_SERVICE = "epp-update@.service"
SCAN_SERVICE = "epp-scan.service"
SCHEDULE_SERVICE = "epp-schedule@.service"
ROAMING_SERVICE = "epp-roaming@.service"
SYNC_SERVICE = "epp-sync.service"
CONFIGURE_SERVICE = "epp-configure.service"
SELFTEST_SERVICE = "epp-selftest.service"
REPORT_SERVICE = "epp-report.service"
ENGINE_SERVICE = "epp-engine.service"
NOTICE_SERVICE = "epp-notice@.service"
LISTEN_SERVICE = "epp-listen.service"
NOTICE_SOCKET = "epp-notice.socket"
UPDATE_TIMER = "epp-update.timer"
BOOT_TIMER = "epp-boot.timer"
RECONNECT_TIMER = "epp-reconnect.timer"
SYNC_TIMER = "epp-sync.timer"
ENGINE_TIMER = "epp-engine.timer"

_UNITS = Units(
    services=(
        UPDATE_SERVICE,
        SCAN_SERVICE,
        SCHEDULE_SERVICE,
        ROAMING_SERVICE,
        SELFTEST_SERVICE,
        REPORT_SERVICE,
        SYNC_SERVICE,
        CONFIGURE_SERVICE,
        NOTICE_SERVICE,
        ENGINE_SERVICE,
        LISTEN_SERVICE,
    ),
    timers=(UPDATE_TIMER, BOOT_TIMER, RECONNECT_TIMER, SYNC_TIMER, ENGINE_TIMER),
    sockets=(NOTICE_SOCKET,),
    lasting=(LISTEN_SERVICE,),
    boot_only=(BOOT_TIMER,),
    realtime=(UPDATE_TIMER, SYNC_TIMER, ENGINE_TIMER),
    loaded=(SCAN_SERVICE, UPDATE_SERVICE.replace("@", "@schedule"), UPDATE_SERVICE.replace("@", "@reconnect")),
)

OWNED = Owned(_UNITS, table="epp-autoupdate")

_OF_PRODUCTS = (UPDATE_SERVICE, SCAN_SERVICE, SELFTEST_SERVICE, UPDATE_TIMER, BOOT_TIMER, RECONNECT_TIMER)
"""What each further product has of its own."""


def owned_with(instances: Collection[str]) -> Owned:
    """All that the jobs of an endpoint may have on its host, where these instances are or were its further products."""
    names = dict.fromkeys(instances)
    if not names:
        return OWNED

    def more(units: tuple[str, ...]) -> tuple[str, ...]:
        known = (unit for unit in units if _first_of(unit) in _OF_PRODUCTS)
        return (*units, *(unit_of_product(unit, name) for unit in known for name in names))

    lists = {name: more(getattr(_UNITS, name)) for name in ("services", "timers", "boot_only", "realtime", "loaded")}
    return Owned(replace(_UNITS, **lists), OWNED.table)


def _first_of(unit: str) -> str:
    """The template of an instance (``epp-update@schedule.service``), or the unit itself."""
    stem, at, rest = unit.partition("@")
    return f"{stem}@.{rest.partition('.')[2]}" if at else unit


def job_of(job: Job, instance: str) -> Job:
    """A job of the first product as that of a further one."""
    if not instance:
        return job
    command = (*job.command, "--product", instance)
    return replace(job, name=f"{job.name}-{instance}", service=unit_of_product(job.service, instance), command=command)


SCAN = Job("scan", SCAN_SERVICE, (AGENT, "scan"), idle=True)
CONFIGURE = Job("converge", CONFIGURE_SERVICE, (AGENT, "sync", "--adopted"))
"""The converge to what was adopted."""
REPORT = Job("report", REPORT_SERVICE, (AGENT, "report", "--due"))
"""The report that was requested by whoever has no network."""
SELFTEST = Job("selftest", SELFTEST_SERVICE, (AGENT, "selftest"), successes=(DONE, FAILED))
