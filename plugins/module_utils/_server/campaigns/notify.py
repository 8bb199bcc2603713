# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""One run of the dispatcher on this host: under its lock, with the notifier and the settings of the server."""

from __future__ import annotations

import signal
import sqlite3
import syslog
from contextlib import closing
from datetime import tzinfo
from functools import partial
from typing import Callable, Union

from ..._core.results import Trigger
from ..._core.settings.notify import NotifierName, NotifySettings
from ..._host.host import Host
from ..._host.local_host import LocalHost
from ..._host.lock import locked
from ..._host.timezone import zone_of
from .. import paths
from ..database.database import open_database
from ..publication.key_files import ensure_key
from ..settings import limits_zone, notify_settings
from ..terminal.line import Watch
from .dispatcher import Dispatcher
from .loop import DispatchReport
from .notifiers.base import Notifier
from .notifiers.select import select_notifier
from .publishing.dispatcher import PublishingDispatcher
from .start import plan_slots
from .store import CampaignStore

AnyDispatcher = Union[Dispatcher, PublishingDispatcher]
_KEPT_S = 400 * 86400.0
"""How long settled campaigns stay on record: a year and a month."""
_KEPT_BRIEFLY_S = 14 * 86400.0
"""How long those of slots and of Update Now do: every slot of every day would soon be the most of the database."""


def notify(
    host: LocalHost,
    *,
    until_settled: bool = False,
    stop_when: Callable[[CampaignStore], bool] | None = None,
    watch: Watch | None = None,
) -> DispatchReport | None:
    """Run the dispatcher until nothing is due, or nothing is open; None where another one runs. SIGTERM ends it soon.

    ``stop_when`` is asked every second whether the records are as somebody waits for; then it ends, too.
    ``watch`` learns how far the run is.
    """
    settings = notify_settings(host)
    with locked(host, paths.DISPATCHER_LOCK, wait=0) as held:
        if not held:
            return None
        with closing(open_database(host)) as connection:

            def run(dispatcher: AnyDispatcher, store: CampaignStore, tick: Callable[[], None]) -> DispatchReport:
                stop = None if stop_when is None else partial(stop_when, store)
                return dispatcher.run(until_settled=until_settled, tick=tick, stop_when=stop, watch=watch)

            return _run_dispatcher(host, connection, settings, run)


def ready_notifier(host: Host, settings: NotifySettings) -> Notifier:
    """The notifier of the settings, whose key is made where it is the server's own; raises OSError."""
    if settings.notifier is NotifierName.SSH and settings.key == paths.NOTIFY_KEY:
        ensure_key(host, settings.key)
    return select_notifier(settings, host)


def _run_dispatcher(
    host: LocalHost,
    connection: sqlite3.Connection,
    settings: NotifySettings,
    run: Callable[[AnyDispatcher, CampaignStore, Callable[[], None]], DispatchReport],
) -> DispatchReport:
    dispatcher, store = _ready(host, connection, settings)
    store.delete_before(host.now() - _KEPT_S)
    store.delete_before(host.now() - _KEPT_BRIEFLY_S, but=Trigger.DOWNLOAD)
    lost: set[str] = set()
    previous = signal.signal(signal.SIGTERM, lambda _number, _frame: dispatcher.stop())
    try:
        return run(dispatcher, store, lambda: _plan(host, connection, lost))
    finally:
        signal.signal(signal.SIGTERM, previous)


def _ready(
    host: LocalHost, connection: sqlite3.Connection, settings: NotifySettings
) -> tuple[AnyDispatcher, CampaignStore]:
    """The dispatcher of the settings, and its records."""
    zone = limits_zone(host, settings)
    if settings.notifier is NotifierName.MQTT and settings.mqtt is not None:
        from .notifiers.mqtt import MqttPublisher
        from .publishing.records import PublishingStore

        publisher = MqttPublisher.of(host, settings.mqtt, timeout=float(settings.connect_timeout))
        records = PublishingStore(connection)
        return PublishingDispatcher(host, records, publisher, settings=settings, zone=zone), records
    store = CampaignStore(connection)
    return Dispatcher(host, store, ready_notifier(host, settings), settings=settings, zone=zone), store


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
