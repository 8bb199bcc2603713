# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The commands ``ingest`` and ``ask-reports`` of ``epp-server``."""

from __future__ import annotations

import argparse
import sqlite3
import time
from contextlib import closing

from ..._core.exit_codes import DONE, FAILED
from ..._host.local_host import LocalHost
from ..._host.output import write_lines
from ..database.database import open_database
from ..fleet.inventory import endpoint_records
from ..fleet.nodes import read_nodes
from ..fleet.selection import Selection
from ..reports.asking import AskReport, ask, due
from ..reports.asking import words as ask_words
from ..reports.ingest import IngestReport, ingest
from ..terminal.line import progress_line
from .output import print_json, seconds

TIMEOUT = "50m"
_OF_DOMAIN = "endpoints in this domain and below"
_PAUSE_S = 30.0
"""How long whoever waits for reports puts off a failure: systemd starts it again as long as there are any."""


def add_parsers(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command to a command line; it sets ``run`` to its function."""
    parser = commands.add_parser("ingest", help="verify and record the reports of endpoints that have arrived")
    words = "end when no report has arrived for this long; after a failure, wait before the end"
    parser.add_argument("--wait", type=int, default=0, metavar="SECONDS", help=words)
    parser.add_argument("--json", action="store_true", help="report as one JSON document")
    parser.set_defaults(run=run_ingest)
    parser = commands.add_parser("ask-reports", help="ask endpoints for their reports by notices, and take them in")
    parser.add_argument(
        "endpoint", nargs="*", help="names of endpoints; without any, those whose last report is older than 25 hours"
    )
    parser.add_argument("--domain", action="append", default=[], metavar="PATH", help=_OF_DOMAIN)
    parser.add_argument("--all", action="store_true", help="all endpoints")
    parser.add_argument("--timeout", default=TIMEOUT, metavar="TIME", help=f"longest time for all of them ({TIMEOUT})")
    parser.add_argument("--json", action="store_true", help="report as one JSON document")
    parser.set_defaults(run=run_ask)


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


def run_ask(host: LocalHost, options: argparse.Namespace) -> int:
    """Ask the chosen endpoints, or those that are due."""
    timeout, names = seconds(options.timeout), _chosen(host, options)
    with progress_line(quiet=options.json) as line:
        report = ask(host, names, timeout=timeout, watch=line.watch)
    told = report or AskReport()
    if options.json:
        rows = [{"name": one.name, "result": one.result, "reason": one.reason} for one in told.endpoints]
        print_json({"running": report is None, "asked": len(rows), "results": told.counts, "endpoints": rows})
    else:
        write_lines(_lines(report))
    return FAILED if told.failed else DONE


def _chosen(host: LocalHost, options: argparse.Namespace) -> list[str]:
    with closing(open_database(host)) as connection:
        if not (options.endpoint or options.domain or options.all):
            return due(connection, host.now())
        lists = {"endpoints": options.endpoint, "domains": [*options.domain, *([""] if options.all else [])]}
        selection = Selection.from_dict({name: one for name, one in lists.items() if one})
        return selection.names(endpoint_records(connection, ()), read_nodes(connection))


def _lines(report: AskReport | None) -> list[str]:
    if report is None:
        return ["ask-reports: another one is running"]
    failed = [f"{one.name}  {one.result.replace('_', ' ')}; {one.reason}" for one in report.failed]
    told = ", ".join(part for part in (f"{len(report.endpoints)} asked", ask_words(report)) if part)
    return [*failed, f"ask-reports: {told}"]


def _words(report: IngestReport | None) -> str:
    if report is None:
        return "ingest: another one is running"
    refused = ", ".join(f"{count} {code}" for code, count in report.refused.items())
    parts = [f"{report.taken} taken", f"refused: {refused}" if refused else "none refused"]
    parts += [f"{report.stuck} can't be removed from the inbox"] if report.stuck else []
    return f"ingest: {'; '.join(parts)}"
