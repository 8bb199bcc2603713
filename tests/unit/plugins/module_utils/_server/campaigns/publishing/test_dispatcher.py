# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Campaigns that are published: on record before, again after a crash, answered by reports (N1, N2, N4, E1a, L3).

What the broker would get is looked at where it is handed over; a real one is the lab's.
"""

from __future__ import annotations

import json
import syslog
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.epp.autoupdate.plugins.module_utils._core.policy.enums import Scope
from ansible_collections.epp.autoupdate.plugins.module_utils._core.results import Trigger
from ansible_collections.epp.autoupdate.plugins.module_utils._core.rollout.delivery import (
    Delivery,
    immediate_delivery,
    slot_delivery,
)
from ansible_collections.epp.autoupdate.plugins.module_utils._core.rollout.order import CampaignOrder
from ansible_collections.epp.autoupdate.plugins.module_utils._core.timestamps import iso
from ansible_collections.epp.autoupdate.plugins.module_utils._core.timezones import zone_of
from ansible_collections.epp.autoupdate.plugins.module_utils._core.values import replace
from ansible_collections.epp.autoupdate.plugins.module_utils._host.signed_documents import verify_envelope
from ansible_collections.epp.autoupdate.plugins.module_utils._server import paths
from ansible_collections.epp.autoupdate.plugins.module_utils._server.campaigns.dispatcher import Dispatcher
from ansible_collections.epp.autoupdate.plugins.module_utils._server.campaigns.publishing.members import Members
from ansible_collections.epp.autoupdate.plugins.module_utils._server.campaigns.publishing.plan import (
    Limits,
    publications,
)
from ansible_collections.epp.autoupdate.plugins.module_utils._server.campaigns.queries import deliveries
from ansible_collections.epp.autoupdate.plugins.module_utils._server.campaigns.store import CampaignKey
from ansible_collections.epp.autoupdate.plugins.module_utils._server.database.database import open_database
from ansible_collections.epp.autoupdate.plugins.module_utils._server.publication.keys import ensure_keyring

from .publishing_server import FLEET, KEY, SETTINGS, START, ClockedHost, CountingNotifier, Server


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
    content = server.host.read("/var/lib/epp-autoupdate-public/orders/fleet.files.json")
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


def test_after_a_blackout_a_group_is_told_by_one_publication(server: Server) -> None:
    """G7, N1: each of them would be due in a second of its own, and the server's cap is for all of them."""
    end = int(START) + 3600
    server.campaign()
    server.run()
    server.report(*FLEET, result="skipped", until=iso(end))
    server.host.at = end
    assert server.run() == []
    server.host.at = end + 900
    ((topic, order),) = server.run()
    assert (topic, order.command.campaign) == ("epp/fleet", KEY.id)
    starts = server.starts(KEY)
    assert starts == {name: order.begin(number) for number, name in enumerate(FLEET)}
    server.host.at += 1
    server.report(*FLEET, result="skipped", until=iso(end))
    assert server.starts(KEY) == starts, "later reports bring the last answers, too: it is put off once"
    server.report(*FLEET)
    assert set(server.told().values()) == {("finished", "updated")}


def test_a_blackout_is_not_put_off_by_each_report_that_tells_of_it(server: Server) -> None:
    server.campaign()
    server.run()
    due = []
    for _report in range(3):
        server.report("n1", result="skipped", until=iso(START + 9 * 3600))
        due += [row["due"] for row in deliveries(server.connection, KEY.id) if row["endpoint"] == "n1"]
        server.host.at += 600
    assert due == [iso(START + 6 * 3600)] * 3


def test_runs_are_measured_by_what_endpoints_report(server: Server) -> None:
    server.campaign()
    server.run()
    server.report("n1", started="2026-11-22T10:00:00Z", finished="2026-11-22T10:00:42Z")
    server.report("n2", started="soon", finished="later")
    assert server.store.measured_runs() == [42.0]
    row = server.connection.execute("SELECT answer FROM deliveries WHERE endpoint = 'n1'").fetchone()
    assert json.loads(row["answer"])["result"] == "updated"


def test_who_does_not_belong_to_a_group_is_neither_told_nor_counted(server: Server) -> None:
    """By product, by the scope of its policy, by what it takes at all: the four of FLEET are the group."""
    server.register("other", 4, product="clamav")
    server.register("engines", 5, components={"scope": "engines"})
    server.register("silent", 6, address="")
    server.register("alone", 7, events={"update_after_download": False})
    for number in range(8, 60):
        server.register(f"far{number}", number, product="command")
    server.campaign(names=FLEET)
    ((topic, order),) = server.run()
    assert (topic, order.audience.endpoint, order.audience.scopes) == ("epp/fleet", "", (Scope.PATTERNS,))
    assert set(server.told()) == set(server.starts(KEY)) == set(FLEET)
    assert order.spread < 60, "four endpoints are spread, and nobody else"


def test_who_is_in_another_ring_by_now_is_told_by_itself(server: Server) -> None:
    rings = [{"name": "pilot", "endpoints": ["n1", "n2"]}, {"name": "rest"}]
    settings = {"rollout": {"files": {"rings": rings}}}
    server.host.write(paths.SETTINGS, json.dumps(settings).encode())
    key = CampaignKey(Trigger.DOWNLOAD, "files", "2", ring="pilot")
    server.campaign(key, names=("n1", "n2", "n3"))
    told = server.run()
    assert [topic for topic, _order in told] == ["epp/ring/files/pilot", "epp/endpoint/n3"]
    starts = server.starts(key)
    assert {name: order.begin(number) for number, name in enumerate(("n1", "n2")) for order in [told[0][1]]} == {
        name: starts[name] for name in ("n1", "n2")
    }
    assert starts["n3"] == told[1][1].start


def test_a_ring_that_is_no_more_has_no_group(server: Server) -> None:
    server.campaign(CampaignKey(Trigger.DOWNLOAD, "files", "2", ring="pilot"))
    assert [topic for topic, _order in server.run()] == [f"epp/endpoint/{name}" for name in FLEET]


def test_a_version_that_appears_during_a_spread_is_one_publication(server: Server) -> None:
    for number in range(4, 40):
        server.register(f"n{number + 1}", number)
    server.campaign()
    ((_topic, first),) = server.run()
    begun = [name for name, at in server.starts(KEY).items() if at < START + 20]
    server.host.at += 30
    server.report(*begun)
    before, newer = server.starts(KEY), CampaignKey(Trigger.DOWNLOAD, "files", "3")
    server.campaign(newer)
    ((topic, second),) = server.run()
    assert (topic, second.command.version) == ("epp/fleet", "3")
    assert set(server.starts(newer)) == {f"n{number + 1}" for number in range(40)}
    assert second.start >= max(before.values()) + 10, f"after the spread of {first.spread} s"


def test_what_the_broker_has_is_on_record_before_the_rest_is_published(server: Server) -> None:
    """A broker that goes in the middle of a batch gets nothing a second time that it has."""
    for number in range(4, 250):
        server.register(f"n{number + 1}", number)
    slots = [slot_delivery(f"n{number + 1}", at=server.host.at - 1, end=server.host.at + 9000) for number in range(250)]
    key = CampaignKey(Trigger.SCHEDULE, "schedule", "today")
    server.store.join(key, slots, now=server.host.at)
    server.broker.room = 100
    first = [topic for topic, _order in server.run()]
    assert (len(first), len(server.starts(key))) == (100, 100)
    server.broker.room = 10**6
    second = [topic for topic, _order in server.run()]
    assert (len(second), len({*first, *second})) == (150, 250)


def test_a_report_that_comes_while_an_order_is_published_is_not_forgotten(server: Server) -> None:
    server.campaign()
    due = server.store.due(server.host.at, Members(server.host, server.connection))
    made = publications(due, [], now=int(server.host.at), limits=Limits(2, 10)).made
    server.report("n1")
    assert server.store.begin(made, server.host.at) == 3
    server.store.published(made, lease=1800)
    assert server.told()["n1"] == ("finished", "updated")


def test_a_fleet_that_is_too_large_for_its_cap_is_told_so(server: Server) -> None:
    for number in range(4, 300):
        server.register(f"n{number + 1}", number)
    mqtt: Any = SETTINGS.mqtt
    server.broker.settings = replace(mqtt, run_time=3600)
    server.campaign()
    assert {order.spread for _topic, order in server.run()} == {0}
    assert len(server.starts(KEY)) == 2 * 24
    (warning,) = [words for level, words in server.host.logged if level == syslog.LOG_WARNING]
    assert "300 endpoints, 2 at once of 3600 s each, take more than a day" in warning


def test_nothing_that_is_no_result_counts(server: Server) -> None:
    server.campaign()
    server.run()
    assert server.report("n1", result="no such word") == 0
    assert server.told()["n1"] == ("in_flight", "")
