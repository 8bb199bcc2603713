# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Campaigns that are published: on record before, again after a crash, answered by reports (N1, N2, N4, E1a, L3).

What the broker would get is looked at where it is handed over; a real one is the lab's.
"""

from __future__ import annotations

import json
import sqlite3
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.epp.autoupdate.plugins.module_utils._core.metadata.envelope import unpack
from ansible_collections.epp.autoupdate.plugins.module_utils._core.results import Trigger
from ansible_collections.epp.autoupdate.plugins.module_utils._core.rollout.command import UpdateCommand
from ansible_collections.epp.autoupdate.plugins.module_utils._core.rollout.delivery import (
    Delivery,
    SendOutcome,
    SendResult,
    event_delivery,
    immediate_delivery,
    slot_delivery,
)
from ansible_collections.epp.autoupdate.plugins.module_utils._core.rollout.order import MAX_SIZE, CampaignOrder
from ansible_collections.epp.autoupdate.plugins.module_utils._core.settings.notify import NotifySettings
from ansible_collections.epp.autoupdate.plugins.module_utils._core.timezones import zone_of
from ansible_collections.epp.autoupdate.plugins.module_utils._host.local_host import LocalHost
from ansible_collections.epp.autoupdate.plugins.module_utils._host.signed_documents import verify_envelope
from ansible_collections.epp.autoupdate.plugins.module_utils._server.campaigns.dispatcher import Dispatcher
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
from ansible_collections.epp.autoupdate.plugins.module_utils._server.database.database import open_database, transaction
from ansible_collections.epp.autoupdate.plugins.module_utils._server.publication.keys import ensure_keyring

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

    def now(self) -> float:
        return self.at


class Taken:
    """What is handed over for the broker; it may be away, or go before it has taken anything."""

    def __init__(self) -> None:
        assert SETTINGS.mqtt is not None
        self.settings = SETTINGS.mqtt
        self.messages: list[tuple[str, bytes]] = []
        self.away = self.goes = False

    @contextmanager
    def session(self) -> Iterator[Taken]:
        if self.away:
            raise BrokerUnreachable("it is away")
        yield self

    def publish(self, messages: list[tuple[str, bytes]]) -> None:
        if self.goes:
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

    def register(self, name: str, ordinal: int) -> None:
        insert = "INSERT INTO endpoints (name, domain, ordinal, address) VALUES (?, '', ?, ?)"
        self.connection.execute(insert, (name, ordinal, name))

    def campaign(self, *, kept: bool = False) -> None:
        limits = SETTINGS.limits
        names = [row["name"] for row in self.connection.execute("SELECT name FROM endpoints")]
        told = [event_delivery(name, created=self.host.at, kept=kept, limits=limits) for name in names]
        assert self.store.create(KEY, told, now=self.host.at)

    def run(self) -> list[tuple[str, CampaignOrder]]:
        publisher: Any = self.broker
        zone = zone_of("UTC")
        PublishingDispatcher(self.host, self.store, publisher, settings=SETTINGS, zone=zone).run()
        return self.broker.orders()

    def report(self, *names: str, result: str = "updated", **more: Any) -> int:
        answer = {"campaign": KEY.id, "result": result, "reason": "", **more}
        with transaction(self.connection):
            return record_answers(self.connection, {name: [answer] for name in names}, self.host.at)

    def told(self) -> dict[str, tuple[str, str]]:
        return {row["endpoint"]: (row["status"], row["result"]) for row in deliveries(self.connection, KEY.id)}


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    host = ClockedHost(str(tmp_path))
    ensure_keyring(host)
    connection = open_database(host)
    yield Server(host, connection)
    connection.close()


def test_one_signed_publication_tells_all_and_reports_are_the_answers(server: Server) -> None:
    server.campaign()
    ((topic, order),) = server.run()
    assert (topic, order.audience.endpoint, order.command.campaign) == ("epp/fleet", "", KEY.id)
    assert order.spread >= 4 * 10 / 2
    assert set(server.told().values()) == {("in_flight", "")}
    assert server.run() == [], "nobody is told twice"
    server.host.at += order.spread
    assert server.report(*FLEET) == 4
    assert set(server.told().values()) == {("finished", "updated")}
    assert server.report("n1", result="failed") == 0, "what is closed stays"


def test_the_order_lies_beside_the_configuration_for_those_who_missed_it(server: Server) -> None:
    server.campaign(kept=True)
    server.run()
    content = server.host.read("/var/lib/epp-autoupdate-public/orders/fleet-files.json")
    assert content is not None
    ring = ensure_keyring(server.host)
    order = CampaignOrder.from_bytes(verify_envelope(server.host, content, ring.signers, CampaignOrder))
    last = order.start + order.spread
    assert order.end(keeps=False) == last + 1800 + 5 * 900, "as long as endpoints are told again (N2)"
    assert order.end(keeps=True) == START + 7 * 86400, "E1a"


def test_a_broker_that_is_away_costs_no_try(server: Server) -> None:
    server.campaign()
    server.broker.away = True
    assert server.run() == []
    assert set(server.told().values()) == {("queued", "")}
    server.broker.away = False
    assert len(server.run()) == 1


def test_what_may_not_have_been_published_is_published_again(server: Server) -> None:
    server.campaign()
    server.broker.goes = True
    assert server.run() == []
    assert set(server.told().values()) == {("in_flight", "")}
    server.broker.goes = False
    server.host.at += 60
    ((topic, order),) = server.run()
    assert (topic, order.command.campaign) == ("epp/fleet", KEY.id)
    rows = server.connection.execute("SELECT tries FROM deliveries").fetchall()
    assert {row["tries"] for row in rows} == {1}


@pytest.mark.parametrize(
    ("one", "ended"),
    [
        (immediate_delivery("n1", created=START, until=START + 60), ("failed", "expired")),
        (slot_delivery("n1", at=START, end=START + 60), ("skipped", "expired")),
    ],
)
def test_what_is_over_before_it_could_be_published_is_closed(
    server: Server, one: Delivery, ended: tuple[str, str]
) -> None:
    """Whether the broker had it or not: nobody publishes it any more, so nobody waits for it any more."""
    server.store.join(KEY, [one], now=server.host.at)
    server.broker.goes = True
    server.run()
    assert server.told()["n1"] == ("in_flight", "")
    server.broker.goes = False
    server.host.at += 61
    assert server.run() == []
    assert server.told()["n1"] == ended
    assert server.store.count_open() == 0


@pytest.mark.parametrize("published", [True, False])
def test_back_to_ssh_no_more_are_asked_at_once_than_the_cap_allows(server: Server, *, published: bool) -> None:
    """N1: a publication has told more of them than the cap, each for an instant of its own; or may have done so."""
    for number in range(4, 60):
        server.register(f"n{number + 1}", number)
    server.campaign()
    server.broker.goes = not published
    server.run()
    assert {status for status, _result in server.told().values()} == {"in_flight"}
    asked = CountingNotifier()
    most = int(SETTINGS.caps.at(START, zone_of("UTC")))
    for _minute in range(60):
        server.host.at += 60
        Dispatcher(server.host, server.store, asked, settings=SETTINGS, zone=zone_of("UTC")).run()
    assert set(server.told().values()) == {("finished", "updated")}
    assert (asked.most, asked.total) == (most, 60)


def test_who_has_not_reported_is_told_again_by_itself_and_given_up_at_last(server: Server) -> None:
    """N2: in fifteen minutes, five times; nobody else is told again."""
    server.campaign()
    server.run()
    server.report("n1", "n2", "n3")
    topics = []
    for _time in range(12):
        server.host.at += 1900
        topics += [topic for topic, _order in server.run()]
    assert topics == ["epp/endpoint/n4"] * 5
    assert server.told()["n4"] == ("failed", "not_reached")


def test_a_notice_that_is_kept_is_due_when_the_endpoint_reports_anything(server: Server) -> None:
    """E1a, by the rules that every notifier has."""
    server.campaign(kept=True)
    server.run()
    for _time in range(14):
        server.host.at += 1900
        server.run()
    assert set(server.told().values()) <= {("deferred", "not_reached"), ("in_flight", "not_reached")}
    server.host.at = START + 7 * 86400 + 3600
    server.run()
    server.host.at += 3600
    server.run()
    assert {status for status, _result in server.told().values()} == {"failed"}


def test_a_late_report_counts_while_the_delivery_is_open(server: Server) -> None:
    server.campaign()
    server.run()
    server.host.at += 1900
    server.run()
    assert server.told()["n1"] == ("retrying", "not_reached")
    server.report("n1")
    assert server.told()["n1"] == ("finished", "updated")


def test_a_blackout_is_waited_for(server: Server) -> None:
    """G7, by what the endpoint reports."""
    server.campaign()
    server.run()
    server.report("n1", result="skipped", until="2026-11-22T18:00:00Z")
    assert server.told()["n1"] == ("deferred", "skipped")


def test_runs_are_measured_by_what_endpoints_report(server: Server) -> None:
    server.campaign()
    server.run()
    server.report("n1", started="2026-11-22T10:00:00Z", finished="2026-11-22T10:00:42Z")
    server.report("n2", started="soon", finished="later")
    assert server.store.measured_runs() == [42.0]
    row = server.connection.execute("SELECT answer FROM deliveries WHERE endpoint = 'n1'").fetchone()
    assert json.loads(row["answer"])["result"] == "updated"


def test_nothing_that_is_no_result_counts(server: Server) -> None:
    server.campaign()
    server.run()
    assert server.report("n1", result="no such word") == 0
    assert server.told()["n1"] == ("in_flight", "")
