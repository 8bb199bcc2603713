# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The listener: what it hears it verifies and writes down; at its instant it has it carried out (L3).

It does nothing else, and believes nobody: an order begins what a notice by SSH would begin, once.
"""

from __future__ import annotations

import queue
import syslog
import threading
import time
from collections.abc import Callable, Iterable
from typing import Any

from ..._core.canonical import sha256_hex
from ..._core.results import Result
from ..._core.rollout.order import CampaignOrder
from ..._core.rollout.topics import endpoint_id, subscriptions
from ..._core.settings.broker import Broker
from ..._core.untrusted_text import shown
from ..._core.values import replace
from ..._host.host import Host
from ..._host.http.waiting import random_fraction
from .. import paths
from ..endpoint import Endpoint, listens
from ..orders.record import OrderRecord, OrderStore, PendingOrder
from ..state.command_log import CommandLog
from ..status.status import publish_current
from .carry_out import carry_out
from .judge import NOTHING_NEW, PASSING, OrderRefusal, RefusedOrder, judge, ordinal_of
from .missed import missed_orders
from .subscriber import BrokerMessage, Subscriber, Subscription

_TICK_S = 1.0
_LOOK_S = 20.0
"""How often it looks whether it listens to the right topics still, and tells what it counted."""
_AGAIN_S = 60.0
_ASK_LONGEST_S = 3600.0
"""The longest pause before it asks again for what it may have missed; each failure doubles it."""
_PAUSES_S = (1.0, 60.0)
"""The shortest and the longest pause before another connection; each failure doubles it."""
_MOST_A_MINUTE = 30
"""Orders that are verified in a minute: each costs a process."""
_KNOWN = 64


class NoBroker(LookupError):
    """This endpoint is told nothing over a message broker."""


class Listener:
    """One run. ``draw`` gives a uniform number in [0, 1)."""

    def __init__(self, host: Host, draw: Callable[[], float] = random_fraction) -> None:
        self._host = host
        self._draw = draw
        self._endpoint = Endpoint.load(host)
        self._subscription = self._wanted()
        self._store = OrderStore(host)
        self._record = replace(self._store.read(), connected=None)
        self._record = replace(self._record, pending=tuple(map(self._not_missed, self._record.pending)))
        self._mark = self._fingerprint()
        self._subscriber: Subscriber | None = None
        self._server = int(draw() * len(self._subscription.broker.hosts))
        self._failures = 0
        self._next_try = time.monotonic()
        self._ask_at: float | None = None
        self._unsettled = 0
        self._looked = time.monotonic()
        self._verified: list[float] = []
        self._logged: list[float] = []
        self._uncounted = False
        self._written = time.monotonic()
        self._seen: dict[str, None] = {}
        self._busy: set[str] = set()
        self._retry_at: dict[str, float] = {}
        self._answers: queue.SimpleQueue[tuple[PendingOrder, dict[str, Any] | None]] = queue.SimpleQueue()
        self._told: OrderRecord | None = None

    def run(self, stop: Callable[[], bool] = lambda: False) -> None:
        """Listen until this endpoint's document, its topics or the agent change; whoever supervises starts anew."""
        try:
            while not stop():
                self._connect()
                for heard in self._hear():
                    self._handle(heard)
                self._ask_for_missed()
                self._begin_due()
                self._take_answers()
                if self._uncounted and time.monotonic() - self._written >= _TICK_S:
                    self._write()
                if time.monotonic() - self._looked >= _LOOK_S and self._look():
                    return
        finally:
            if self._subscriber is not None:
                self._subscriber.close()
            self._record = replace(self._record, connected=None)
            self._end()

    def _not_missed(self, one: PendingOrder) -> PendingOrder:
        """An order whose instant went by while nobody listened here: hosts that were off together begin apart."""
        now = self._host.now()
        late = now + self._draw() * self._endpoint.document.reconnect.jitter
        return one if one.at >= now else replace(one, at=late)

    def _end(self) -> None:
        """Write down what is pending; nothing on a host where a converge has just removed it."""
        try:
            wanted = listens(Endpoint.load(self._host).document)
        except (LookupError, ValueError):
            return
        if wanted:
            self._write()

    def _wanted(self) -> Subscription:
        document = self._endpoint.document
        broker: Broker | None = None if document.server is None else document.server.broker
        if broker is None:
            raise NoBroker("this endpoint has no message broker: its server's notify.notifier is not mqtt")
        name = document.endpoint
        topics = subscriptions(broker.prefix, name, document.product, document.channel)
        return Subscription(broker, endpoint_id(name), topics)

    def _fingerprint(self) -> tuple[Any, ...]:
        agent = self._host.status(paths.AGENT)
        program = None if agent is None else (agent.st_ino, agent.st_mtime_ns)
        return program, self._subscription

    def _look(self) -> bool:
        """Whether somebody has to start anew; and publish what was counted."""
        self._looked = time.monotonic()
        try:
            self._endpoint = Endpoint.load(self._host)
            self._subscription = self._wanted()
        except (LookupError, ValueError):
            return True
        if self._told != self._record:
            self._told = self._record
            publish_current(self._endpoint)
        return self._fingerprint() != self._mark

    def _connect(self) -> None:
        """Start the process that listens, at the next host after one that failed."""
        now = time.monotonic()
        if self._subscriber is not None and self._subscriber.ended():
            self._subscriber.close()
            self._subscriber = None
            self._failed(f"the message broker does not answer, or does not let {self._subscription.client} in")
        if self._subscriber is not None or now < self._next_try:
            return
        hosts = self._subscription.broker.hosts
        try:
            self._subscriber = Subscriber(self._host, self._subscription, hosts[self._server % len(hosts)])
        except OSError as error:
            self._failed(f"{error.strerror or error}: {error.filename or ''}")

    def _failed(self, why: str) -> None:
        hosts = self._subscription.broker.hosts
        where = f"{hosts[self._server % len(hosts)]}:{self._subscription.broker.port}"
        self._server += 1
        shortest, longest = _PAUSES_S
        pause = min(longest, shortest * 2.0 ** min(self._failures, 10))
        self._failures += 1
        self._next_try = time.monotonic() + pause * (0.5 + self._draw())
        fault = shown(f"{where}: {why}")
        if fault != self._record.fault:
            self._host.log(syslog.LOG_WARNING, fault)
        self._keep(replace(self._record, connected=None, fault=fault))

    def _hear(self) -> Iterable[BrokerMessage]:
        if self._subscriber is None:
            time.sleep(min(_TICK_S, max(0.0, self._next_try - time.monotonic())))
            return ()
        return self._subscriber.listen(_TICK_S)

    def _handle(self, heard: BrokerMessage) -> None:
        if heard.subscribed:
            self._failures = 0
            fault = "the message broker refuses one of the topics (its access rules)" if heard.denied else ""
            if fault and fault != self._record.fault:
                self._host.log(syslog.LOG_WARNING, fault)
            self._keep(replace(self._record, connected=self._host.now(), fault=fault))
            jitter = self._endpoint.document.reconnect.jitter
            self._ask_at = time.monotonic() + self._draw() * jitter if self._ask_at is None else self._ask_at
        elif heard.too_large:
            self._refuse(OrderRefusal.TOO_LARGE, "it is larger than any order")
        elif heard.order:
            self._take(heard.content)

    def _ask_for_missed(self) -> None:
        if self._ask_at is None or time.monotonic() < self._ask_at:
            return
        self._ask_at = None
        self._endpoint = Endpoint.load(self._host)
        unsettled = False
        for one in missed_orders(self._endpoint, self._record.validators):
            if one.content is None or not self._take(one.content, asked=True):
                unsettled = True
            else:
                self._keep(replace(self._record, validators={**self._record.validators, one.file: one.validators}))
        self._unsettled = self._unsettled + 1 if unsettled else 0
        if unsettled:
            pause = min(_ASK_LONGEST_S, _AGAIN_S * 2.0 ** min(self._unsettled - 1, 10))
            self._ask_at = time.monotonic() + pause * (0.5 + self._draw())

    def _take(self, content: bytes, *, asked: bool = False) -> bool:
        """Take what came, if it is an order for this endpoint; ``asked`` of what it asked for itself. Returns whether
        that is final: False where it may be taken in a while."""
        digest = sha256_hex(content)
        try:
            self._check_load(digest)
            self._endpoint = Endpoint.load(self._host)
            order = judge(self._endpoint, content)
            self._check_new(order)
        except RefusedOrder as refused:
            if not (asked and refused.code in NOTHING_NEW):
                self._refuse(refused.code, str(refused))
            return self._is_final(refused.code, digest)
        except (OSError, LookupError, ValueError) as error:
            self._host.log(syslog.LOG_ERR, f"an order could not be verified: {error}")
            return self._is_final(None, digest)
        keeps = self._endpoint.document.policy.events.include_roaming_and_offline
        at, end, command = self._instant(order), float(order.end(keeps=keeps)), order.command
        one = PendingOrder(command.campaign, command.version, command.trigger.value, at, end, order.created)
        self._keep(self._record.with_order(one, order.header.issued))
        self._host.log(syslog.LOG_INFO, f"order {command.campaign} taken: begins in {at - self._host.now():.0f} s")
        return True

    def _is_final(self, code: OrderRefusal | None, digest: str) -> bool:
        """Whether what was not taken will not be taken in a while either; else it may come again, word for word."""
        final = code is not None and code not in PASSING
        if not final:
            self._seen.pop(digest, None)
        return final

    def _check_load(self, digest: str) -> None:
        """Refuse what came before, word for word, and more than a host can verify."""
        now = time.monotonic()
        if digest in self._seen:
            raise RefusedOrder(OrderRefusal.REPEATED, "it came before")
        self._verified = [at for at in self._verified if now - at < 60.0]
        if len(self._verified) >= _MOST_A_MINUTE:
            raise RefusedOrder(OrderRefusal.TOO_MANY, f"more than {_MOST_A_MINUTE} came in a minute")
        self._verified.append(now)
        self._seen = dict.fromkeys([*list(self._seen)[-_KNOWN:], digest])

    def _check_new(self, order: CampaignOrder) -> None:
        """Refuse an order of a campaign that was taken. The server that tells this endpoint again, by a newer order of
        its own, has no report of what became of it, so it gets one."""
        campaign, record = order.command.campaign, self._record
        taken = CommandLog(self._host).find(order.command)
        newer = order.header.issued > record.issued.get(campaign, 0)
        if taken is None and campaign not in record.begun and not record.awaits(campaign) and newer:
            if record.may_have_begun(order.created, self._host.now()):
                raise RefusedOrder(OrderRefusal.FORGOTTEN, f"campaign {campaign} is older than those on record")
            return
        if newer and order.audience.endpoint:
            self._keep(replace(self._record, issued={**self._record.issued, campaign: order.header.issued}))
            if taken is not None and taken.answer is not None:
                self._report()
        raise RefusedOrder(OrderRefusal.REPEATED, f"campaign {campaign} was taken before")

    def _instant(self, order: CampaignOrder) -> float:
        """The endpoint's own slot; one that comes late draws an instant in what remains, or soon after."""
        now, at = self._host.now(), float(order.begin(ordinal_of(self._endpoint)))
        if at >= now or not order.spread:
            return max(at, now)
        remains = order.start + order.spread - now
        return now + self._draw() * (remains if remains > 0 else self._endpoint.document.reconnect.jitter)

    def _refuse(self, code: OrderRefusal, why: str) -> None:
        refused = {**self._record.refused, code.value: self._record.refused.get(code.value, 0) + 1}
        self._record = replace(self._record, refused=refused, refused_at=self._host.now())
        self._uncounted = True  # written down once a second: whoever floods costs no disk
        self._logged = [at for at in self._logged if time.monotonic() - at < 60.0]
        if len(self._logged) >= _MOST_A_MINUTE:
            return
        self._logged.append(time.monotonic())
        level = syslog.LOG_INFO if code in (OrderRefusal.REPEATED, OrderRefusal.EXPIRED) else syslog.LOG_WARNING
        self._host.log(level, f"order refused ({code.value}): {shown(why)}")

    def _begin_due(self) -> None:
        now = self._host.now()
        for one in self._record.pending:
            if one.campaign in self._busy or self._retry_at.get(one.campaign, 0.0) > time.monotonic():
                continue
            if now >= one.until and now >= one.at:
                self._keep(self._record.without(one.campaign))
                self._refuse(OrderRefusal.EXPIRED, f"the order of campaign {one.campaign} ended before it could begin")
            elif now >= one.at:
                self._busy.add(one.campaign)
                threading.Thread(target=self._carry_out, args=(one,), name=one.campaign, daemon=True).start()

    def _carry_out(self, one: PendingOrder) -> None:
        answer: dict[str, Any] | None = None
        try:
            answer = carry_out(self._endpoint, one.command)
        finally:
            self._answers.put((one, answer))

    def _take_answers(self) -> None:
        while not self._answers.empty():
            one, answer = self._answers.get()
            self._busy.discard(one.campaign)
            results = [result.value for result in Result]
            if answer is None or answer["result"] not in results:
                self._retry_at[one.campaign] = time.monotonic() + _AGAIN_S
            elif answer["result"] == Result.SKIPPED.value and answer.get("until"):
                # The server tells it again after the blackout (G7), under its cap.
                self._keep(self._record.with_postponed(one, answer))
                self._report()
            else:
                self._keep(self._record.with_begun(one))
                if answer.get("repeated"):
                    self._report()

    def _report(self) -> None:
        from ..._core.reports.report import Occasion
        from ..reporting.requests import request

        request(self._endpoint, Occasion.RUN)

    def _keep(self, record: OrderRecord) -> None:
        if record == self._record:
            return
        self._record = record
        self._write()

    def _write(self) -> None:
        self._uncounted, self._written = False, time.monotonic()
        try:
            self._store.write(self._record)
        except OSError as error:
            self._host.log(syslog.LOG_ERR, f"the orders can't be written down: {error}")
