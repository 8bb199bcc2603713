# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Scan Now, and the scan that follows an event-triggered update (E3)."""

from __future__ import annotations

import syslog

from ..._core.results import ScanOutcome
from ..._core.untrusted_text import LONGEST_WORD, shown
from ..._core.values import replace
from ..._host.lock import locked
from .. import paths
from ..endpoint import Endpoint
from ..state.store import ScanRecord
from ..status.status import save_and_publish

KEPT_FINDINGS = 1000
LOGGED_FINDINGS = 50
_LONGEST_PATH = 4096


def scan(endpoint: Endpoint) -> ScanRecord | None:
    """Scan the policy's paths, record and log the findings; None when another scan is under way."""
    with locked(endpoint.host, endpoint.at(paths.SCAN_LOCK), wait=0) as held:
        return _scan(endpoint) if held else None


def _scan(endpoint: Endpoint) -> ScanRecord:
    document, host = endpoint.document, endpoint.host
    started = host.now()
    # Taken off first: an update that comes while this scan runs asks for another one.
    save_and_publish(endpoint, lambda state: replace(state, scan_due=False))
    try:
        outcome = endpoint.product.scan(document.scan_paths, document.limits.scan)
    except OSError as error:
        outcome = ScanOutcome(ok=False, why=str(error))
    record = ScanRecord(
        ok=outcome.ok,
        why=shown(outcome.why),
        started=started,
        finished=host.now(),
        found=len(outcome.findings),
        findings=tuple(
            (shown(path, _LONGEST_PATH), shown(name, LONGEST_WORD)) for path, name in outcome.findings[:KEPT_FINDINGS]
        ),
    )
    save_and_publish(endpoint, lambda state: replace(state, scan=record))
    _log(endpoint, record)
    return record


def _log(endpoint: Endpoint, record: ScanRecord) -> None:
    log = endpoint.host.log
    if not record.ok:
        log(syslog.LOG_ERR, f"scan: failed; {record.why}")
    for path, signature in record.findings[:LOGGED_FINDINGS]:
        log(syslog.LOG_ALERT, f"scan: found {signature} in {path}")
    log(syslog.LOG_INFO, f"scan: finished, {record.found} found in {record.finished - record.started:.0f} s")
