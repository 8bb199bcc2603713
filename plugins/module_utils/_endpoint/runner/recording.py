# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Record what a run came to, also on a host whose state directory can't be written."""

from __future__ import annotations

import syslog

from ..._core.values import replace
from .. import paths
from ..endpoint import Endpoint
from ..state.spool import clear_spool, spool, spooled
from ..state.store import RunRecord, State
from ..status.status import save_and_publish
from .report import RunReport


def save_or_spool(endpoint: Endpoint, report: RunReport) -> None:
    """Record the report in the state; where that fails, spool it for the next run. A failure is logged."""
    host, kept = endpoint.host, report.to_record()
    try:
        save_and_publish(endpoint, lambda state: _with_report(state, report, kept))
    except OSError as error:
        host.log(syslog.LOG_ERR, f"the state can't be written: {error}")
        try:
            spool(host, report.trigger, kept, endpoint.document.instance)
        except OSError as second:
            host.log(syslog.LOG_ERR, f"nor can {endpoint.at(paths.EMERGENCY_REPORT)}: {second}")


def drain_spool(endpoint: Endpoint) -> None:
    """Move a spooled result into the state; where that still can't be written, it stays where it is."""
    waiting = spooled(endpoint.host, endpoint.document.instance)
    if waiting is None:
        return
    try:
        save_and_publish(endpoint, lambda state: state.with_run(*waiting))
        clear_spool(endpoint.host, endpoint.document.instance)
    except OSError:
        return


def _with_report(state: State, report: RunReport, kept: RunRecord) -> State:
    """The state with the report. A run that never started changes nothing else; the same skip again, nothing."""
    trigger = report.trigger
    if report.ran:
        return state.with_run(trigger, kept)
    last = state.last.get(trigger.value)
    if last is not None and (kept.result, kept.why, kept.until, kept.joined) == (
        last.result,
        last.why,
        last.until,
        None,
    ):
        return state
    return replace(state, last={**state.last, trigger.value: kept})
