# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What our systemd units are called, and which of the timers a plan needs."""

from __future__ import annotations

from ..._core.schedule.calendars import DailyCalendar
from .job_plan import JobPlan

UPDATE_SERVICE = "epp-update@.service"
SCAN_SERVICE = "epp-scan.service"
SCHEDULE_SERVICE = "epp-schedule@.service"
ROAMING_SERVICE = "epp-roaming@.service"
SYNC_SERVICE = "epp-sync.service"
CONFIGURE_SERVICE = "epp-configure.service"
SELFTEST_SERVICE = "epp-selftest.service"
NOTICE_SERVICE = "epp-notice@.service"
NOTICE_SOCKET = "epp-notice.socket"
UPDATE_TIMER = "epp-update.timer"
BOOT_TIMER = "epp-boot.timer"
RECONNECT_TIMER = "epp-reconnect.timer"
SYNC_TIMER = "epp-sync.timer"

_ALWAYS = (UPDATE_SERVICE, SCAN_SERVICE, SCHEDULE_SERVICE, ROAMING_SERVICE, SELFTEST_SERVICE)
"""They exist whatever the policy is; timers, privileges and a converge start them."""
SERVICES = (*_ALWAYS, SYNC_SERVICE, CONFIGURE_SERVICE, NOTICE_SERVICE)
"""All of them; those that do not always exist need a server."""
TIMERS = (UPDATE_TIMER, BOOT_TIMER, RECONNECT_TIMER, SYNC_TIMER)
SOCKETS = (NOTICE_SOCKET,)


def wanted_sockets(plan: JobPlan) -> tuple[str, ...]:
    """The sockets that the plan needs."""
    return () if plan.notices is None else SOCKETS


def wanted_timers(plan: JobPlan) -> tuple[str, ...]:
    """The timers that the plan needs. Only a window can be come late to, so intervals have no boot timer (S4)."""
    wanted = {
        UPDATE_TIMER: plan.calendar is not None,
        BOOT_TIMER: isinstance(plan.calendar, DailyCalendar),
        RECONNECT_TIMER: plan.reconnect_probe is not None,
        SYNC_TIMER: plan.configuration is not None,
    }
    return tuple(name for name in TIMERS if wanted[name])
