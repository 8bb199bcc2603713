# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Campaigns on record (N4): every change is one transaction, and is on disk before anything follows from it.

What may happen next is decided by ``_core/rollout/delivery.py``; here it is found and kept. A notice is ``in_flight``
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
from ..._core.rollout.command import Order
from ..._core.rollout.delivery import Mode, Notice, Stage, Step
from ..._core.rollout.reported import reported
from ..._core.settings.endpoint_keys import ProductKind
from ..._core.settings.retries import Limits
from ..._core.values import frozen
from ..database.database import transaction
from ..fleet.holdings import offered
from .notifiers.base import Target, Told

_UP_TO_DATE = (Result.UPDATED.value, Result.CURRENT.value)
_OPEN = "('queued', 'retrying', 'deferred')"
"""The stages of the partial indexes, word for word."""
_AMONG = "endpoint IN (SELECT value FROM json_each(?))"
_COLUMNS = "campaign, endpoint, mode, stage, due, until, since, tries, result, why"


@frozen
class Errand:
    """One notice that is on record as in flight and is now to be sent."""

    notice: Notice
    order: Order
    target: Target


@frozen
class Subject:
    """What a campaign is about; ``content`` tells apart what has one version word and is not the same."""

    trigger: Trigger
    product: str
    version: str
    content: str = ""

    @property
    def id(self) -> str:
        """The campaign's id. It follows from the subject, so that even a server that lost its database, or got an
        older copy of it back, cannot make an endpoint take one version twice."""
        return "c-" + digest([self.trigger.value, self.product, self.version, self.content])[:30]


class CampaignStore:
    """The campaigns of one server's database; one connection and thread at a time."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    def create(self, subject: Subject, notices: Iterable[Notice], *, now: float) -> bool:
        """Begin a campaign; False if its subject has one already (E1): then nothing changes.

        Open notices of older campaigns for the same product are superseded.
        """
        with self._transaction():
            if not self._begin(subject, now):
                return False
            self._supersede(subject, now)
            self._insert(subject, notices, now)
        return True

    def join(self, subject: Subject, notices: Iterable[Notice], *, now: float) -> int:
        """Begin a campaign or add endpoints to it; returns how many were new to it (S6)."""
        with self._transaction():
            self._begin(subject, now)
            return self._insert(subject, notices, now)

    def known(self, subject: Subject) -> bool:
        """Whether there is a campaign about this."""
        return self._connection.execute("SELECT 1 FROM campaigns WHERE id = ?", (subject.id,)).fetchone() is not None

    def interrupted(self, now: float) -> int:
        """After a start: let everything in flight be asked at once; returns how many that are."""
        with self._transaction() as connection:
            rows = connection.execute(f"SELECT {_COLUMNS} FROM notices WHERE stage = 'in_flight'").fetchall()
            for row in rows:
                self._update(row["campaign"], delivery.interrupted(_notice(row), now), now)
        return len(rows)

    def bound(self, now: float, limits: Limits) -> int:
        """Bring what a clock that was ahead has put on record to what could be asked for now; returns how much."""
        ahead = f"stage IN {_OPEN[:-1]}, 'in_flight') AND (since > ? OR until > ? OR (due > ? AND due < 9e999))"
        latest = (now, now + limits.offline_ttl, now + min(limits.retry_delay, limits.lease))
        changed = 0
        with self._transaction() as connection:
            for row in self._select(ahead, latest):
                before = _notice(row)
                after = delivery.bounded(before, now, limits)
                if after != before:
                    until = (after.until, row["campaign"], after.endpoint)
                    connection.execute("UPDATE notices SET until = ? WHERE campaign = ? AND endpoint = ?", until)
                    self._update(row["campaign"], after, now)
                    changed += 1
            for table, column in (("campaigns", "created"), ("notices", "changed"), ("reports", "at")):
                connection.execute(f"UPDATE {table} SET {column} = ? WHERE {column} > ?", (now, now))
        return changed

    def step(self, *, now: float, cap: int, busy: Collection[str] = frozenset()) -> tuple[list[Errand], float | None]:
        """Put on record what is to be done now, and only then return it: what to send, and when to look again."""
        with self._transaction():
            rows = self._candidates(now, cap, busy)
            campaigns = {row["endpoint"]: row["campaign"] for row in rows}
            in_flight = self.in_flight()
            notices = [_notice(row) for row in rows]
            step: Step = delivery.step(notices, now=now, cap=cap, in_flight=in_flight, busy=busy)
            for notice in (*step.over, *step.send):
                self._update(campaigns[notice.endpoint], notice, now)
            errands = [self._errand(campaigns[notice.endpoint], notice) for notice in step.send]
            return errands, self._wake(now)

    def heard(self, errand: Errand, told: Told, *, now: float, limits: Limits) -> Notice:
        """Put on record what a sending came to, with the endpoint's own report as evidence."""
        name, endpoint = errand.order.campaign, errand.notice.endpoint
        with self._transaction() as connection:
            row = connection.execute(
                f"SELECT {_COLUMNS} FROM notices WHERE campaign = ? AND endpoint = ?",
                (name, endpoint),
            ).fetchone()
            if row is None or row["stage"] != Stage.IN_FLIGHT.value:  # purged, or answered through another sending
                return errand.notice
            after = delivery.heard(_notice(row), told.reply, now=now, limits=limits)
            self._update(name, after, now, answer=told.answer)
            about = connection.execute("SELECT product, version FROM campaigns WHERE id = ?", (name,)).fetchone()
            versions = _reported(told.answer)
            if versions is not None:
                product = _product(told.answer) or about["product"]
                done = told.reply.result in _UP_TO_DATE
                word = about["version"] if about["product"] == product else offered(connection, product)
                self._record(endpoint, product, versions, now, word=word if done else None)
        return after

    def returned(self, endpoint: str, now: float) -> None:
        """Take note of a sign of life: what waits for this endpoint is due at once (E1a)."""
        with self._transaction() as connection:
            select = f"SELECT {_COLUMNS} FROM notices WHERE endpoint = ? AND stage IN ('retrying', 'deferred')"
            for row in connection.execute(select, (endpoint,)).fetchall():
                self._update(row["campaign"], delivery.returned(_notice(row), now), now)

    def record_versions(self, endpoint: str, product: str, versions: Mapping[str, str], now: float) -> None:
        """Take note of what an endpoint has installed, however it was learned."""
        with self._transaction():
            self._record(endpoint, product, versions, now)

    def in_flight(self) -> int:
        """How many places are taken, whatever took them (N3)."""
        return int(self._connection.execute("SELECT count(*) FROM notices WHERE stage = 'in_flight'").fetchone()[0])

    def open(self) -> int:
        """How many notices are not settled yet."""
        select = f"SELECT count(*) FROM notices WHERE stage IN {_OPEN}"
        return int(self._connection.execute(select).fetchone()[0]) + self.in_flight()

    def slots(self, begin: float, end: float) -> bool:
        """Whether the slot of an endpoint lies in [begin, end) (S6)."""
        select = f"SELECT 1 FROM notices WHERE stage IN {_OPEN} AND mode = 'slot' AND due >= ? AND due < ? LIMIT 1"
        return self._connection.execute(select, (begin, end)).fetchone() is not None

    def settled(self, subject: Subject) -> bool:
        """Whether every endpoint's part in a campaign is settled."""
        is_open = f"SELECT 1 FROM notices WHERE campaign = ? AND stage IN {_OPEN[:-1]}, 'in_flight') LIMIT 1"
        return self._connection.execute(is_open, (subject.id,)).fetchone() is None

    def forget(self, before: float, *, but: Trigger | None = None) -> int:
        """Remove settled campaigns that began before an instant, ``but`` those of a trigger; returns how many."""
        is_open = f"SELECT 1 FROM notices WHERE campaign = campaigns.id AND stage IN {_OPEN[:-1]}, 'in_flight')"
        kept = "" if but is None else but.value
        with self._transaction() as connection:
            delete = f"DELETE FROM campaigns WHERE created < ? AND trigger <> ? AND NOT EXISTS ({is_open})"
            return connection.execute(delete, (before, kept)).rowcount

    def _candidates(self, now: float, cap: int, busy: Collection[str]) -> list[sqlite3.Row]:
        """The rows that may have to do something now, one an endpoint; never more fresh ones than could be sent."""
        asked = self._select("stage = 'in_flight' AND due <= ?", (now,))
        over = self._select(f"stage IN {_OPEN} AND until <= ?", (now,))
        places = max(0, cap - self.in_flight())
        # By the index that is sorted as they are sent: otherwise each step would sort all that wait.
        fresh = self._select(
            f"stage IN {_OPEN} AND due <= ? AND (until IS NULL OR until > ?) AND NOT EXISTS"
            " (SELECT 1 FROM notices AS other WHERE other.endpoint = notices.endpoint AND other.stage = 'in_flight')"
            " ORDER BY tries, due, endpoint LIMIT ?",
            (now, now, places + len(busy)),
            index="INDEXED BY notices_ready",
        )
        unique: dict[str, sqlite3.Row] = {}
        for row in (*asked, *over, *fresh):
            unique.setdefault(row["endpoint"], row)
        return list(unique.values())

    def _select(self, where: str, values: tuple[Any, ...], *, index: str = "") -> list[sqlite3.Row]:
        return self._connection.execute(f"SELECT {_COLUMNS} FROM notices {index} WHERE {where}", values).fetchall()

    def _wake(self, now: float) -> float | None:
        """The next instant at which something can become due or over."""
        found = []
        for column in ("due", "until"):
            select = f"SELECT min({column}) FROM notices WHERE stage IN {_OPEN} AND {column} > ?"
            found.append(self._connection.execute(select, (now,)).fetchone()[0])
        asked = "SELECT min(due) FROM notices WHERE stage = 'in_flight' AND due > ?"
        found.append(self._connection.execute(asked, (now,)).fetchone()[0])
        return min((instant for instant in found if instant is not None and instant < delivery.NEVER), default=None)

    def _errand(self, name: str, notice: Notice) -> Errand:
        about = self._connection.execute("SELECT * FROM campaigns WHERE id = ?", (name,)).fetchone()
        select = "SELECT address, host_key FROM endpoints WHERE name = ?"
        where = self._connection.execute(select, (notice.endpoint,)).fetchone()
        target = Target(notice.endpoint, (where and where["address"]) or "", (where and where["host_key"]) or "")
        return Errand(notice, Order(name, about["version"], Trigger(about["trigger"])), target)

    def _begin(self, subject: Subject, now: float) -> bool:
        row = (subject.id, subject.trigger.value, subject.product, subject.version, now)
        done = self._connection.execute("INSERT OR IGNORE INTO campaigns VALUES (?, ?, ?, ?, ?)", row)
        return bool(done.rowcount)

    def _supersede(self, subject: Subject, now: float) -> None:
        older = "SELECT id FROM campaigns WHERE trigger = ? AND product = ? AND id <> ?"
        about = (subject.trigger.value, subject.product, subject.id)
        for row in self._select(f"stage IN {_OPEN} AND campaign IN ({older})", about):
            self._update(row["campaign"], delivery.superseded(_notice(row), subject.version), now)

    def _insert(self, subject: Subject, notices: Iterable[Notice], now: float) -> int:
        rows = [
            (subject.id, *(getattr(one, key) for key in _FIELDS), one.mode.value, one.stage.value, now)
            for one in notices
        ]
        names = ("campaign", *_FIELDS, "mode", "stage", "changed")
        marks = ", ".join("?" for _name in names)
        insert = f"INSERT OR IGNORE INTO notices ({', '.join(names)}) VALUES ({marks})"
        return max(0, self._connection.executemany(insert, rows).rowcount)

    def _update(self, name: str, notice: Notice, now: float, *, answer: dict[str, Any] | None = None) -> None:
        self._connection.execute(
            "UPDATE notices SET stage = ?, due = ?, since = ?, tries = ?, result = ?, why = ?, changed = ?,"
            " answer = coalesce(?, answer) WHERE campaign = ? AND endpoint = ?",
            (
                *(notice.stage.value, notice.due, notice.since, notice.tries, notice.result, notice.why, now),
                None if answer is None else json.dumps(answer, sort_keys=True),
                *(name, notice.endpoint),
            ),
        )

    def _record(
        self, endpoint: str, product: str, versions: Mapping[str, str], now: float, *, word: str | None = None
    ) -> None:
        """Keep what an endpoint has; ``word`` is of the offer that it has now, None where it has none of another."""
        row = (endpoint, product, json.dumps(dict(versions), sort_keys=True), now, word or "", word)
        self._connection.execute(
            "INSERT INTO reports (endpoint, product, versions, at, version) VALUES (?, ?, ?, ?, ?)"
            " ON CONFLICT (endpoint, product) DO UPDATE SET versions = excluded.versions, at = excluded.at,"
            " version = coalesce(?, version)",
            row,
        )

    def _transaction(self) -> AbstractContextManager[sqlite3.Connection]:
        return transaction(self._connection)


def leave(connection: sqlite3.Connection, names: Iterable[str], now: float) -> None:
    """Take endpoints that are registered no more out of all campaigns; a part of somebody else's transaction.

    What is in flight still gets its answer.
    """
    why = "stage = 'skipped', result = 'unregistered', why = 'it is registered no more'"
    them = json.dumps(list(names))
    connection.execute(f"UPDATE notices SET {why}, changed = ? WHERE stage IN {_OPEN} AND {_AMONG}", (now, them))
    connection.execute(f"DELETE FROM reports WHERE {_AMONG}", (them,))


def reachable(connection: sqlite3.Connection, names: Iterable[str], now: float) -> None:
    """Take note that there is a new way to these endpoints: what waits for them is due at once.

    A part of somebody else's transaction.
    """
    connection.execute(
        f"UPDATE notices SET due = ?, changed = ? WHERE stage IN ('retrying', 'deferred') AND due > ? AND {_AMONG}",
        (now, now, now, json.dumps(list(names))),
    )


_FIELDS = ("endpoint", "due", "until", "since", "tries", "result", "why")


def _notice(row: sqlite3.Row) -> Notice:
    values = {key: row[key] for key in _FIELDS}
    return Notice(**values, mode=Mode(row["mode"]), stage=Stage(row["stage"]))


def _product(answer: dict[str, Any] | None) -> str | None:
    """Which product a report is of; campaigns of slots and of Update Now are about none."""
    told = answer.get("product") if answer else None
    return told if told in [kind.value for kind in ProductKind] else None


def _reported(answer: dict[str, Any] | None) -> dict[str, str] | None:
    """The component versions in a report, None when it tells none; what an endpoint says may be anything."""
    listed = answer.get("after") if answer else None
    if not isinstance(listed, list):
        return None
    named = [one for one in listed if isinstance(one, dict) and isinstance(one.get("name"), str)]
    return {one["name"]: one["version"] for one in reported({"after": named})["after"]} or None
