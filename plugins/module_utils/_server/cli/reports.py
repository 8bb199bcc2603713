# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The command ``ingest`` of ``epp-server``."""

from __future__ import annotations

import argparse
import sqlite3
import time

from ..._core.exit_codes import DONE
from ..._host.local_host import LocalHost
from ..._host.output import write_lines
from ..reports.ingest import IngestReport, ingest
from .output import print_json

_PAUSE_S = 30.0
"""How long whoever waits for reports puts off a failure: systemd starts it again as long as there are any."""


def add_parsers(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command to a command line; it sets ``run`` to its function."""
    parser = commands.add_parser("ingest", help="verify and record the reports of endpoints that have arrived")
    words = "end when no report has arrived for this long; after a failure, wait before the end"
    parser.add_argument("--wait", type=int, default=0, metavar="SECONDS", help=words)
    parser.add_argument("--json", action="store_true", help="report as one JSON document")
    parser.set_defaults(run=run_ingest)


def run_ingest(host: LocalHost, options: argparse.Namespace) -> int:
    """Take in what has arrived."""
    try:
        report = ingest(host, wait=float(options.wait))
    except (OSError, sqlite3.Error):
        if options.wait:
            time.sleep(_PAUSE_S)
        raise
    if options.json:
        print_json({"running": report is None, **(report or IngestReport()).to_dict()})
    else:
        write_lines([_words(report)])
    return DONE


def _words(report: IngestReport | None) -> str:
    if report is None:
        return "ingest: another one is running"
    refused = ", ".join(f"{count} {code}" for code, count in report.refused.items())
    parts = [f"{report.taken} taken", f"refused: {refused}" if refused else "none refused"]
    parts += [f"{report.stuck} can't be removed from the inbox"] if report.stuck else []
    return f"ingest: {'; '.join(parts)}"
