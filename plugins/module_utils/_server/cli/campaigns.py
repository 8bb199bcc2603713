# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The commands ``notify`` and ``campaigns`` of ``epp-server``."""

from __future__ import annotations

import argparse
import sqlite3
from contextlib import closing
from typing import Any

from ..._core.exit_codes import DONE, FAILED
from ..._core.timestamps import iso
from ..._host.local_host import LocalHost
from ..._host.output import complain, write_document, write_lines
from ..campaigns.notify import notify
from ..campaigns.queries import deliveries, summaries
from ..database.database import open_database
from ..terminal.line import progress_line


def add_parsers(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the commands to a command line; each sets ``run`` to its function."""
    notify = commands.add_parser("notify", help="send due notices and wait for the answers")
    notify.add_argument("--until-settled", action="store_true", help="continue until no notice is open")
    notify.add_argument("--json", action="store_true", help="report as one JSON document")
    notify.set_defaults(run=run_notify)
    show = commands.add_parser("campaigns", help="show campaigns and their results")
    show.add_argument("campaign", nargs="?", help="show the delivery to each endpoint of this campaign")
    show.add_argument("--json", action="store_true", help="report as one JSON document")
    show.set_defaults(run=run_campaigns)


def run_notify(host: LocalHost, options: argparse.Namespace) -> int:
    """Send what is due."""
    with progress_line(quiet=options.json) as line:
        report = notify(host, until_settled=options.until_settled, watch=line.watch)
    if report is None:
        _say(options, {"running": True}, "notify: another dispatcher is running")
        return DONE
    content = {"running": False, "sent": report.sent, "settled": report.finished, "open": report.open}
    text = f"notify: {report.sent} sent, {report.finished} settled, {report.open} open"
    _say(options, content, text)
    return DONE


def _say(options: argparse.Namespace, content: dict[str, Any], text: str) -> None:
    if options.json:
        write_document(content)
    else:
        write_lines([text])


def run_campaigns(host: LocalHost, options: argparse.Namespace) -> int:
    """Show all campaigns, or one."""
    with closing(open_database(host)) as connection:
        if options.campaign:
            return _show_one(connection, options.campaign, as_json=options.json)
        found = summaries(connection)
    if options.json:
        write_document([one.to_dict() for one in found])
        return DONE
    for one in found:
        write_lines([f"{one.id}  {iso(one.created)}  {one.product} {one.version}: {one.words()}"])
    return DONE


def _show_one(connection: sqlite3.Connection, name: str, *, as_json: bool) -> int:
    if name not in [one.id for one in summaries(connection)]:
        complain("epp-server", f"there is no campaign {name}")
        return FAILED
    found = deliveries(connection, name)
    if as_json:
        write_document(found)
        return DONE
    for one in found:
        told = "; ".join(part for part in (one["result"], one["reason"]) if part)
        write_lines([f"{one['endpoint']}  {one['status']}  tries {one['tries']}  {told}"])
    return DONE
