# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Where things lie on an endpoint."""

from __future__ import annotations

from .._host import paths as shared

AGENT = "/usr/local/bin/epp-agent"

CONFIGURATION_DIRECTORY = shared.CONFIGURATION_DIRECTORY
DOCUMENT = CONFIGURATION_DIRECTORY + "/endpoint.json"
"""The whole normalized document; readable by root alone, since command lines and URLs may hold secrets."""

STATE_DIRECTORY = "/var/lib/epp-autoupdate"
STATE = STATE_DIRECTORY + "/state.json"
STATUS = STATE_DIRECTORY + "/status.json"
"""What every user may read."""

NOTICES = STATE_DIRECTORY + "/notices.json"
"""Which campaigns of the update server this endpoint has taken, and what it answered."""

REPORT = STATE_DIRECTORY + "/report.json"
"""The newest report, signed, as the update server gets it."""
REPORT_RECORD = STATE_DIRECTORY + "/reporting.json"
"""What became of it."""

ADOPTED_DIRECTORY = STATE_DIRECTORY + "/configuration"
"""What was adopted from the update server; it is no more precious than what can be fetched again."""

RUNTIME_DIRECTORY = "/run/epp-autoupdate"
CONVERGE_LOCK = RUNTIME_DIRECTORY + "/converge.lock"
UPDATE_LOCK = RUNTIME_DIRECTORY + "/update.lock"
WAIT_LOCK = RUNTIME_DIRECTORY + "/wait.lock"
"""Held by the one run that waits for a scheduled slot; cron would start another waiter every hour."""
SCAN_LOCK = RUNTIME_DIRECTORY + "/scan.lock"
NOTICE_LOCK = RUNTIME_DIRECTORY + "/notice.lock"
"""Held by the one notice that is being carried out; another one waits for its answer."""
NOTICE_SOCKET = RUNTIME_DIRECTORY + "/notice.socket"
"""Where systemd waits for the notices that the update server's account hands over."""
SYNC_LOCK = RUNTIME_DIRECTORY + "/sync.lock"
"""Held by the one process that asks the update server for the configuration, or adopts one."""
STATE_LOCK = RUNTIME_DIRECTORY + "/state.lock"
REPORT_LOCK = RUNTIME_DIRECTORY + "/report.lock"
"""Held by the one process that makes a report and sends it."""
REPORT_REQUEST = RUNTIME_DIRECTORY + "/report-requested"
"""The occasion of a report that is to be made."""
EMERGENCY_REPORT = RUNTIME_DIRECTORY + "/unsaved.json"
"""Where a run leaves its result when the state directory can't be written; the next run takes it over."""
TRIAL = RUNTIME_DIRECTORY + "/selftest.json"
"""Where a self-test leaves what it found, for the converge that asked for it."""

TEXTFILE_NAME = "epp_autoupdate.prom"
