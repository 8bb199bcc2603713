# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""``epp-agent sync``: the configuration from the update server, now, when it is due, or as it was adopted."""

from __future__ import annotations

import argparse
from typing import Any

from ..._core.metadata.sync_result import SyncResult
from ..._host.local_host import LocalHost
from ..._host.output import write_document, write_lines, write_logged
from ..clock import reckoning_anew
from ..converge.adopted import converge_adopted, request_converge
from ..converge.converge import Busy
from ..converge.result import Converged
from ..endpoint import Endpoint
from ..runner.user_actions import for_root_alone
from ..sync.due import daily_sync_due
from ..sync.sync import NoServer, SyncReport, synchronize
from . import exit_codes
from .reporting import report_sync, report_waking

_STATUSES = {
    SyncResult.ADOPTED: exit_codes.DONE,
    SyncResult.UNCHANGED: exit_codes.DONE,
    SyncResult.UNREACHABLE: exit_codes.UNREACHABLE,
    SyncResult.FAILED: exit_codes.FAILED,
}


def sync(host: LocalHost, options: argparse.Namespace) -> int:
    """Ask, adopt and converge; what was adopted earlier is carried out whatever the server says now."""
    for_root_alone(host, "epp-agent sync")
    endpoint = Endpoint.load(host)
    if endpoint.document.server is None:
        raise NoServer("this endpoint has no update server: its policy comes from Ansible")
    if options.due:
        with reckoning_anew(endpoint):
            return _when_due(endpoint, options)
    report = None if options.adopted else synchronize(endpoint)
    try:
        converged = converge_adopted(Endpoint.load(host))
    except Busy as error:
        raise OSError(str(error)) from error
    status = _tell(options, report, converged)
    report_sync(endpoint, report, converged)
    return status


def _when_due(endpoint: Endpoint, options: argparse.Namespace) -> int:
    """The daily waking, shut in: what has to be written is another's business."""
    report = synchronize(endpoint) if daily_sync_due(endpoint, endpoint.store.read()) else None
    endpoint = Endpoint.load(endpoint.host)
    request_converge(endpoint)
    status = _tell(options, report, None)
    report_waking(endpoint, report)
    return status


def _tell(options: argparse.Namespace, report: SyncReport | None, converged: Converged | None) -> int:
    content: dict[str, Any] = {"result": None, "reason": ""}
    logged: list[str] = []
    lines: list[str] = []
    if report is not None:
        content.update(result=report.result.value, reason=report.why)
        logged.append(report.sentence())
    if converged is not None:
        told = converged.to_result()
        content.update({key: told[key] for key in ("changed", "changes", "drift", "next_run")})
        lines += [f"{change['action']} {change['path']}" for change in told["changes"]]
        lines += [f"corrected: {word}" for word in told["drift"]]
    if options.json:
        write_document(content)
    else:
        write_logged(logged)
        write_lines(lines)
    return exit_codes.DONE if report is None else _STATUSES.get(report.result, exit_codes.BAD_DOCUMENT)
