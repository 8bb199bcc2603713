# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Campaigns on record: transactions, places, and what survives."""

from __future__ import annotations

import sqlite3
from typing import Any

import pytest
from ansible_collections.epp.autoupdate.plugins.module_utils._core.results import Trigger
from ansible_collections.epp.autoupdate.plugins.module_utils._core.rollout.delivery import (
    SendOutcome,
    SendResult,
    event_delivery,
    slot_delivery,
)
from ansible_collections.epp.autoupdate.plugins.module_utils._core.rollout.outdated import Holding
from ansible_collections.epp.autoupdate.plugins.module_utils._core.settings.retries import RetryPolicy
from ansible_collections.epp.autoupdate.plugins.module_utils._core.timestamps import iso
from ansible_collections.epp.autoupdate.plugins.module_utils._host.local_host import LocalHost
from ansible_collections.epp.autoupdate.plugins.module_utils._server.campaigns.notifiers.base import Response
from ansible_collections.epp.autoupdate.plugins.module_utils._server.campaigns.queries import deliveries, summaries
from ansible_collections.epp.autoupdate.plugins.module_utils._server.campaigns.store import CampaignKey, CampaignStore
from ansible_collections.epp.autoupdate.plugins.module_utils._server.database.database import open_database
from ansible_collections.epp.autoupdate.plugins.module_utils._server.fleet.holdings import holdings

from .conftest import register

LIMITS = RetryPolicy()
NOW = 1_795_348_800.0  # 2026-11-22T12:00:00Z
SUBJECT = CampaignKey(Trigger.DOWNLOAD, "files", "2")


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
