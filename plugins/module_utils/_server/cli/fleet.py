# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The commands ``status`` and ``endpoints`` of ``epp-server``."""

from __future__ import annotations

import argparse
import os
import syslog
from contextlib import closing
from typing import Any, Callable

from ..._core.durations import parse_duration
from ..._core.exit_codes import DONE
from ..._core.reports.states import EndpointState
from ..._core.timestamps import iso_or_none
from ..._core.validation.errors import InvalidDocument, ValidationError, show
from ..._host.local_host import LocalHost
from ..._host.output import standard_output, write_lines
from ..campaigns.notifiers.host_keys import Pinned, pin
from ..components.configured import rollout_settings
from ..database.database import open_database
from ..fleet.inventory import EndpointRecord, endpoint_records
from ..fleet.nodes import read_nodes
from ..fleet.offers import FleetOffers
from ..health import assessments
from ..publication.catalog import published_catalog
from ..status import server_status
from ..terminal.capabilities import terminal_of
from ..terminal.painting import write_painted
from .output import format_versions, print_json, print_table, report_rejections


def add_parsers(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the commands to a command line; each sets ``run`` to its function."""
    state = commands.add_parser("status", help="show the state of the server, its publications and campaigns")
    state.set_defaults(run=run_status)
    fleet = commands.add_parser("endpoints", help="list endpoints with their versions and last deliveries")
    fleet.add_argument("--domain", default="", metavar="PATH", help="only endpoints in this domain and below it")
    fleet.add_argument("--outdated", action="store_true", help="only endpoints that lack published components")
    fleet.add_argument(
        "--state",
        action="append",
        default=[],
        choices=[state.value for state in EndpointState],
        metavar="STATE",
        help="only endpoints in this state; may be repeated",
    )
    fleet.add_argument("--reason", default="", metavar="TEXT", help="only endpoints whose reason has this text")
    fleet.add_argument("--older-than", default="", metavar="TIME", help="only endpoints in their state for longer (2d)")
    fleet.set_defaults(run=run_endpoints)
    pinning = fleet.add_subparsers(dest="verb", metavar="VERB").add_parser(
        "pin", help="fetch and pin missing host keys of endpoints"
    )
    pinning.add_argument("endpoint", nargs="*", help="only these endpoints")
    pinning.add_argument(
        "--replace",
        action="append",
        default=[],
        metavar="NAME",
        help="replace this endpoint's key; may be repeated",
    )
    pinning.set_defaults(run=run_pin)
    for parser in (state, fleet, pinning):
        parser.add_argument("--json", action="store_true", help="report as one JSON document")


def run_status(host: LocalHost, options: argparse.Namespace) -> int:
    """Tell the server's status."""
    with closing(open_database(host)) as connection:
        known = server_status(host, connection)
        if options.json:
            print_json(known)
            return DONE
        print_table(_rows(known))
        terminal = terminal_of(standard_output(), os.environ)
        if terminal is not None:
            from .status_charts import status_charts

            write_painted(status_charts(host, connection, terminal), terminal)
    return DONE


def run_endpoints(host: LocalHost, options: argparse.Namespace) -> int:
    """List the endpoints."""
    with closing(open_database(host)) as connection:
        if options.domain and options.domain not in read_nodes(connection):
            raise InvalidDocument((ValidationError("--domain", show(options.domain), "a domain of the client tree"),))
        offered = FleetOffers.of(connection, published_catalog(host), rollout_settings(host))
        found = endpoint_records(connection, offered, assessments(host, connection), domain=options.domain)
        wanted = _wanted(options, host.now())
        chosen = [one for one in found if wanted(one)]
    if options.json:
        print_json([one.to_dict() for one in chosen])
    elif chosen:
        print_table([_HEAD, *map(_row, chosen)])
    else:
        write_lines(["endpoints: none"])
    return DONE


def _wanted(options: argparse.Namespace, now: float) -> Callable[[EndpointRecord], bool]:
    """Whether an endpoint is among those that the options choose."""
    try:
        begun = now - parse_duration(options.older_than) if options.older_than else None
    except ValueError:
        found = show(options.older_than)
        raise InvalidDocument((ValidationError("--older-than", found, "a duration (try 90m, 2d)"),)) from None

    def chosen(one: EndpointRecord) -> bool:
        said = one.assessment
        return (
            (one.outdated or not options.outdated)
            and (not options.state or said.state.value in options.state)
            and options.reason.casefold() in said.reason.casefold()
            and (begun is None or said.since is None or said.since <= begun)
        )

    return chosen


def run_pin(host: LocalHost, options: argparse.Namespace) -> int:
    """Pin host keys."""
    with report_rejections(as_json=options.json) as refused, closing(open_database(host)) as connection:
        done = pin(host, connection, options.endpoint, replace=options.replace)
        if done.pinned:
            host.log(syslog.LOG_NOTICE, f"endpoints: host keys pinned: {', '.join(sorted(done.pinned))}")
        if options.json:
            print_json(done.to_result())
        else:
            _tell_pinned(done)
    return refused.status


def _tell_pinned(done: Pinned) -> None:
    for name in done.pinned:
        write_lines([f"{name}: pinned"])
    for name in done.kept:
        write_lines([f"{name}: has a pinned key, which is kept (--replace {name} changes it)"])
    for name, why in done.silent.items():
        write_lines([f"{name}: not pinned, {why}"])


_HEAD = ("NAME", "DOMAIN", "STATE", "SINCE", "REASON", "VERSIONS", "ADDRESS", "KEY", "LAST NOTICE")


def _row(one: EndpointRecord) -> tuple[str, ...]:
    several = len(one.versions) > 1
    told = (f"{name}: {format_versions(v)}" if several else format_versions(v) for name, v in one.versions.items())
    known = "; ".join(told) or "-"
    notice = " ".join(part for part in (one.notice["status"], one.notice["result"]) if part) if one.notice else "-"
    said = one.assessment
    state = (said.state.value, iso_or_none(said.since) or "-", said.reason or "-")
    return one.name, one.domain or "-", *state, known, one.address or "-", "pinned" if one.pinned else "-", notice


def _rows(known: dict[str, Any]) -> list[tuple[str, ...]]:
    documents = known["documents"]
    rows: list[tuple[str, ...]] = []
    rows += [("endpoints", f"{known['endpoints']} in {known['domains']} domains, {known['unpinned']} without host key")]
    rows += [(f"published {product}", format_versions(one)) for product, one in known["published"].items()]
    rows += [
        (f"fetched {product}", f"{one['result']} {one['at']} {one['reason']}".strip())
        for product, one in sorted(known["fetches"].items())
    ]
    rows += [("campaign", f"{one['campaign']}: {one['product']} {one['version']}") for one in known["campaigns"]]
    rows += _report_rows(known["reports"])
    rows.append(("in flight", f"{known['in_flight']} of at most {known['max_in_flight']}"))
    for name in (name for name in ("tree", "catalog") if name in documents):
        rows.append((name, f"serial {documents[name]['serial']}, expires {documents[name]['expires']}"))
    shards = documents["shards"]
    ends = f", the first expires {shards['expires']}" if shards["count"] else ", nothing is published yet"
    rows.append(("shards", f"{shards['count']}{ends}"))
    rows += [("to be published", ", ".join(documents["waiting"]))] if documents["waiting"] else []
    return rows + [(f"key {key['name']}", f"{key['stage']} since {key['since']}") for key in known["signing_keys"]]


def _report_rows(reports: dict[str, Any]) -> list[tuple[str, ...]]:
    newest = f", the newest at {reports['newest']}" if reports["newest"] else ""
    today = ", ".join(f"{count} {code}" for code, count in reports["today"].items())
    rows: list[tuple[str, ...]] = [
        ("reports", f"of {reports['endpoints']} endpoints{newest}"),
        ("reports today", today or "none"),
    ]
    for one in reports["refused"]:
        name, times = one["endpoint"] or "names that are not registered", f"{one['count']} times until {one['last']}"
        rows.append(("report refused", f"{name}: {one['code']}, {times}: {one['detail']}"))
    return rows
