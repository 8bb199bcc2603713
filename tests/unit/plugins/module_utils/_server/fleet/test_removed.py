# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a removed endpoint leaves in the database: its part in campaigns, which end by themselves, and nothing else."""

from __future__ import annotations

import sqlite3

from ansible_collections.epp.autoupdate.plugins.module_utils._core.results import Trigger
from ansible_collections.epp.autoupdate.plugins.module_utils._core.rollout.delivery import (
    SendOutcome,
    SendResult,
    event_delivery,
)
from ansible_collections.epp.autoupdate.plugins.module_utils._core.settings.retries import RetryPolicy
from ansible_collections.epp.autoupdate.plugins.module_utils._server.campaigns.notifiers.base import Response
from ansible_collections.epp.autoupdate.plugins.module_utils._server.campaigns.store import CampaignKey, CampaignStore

from .conftest import Server

KEPT = {"deliveries"}
"""The records of campaigns, which are removed by age."""


def tables_of_endpoints(connection: sqlite3.Connection) -> dict[str, list[sqlite3.Row]]:
    """Every table with a column for the name of an endpoint, and its columns."""
    tables = [row["name"] for row in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
    columns = {name: list(connection.execute(f"PRAGMA table_info({name})")) for name in tables}
    return {name: found for name, found in columns.items() if any(column["name"] == "endpoint" for column in found)}


def counts(connection: sqlite3.Connection, endpoint: str) -> dict[str, int]:
    select = "SELECT count(*) FROM {} WHERE endpoint = ?"
    tables = tables_of_endpoints(connection)
    return {name: connection.execute(select.format(name), (endpoint,)).fetchone()[0] for name in tables}


def test_no_table_keeps_who_was_removed(server: Server) -> None:
    server.register("gone", "stays")
    with server.connection() as connection:
        connection.execute("INSERT INTO campaigns VALUES ('gone', 'download', 'files', '1', 0, '')")
        for name, columns in tables_of_endpoints(connection).items():
            marks = ", ".join("?" for _column in columns)
            for endpoint in ("gone", "stays"):
                filled = {one["name"]: "gone" if one["type"] == "TEXT" else 0 for one in columns}
                row = list({**filled, "endpoint": endpoint}.values())
                connection.execute(f"INSERT INTO {name} VALUES ({marks})", row)
        connection.commit()
        assert len(counts(connection, "gone")) >= 5
        assert set(counts(connection, "gone").values()) == {1}
    server.ask("register", document={"absent": ["gone"]})
    with server.connection() as connection:
        left = counts(connection, "gone")
        assert {name for name, count in left.items() if count} == KEPT
        assert set(counts(connection, "stays").values()) == {1}


def test_an_answer_that_comes_after_the_removal_brings_nothing_back(server: Server) -> None:
    server.register("gone", address="192.0.2.1")
    limits, now = RetryPolicy(), server.host.now()
    with server.connection() as connection:
        store = CampaignStore(connection)
        delivery = event_delivery("gone", created=now, kept=False, limits=limits)
        store.create(CampaignKey(Trigger.DOWNLOAD, "files", "2"), [delivery], now=now)
        (dispatch,) = store.next_dispatches(now=now, cap=1)[0]
        server.ask("register", document={"absent": ["gone"]})
        answer = {"result": "updated", "after": [{"name": "patterns-a", "version": "2"}]}
        response = Response(SendOutcome(SendResult.ACKNOWLEDGED, "updated"), answer)
        after = store.record_response(dispatch, response, now=now + 1, limits=limits)
        assert after.result == "updated"
        assert {name for name, count in counts(connection, "gone").items() if count} == KEPT
