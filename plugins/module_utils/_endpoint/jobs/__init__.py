# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the agent's jobs are called: its units, its table of cron's, and what is started on demand."""

from __future__ import annotations

from ..._core.exit_codes import DONE, FAILED
from ..._host.scheduler.base import Job, Owned, Units
from ..paths import AGENT

UPDATE_SERVICE = "epp-update@.service"
SCAN_SERVICE = "epp-scan.service"
SCHEDULE_SERVICE = "epp-schedule@.service"
ROAMING_SERVICE = "epp-roaming@.service"
SYNC_SERVICE = "epp-sync.service"
CONFIGURE_SERVICE = "epp-configure.service"
SELFTEST_SERVICE = "epp-selftest.service"
REPORT_SERVICE = "epp-report.service"
NOTICE_SERVICE = "epp-notice@.service"
NOTICE_SOCKET = "epp-notice.socket"
UPDATE_TIMER = "epp-update.timer"
BOOT_TIMER = "epp-boot.timer"
RECONNECT_TIMER = "epp-reconnect.timer"
SYNC_TIMER = "epp-sync.timer"

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
    ),
    timers=(UPDATE_TIMER, BOOT_TIMER, RECONNECT_TIMER, SYNC_TIMER),
    sockets=(NOTICE_SOCKET,),
    boot_only=(BOOT_TIMER,),
    realtime=(UPDATE_TIMER, SYNC_TIMER),
    loaded=(SCAN_SERVICE, UPDATE_SERVICE.replace("@", "@schedule"), UPDATE_SERVICE.replace("@", "@reconnect")),
)

OWNED = Owned(_UNITS, table="epp-autoupdate")

SCAN = Job("scan", SCAN_SERVICE, (AGENT, "scan"), idle=True)
CONFIGURE = Job("converge", CONFIGURE_SERVICE, (AGENT, "sync", "--adopted"))
"""The converge to what was adopted."""
REPORT = Job("report", REPORT_SERVICE, (AGENT, "report", "--due"))
"""The report that was requested by whoever has no network."""
SELFTEST = Job("selftest", SELFTEST_SERVICE, (AGENT, "selftest"), successes=(DONE, FAILED))
