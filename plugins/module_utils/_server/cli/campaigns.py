# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The commands ``notify`` and ``campaigns`` of ``epp-server``."""

from __future__ import annotations

import argparse
import signal
import sqlite3
import syslog
from contextlib import closing
from datetime import tzinfo
from typing import Any, Callable

from ..._core.exit_codes import DONE, FAILED
from ..._core.results import Trigger
from ..._core.settings.notify import NotifierName, NotifySettings
from ..._core.timestamps import iso
from ..._host.host import Host
from ..._host.local_host import LocalHost
from ..._host.lock import locked
from ..._host.output import complain, write_document, write_lines
from ..._host.timezone import zone_of
from .. import paths
from ..campaigns.engine import Engine, EngineReport
from ..campaigns.notifiers.select import select_notifier
from ..campaigns.queries import notices, summaries
from ..campaigns.start import plan_slots
from ..campaigns.store import CampaignStore
from ..database.database import open_database
from ..publication.key_files import ensure_key
from ..settings import cap_zone, notify_settings

_KEPT_S = 400 * 86400.0
"""How long settled campaigns stay on record: a year and a month."""
_KEPT_BRIEFLY_S = 14 * 86400.0
"""How long those of slots and of Update Now do: every slot of every day would soon be the most of the database."""


def add_parsers(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the commands to a command line; each sets ``run`` to its function."""
    notify = commands.add_parser("notify", help="send the notices that are due, and wait for their answers")
    notify.add_argument("--until-settled", action="store_true", help="go on until no notice is open any more")
    notify.add_argument("--json", action="store_true", help="report as one JSON document")
    notify.set_defaults(run=run_notify)
    show = commands.add_parser("campaigns", help="what became of each new version")
    show.add_argument("campaign", nargs="?", help="show each endpoint's part in this one")
    show.add_argument("--json", action="store_true", help="report as one JSON document")
    show.set_defaults(run=run_campaigns)


def run_notify(host: LocalHost, options: argparse.Namespace) -> int:
    """Send what is due."""
    report = notify(host, until_settled=options.until_settled)
    if report is None:
        _say(options, {"running": True}, "notify: another engine is at work")
        return DONE
    content = {"running": False, "sent": report.sent, "settled": report.done, "open": report.left}
    text = f"notify: {report.sent} sent, {report.done} settled, {report.left} open"
    _say(options, content, text)
    return DONE


def _say(options: argparse.Namespace, content: dict[str, Any], text: str) -> None:
    if options.json:
        write_document(content)
    else:
        write_lines([text])


def notify(
    host: LocalHost, *, until_settled: bool = False, enough: Callable[[CampaignStore], bool] | None = None
) -> EngineReport | None:
    """Run the engine until nothing is due, or nothing is open; None where another one runs. SIGTERM ends it soon.

    ``enough`` is asked every second whether the records are as somebody waits for; then it ends, too.
    """
    settings = notify_settings(host)
    with locked(host, paths.ENGINE_LOCK, wait=0) as held:
        if not held:
            return None
        with closing(open_database(host)) as connection:
            return _run_engine(host, connection, settings, until_settled=until_settled, enough=enough)


def _run_engine(
    host: LocalHost,
    connection: sqlite3.Connection,
    settings: NotifySettings,
    *,
    until_settled: bool,
    enough: Callable[[CampaignStore], bool] | None,
) -> EngineReport:
    if settings.notifier is NotifierName.SSH and settings.key == paths.NOTIFY_KEY:
        ensure_key(host, settings.key)
    store = CampaignStore(connection)
    store.forget(host.now() - _KEPT_S)
    store.forget(host.now() - _KEPT_BRIEFLY_S, but=Trigger.DOWNLOAD)
    notifier = select_notifier(settings, host)
    engine = Engine(host, store, notifier, settings=settings, zone=cap_zone(host, settings))
    lost: set[str] = set()
    previous = signal.signal(signal.SIGTERM, lambda _number, _frame: engine.stop())
    try:
        return engine.run(
            until_settled=until_settled,
            tick=lambda: _plan(host, connection, lost),
            enough=None if enough is None else lambda: enough(store),
        )
    finally:
        signal.signal(signal.SIGTERM, previous)


def _plan(host: Host, connection: sqlite3.Connection, lost: set[str]) -> None:
    """Plan the slots of the next minutes; a zone that is not known here any more is logged once and noted as lost."""

    def zone(name: str) -> tzinfo:
        try:
            return zone_of(host, name)
        except KeyError:
            if name not in lost:
                host.log(syslog.LOG_ERR, f"schedule.timezone: {name} is not known here (tzdata): no slots by it")
            lost.add(name)
            raise

    plan_slots(connection, now=host.now(), zone_of=zone)


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
    found = notices(connection, name)
    if as_json:
        write_document(found)
        return DONE
    for one in found:
        told = "; ".join(part for part in (one["result"], one["why"]) if part)
        write_lines([f"{one['endpoint']}  {one['stage']}  tries {one['tries']}  {told}"])
    return DONE
