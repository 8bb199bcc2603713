# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Campaigns on record (N4): every change is one transaction, and is on disk before anything follows from it.

What may happen next is decided by ``_core/rollout/delivery.py``; here it is found and kept. A delivery is ``in_flight``
on record before it is sent, so whatever kills the server, its next start knows whom to ask.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Collection, Iterable, Mapping
from contextlib import AbstractContextManager
from typing import Any

from ..._core.canonical import digest
from ..._core.results import Result, Trigger
from ..._core.rollout import delivery
from ..._core.rollout.command import UpdateCommand
from ..._core.rollout.delivery import Delivery, DeliveryMode, DeliveryStatus, SendPlan
from ..._core.rollout.order import LONGEST_AHEAD
from ..._core.rollout.reported import reported
from ..._core.settings.endpoint_keys import ProductKind
from ..._core.settings.retries import RetryPolicy
from ..._core.values import frozen
from ..database.database import transaction
from ..fleet.holdings import offered
from .notifiers.base import Response, Target

UP_TO_DATE = (Result.UPDATED.value, Result.CURRENT.value)
"""What an endpoint answers that has what is offered."""
WAITING = "status IN ('queued', 'retrying', 'deferred')"
"""The condition of the partial indexes, word for word."""
OPEN = "status IN ('queued', 'retrying', 'deferred', 'in_flight')"
_POSTPONED = "status IN ('retrying', 'deferred') AND result != 'skipped'"
"""Those that are due when their endpoint is reached; a blackout is not over by that."""
_AMONG = "endpoint IN (SELECT value FROM json_each(?))"
_INSTANTS = (
    ("campaigns", "created"),
    ("deliveries", "tried"),
    ("deliveries", "changed"),
    ("holdings", "at"),
    ("endpoint_reports", "received"),
    ("endpoint_states", "received"),
    ("endpoint_states", "since"),
)
"""What has happened, and so not in the future."""
_COLUMNS = "campaign, endpoint, mode, status, due, until, since, tried, tries, result, reason"


@frozen
class Dispatch:
    """One delivery, on record as in flight, with the command to send and its target."""

    delivery: Delivery
    command: UpdateCommand
    target: Target


@frozen
class CampaignKey:
    """Identifies a campaign; ``content`` distinguishes different content of the same version.

    ``ring`` is the one that it is for, where the rollout is staged; ``round`` counts how often it was offered that.
    """

    trigger: Trigger
    product: str
    version: str
    content: str = ""
    ring: str = ""
    round: int = 1

    @property
    def id(self) -> str:
        """The campaign's id. It follows from the subject, so that even a server that lost its database, or got an
        older copy of it back, cannot make an endpoint take one version twice."""
        staged = [self.ring, self.round] if self.ring else []
        return "c-" + digest([self.trigger.value, self.product, self.version, self.content, *staged])[:30]


class CampaignStore:
    """The campaigns of one server's database; one connection and thread at a time."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    @property
    def connection(self) -> sqlite3.Connection:
        """The connection to the database."""
        return self._connection

    def create(self, key: CampaignKey, deliveries: Iterable[Delivery], *, now: float) -> bool:
        """Begin a campaign; False if its subject has one already (E1): then nothing changes.

        Open deliveries of older campaigns for the same product are superseded.
        """
        with self._transaction():
            if not self._begin(key, now):
                return False
            self._supersede(key, now)
            self._insert(key, deliveries, now)
        return True

    def join(self, key: CampaignKey, deliveries: Iterable[Delivery], *, now: float) -> int:
        """Begin a campaign or add endpoints to it; returns how many were new to it (S6)."""
        with self._transaction():
            self._begin(key, now)
            return self._insert(key, deliveries, now)

    def exists(self, key: CampaignKey) -> bool:
        """Whether this campaign exists."""
        return self._connection.execute("SELECT 1 FROM campaigns WHERE id = ?", (key.id,)).fetchone() is not None

    def resume_after_restart(self, now: float) -> int:
        """After a start: query everything in flight at once; returns the count."""
        with self._transaction() as connection:
            rows = connection.execute(f"SELECT {_COLUMNS} FROM deliveries WHERE status = 'in_flight'").fetchall()
            for row in rows:
                self._update(row["campaign"], delivery.resume_after_restart(read_delivery(row), now), now)
        return len(rows)

    def clamp_deadlines(self, now: float, limits: RetryPolicy) -> int:
        """Limit deadlines that a wrong clock recorded in the future; returns the number of changes.

        Those who were told beforehand to begin later keep their instants, whichever notifier the server has by now.
        """
        ahead = f"{OPEN} AND (since > ? OR until > ? OR (due > ? AND due < 9e999))"
        latest = (now, now + limits.offline_ttl, now + min(limits.retry_delay, limits.lease))
        changed = 0
        with self._transaction() as connection:
            for row in self._select(ahead, latest):
                before = read_delivery(row)
                begins = LONGEST_AHEAD if delivery.told_ahead(before, now, limits) else 0
                after = delivery.clamp_deadlines(before, now, limits, ahead=begins)
                if after != before:
                    until = (after.until, row["campaign"], after.endpoint)
                    connection.execute("UPDATE deliveries SET until = ? WHERE campaign = ? AND endpoint = ?", until)
                    self._update(row["campaign"], after, now)
                    changed += 1
            for table, column in _INSTANTS:
                connection.execute(f"UPDATE {table} SET {column} = ? WHERE {column} > ?", (now, now))
        return changed

    def next_dispatches(
        self, *, now: float, cap: int, busy: Collection[str] = frozenset()
    ) -> tuple[list[Dispatch], float | None]:
        """Record what is due now, then return it: the dispatches, and when to look again."""
        with self._transaction():
            rows = self._candidates(now, cap, busy)
            campaigns = {row["endpoint"]: row["campaign"] for row in rows}
            in_flight = self.count_in_flight()
            deliveries = [read_delivery(row) for row in rows]
            plan: SendPlan = delivery.plan(deliveries, now=now, cap=cap, in_flight=in_flight, busy=busy)
            for one in (*plan.expired, *plan.send):
                self._update(campaigns[one.endpoint], one, now)
            dispatches = [self._dispatch(campaigns[one.endpoint], one) for one in plan.send]
            return dispatches, self._wake(now)

    def record_response(self, dispatch: Dispatch, response: Response, *, now: float, limits: RetryPolicy) -> Delivery:
        """Record the outcome of a delivery attempt, with the report of the endpoint as evidence."""
        name, endpoint = dispatch.command.campaign, dispatch.delivery.endpoint
        with self._transaction() as connection:
            row = connection.execute(
                f"SELECT {_COLUMNS} FROM deliveries WHERE campaign = ? AND endpoint = ?",
                (name, endpoint),
            ).fetchone()
            if row is None or row["status"] != DeliveryStatus.IN_FLIGHT.value:
                return dispatch.delivery  # removed meanwhile, or acknowledged through another attempt
            after = delivery.apply_response(read_delivery(row), response.outcome, now=now, limits=limits)
            self._update(name, after, now, answer=response.answer)
            about = connection.execute("SELECT product, version FROM campaigns WHERE id = ?", (name,)).fetchone()
            versions = _reported(response.answer)
            if versions is not None:
                product = _product(response.answer) or about["product"]
                done = response.outcome.result in UP_TO_DATE
                word = about["version"] if about["product"] == product else offered(connection, product)
                self._record(endpoint, product, versions, now, word=word if done and word else None)
        return after

    def stop(self, product: str, version: str, reason: str, now: float) -> int:
        """Withdraw the notices of a version that are not sent yet; returns how many (G4)."""
        begun = "SELECT id FROM campaigns WHERE product = ? AND version = ? AND ring <> ''"
        with self._transaction():
            waiting = self._select(f"{WAITING} AND campaign IN ({begun})", (product, version))
            for row in waiting:
                self._update(row["campaign"], delivery.withdrawn(read_delivery(row), reason), now)
        return len(waiting)

    def round(self, key: CampaignKey, since: float) -> tuple[int, bool]:
        """Which round of a ring's campaigns for a version that one is that began at ``since`` or later, and whether it
        has begun."""
        select = (
            "SELECT count(*) AS n, max(created) AS last FROM campaigns"
            " WHERE trigger = ? AND product = ? AND version = ? AND ring = ?"
        )
        about = (key.trigger.value, key.product, key.version, key.ring)
        row = self._connection.execute(select, about).fetchone()
        begun = row["n"] > 0 and row["last"] >= since
        return (row["n"] if begun else row["n"] + 1), begun

    def mark_reachable(self, endpoint: str, now: float) -> None:
        """Record contact with an endpoint: its postponed deliveries are due at once (E1a)."""
        with self._transaction() as connection:
            select = f"SELECT {_COLUMNS} FROM deliveries WHERE endpoint = ? AND {_POSTPONED}"
            for row in connection.execute(select, (endpoint,)).fetchall():
                self._update(row["campaign"], delivery.mark_reachable(read_delivery(row), now), now)

    def record_versions(self, endpoint: str, product: str, versions: Mapping[str, str], now: float) -> None:
        """Record the installed versions of an endpoint."""
        with self._transaction():
            self._record(endpoint, product, versions, now)

    def count_in_flight(self) -> int:
        """The number of deliveries in flight, of all campaigns (N3)."""
        return int(self._connection.execute("SELECT count(*) FROM deliveries WHERE status = 'in_flight'").fetchone()[0])

    def count_open(self) -> int:
        """The number of open deliveries."""
        select = f"SELECT count(*) FROM deliveries WHERE {WAITING}"
        return int(self._connection.execute(select).fetchone()[0]) + self.count_in_flight()

    def count_due(self, now: float) -> int:
        """The number of deliveries that are in flight or to be sent now."""
        select = f"SELECT count(*) FROM deliveries WHERE {WAITING} AND due <= ?"
        return int(self._connection.execute(select, (now,)).fetchone()[0]) + self.count_in_flight()

    def has_slot(self, begin: float, end: float) -> bool:
        """Whether the slot of an endpoint lies in [begin, end) (S6)."""
        select = f"SELECT 1 FROM deliveries WHERE {WAITING} AND mode = 'slot' AND due >= ? AND due < ? LIMIT 1"
        return self._connection.execute(select, (begin, end)).fetchone() is not None

    def is_settled(self, key: CampaignKey) -> bool:
        """Whether no delivery of a campaign is open."""
        is_open = f"SELECT 1 FROM deliveries WHERE campaign = ? AND {OPEN} LIMIT 1"
        return self._connection.execute(is_open, (key.id,)).fetchone() is None

    def delete_before(self, before: float, *, but: Trigger | None = None) -> int:
        """Remove settled campaigns that began before an instant, ``but`` those of a trigger; returns how many."""
        is_open = f"SELECT 1 FROM deliveries WHERE campaign = campaigns.id AND {OPEN}"
        kept = "" if but is None else but.value
        with self._transaction() as connection:
            delete = f"DELETE FROM campaigns WHERE created < ? AND trigger <> ? AND NOT EXISTS ({is_open})"
            return connection.execute(delete, (before, kept)).rowcount

    def _candidates(self, now: float, cap: int, busy: Collection[str]) -> list[sqlite3.Row]:
        """The rows that may have to do something now, one an endpoint; never more fresh ones than could be sent."""
        asked = self._select("status = 'in_flight' AND due <= ?", (now,))
        over = self._select(f"{WAITING} AND until <= ?", (now,))
        places = max(0, cap - self.count_in_flight())
        # By the index that is sorted as they are sent: otherwise each step would sort all that wait.
        fresh = self._select(
            f"{WAITING} AND due <= ? AND (until IS NULL OR until > ?) AND NOT EXISTS"
            " (SELECT 1 FROM deliveries AS other"
            " WHERE other.endpoint = deliveries.endpoint AND other.status = 'in_flight')"
            " ORDER BY tries, due, endpoint LIMIT ?",
            (now, now, places + len(busy)),
            index="INDEXED BY deliveries_ready",
        )
        unique: dict[str, sqlite3.Row] = {}
        for row in (*asked, *over, *fresh):
            unique.setdefault(row["endpoint"], row)
        return list(unique.values())

    def _select(self, where: str, values: tuple[Any, ...], *, index: str = "") -> list[sqlite3.Row]:
        return self._connection.execute(f"SELECT {_COLUMNS} FROM deliveries {index} WHERE {where}", values).fetchall()

    def _wake(self, now: float) -> float | None:
        """The next instant at which something can become due or over."""
        found = []
        for column in ("due", "until"):
            select = f"SELECT min({column}) FROM deliveries WHERE {WAITING} AND {column} > ?"
            found.append(self._connection.execute(select, (now,)).fetchone()[0])
        asked = "SELECT min(due) FROM deliveries WHERE status = 'in_flight' AND due > ?"
        found.append(self._connection.execute(asked, (now,)).fetchone()[0])
        return min((instant for instant in found if instant is not None and instant < delivery.NEVER), default=None)

    def _dispatch(self, name: str, one: Delivery) -> Dispatch:
        about = self._connection.execute("SELECT * FROM campaigns WHERE id = ?", (name,)).fetchone()
        select = "SELECT address, host_key FROM endpoints WHERE name = ?"
        where = self._connection.execute(select, (one.endpoint,)).fetchone()
        target = Target(one.endpoint, (where and where["address"]) or "", (where and where["host_key"]) or "")
        return Dispatch(one, UpdateCommand(name, about["version"], Trigger(about["trigger"])), target)

    def _begin(self, key: CampaignKey, now: float) -> bool:
        row = (key.id, key.trigger.value, key.product, key.version, now, key.ring)
        done = self._connection.execute("INSERT OR IGNORE INTO campaigns VALUES (?, ?, ?, ?, ?, ?)", row)
        return bool(done.rowcount)

    def _supersede(self, key: CampaignKey, now: float) -> None:
        older = "SELECT id FROM campaigns WHERE trigger = ? AND product = ? AND id <> ? AND ring IN ('', ?)"
        about = (key.trigger.value, key.product, key.id, key.ring)
        for row in self._select(f"{WAITING} AND campaign IN ({older})", about):
            self._update(row["campaign"], delivery.superseded(read_delivery(row), key.version), now)

    def _insert(self, key: CampaignKey, deliveries: Iterable[Delivery], now: float) -> int:
        rows = [
            (key.id, *(getattr(one, name) for name in _FIELDS), one.mode.value, one.status.value, now)
            for one in deliveries
        ]
        names = ("campaign", *_FIELDS, "mode", "status", "changed")
        marks = ", ".join("?" for _name in names)
        insert = f"INSERT OR IGNORE INTO deliveries ({', '.join(names)}) VALUES ({marks})"
        return max(0, self._connection.executemany(insert, rows).rowcount)

    def _update(self, name: str, one: Delivery, now: float, *, answer: dict[str, Any] | None = None) -> None:
        self._connection.execute(
            "UPDATE deliveries SET status = ?, due = ?, since = ?, tried = ?, tries = ?, result = ?, reason = ?,"
            " changed = ?, answer = coalesce(?, answer) WHERE campaign = ? AND endpoint = ?",
            (
                *(one.status.value, one.due, one.since, one.tried, one.tries, one.result, one.reason, now),
                None if answer is None else json.dumps(answer, sort_keys=True),
                *(name, one.endpoint),
            ),
        )

    def _record(
        self, endpoint: str, product: str, versions: Mapping[str, str], now: float, *, word: str | None = None
    ) -> None:
        """Keep what a registered endpoint has; who was removed while its notice was in flight leaves nothing.

        ``word`` is of the offer that it has now, None where it has none of another.
        """
        row = (product, json.dumps(dict(versions), sort_keys=True), now, word or "", endpoint, word)
        self._connection.execute(
            "INSERT INTO holdings (endpoint, product, versions, at, version)"
            " SELECT name, ?, ?, ?, ? FROM endpoints WHERE name = ?"
            " ON CONFLICT (endpoint, product) DO UPDATE SET versions = excluded.versions, at = excluded.at,"
            " version = coalesce(?, version)",
            row,
        )

    def _transaction(self) -> AbstractContextManager[sqlite3.Connection]:
        return transaction(self._connection)


def drop_endpoints(connection: sqlite3.Connection, names: Iterable[str], now: float) -> None:
    """Remove unregistered endpoints from all campaigns; runs in the caller's transaction.

    What is in flight still gets its answer.
    """
    dropped = "status = 'skipped', result = 'unregistered', reason = 'it is no longer registered'"
    them = json.dumps(list(names))
    connection.execute(f"UPDATE deliveries SET {dropped}, changed = ? WHERE {WAITING} AND {_AMONG}", (now, them))
    connection.execute(f"DELETE FROM holdings WHERE {_AMONG}", (them,))


def mark_reachable(connection: sqlite3.Connection, names: Iterable[str], now: float) -> None:
    """Record a new address or host key of these endpoints: their postponed deliveries are due at once.

    Runs in the caller's transaction.
    """
    connection.execute(
        f"UPDATE deliveries SET due = ?, changed = ? WHERE {_POSTPONED} AND due > ? AND {_AMONG}",
        (now, now, now, json.dumps(list(names))),
    )


_FIELDS = ("endpoint", "due", "until", "since", "tried", "tries", "result", "reason")


def read_delivery(row: sqlite3.Row) -> Delivery:
    """The delivery that a row of ``deliveries`` is."""
    values = {key: row[key] for key in _FIELDS}
    return Delivery(**values, mode=DeliveryMode(row["mode"]), status=DeliveryStatus(row["status"]))


def _product(answer: dict[str, Any] | None) -> str | None:
    """Which product a report is of; campaigns of slots and of Update Now are about none."""
    told = answer.get("product") if answer else None
    return told if told in [kind.value for kind in ProductKind] else None


def _reported(answer: dict[str, Any] | None) -> dict[str, str] | None:
    """The component versions in a report, None without any; the report is untrusted input."""
    listed = answer.get("after") if answer else None
    if not isinstance(listed, list):
        return None
    named = [one for one in listed if isinstance(one, dict) and isinstance(one.get("name"), str)]
    return {one["name"]: one["version"] for one in reported({"after": named})["after"]} or None
