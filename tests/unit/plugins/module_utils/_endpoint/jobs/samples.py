# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Plans for the tests of the schedulers and of users' rights."""

from __future__ import annotations

from typing import Any

from ansible_collections.epp.autoupdate.plugins.module_utils._core.policy.policy import Weekday
from ansible_collections.epp.autoupdate.plugins.module_utils._core.resources.resources import Directory
from ansible_collections.epp.autoupdate.plugins.module_utils._core.schedule.calendars import IntervalCalendar
from ansible_collections.epp.autoupdate.plugins.module_utils._core.system_files.vendor_updaters import Program, Starters
from ansible_collections.epp.autoupdate.plugins.module_utils._core.values import replace
from ansible_collections.epp.autoupdate.plugins.module_utils._endpoint.jobs.job_plan import JobPlan
from ansible_collections.epp.autoupdate.plugins.module_utils._endpoint.products.base import ProductNeeds
from ansible_collections.epp.autoupdate.tests.unit.plugins.module_utils._host.samples import DAILY

CLAMAV_NEEDS = ProductNeeds(
    read_write=("/var/lib/clamav",),
    creates=(Directory("/var/lib/clamav", owner="clamav"),),
    capabilities=("CAP_CHOWN", "CAP_DAC_OVERRIDE", "CAP_KILL", "CAP_SETGID", "CAP_SETUID"),
    scan_capabilities=("CAP_DAC_READ_SEARCH",),
    after_units=("clamav-daemon.service",),
    vendor_updaters=(Program("freshclam"),),
)
BESIDE = Starters(
    units=("clamav-freshclam.service",), scripts=("clamav-freshclam",), lasting=("clamav-freshclam.service",)
)

WEEKLY = replace(DAILY, weekday=Weekday.MONDAY, extra=())
ONCE_A_DAY = IntervalCalendar(tick=86400, phase=3723)
EVERY_HOUR = IntervalCalendar(tick=3600, phase=754)
EVERY_TEN_MINUTES = IntervalCalendar(tick=600, phase=67)

PLAN = JobPlan(
    agent="/usr/local/bin/epp-agent",
    calendar=DAILY,
    reconnect_probe=300,
    update_limit=1800,
    max_start_delay=7200,
    scan_limit=6 * 3600,
    needs=ProductNeeds(),
    textfile_directory="/var/lib/prometheus/node-exporter",
)


def plan(**changes: Any) -> JobPlan:
    """The usual plan with these differences."""
    return replace(PLAN, **changes)
