# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""How campaigns begin: who is chosen for a version, and the slots that the server keeps (E1, S6)."""

from __future__ import annotations

import json
import sqlite3

import pytest
from ansible_collections.epp.autoupdate.plugins.module_utils._core.metadata.catalog import CatalogItem
from ansible_collections.epp.autoupdate.plugins.module_utils._core.metadata.manifest import Kind
from ansible_collections.epp.autoupdate.plugins.module_utils._core.results import Trigger
from ansible_collections.epp.autoupdate.plugins.module_utils._core.rollout.delivery import (
    SendOutcome,
    SendResult,
)
from ansible_collections.epp.autoupdate.plugins.module_utils._core.settings.retries import RetryPolicy
from ansible_collections.epp.autoupdate.plugins.module_utils._core.timestamps import iso, unix
from ansible_collections.epp.autoupdate.plugins.module_utils._core.timezones import zone_of
from ansible_collections.epp.autoupdate.plugins.module_utils._core.values import replace
from ansible_collections.epp.autoupdate.plugins.module_utils._server.campaigns.notifiers.base import Response
from ansible_collections.epp.autoupdate.plugins.module_utils._server.campaigns.queries import deliveries, summaries
from ansible_collections.epp.autoupdate.plugins.module_utils._server.campaigns.start import plan_slots, start_campaign
from ansible_collections.epp.autoupdate.plugins.module_utils._server.campaigns.store import CampaignStore
from ansible_collections.epp.autoupdate.plugins.module_utils._server.components.base import Published
from ansible_collections.epp.autoupdate.plugins.module_utils._server.fleet.inventory import endpoint_records

from .conftest import register

LIMITS = RetryPolicy()
NOW = 1_795_348_800.0  # 2026-11-22T12:00:00Z


def published(version: str) -> Published:
    item = CatalogItem("files", "patterns-a", version, Kind.PATTERN, 1, "0" * 64, "components/files/objects/00/0")
    return Published(version, (item,))


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


def test_slots_that_went_by_are_not_made_up_for(connection: sqlite3.Connection) -> None:
    schedule = {"frequency": "daily", "start": "06:00", "window": "10m", "initiator": "server"}
    register(connection, "n0", policy={"schedule": schedule})
    assert plan_slots(connection, now=NOW, zone_of=zone_of) == 0
