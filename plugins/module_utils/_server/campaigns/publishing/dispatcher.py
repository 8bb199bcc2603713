# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The dispatcher of a server whose endpoints listen to a message broker: publishes what is due and waits for nobody.

Answers come with reports, which another process takes in. The rules of campaigns are those of every notifier
(``_core/rollout/delivery.py``); what differs is that the cap holds by the instants at which endpoints were told to
begin, and that one who has not reported when the lease after its own is over counts as not reached (N1, N2).
"""

from __future__ import annotations

import syslog
import threading
from collections.abc import Callable
from datetime import tzinfo

from ...._core.rollout.delivery import Delivery
from ...._core.rollout.spread import run_time
from ...._core.settings.broker import BrokerSettings
from ...._core.settings.notify import NotifySettings
from ...._host.host import Host
from ...terminal.line import Watch
from ...terminal.progress import Progress
from ..dispatcher import START_S, TICK_S, DispatchReport
from ..notifiers.mqtt import BrokerUnreachable, MqttPublisher
from .members import members_now
from .orders import keep_for_late_ones, signed_orders
from .plan import Limits, publications
from .records import PublishingStore

_LOOK_AGAIN_S = 1.0
_BROKER_AWAY_S = 30.0


class PublishingDispatcher:
    """Publishes campaigns; one at a time on a server (``paths.DISPATCHER_LOCK``)."""

    def __init__(
        self, host: Host, store: PublishingStore, publisher: MqttPublisher, *, settings: NotifySettings, zone: tzinfo
    ) -> None:
        self._host = host
        self._store = store
        self._publisher = publisher
        self._broker: BrokerSettings = publisher.settings
        self._settings = settings
        self._zone = zone
        self._stopped = threading.Event()
        self._sent = self._finished = 0
        self._ticked: float | None = None
        self._away_until = 0.0

    def stop(self) -> None:
        """End ``run`` soon; safe to call in a signal handler."""
        self._stopped.set()

    def run(
        self,
        *,
        until_settled: bool = False,
        tick: Callable[[], None] = lambda: None,
        stop_when: Callable[[], bool] | None = None,
        watch: Watch | None = None,
    ) -> DispatchReport:
        """Publish what is due, and what becomes due in the slots of the next minute; with ``until_settled`` go on until
        no delivery is open. ``tick``, ``stop_when`` and ``watch`` are as those of the other dispatcher."""
        self._store.clamp_deadlines(self._host.now(), self._settings.limits)
        while not self._stopped.is_set() and not (stop_when and stop_when()):
            self._tick(tick)
            self._finished += sum(not one.status.open for one in self._close_overdue())
            self._publish_due()
            if watch is not None:
                watch(self._progress)
            if not self._should_wait(until_settled=until_settled):
                break
            self._stopped.wait(_LOOK_AGAIN_S)
        return DispatchReport(self._sent, self._finished, self._store.count_open())

    def _tick(self, tick: Callable[[], None]) -> None:
        now = self._host.now()
        if self._ticked is None or not 0 <= now - self._ticked < TICK_S:
            tick()
            self._ticked = now

    def _should_wait(self, *, until_settled: bool) -> bool:
        if until_settled:
            return self._store.count_open() > 0
        now = self._host.now()
        return self._store.has_slot(now, now + START_S)

    def _progress(self) -> Progress:
        left = self._store.count_open()
        return Progress("notify", self._finished, self._finished + left, {})

    def _close_overdue(self) -> list[Delivery]:
        closed = self._store.close_overdue(self._host.now(), self._settings.limits)
        for one in closed:
            self._host.log(syslog.LOG_INFO, f"notify {one.endpoint}: {one.status.value}; {one.result}; {one.reason}")
        return closed

    def _publish_due(self) -> None:
        now = self._host.now()
        if now < self._away_until or not self._store.has_due(now):
            return
        try:
            with self._publisher.session() as session:
                self._publish(session.publish, int(now))
        except BrokerUnreachable as error:
            # Nothing is lost: what is due stays due, and what may not have arrived is published again.
            self._away_until = now + _BROKER_AWAY_S
            self._host.log(syslog.LOG_ERR, f"notify: {error}")

    def _publish(self, publish: Callable[[list[tuple[str, bytes]]], None], now: int) -> None:
        due = self._store.due(now, members_now(self._host, self._store.connection))
        lease = int(self._settings.limits.lease)
        run = run_time(self._store.measured_runs(), default=self._broker.run_time)
        limits = Limits(self._settings.caps.at(now, self._zone), run)
        made = publications(due, self._store.known_starts(now - run, lease=lease), now=now, limits=limits)
        if not made:
            return
        orders = signed_orders(self._host, made, prefix=self._broker.prefix, limits=self._settings.limits, now=now)
        self._sent += self._store.begin(due, made, now)
        keep_for_late_ones(self._host, orders)
        publish([(one.topic, one.content) for one in orders])
        self._store.published(made, lease=lease)
        for one in made:
            whom = one.audience.endpoint or (f"ring {one.audience.ring}" if one.audience.ring else "all endpoints")
            told = f"{len(one.starts)} deliveries in {one.spread} s, {limits.cap} at once of {run} s each"
            words = told if one.spread else "one delivery"
            self._host.log(syslog.LOG_INFO, f"notify: {one.command.campaign} published to {whom}: {words}")
