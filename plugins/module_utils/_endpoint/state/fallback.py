# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A run's result survives a state directory that can't be written (full or read-only file system)."""

from __future__ import annotations

import json
import syslog
from typing import Any

from ..._core.results import Trigger
from ..._core.values import asdict, replace
from .. import paths
from ..endpoint import Endpoint
from ..runner.report import RunReport
from .store import RunRecord, State


def save_or_leave(endpoint: Endpoint, report: RunReport) -> None:
    """Record the report in the state, or where that fails in the runtime directory for the next run to take over."""
    record = report.to_record()
    try:
        endpoint.remember(lambda state: _recorded(state, report, record))
    except OSError as error:
        endpoint.host.log(syslog.LOG_ERR, f"the state can't be written: {error}")
        _leave(endpoint, {"trigger": report.trigger.value, "record": asdict(record)})


def unsaved(endpoint: Endpoint) -> tuple[Trigger, RunRecord] | None:
    """The result that is waiting to be taken over, if any."""
    content = endpoint.host.read(paths.EMERGENCY_REPORT)
    if content is None:
        return None
    try:
        left = json.loads(content)
        record = {**left["record"], "changed": tuple(left["record"]["changed"])}
        return Trigger(left["trigger"]), RunRecord(**record)
    except (ValueError, KeyError, TypeError):
        return None


def take_over(endpoint: Endpoint) -> None:
    """Move an unsaved result into the state."""
    left = unsaved(endpoint)
    if left is None:
        return
    try:
        endpoint.remember(lambda state: state.with_run(*left))
        endpoint.host.remove(paths.EMERGENCY_REPORT)
    except OSError:
        return  # still not writable; it stays where it is


def _recorded(state: State, report: RunReport, record: RunRecord) -> State:
    """A run that never started leaves the others' marks alone, and repeating itself it is one record."""
    trigger = report.trigger
    if report.ran:
        return state.with_run(trigger, record)
    last = state.last.get(trigger.value)
    if last is not None and (record.result, record.why, record.joined) == (last.result, last.why, None):
        return state
    return replace(state, last={**state.last, trigger.value: record})


def _leave(endpoint: Endpoint, content: dict[str, Any]) -> None:
    try:
        endpoint.host.write(paths.EMERGENCY_REPORT, json.dumps(content).encode(), mode=0o600)
    except OSError as error:
        endpoint.host.log(syslog.LOG_ERR, f"nor can {paths.EMERGENCY_REPORT}: {error}")
