# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The command ``fetch`` of ``epp-server``."""

from __future__ import annotations

import argparse
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing

from ..._core.exit_codes import DONE, FAILED, UNREACHABLE
from ..._core.results import Result
from ..._core.settings.components import read_components
from ..._core.settings.endpoint_keys import ProductKind
from ..._host.local_host import LocalHost
from ..._host.lock import locked
from ..._host.output import complain, write_document, write_lines, write_logged
from .. import paths
from ..campaigns.notify import notify
from ..campaigns.queries import Summary, summaries, worst_first
from ..components.fetch_report import FetchReport
from ..database.database import open_database
from ..fetch import fetch
from ..settings import notify_settings, read_section
from ..terminal.line import ProgressLine, progress_line
from ..terminal.progress import Progress


def add_parsers(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command to a command line; it sets ``run`` to its function."""
    parser = commands.add_parser("fetch", help="download new components, publish them, start a campaign")
    parser.add_argument("product", nargs="*", help="clamav, files or command; default: all configured products")
    parser.add_argument("--notify", action="store_true", help="send the notices now")
    parser.add_argument("--json", action="store_true", help="report as one JSON document")
    parser.set_defaults(run=run_fetch)


def run_fetch(host: LocalHost, options: argparse.Namespace) -> int:
    """Fetch, and with ``--notify`` send what follows."""
    components, settings = read_components(read_section(host, "components")), notify_settings(host)
    unknown = [name for name in options.product if name not in [kind.value for kind in components]]
    if unknown or not components:
        what = f"{', '.join(unknown)}: not" if unknown else "no product is"
        complain("epp-server", f"{what} set up in the section components of the settings")
        return FAILED
    with locked(host, paths.FETCH_LOCK, wait=0) as held:
        if not held:
            if options.json:
                write_document({"running": True})
            else:
                write_lines(["fetch: another fetch is under way"])
            return DONE
        with closing(open_database(host)) as connection:
            chosen = [ProductKind(name) for name in options.product]
            coming = fetch(host, connection, components, limits=settings.limits, chosen=chosen)
            with progress_line(quiet=options.json) as line:
                reports = _watched(coming, [kind for kind in components if not chosen or kind in chosen], line)
    # After the lock: a campaign may take hours, the next fetch need not wait for it.
    came_of_it: dict[str, Summary] = {}
    if options.notify:
        with progress_line(quiet=options.json) as line:
            notify(host, watch=line.watch)
        begun = {report.campaign for report in reports if report.campaign}
        with closing(open_database(host)) as connection:
            came_of_it = {one.id: one for one in summaries(connection) if one.id in begun}
    _tell(reports, came_of_it, as_json=options.json)
    return _status(reports, came_of_it)


def _watched(coming: Iterator[FetchReport], wanted: Sequence[ProductKind], line: ProgressLine) -> list[FetchReport]:
    """The reports of all products that are wanted, in this order."""
    reports: list[FetchReport] = []

    def progress() -> Progress:
        results = worst_first(Counter(report.result.value for report in reports))
        return Progress("fetch", len(reports), len(wanted), results, step=wanted[len(reports)].value)

    for _kind in wanted:
        line.show(progress, at_once=True)
        reports.append(next(coming))
    return reports


def _tell(reports: list[FetchReport], came_of_it: Mapping[str, Summary], *, as_json: bool) -> None:
    if as_json:
        plain = [report.to_dict() for report in reports]
        for one in plain:
            summary = came_of_it.get(one["campaign"])
            one.update({} if summary is None else {"results": summary.results, "reason": summary.reason})
        write_document(plain)
        return
    for report in reports:
        summary = came_of_it.get(report.campaign or "")
        if summary is None:
            write_logged([report.sentence()])
        else:
            write_lines([f"{report.sentence()}: {summary.words()}"])


def _status(reports: list[FetchReport], came_of_it: Mapping[str, Summary]) -> int:
    """The exit status; with ``--notify`` it covers failed updates, too (R6)."""
    results = {report.result for report in reports}
    if Result.FAILED in results or any(summary.failed for summary in came_of_it.values()):
        return FAILED
    return UNREACHABLE if Result.UNREACHABLE in results else DONE
