# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A server that publishes over a broker, with a clock that is moved, and what takes the place of broker and SSH."""

from __future__ import annotations

import json
import sqlite3
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from ansible_collections.epp.autoupdate.plugins.module_utils._core.metadata.envelope import unpack
from ansible_collections.epp.autoupdate.plugins.module_utils._core.results import Trigger
from ansible_collections.epp.autoupdate.plugins.module_utils._core.rollout.command import UpdateCommand
from ansible_collections.epp.autoupdate.plugins.module_utils._core.rollout.delivery import (
    SendOutcome,
    SendResult,
    event_delivery,
)
from ansible_collections.epp.autoupdate.plugins.module_utils._core.rollout.order import MAX_SIZE, CampaignOrder
from ansible_collections.epp.autoupdate.plugins.module_utils._core.settings.notify import NotifySettings
from ansible_collections.epp.autoupdate.plugins.module_utils._core.timezones import zone_of
from ansible_collections.epp.autoupdate.plugins.module_utils._host.local_host import LocalHost
from ansible_collections.epp.autoupdate.plugins.module_utils._server.campaigns.notifiers.base import Response, Target
from ansible_collections.epp.autoupdate.plugins.module_utils._server.campaigns.notifiers.mqtt import BrokerUnreachable
from ansible_collections.epp.autoupdate.plugins.module_utils._server.campaigns.publishing.answers import record_answers
from ansible_collections.epp.autoupdate.plugins.module_utils._server.campaigns.publishing.dispatcher import (
    PublishingDispatcher,
)
from ansible_collections.epp.autoupdate.plugins.module_utils._server.campaigns.publishing.records import (
    PublishingStore,
)
from ansible_collections.epp.autoupdate.plugins.module_utils._server.campaigns.queries import deliveries
from ansible_collections.epp.autoupdate.plugins.module_utils._server.campaigns.store import CampaignKey
from ansible_collections.epp.autoupdate.plugins.module_utils._server.database.database import transaction

START = 1_795_348_800.0
SETTINGS = NotifySettings.from_dict(
    {
        "notifier": "mqtt",
        "max_in_flight": 2,
        "mqtt": {
            "hosts": ["broker"],
            "ca": "/ca",
            "run_time": "10s",
            **dict.fromkeys(("certificate", "key"), "/x"),
            "endpoints": {"password_file": "/x"},
        },
    }
)
KEY = CampaignKey(Trigger.DOWNLOAD, "files", "2")
FLEET = ("n1", "n2", "n3", "n4")


class ClockedHost(LocalHost):
    """A sandbox whose clock a test sets."""

    at = START

    def __init__(self, root: str) -> None:
        super().__init__(root)
        self.logged: list[tuple[int, str]] = []

    def now(self) -> float:
        return self.at

    def log(self, level: int, message: str) -> None:
        self.logged.append((level, message))


class Taken:
    """What is handed over for the broker; it may be away, or go before it has taken anything."""

    def __init__(self) -> None:
        assert SETTINGS.mqtt is not None
        self.settings = SETTINGS.mqtt
        self.messages: list[tuple[str, bytes]] = []
        self.away = self.goes = False
        self.room = 10**6

    @contextmanager
    def session(self) -> Iterator[Taken]:
        if self.away:
            raise BrokerUnreachable("it is away")
        yield self

    def publish(self, messages: list[tuple[str, bytes]]) -> None:
        if self.goes or len(self.messages) >= self.room:
            raise BrokerUnreachable("it has gone")
        self.messages += messages

    def orders(self) -> list[tuple[str, CampaignOrder]]:
        found = [
            (topic, CampaignOrder.from_bytes(unpack(one, limit=MAX_SIZE).document)) for topic, one in self.messages
        ]
        self.messages.clear()
        return found


class CountingNotifier:
    """Counts how many endpoints are talked to at once, as a notifier that asks one by one does."""

    def __init__(self) -> None:
        self.now = self.most = self.total = 0
        self._lock = threading.Lock()

    def notify(self, _target: Target, _command: UpdateCommand, *, timeout: float) -> Response:
        assert timeout > 0
        with self._lock:
            self.now, self.total = self.now + 1, self.total + 1
            self.most = max(self.most, self.now)
        time.sleep(0.002)
        with self._lock:
            self.now -= 1
        return Response(SendOutcome(SendResult.ACKNOWLEDGED, "updated"), {"result": "updated"})


class Server:
    """A server with four endpoints, and what it has published."""

    def __init__(self, host: ClockedHost, connection: sqlite3.Connection) -> None:
        self.host, self.connection, self.broker = host, connection, Taken()
        self.store = PublishingStore(connection)
        for number, name in enumerate(FLEET):
            self.register(name, number)

    def register(self, name: str, ordinal: int, *, product: str = "files", address: str = "x", **policy: Any) -> None:
        insert = "INSERT INTO endpoints (name, domain, ordinal, address, product, policy) VALUES (?, '', ?, ?, ?, ?)"
        self.connection.execute(insert, (name, ordinal, address, product, json.dumps(policy) if policy else None))

    def campaign(self, key: CampaignKey = KEY, *, names: Sequence[str] = (), kept: bool = False) -> None:
        """A campaign for these endpoints, or for all."""
        limits = SETTINGS.limits
        names = names or [row["name"] for row in self.connection.execute("SELECT name FROM endpoints")]
        told = [event_delivery(name, created=self.host.at, kept=kept, limits=limits) for name in names]
        assert self.store.create(key, told, now=self.host.at)

    def run(self) -> list[tuple[str, CampaignOrder]]:
        publisher: Any = self.broker
        zone = zone_of("UTC")
        PublishingDispatcher(self.host, self.store, publisher, settings=SETTINGS, zone=zone).run()
        return self.broker.orders()

    def report(self, *names: str, result: str = "updated", **more: Any) -> int:
        answer = {"campaign": KEY.id, "result": result, "reason": "", **more}
        with transaction(self.connection):
            return record_answers(self.connection, {name: [answer] for name in names}, self.host.at)

    def told(self, key: CampaignKey = KEY) -> dict[str, tuple[str, str]]:
        return {row["endpoint"]: (row["status"], row["result"]) for row in deliveries(self.connection, key.id)}

    def starts(self, key: CampaignKey) -> dict[str, int]:
        """When the endpoints of a campaign begin, as its published deliveries say."""
        select = "SELECT endpoint, due FROM deliveries WHERE campaign = ? AND status = 'in_flight' AND due < 9e999"
        lease = int(SETTINGS.limits.lease)
        return {row["endpoint"]: int(row["due"]) - lease for row in self.connection.execute(select, (key.id,))}
