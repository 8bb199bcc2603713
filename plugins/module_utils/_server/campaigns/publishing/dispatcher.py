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
from collections.abc import Callable, Sequence
from datetime import tzinfo

from ...._core.rollout.order import LONGEST_SPREAD
from ...._core.rollout.spread import run_time
from ...._core.settings.broker import BrokerSettings
from ...._core.settings.notify import NotifySettings
from ...._host.host import Host
from ..loop import LOOK_AGAIN_S, START_S, DispatchLoop
from ..notifiers.mqtt import BrokerUnreachable, MqttPublisher
from .members import Members
from .orders import keep_for_late_ones, signed_orders
from .plan import DueCampaign, Limits, Plan, Publication, publications
from .records import PublishingStore

_BROKER_AWAY_S = 30.0
_NO_PLACE_S = 5.0
"""After how long it looks again for places that were not free."""
_AT_ONCE = 100
"""Publications that are signed, put on record and published together: a crash repeats no more of them."""

Publish = Callable[[list[tuple[str, bytes]]], None]


class PublishingDispatcher(DispatchLoop[PublishingStore]):
    """Publishes campaigns."""

    def __init__(
        self, host: Host, store: PublishingStore, publisher: MqttPublisher, *, settings: NotifySettings, zone: tzinfo
    ) -> None:
        super().__init__(host, store, settings=settings, zone=zone)
        self._publisher = publisher
        self._broker: BrokerSettings = publisher.settings
        self._rest_until = 0.0
        self._over_cap: set[str] = set()

    def _step(self) -> None:
        for one in self._store.close_overdue(self._host.now(), self._settings.limits):
            self._close(one)
            self._host.log(syslog.LOG_INFO, f"notify {one.endpoint}: {one.status.value}; {one.result}; {one.reason}")
        self._publish_due()

    def _should_wait(self, *, until_settled: bool) -> bool:
        if until_settled:
            return self._store.count_open() > 0
        now = self._host.now()
        return self._store.has_slot(now, now + START_S)

    def _wait(self) -> None:
        self._stopped.wait(LOOK_AGAIN_S)

    def _publish_due(self) -> None:
        now = self._host.now()
        if now < self._rest_until or not self._store.has_due(now):
            return
        plan, limits = self._plan(int(now))
        self._rest_until = 0.0 if plan.made else now + _NO_PLACE_S
        for campaign in plan.over_cap:
            self._tell_over_cap(campaign, limits)
        if not plan.made:
            return
        try:
            with self._publisher.session() as session:
                self._publish(session.publish, plan.made, limits, int(now))
        except BrokerUnreachable as error:
            # Nothing is lost: what is due stays due, and what may not have arrived is published again.
            self._rest_until = now + _BROKER_AWAY_S
            self._host.log(syslog.LOG_ERR, f"notify: {error}")

    def _plan(self, now: int) -> tuple[Plan, Limits]:
        due = self._store.due(now, Members(self._host, self._store.connection))
        run = run_time(self._store.measured_runs(), default=self._broker.run_time)
        limits = Limits(self._cap(now), run)
        known = self._store.known_starts(now - run, lease=int(self._settings.limits.lease))
        return publications(due, known, now=now, limits=limits), limits

    def _publish(self, publish: Publish, made: Sequence[Publication], limits: Limits, now: int) -> None:
        """Publish all of them, some at a time: what the broker has is on record before the next ones are begun."""
        settings, prefix = self._settings.limits, self._broker.prefix
        for first in range(0, len(made), _AT_ONCE):
            if self._stopped.is_set():
                return
            some = made[first : first + _AT_ONCE]
            orders = signed_orders(self._host, some, prefix=prefix, limits=settings, now=now)
            self._sent += self._store.begin(some, now)
            keep_for_late_ones(self._host, orders)
            publish([(one.topic, one.content) for one in orders])
            self._store.published(some, lease=int(settings.lease))
            for one in some:
                self._host.log(syslog.LOG_INFO, _told(one, limits))

    def _tell_over_cap(self, campaign: DueCampaign, limits: Limits) -> None:
        """Say once a run that a group is told one by one, and why."""
        name, members = campaign.command.campaign, len(campaign.group.ordinals)
        if name not in self._over_cap:
            self._over_cap.add(name)
            words = f"{members} endpoints, {limits.cap} at once of {limits.run} s each, take more than a day"
            also = f"about {LONGEST_SPREAD // limits.run * limits.cap} a day are told one by one: raise max_in_flight"
            self._host.log(syslog.LOG_WARNING, f"notify: {name}: no publication to all: {words}; {also}")


def _told(one: Publication, limits: Limits) -> str:
    whom = one.audience.endpoint or (f"ring {one.audience.ring}" if one.audience.ring else "all endpoints")
    words = f"{len(one.starts)} deliveries in {one.spread} s, {limits.cap} at once of {limits.run} s each"
    return f"notify: {one.command.campaign} published to {whom}: {words if one.spread else 'one delivery'}"
