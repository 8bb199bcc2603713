# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Campaigns on record: transactions, places, who is chosen, and what survives."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator
from typing import Any

import pytest
from ansible_collections.epp.autoupdate.plugins.module_utils._core.metadata.catalog import CatalogItem
from ansible_collections.epp.autoupdate.plugins.module_utils._core.metadata.manifest import Kind
from ansible_collections.epp.autoupdate.plugins.module_utils._core.results import Trigger
from ansible_collections.epp.autoupdate.plugins.module_utils._core.rollout.delivery import (
    SendOutcome,
    SendResult,
    event_delivery,
    slot_delivery,
)
from ansible_collections.epp.autoupdate.plugins.module_utils._core.rollout.outdated import Holding
from ansible_collections.epp.autoupdate.plugins.module_utils._core.settings.retries import RetryPolicy
from ansible_collections.epp.autoupdate.plugins.module_utils._core.timestamps import iso, unix
from ansible_collections.epp.autoupdate.plugins.module_utils._core.timezones import zone_of
from ansible_collections.epp.autoupdate.plugins.module_utils._core.values import replace
from ansible_collections.epp.autoupdate.plugins.module_utils._host.local_host import LocalHost
from ansible_collections.epp.autoupdate.plugins.module_utils._server.campaigns.notifiers.base import Response
from ansible_collections.epp.autoupdate.plugins.module_utils._server.campaigns.queries import deliveries, summaries
from ansible_collections.epp.autoupdate.plugins.module_utils._server.campaigns.start import plan_slots, start_campaign
from ansible_collections.epp.autoupdate.plugins.module_utils._server.campaigns.store import CampaignKey, CampaignStore
from ansible_collections.epp.autoupdate.plugins.module_utils._server.components.base import Published
from ansible_collections.epp.autoupdate.plugins.module_utils._server.database.database import open_database
from ansible_collections.epp.autoupdate.plugins.module_utils._server.fleet.holdings import holdings
from ansible_collections.epp.autoupdate.plugins.module_utils._server.fleet.inventory import endpoint_records

LIMITS = RetryPolicy()
NOW = 1_795_348_800.0  # 2026-11-22T12:00:00Z
SUBJECT = CampaignKey(Trigger.DOWNLOAD, "files", "2")


@pytest.fixture
def connection(server_host: LocalHost) -> Iterator[sqlite3.Connection]:
    opened = open_database(server_host)
    yield opened
    opened.close()


@pytest.fixture
def store(connection: sqlite3.Connection) -> CampaignStore:
    return CampaignStore(connection)


def register(connection: sqlite3.Connection, *names: str, domain: str = "", policy: Any = None) -> None:
    start = connection.execute("SELECT count(*) FROM endpoints").fetchone()[0]
    for number, name in enumerate(names, start=start):
        text = json.dumps(policy) if policy else None
        row = (name, domain, number, text, f"/fleet/{name}")
        connection.execute("INSERT INTO endpoints (name, domain, ordinal, policy, address) VALUES (?, ?, ?, ?, ?)", row)
    connection.commit()


def published(version: str) -> Published:
    item = CatalogItem("files", "patterns-a", version, Kind.PATTERN, 1, "0" * 64, "components/files/objects/00/0")
    return Published(version, (item,))


def events(*names: str) -> list[Any]:
    return [event_delivery(name, created=NOW, kept=False, limits=LIMITS) for name in names]


def stages(connection: sqlite3.Connection, subject: CampaignKey = SUBJECT) -> dict[str, str]:
    return {one["endpoint"]: one["status"] for one in deliveries(connection, subject.id)}


def report(version: str, result: str = "updated") -> Response:
    answer = {"result": result, "after": [{"name": "patterns-a", "version": version}]}
    return Response(SendOutcome(SendResult.ACKNOWLEDGED, result), answer)


def test_a_version_has_one_campaign(store: CampaignStore, connection: sqlite3.Connection) -> None:
    assert store.create(SUBJECT, events("n1"), now=NOW)
    assert not store.create(SUBJECT, events("n1", "n2"), now=NOW + 1)
    assert stages(connection) == {"n1": "queued"}
    assert len(summaries(connection)) == 1


def test_a_notice_is_in_flight_on_record_before_it_is_given_out(
    store: CampaignStore, connection: sqlite3.Connection, server_host: LocalHost
) -> None:
    store.create(SUBJECT, events("n1"), now=NOW)
    dispatches, _wake = store.next_dispatches(now=NOW, cap=1)
    another = open_database(server_host)
    assert stages(another) == {"n1": "in_flight"}
    another.close()
    assert [dispatch.delivery.endpoint for dispatch in dispatches] == ["n1"]
    assert store.next_dispatches(now=NOW, cap=9)[0] == []


def test_the_cap_counts_places_whatever_took_them(store: CampaignStore) -> None:
    store.create(SUBJECT, events("n1", "n2", "n3"), now=NOW)
    store.join(CampaignKey(Trigger.SCHEDULE, "schedule", "today"), [slot_delivery("n4", at=NOW, end=NOW + 60)], now=NOW)
    sent = [len(store.next_dispatches(now=NOW, cap=3)[0]) for _time in range(3)]
    assert sent == [3, 0, 0]
    assert store.count_in_flight() == 3


def test_an_endpoint_in_flight_gets_no_second_notice_meanwhile(store: CampaignStore) -> None:
    store.create(SUBJECT, events("n1"), now=NOW)
    (dispatch,) = store.next_dispatches(now=NOW, cap=9)[0]
    store.create(CampaignKey(Trigger.DOWNLOAD, "files", "3"), events("n1"), now=NOW + 1)
    assert store.next_dispatches(now=NOW + 1, cap=9)[0] == []
    store.record_response(dispatch, report("2"), now=NOW + 2, limits=LIMITS)
    (later,) = store.next_dispatches(now=NOW + 2, cap=9)[0]
    assert later.command.version == "3"


def test_a_newer_version_supersedes_what_waits_for_the_older(
    store: CampaignStore, connection: sqlite3.Connection
) -> None:
    store.create(SUBJECT, events("n1", "n2"), now=NOW)
    store.next_dispatches(now=NOW, cap=1)
    newer = CampaignKey(Trigger.DOWNLOAD, "files", "3")
    store.create(newer, events("n1", "n2"), now=NOW + 1)
    assert stages(connection) == {"n1": "in_flight", "n2": "skipped"}
    assert stages(connection, newer) == {"n1": "queued", "n2": "queued"}


def test_after_a_kill_everybody_listened_to_is_asked_and_nobody_else(store: CampaignStore) -> None:
    store.create(SUBJECT, events("n1", "n2", "n3"), now=NOW)
    first, second = store.next_dispatches(now=NOW, cap=2)[0]
    store.record_response(first, Response.without_answer(SendResult.NO_REPLY, "cut"), now=NOW + 1, limits=LIMITS)
    assert store.resume_after_restart(NOW + 5) == 2
    asked, wake = store.next_dispatches(now=NOW + 5, cap=2)
    assert [dispatch.delivery.endpoint for dispatch in asked] == [second.delivery.endpoint]
    assert asked[0].command == second.command
    assert asked[0].delivery.tries == 1
    assert wake == NOW + 1 + 900


def test_a_report_is_kept_as_evidence_and_tells_who_is_behind(
    store: CampaignStore, connection: sqlite3.Connection
) -> None:
    register(connection, "n1")
    store.create(SUBJECT, events("n1"), now=NOW)
    (dispatch,) = store.next_dispatches(now=NOW, cap=1)[0]
    store.record_response(dispatch, report("2"), now=NOW + 9, limits=LIMITS)
    (row,) = deliveries(connection, SUBJECT.id)
    assert (row["status"], row["result"], row["answer"]["after"][0]["version"]) == ("finished", "updated", "2")
    assert holdings(connection)["n1"].holdings == {"files": Holding({"patterns-a": "2"}, "2")}


@pytest.mark.parametrize("after", [None, 1, "x", [], [1], [{"name": 2}], [{}]])
def test_a_report_may_be_nonsense(store: CampaignStore, connection: sqlite3.Connection, after: Any) -> None:
    store.create(SUBJECT, events("n1"), now=NOW)
    (dispatch,) = store.next_dispatches(now=NOW, cap=1)[0]
    store.record_response(
        dispatch, Response(SendOutcome(SendResult.ACKNOWLEDGED, "updated"), {"after": after}), now=NOW, limits=LIMITS
    )
    assert stages(connection) == {"n1": "finished"}
    assert holdings(connection) == {}


def test_an_answer_twice_changes_nothing(store: CampaignStore, connection: sqlite3.Connection) -> None:
    store.create(SUBJECT, events("n1"), now=NOW)
    (dispatch,) = store.next_dispatches(now=NOW, cap=1)[0]
    store.record_response(dispatch, report("2"), now=NOW, limits=LIMITS)
    store.record_response(dispatch, Response.without_answer(SendResult.NOT_REACHED, "late"), now=NOW + 1, limits=LIMITS)
    assert stages(connection) == {"n1": "finished"}


def test_a_sign_of_life_makes_a_kept_notice_due(store: CampaignStore) -> None:
    kept = event_delivery("n1", created=NOW, kept=True, limits=LIMITS)
    store.create(SUBJECT, [kept], now=NOW)
    (dispatch,) = store.next_dispatches(now=NOW, cap=1)[0]
    store.record_response(dispatch, Response.without_answer(SendResult.NOT_REACHED, "off"), now=NOW, limits=LIMITS)
    assert store.next_dispatches(now=NOW + 1, cap=1) == ([], NOW + 900)
    store.mark_reachable("n1", NOW + 2)
    assert len(store.next_dispatches(now=NOW + 2, cap=1)[0]) == 1


def test_campaigns_are_forgotten_when_they_are_old_and_settled(
    store: CampaignStore, connection: sqlite3.Connection
) -> None:
    store.create(SUBJECT, events("n1"), now=NOW)
    assert store.delete_before(NOW + 1) == 0
    (dispatch,) = store.next_dispatches(now=NOW, cap=1)[0]
    assert store.delete_before(NOW + 1) == 0
    store.record_response(dispatch, report("2"), now=NOW, limits=LIMITS)
    assert store.delete_before(NOW) == 0
    assert store.delete_before(NOW + 1) == 1
    assert deliveries(connection, SUBJECT.id) == []


def test_a_new_version_is_announced_once_and_to_those_who_are_behind(
    store: CampaignStore, connection: sqlite3.Connection
) -> None:
    register(connection, "behind", "unknown", "current", "newer")
    register(connection, "off", policy={"events": {"update_after_download": False}})
    register(connection, "broken", policy={"schedule": {"frequency": "never"}})
    for name, version in (("behind", "1"), ("current", "2"), ("newer", "3"), ("off", "1"), ("broken", "1")):
        store.record_versions(name, "files", {"patterns-a": version}, NOW)
    name = start_campaign(connection, "files", published("2"), now=NOW, limits=LIMITS)
    assert name is not None
    told = {one["endpoint"]: (one["status"], one["reason"]) for one in deliveries(connection, name)}
    assert sorted(told) == ["behind", "broken", "off", "unknown"]
    assert told["behind"][0] == told["unknown"][0] == "queued"
    assert told["off"] == ("skipped", "events.update_after_download is off")
    assert told["broken"][0] == "skipped"
    assert start_campaign(connection, "files", published("2"), now=NOW + 1, limits=LIMITS) is None
    assert len(summaries(connection)) == 1


def test_what_is_set_for_the_product_decides_who_is_told_of_it(
    store: CampaignStore, connection: sqlite3.Connection
) -> None:
    off = {"events": {"update_after_download": False}}
    register(connection, "other", policy={"products": {"clamav": off}})
    register(connection, "off", policy={"products": {"files": off}})
    register(connection, "on", policy={**off, "products": {"files": {"events": {"update_after_download": True}}}})
    register(connection, "engines", policy={"products": {"files": {"components": {"scope": "engines"}}}})
    register(connection, "broken", policy={"products": {"files": {"schedule": {"frequency": "never"}}}})
    name = start_campaign(connection, "files", published("2"), now=NOW, limits=LIMITS)
    assert name is not None
    told = {one["endpoint"]: one["status"] for one in deliveries(connection, name)}
    assert told == {"other": "queued", "on": "queued", "off": "skipped", "broken": "skipped"}


@pytest.mark.parametrize(
    "held",
    [{"patterns-a": "2"}, {"patterns-a": "2", "patterns-b": "1", "patterns-c": "1"}, {"patterns-x": "2"}],
    ids=["one was added", "one was removed", "one was renamed"],
)
def test_a_version_that_only_adds_or_removes_reaches_who_lacks_it(
    connection: sqlite3.Connection, store: CampaignStore, held: dict[str, str]
) -> None:
    register(connection, "lacks", "has", "other")
    both = published("2")
    more = Published("2", (*both.items, replace(both.items[0], name="patterns-b", version="1")))
    store.record_versions("lacks", "files", held, NOW)
    store.record_versions("has", "files", {"patterns-a": "2", "patterns-b": "1"}, NOW)
    store.record_versions("other", "clamav", {"daily": "1"}, NOW)
    name = start_campaign(connection, "files", more, now=NOW, limits=LIMITS)
    assert name is not None
    assert [one["endpoint"] for one in deliveries(connection, name)] == ["lacks"]


@pytest.mark.parametrize(
    ("product", "databases", "behind"),
    [
        ("clamav", ["daily", "local.ndb"], True),
        ("clamav", ["daily"], False),
        ("clamav", None, False),
        ("files", None, False),
        (None, None, False),
    ],
)
def test_a_database_that_is_new_reaches_who_asks_for_it(
    connection: sqlite3.Connection,
    store: CampaignStore,
    product: str | None,
    databases: list[str] | None,
    behind: bool,
) -> None:
    register(connection, "n1")
    told = (product, json.dumps(databases) if databases else None)
    connection.execute("UPDATE endpoints SET product = ?, databases = ?", told)
    store.record_versions("n1", "clamav", {"daily": "7"}, NOW)
    item = replace(published("2").items[0], product="clamav", name="daily", version="7")
    both = Published("x", (item, replace(item, name="local.ndb", version="0123456789ab")))
    name = start_campaign(connection, "clamav", both, now=NOW, limits=LIMITS)
    assert [one["endpoint"] for one in deliveries(connection, name or "")] == ["n1"] * behind
    (known,) = endpoint_records(connection, both.items)
    assert known.outdated is behind


def test_an_answer_that_it_is_up_to_date_counts_for_an_updater_with_words_of_its_own(
    connection: sqlite3.Connection, store: CampaignStore
) -> None:
    register(connection, "n1")
    item = replace(published("2").items[0], product="command", name="command")
    for version, result in (("2", "updated"), ("3", "failed"), ("4", "current")):
        offer = Published(version, (replace(item, version=version),))
        campaign = start_campaign(connection, "command", offer, now=NOW + int(version), limits=LIMITS)
        assert [one["endpoint"] for one in deliveries(connection, campaign or "")] == ["n1"]
        (dispatch,) = store.next_dispatches(now=NOW + 9, cap=1)[0]
        answer = {"product": "command", "after": [{"name": "command", "version": "of its own"}]}
        store.record_response(
            dispatch, Response(SendOutcome(SendResult.ACKNOWLEDGED, result), answer), now=NOW + 9, limits=LIMITS
        )
        (known,) = endpoint_records(connection, offer.items)
        assert known.outdated is (result == "failed")


def test_the_policy_of_the_tree_decides_key_by_key(connection: sqlite3.Connection) -> None:
    for path, own, born in (
        ("", {"events": {"update_after_download": False}}, None),
        ("emea", {"events": {"update_after_download": True}}, None),
        ("apac", {"events": {"include_roaming_and_offline": True}}, {"events": {"update_after_download": True}}),
    ):
        row = (path, json.dumps(own), json.dumps(born) if born else None)
        connection.execute("INSERT INTO nodes (path, own, born) VALUES (?, ?, ?)", row)
    connection.commit()
    register(connection, "nowhere")
    register(connection, "office", domain="emea")
    register(connection, "plant", domain="apac/jp")
    name = start_campaign(connection, "files", published("2"), now=NOW, limits=LIMITS)
    assert name is not None
    told = {one["endpoint"]: (one["status"], one["mode"], one["until"]) for one in deliveries(connection, name)}
    assert told["nowhere"][0] == "skipped"
    assert told["office"] == ("queued", "event", None)
    assert told["plant"] == ("queued", "retained", iso(NOW + 7 * 86400))


def test_slots_that_the_server_keeps_are_notified_once_at_their_instant(
    store: CampaignStore, connection: sqlite3.Connection
) -> None:
    schedule = {"frequency": "daily", "start": "12:00", "window": "10m", "initiator": "server"}
    register(connection, "n0", "n1", policy={"schedule": schedule})
    register(connection, "own", policy={"schedule": {**schedule, "initiator": "endpoint"}})
    planned = [plan_slots(connection, now=NOW - 60 + step * 60, zone_of=zone_of) for step in range(12)]
    assert sum(planned) == 2
    (campaign,) = summaries(connection)
    rows = {one["endpoint"]: one for one in deliveries(connection, campaign.id)}
    assert sorted(rows) == ["n0", "n1"]
    due = [unix(row["due"]) for row in rows.values()]
    assert all(NOW <= instant < NOW + 600 for instant in due)
    assert {row["until"] for row in rows.values()} == {iso(NOW + 600)}
    late = max(due)
    dispatches, _wake = store.next_dispatches(now=late, cap=9)
    assert {dispatch.command.trigger for dispatch in dispatches} == {Trigger.SCHEDULE}
    for dispatch in dispatches:
        store.record_response(dispatch, Response.without_answer(SendResult.NOT_REACHED, "off"), now=late, limits=LIMITS)
    assert store.count_open() == 0, "who is off at its slot is not made to catch up"


def test_the_server_keeps_the_slots_of_the_product_that_its_notice_is_for(connection: sqlite3.Connection) -> None:
    kept = {"schedule": {"frequency": "daily", "start": "12:00", "window": "10m", "initiator": "server"}}
    register(connection, "n0", "n1", policy={"products": {"files": kept}})
    for name, product in (("n0", "files"), ("n1", "clamav")):
        connection.execute("UPDATE endpoints SET product = ? WHERE name = ?", (product, name))
    assert sum(plan_slots(connection, now=NOW - 60 + step * 60, zone_of=zone_of) for step in range(12)) == 1
    (campaign,) = summaries(connection)
    assert [one["endpoint"] for one in deliveries(connection, campaign.id)] == ["n0"]


def test_slots_that_are_near_are_told_from_other_notices(store: CampaignStore) -> None:
    store.create(SUBJECT, [event_delivery("n1", created=NOW + 30, kept=False, limits=LIMITS)], now=NOW)
    assert not store.has_slot(NOW, NOW + 60)
    slot = slot_delivery("n2", at=NOW + 59, end=NOW + 60)
    store.join(CampaignKey(Trigger.SCHEDULE, "schedule", "today"), [slot], now=NOW)
    assert [store.has_slot(NOW, NOW + 60), store.has_slot(NOW + 60, NOW + 120), store.has_slot(NOW, NOW + 59)] == [
        True,
        False,
        False,
    ]


def test_slots_that_went_by_are_not_made_up_for(connection: sqlite3.Connection) -> None:
    schedule = {"frequency": "daily", "start": "06:00", "window": "10m", "initiator": "server"}
    register(connection, "n0", policy={"schedule": schedule})
    assert plan_slots(connection, now=NOW, zone_of=zone_of) == 0


def test_a_hundred_thousand_notices_cost_a_step_only_its_own(
    store: CampaignStore, connection: sqlite3.Connection
) -> None:
    """Looked at by what SQLite would do, not by a clock: no step may walk over the fleet."""
    plans: list[str] = []
    connection.set_trace_callback(plans.append)
    store.create(SUBJECT, events("n1"), now=NOW)
    store.next_dispatches(now=NOW, cap=1)
    connection.set_trace_callback(None)
    for statement in (one for one in plans if one.startswith("SELECT") and "FROM deliveries" in one):
        plan = " ".join(row["detail"] for row in connection.execute("EXPLAIN QUERY PLAN " + statement))
        assert "SCAN deliveries USING INDEX" in plan or "SEARCH deliveries" in plan or "USING COVERING INDEX" in plan, (
            plan
        )
        assert "TEMP B-TREE" not in plan, plan


def test_campaigns_of_slots_are_forgotten_sooner_than_those_of_versions(store: CampaignStore) -> None:
    """A version that was announced is not announced again (E1); a slot of last month is nobody's affair."""
    slots = CampaignKey(Trigger.SCHEDULE, "schedule", "2026-11-25")
    store.create(SUBJECT, [], now=NOW)
    store.join(slots, [], now=NOW)
    assert store.delete_before(NOW + 1, but=Trigger.DOWNLOAD) == 1
    assert (store.exists(SUBJECT), store.exists(slots)) == (True, False)


def test_what_a_clock_that_was_ahead_put_on_record_waits_for_nobody(
    store: CampaignStore, connection: sqlite3.Connection
) -> None:
    """A retry under 2035 is due when one of now would be, and the campaigns are listed in their order."""
    register(connection, "n1", "n2")
    later = NOW + 9 * 365 * 86400
    first = CampaignKey(Trigger.DOWNLOAD, "files", "1")
    store.create(first, [event_delivery("n1", created=later, kept=True, limits=LIMITS)], now=later)
    dispatches, _wake = store.next_dispatches(now=later, cap=1)
    store.record_response(dispatches[0], Response(SendOutcome(SendResult.NOT_REACHED)), now=later, limits=LIMITS)
    assert store.clamp_deadlines(NOW, LIMITS) == 1
    assert store.clamp_deadlines(NOW, LIMITS) == 0
    row = deliveries(connection, first.id)[0]
    bounds = (NOW + LIMITS.retry_delay, NOW + LIMITS.offline_ttl, NOW)
    assert (row["due"], row["until"], row["changed"]) == tuple(map(iso, bounds))
    assert store.next_dispatches(now=NOW + LIMITS.retry_delay, cap=1)[0][0].delivery.endpoint == "n1"
    store.create(SUBJECT, events("n2"), now=NOW)
    assert [one.version for one in summaries(connection)] == ["2", "1"]
    assert max(one.created for one in summaries(connection)) == NOW
