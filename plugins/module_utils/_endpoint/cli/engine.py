# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""``epp-agent engine``: upgrade the packages of the product's engine, where policy wants that."""

from __future__ import annotations

import argparse

from ..._core.results import Result
from ..._host.local_host import LocalHost
from ..._host.output import write_document, write_lines, write_logged
from ..endpoint import Endpoint
from ..runner import engine as runs
from ..runner.user_actions import for_root_alone
from . import exit_codes
from .reporting import report_run


def engine(host: LocalHost, options: argparse.Namespace) -> int:
    """Upgrade in an open window; by hand also where it has had its run, and with ``--despite-window`` at any time."""
    for_root_alone(host, "epp-agent engine")
    endpoint = Endpoint.load(host)
    if options.check:
        return _check(endpoint, options)
    report = runs.run(endpoint, due=options.due, despite_window=options.despite_window)
    content = {**report.record.to_result(), "before": report.before, "after": report.after}
    if options.json:
        write_document(content)
    else:
        (write_logged if report.recorded else write_lines)([report.sentence()])
    if report.recorded:
        report_run(host)
    return exit_codes.of_result(Result(report.record.result))


def _check(endpoint: Endpoint, options: argparse.Namespace) -> int:
    outcome = runs.check(endpoint)
    if options.json:
        write_document({"result": outcome.result.value, "reason": outcome.why})
    else:
        write_lines([f"engine packages: {outcome.result.value}; {outcome.why}".rstrip("; ")])
    return exit_codes.of_result(outcome.result)
