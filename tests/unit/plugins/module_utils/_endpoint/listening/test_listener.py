# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The listener: what it takes, what it refuses and counts, and that a campaign is begun once (L3, N4, C2).

A script in the place of ``mosquitto_sub`` prints what that prints; the real one, with a real broker, is the lab's.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.epp.autoupdate.plugins.module_utils._core.metadata.envelope import pack
from ansible_collections.epp.autoupdate.plugins.module_utils._core.metadata.header import Header
from ansible_collections.epp.autoupdate.plugins.module_utils._core.rollout.command import UpdateCommand
from ansible_collections.epp.autoupdate.plugins.module_utils._core.rollout.order import (
    NAMESPACE,
    Audience,
    CampaignOrder,
)
from ansible_collections.epp.autoupdate.plugins.module_utils._core.values import replace
from ansible_collections.epp.autoupdate.plugins.module_utils._endpoint.listening import listener as module
from ansible_collections.epp.autoupdate.plugins.module_utils._endpoint.listening.listener import Listener, NoBroker
from ansible_collections.epp.autoupdate.plugins.module_utils._endpoint.listening.missed import MissedOrder
from ansible_collections.epp.autoupdate.plugins.module_utils._endpoint.orders.record import OrderStore, PendingOrder
from ansible_collections.epp.autoupdate.plugins.module_utils._endpoint.state.command_log import CommandLog
from ansible_collections.epp.autoupdate.plugins.module_utils._host.ssh_signatures import sign
from ansible_collections.epp.autoupdate.tests.unit.plugins.module_utils._endpoint.sync.conftest import (
    Managed,
    managed,
    server,
)

__all__ = ("managed", "server")
BROKER = {"hosts": ["127.0.0.1"], "ca": "/ca.pem", "password_file": "/secret"}
PROGRAM = """#!/bin/sh
for word in "$@"; do echo "$word"; done >{place}/arguments
cp "$XDG_CONFIG_HOME/mosquitto_sub" {place}/configuration
echo "Client n1 received CONNACK (0)"
echo "Subscribed (mid: 1): {granted}"
while ! test -e {place}/over; do
    test -e {place}/lines && cat {place}/lines && rm {place}/lines
    sleep 0.02
done
"""
LONGEST_S = 120.0
"""A guard: nothing here takes a second on a machine of its own."""


class Listening:
    """A managed endpoint that listens, its broker's lines, and what it has begun."""

    def __init__(self, endpoint: Managed, place: Path) -> None:
        self.managed, self.place = endpoint, place
        self.host = endpoint.sandbox.host
        self.begun: list[str] = []
        self.answer: dict[str, Any] | None = {"result": "updated"}
        self.put_program("1, 1")
        (place / "secret").write_text("a pass word\nmore\n")
        self.host.write("/secret", b"a pass word\nmore\n")
        endpoint.section["broker"] = BROKER
        endpoint.converge()

    def put_program(self, granted: str) -> None:
        program = self.place / "mosquitto_sub"
        program.write_text(PROGRAM.format(place=self.place, granted=granted))
        program.chmod(0o755)

    def order(self, **changes: Any) -> CampaignOrder:
        now = int(self.host.now())
        command = UpdateCommand("c-first-campaign", "2")
        base = CampaignOrder(Header(1, now, now + 600), command, Audience(endpoint="n1"), now)
        return replace(base, **changes)

    def sealed(self, order: CampaignOrder, key: str = "a", namespace: str = NAMESPACE) -> bytes:
        document = order.to_bytes()
        return pack(document, sign(self.managed.publisher._host, document, f"/{key}", namespace), namespace)

    def run(self, *contents: bytes, until: Callable[[], bool], draw: float = 0.0) -> None:
        """Let these messages come, and listen until something has happened."""
        lines = "".join(f"order 0 {content.hex()}\n" for content in contents)
        (self.place / "next").write_text(lines)
        os.replace(self.place / "next", self.place / "lines")
        deadline = time.monotonic() + LONGEST_S

        def stop() -> bool:
            assert time.monotonic() < deadline, self.record()
            return until()

        Listener(self.host, lambda: draw).run(stop)

    def record(self) -> Any:
        return OrderStore(self.host).read()

    def carry_out(self, _endpoint: object, command: UpdateCommand) -> dict[str, Any] | None:
        self.begun.append(command.campaign)
        return self.answer


@pytest.fixture
def listening(managed: Managed, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Listening]:
    place = tmp_path / "bin"
    place.mkdir()
    monkeypatch.setenv("PATH", f"{place}:{os.environ['PATH']}")
    monkeypatch.setattr(module, "_TICK_S", 0.05)
    made = Listening(managed, place)
    monkeypatch.setattr(module, "carry_out", made.carry_out)
    yield made
    (place / "over").touch()


def test_it_listens_to_its_own_topics_and_shows_no_password(listening: Listening) -> None:
    listening.run(until=lambda: listening.record().connected is not None)
    words = (listening.place / "arguments").read_text().splitlines()
    topics = [words[number + 1] for number, word in enumerate(words) if word == "-t"]
    assert topics == ["epp/fleet", "epp/endpoint/n1"]
    assert not {"-c", "-P", "a pass word"} & set(words)
    assert words[words.index("-u") + 1] == words[words.index("-i") + 1] == "n1"
    assert words[words.index("--cafile") + 1] == listening.host.real("/ca.pem")
    assert (listening.place / "configuration").read_text() == "-P a pass word\n"
    assert listening.record().connected is None, "it has ended"


def test_an_order_is_begun_once_whatever_comes_again(listening: Listening) -> None:
    now = int(listening.host.now())
    content = listening.sealed(listening.order(start=now + 60))
    again = listening.sealed(listening.order(header=Header(1, now + 1, now + 700)))
    listening.run(content, content, again, until=lambda: sum(listening.record().refused.values()) == 2)
    assert not listening.begun
    listening.managed.sandbox.host.clock += 61
    listening.run(content, until=lambda: not listening.record().pending)
    assert set(listening.begun) == {"c-first-campaign"}
    assert listening.record().refused["repeated"] >= 2


def test_what_is_not_believed_is_counted_and_does_nothing(listening: Listening) -> None:
    order, now = listening.order(), int(listening.host.now())
    whole = listening.sealed(order)
    cases = {
        "malformed": b"\x00 no order",
        "unknown_key": listening.sealed(order, key="b"),
        "bad_signature": whole.replace(b"c-first-campaign", b"c-other-campaign"),
        "too_large": b"x" * 9000,
        "not_addressed": listening.sealed(replace(order, audience=Audience(endpoint="n2"))),
        "expired": listening.sealed(replace(order, header=Header(1, now - 60, now - 1))),
        "too_far_ahead": listening.sealed(replace(order, start=now + 5 * 86400, header=Header(1, now, now + 9**7))),
    }
    other = listening.sealed(order, namespace="epp-configuration")
    listening.run(*cases.values(), other, until=lambda: sum(listening.record().refused.values()) == 8)
    assert listening.record().refused == {**dict.fromkeys(cases, 1), "bad_signature": 2}
    assert (listening.begun, listening.record().pending, listening.record().taken) == ([], (), 0)
    told = json.loads(json.dumps(listening.managed.status()["orders"]))
    assert told["refused"]["unknown_key"] == 1


def test_an_order_to_another_product_or_ring_is_not_addressed(listening: Listening) -> None:
    order = listening.order(audience=Audience("clamav"), spread=60)
    ring = listening.order(audience=Audience(listening.managed.sandbox.endpoint.document.product, "pilot"), spread=60)
    sealed = [listening.sealed(one) for one in (order, ring)]
    listening.run(*sealed, until=lambda: listening.record().refused.get("not_addressed") == 2)


def test_each_endpoint_begins_in_its_own_second(listening: Listening) -> None:
    """S5: by the ordinal that the server's tree has."""
    product, start = listening.managed.sandbox.endpoint.document.product, int(listening.host.now()) + 300
    order = listening.order(audience=Audience(product), start=start, spread=60, header=Header(1, start, start + 900))
    listening.run(listening.sealed(order), until=lambda: bool(listening.record().pending))
    (pending,) = listening.record().pending
    assert pending.at == order.begin(7)
    assert listening.begun == []


def test_a_pending_order_outlives_the_listener(listening: Listening) -> None:
    start = int(listening.host.now()) + 1
    listening.run(listening.sealed(listening.order(start=start)), until=lambda: bool(listening.record().pending))
    listening.managed.sandbox.host.clock += 2
    listening.run(until=lambda: bool(listening.begun) and not listening.record().pending)
    assert listening.begun == ["c-first-campaign"]


def test_an_order_without_an_answer_is_kept(listening: Listening) -> None:
    listening.answer = None
    listening.run(listening.sealed(listening.order()), until=lambda: bool(listening.begun))
    assert [one.campaign for one in listening.record().pending] == ["c-first-campaign"]


def test_in_a_blackout_it_says_so_and_is_told_again_once(listening: Listening) -> None:
    """G7, N1: the server does, under its cap; what came before counts no more, and the answer is gone by then."""
    now = int(listening.host.now())
    listening.answer = {"result": "skipped", "reason": "a blackout", "until": "2099-01-01T00:00:00Z"}
    content = listening.sealed(listening.order())
    listening.run(content, until=lambda: bool(listening.record().postponed))
    assert listening.record().pending == ()
    assert listening.managed.status()["notices"][-1]["until"] == "2099-01-01T00:00:00Z"
    listening.answer = {"result": "updated"}
    again = listening.sealed(listening.order(header=Header(1, now + 1, now + 700)))
    listening.run(content, again, until=lambda: bool(listening.record().begun))
    assert listening.begun == ["c-first-campaign"] * 2
    assert listening.record().refused == {"repeated": 1}
    assert listening.record().postponed == ()


def test_an_order_that_is_older_than_what_is_remembered_is_refused(listening: Listening) -> None:
    """C2, N4: whoever kept it plays it when so many campaigns came since that this one is forgotten; as long as it
    lasts, and also one that the server has made of the campaign again."""
    now = int(listening.host.now())
    week, first = Header(1, now, now + 7 * 86400), UpdateCommand("c-first-campaign", "2")
    old, kept_back = (
        listening.sealed(listening.order(header=header, created=now))
        for header in (week, replace(week, issued=now + 3600))
    )
    listening.run(old, until=lambda: "c-first-campaign" in listening.record().begun)
    log, store = CommandLog(listening.host), OrderStore(listening.host)
    record = store.read()
    for number in range(600):
        one = PendingOrder(f"c-campaign-{number}", "2", "download", now, now + 600, now + 1 + number)
        record = record.with_order(one, now + 1 + number).with_begun(one)
        if number >= 550:
            log.begin(one.command, at=now, runs=1)
    store.write(record)
    assert log.find(first) is None
    newest = listening.order(command=UpdateCommand("c-the-newest-campaign", "2"), created=now + 700)
    listening.run(old, kept_back, listening.sealed(newest), until=lambda: "c-the-newest-campaign" in listening.begun)
    assert listening.begun == ["c-first-campaign", "c-the-newest-campaign"]
    assert listening.record().refused == {"forgotten": 2}
    assert len(listening.record().begun) == 500


def test_what_a_clock_that_was_ahead_has_begun_keeps_nothing_new_away(listening: Listening) -> None:
    store, ahead = OrderStore(listening.host), int(listening.host.now()) + 9 * 365 * 86400
    store.write(replace(store.read(), forgotten=ahead))
    listening.run(listening.sealed(listening.order(created=ahead - 1)), until=lambda: bool(listening.begun))


def test_what_it_has_missed_it_asks_for_conditionally(listening: Listening) -> None:
    product = listening.managed.sandbox.endpoint.document.product
    now = int(listening.host.now())
    order = listening.order(audience=Audience(product), start=now - 30, spread=20)
    place = listening.managed.publisher.folder / f"orders/fleet.{product}.json"
    place.parent.mkdir()
    place.write_bytes(listening.sealed(order))
    listening.managed.publisher.age(place)
    listening.run(until=lambda: bool(listening.begun) and not listening.record().pending)
    asked = [status for path, status in listening.managed.server.seen() if "orders" in path]
    assert asked == [200]
    listening.managed.server.forget()

    def asked_again() -> bool:
        return any("orders" in path for path, _status in listening.managed.server.seen())

    listening.run(until=asked_again)
    assert [status for path, status in listening.managed.server.seen() if "orders" in path] == [304]
    assert listening.begun == ["c-first-campaign"]
    assert listening.record().refused == {}


def test_what_was_missed_and_could_not_be_taken_yet_is_asked_for_again(
    listening: Listening, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Here a clock that was behind; nobody has to connect anew for it."""
    monkeypatch.setattr(module, "_AGAIN_S", 0.2)
    product, now = listening.managed.sandbox.endpoint.document.product, int(listening.host.now())
    start = now + 5 * 86400
    order = listening.order(audience=Audience(product), start=start, spread=20, header=Header(1, now, start + 900))
    place = listening.managed.publisher.folder / f"orders/fleet.{product}.json"
    place.parent.mkdir()
    place.write_bytes(listening.sealed(order))
    listening.managed.publisher.age(place)

    def until() -> bool:
        if listening.record().refused.get("too_far_ahead", 0) == 2:
            listening.managed.sandbox.host.clock = now + 4 * 86400
        return bool(listening.record().pending)

    listening.run(until=until)
    assert {status for path, status in listening.managed.server.seen() if "orders" in path} == {200}
    assert set(listening.record().refused) == {"too_far_ahead"}


def test_a_server_that_is_not_reached_is_asked_again(listening: Listening, monkeypatch: pytest.MonkeyPatch) -> None:
    """The connection to the broker may last for days."""
    monkeypatch.setattr(module, "_AGAIN_S", 0.05)
    product = listening.managed.sandbox.endpoint.document.product
    start = int(listening.host.now()) - 30
    whole = listening.sealed(listening.order(audience=Audience(product), start=start, spread=20))
    answers = [[MissedOrder("orders/x", None)], [MissedOrder("orders/x", None)], [MissedOrder("orders/x", whole)], []]
    monkeypatch.setattr(module, "missed_orders", lambda _endpoint, _known: answers.pop(0))
    listening.run(until=lambda: bool(listening.record().begun))
    assert answers == [[]]
    assert list(listening.record().validators) == ["orders/x"]


def test_where_nothing_was_published_nobody_asks_again(listening: Listening, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_AGAIN_S", 0.01)
    done: list[float] = []

    def until() -> bool:
        done.append(time.monotonic())
        return done[-1] - done[0] > 1.0

    listening.run(until=until)
    assert [status for path, status in listening.managed.server.seen() if "orders" in path] == [404]


def test_a_topic_that_the_broker_refuses_is_told(listening: Listening) -> None:
    listening.put_program("1, 128")
    listening.run(until=lambda: "refuses one of the topics" in listening.record().fault)


def test_a_broker_that_is_not_there_is_told_and_tried_again(listening: Listening) -> None:
    (listening.place / "mosquitto_sub").write_text("#!/bin/sh\nexit 1\n")
    listening.run(until=lambda: "127.0.0.1:8883" in listening.record().fault)
    listening.put_program("1, 1")
    listening.run(until=lambda: listening.record().connected is not None)
    assert listening.record().fault == ""


def test_it_ends_when_its_document_changes(listening: Listening, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_LOOK_S", 0.1)
    changed: list[bool] = []

    def until() -> bool:
        if listening.record().connected is not None and not changed:
            listening.managed.section["broker"] = {**BROKER, "port": 1883}
            listening.managed.converge()
            changed.append(True)
        return False

    listening.run(until=until)
    assert changed


def test_without_a_broker_there_is_nothing_to_listen_to(listening: Listening) -> None:
    del listening.managed.section["broker"]
    listening.managed.converge()
    assert not listening.host.exists("/var/lib/epp-autoupdate/orders.json")
    with pytest.raises(NoBroker):
        Listener(listening.host)
    assert "orders" not in listening.managed.status()
