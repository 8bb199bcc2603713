# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The command ``update-now`` of ``epp-server``."""

from __future__ import annotations

import argparse
import json
import sys
from contextlib import closing
from typing import Any

from ..._core.exit_codes import DONE, FAILED
from ..._core.validation.errors import InvalidDocument, ValidationError
from ..._host.host import Host
from ..._host.local_host import LocalHost
from ..._host.output import write_document, write_lines
from ..campaigns.update_now import UpdateNowReport, update_now
from ..components.configured import rollout_settings
from ..database.database import open_database
from ..fleet.inventory import endpoint_records
from ..fleet.nodes import read_nodes
from ..fleet.offers import FleetOffers
from ..fleet.selection import Selection
from ..publication.catalog import published_catalog
from ..terminal.line import progress_line
from .output import seconds

TIMEOUT = "2h"


def add_parsers(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command to a command line; it sets ``run`` to its function."""
    parser = commands.add_parser("update-now", help="trigger an update of endpoints and report the results")
    parser.add_argument("endpoint", nargs="*", help="names of endpoints")
    parser.add_argument(
        "--domain", action="append", default=[], metavar="PATH", help="endpoints in this domain and below"
    )
    parser.add_argument("--all", action="store_true", help="all endpoints")
    parser.add_argument("--outdated", action="store_true", help="only outdated endpoints")
    parser.add_argument("--read", action="store_true", help="read the selection as JSON from standard input")
    parser.add_argument("--timeout", default=TIMEOUT, metavar="TIME", help=f"longest wait for all answers ({TIMEOUT})")
    parser.add_argument("--check", action="store_true", help="only list the endpoints that would be notified")
    parser.add_argument("--json", action="store_true", help="report as one JSON document")
    parser.set_defaults(run=run_update_now)


def run_update_now(host: LocalHost, options: argparse.Namespace) -> int:
    """Notify the selected endpoints and wait for their responses."""
    timeout, names = seconds(options.timeout), _names(host, _selection(options))
    if options.check:
        return _tell_names(names, as_json=options.json)
    with progress_line(quiet=options.json) as line:
        report = update_now(host, names, timeout=timeout, watch=line.watch)
    if options.json:
        write_document(report.to_dict())
    else:
        write_lines(_lines(report))
    return FAILED if report.failed or report.refused or report.pending else DONE


def _selection(options: argparse.Namespace) -> Selection:
    if options.read:
        try:
            raw: Any = json.loads(sys.stdin.buffer.read())
        except (ValueError, RecursionError):
            raise InvalidDocument((ValidationError("document", "no JSON", "a selection of endpoints"),)) from None
        return Selection.from_dict(raw)
    if not (options.endpoint or options.domain or options.all or options.outdated):
        raise InvalidDocument((ValidationError("endpoint", "", "a name, or --domain, --outdated or --all"),))
    domains = [*options.domain, *([""] if options.all else [])]
    lists = {"endpoints": options.endpoint, "domains": domains}
    return Selection.from_dict({**{name: one for name, one in lists.items() if one}, "outdated": options.outdated})


def _names(host: Host, selection: Selection) -> list[str]:
    with closing(open_database(host)) as connection:
        fleet = endpoint_records(
            connection, FleetOffers.of(connection, published_catalog(host), rollout_settings(host))
        )
        return selection.names(fleet, read_nodes(connection))


def _tell_names(names: list[str], *, as_json: bool) -> int:
    content = {"changed": False, "campaign": None, "notified": names, "endpoints": []}
    if as_json:
        write_document(content)
    else:
        write_lines(names)
    return DONE


def _lines(report: UpdateNowReport) -> list[str]:
    told = [
        "; ".join(text for text in (f"{result.name}  {result.result or result.status.value}", result.reason) if text)
        for result in report.results
    ]
    return told or ["update-now: nobody is meant"]
