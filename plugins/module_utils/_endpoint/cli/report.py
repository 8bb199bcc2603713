# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""``epp-agent report``: a report to the update server, now, or the one that is requested or waits (R4)."""

from __future__ import annotations

import argparse

from ..._core.reports.report import Occasion
from ..._host.local_host import LocalHost
from ..._host.output import write_document, write_lines
from .. import paths
from ..endpoint import Endpoint
from ..reporting.reporter import catch_up, report, settled
from ..runner.user_actions import for_root_alone
from ..state.report_record import ReportRecord
from . import exit_codes


def make_report(host: LocalHost, options: argparse.Namespace) -> int:
    """Make a report and send it, and tell what became of it; ``--due`` only what is requested or waits."""
    for_root_alone(host, "epp-agent report")
    server = Endpoint.load(host).document.server
    if options.due:
        catch_up(host)
        return exit_codes.DONE
    record = report(host, Occasion.REQUEST)
    if record.waiting and not record.why:  # another process is at it
        record = settled(host)
    if options.json:
        write_document(record.to_result())
    else:
        write_lines([_sentence(record, None if server is None else server.url)])
    if record.waiting:
        return exit_codes.UNREACHABLE
    return exit_codes.FAILED if record.cause else exit_codes.DONE


def _sentence(record: ReportRecord, url: str | None) -> str:
    if record.waiting:
        return f"report: waits; {record.why or 'another process is sending it'}"
    if record.cause:
        return f"report: failed; {record.why}"
    return f"report: kept in {paths.REPORT}" if url is None else f"report: taken by {url}"
