# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Reports on record: the newest of each endpoint, what was refused since, and how many of each a day."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Collection, Iterable, Mapping
from typing import Any

from ..._core.settings.endpoint_keys import ProductKind
from ..._core.timestamps import iso, iso_or_none
from ..campaigns.publishing.answers import answers_in, record_answers
from ..campaigns.store import mark_reachable
from ..database.database import transaction
from ..fleet.engines import forget_engines, record_engines
from ..fleet.states import record_verdict
from .verdict import Good, Known, Refused

TAKEN = "taken"
"""What good reports are counted as."""
NOBODY = ""
"""The name under which refusals are kept whose name is not registered: others could make up any number of names."""
_KEPT_DAYS = 731
_SHOWN = 20
_PRODUCTS = frozenset(kind.value for kind in ProductKind)
_CLEAR = "DELETE FROM refused_reports WHERE endpoint = ?"

_KNOWN = """
SELECT name, coalesce(endpoints.host_key, '') AS host_key, coalesce(product, '') AS product, further,
    CASE WHEN endpoint_reports.host_key = endpoints.host_key THEN sequence ELSE 0 END AS sequence
FROM endpoints LEFT JOIN endpoint_reports ON endpoint = name
WHERE name IN (SELECT value FROM json_each(?))
"""
_TAKE = """
INSERT INTO endpoint_reports (endpoint, sequence, host_key, at, received, content) VALUES (?, ?, ?, ?, ?, ?)
ON CONFLICT (endpoint) DO UPDATE SET sequence = excluded.sequence, host_key = excluded.host_key, at = excluded.at,
    received = excluded.received, content = excluded.content
"""
_HOLD = """
INSERT INTO holdings (endpoint, product, versions, at) VALUES (?, ?, ?, ?)
ON CONFLICT (endpoint, product) DO UPDATE SET versions = excluded.versions, at = excluded.at
"""
_DROP = "DELETE FROM holdings WHERE endpoint = ? AND product NOT IN (SELECT value FROM json_each(?))"
_REFUSE = """
INSERT INTO refused_reports (endpoint, code, detail, count, first, last) VALUES (?, ?, ?, 1, ?, ?)
ON CONFLICT (endpoint, code) DO UPDATE SET detail = excluded.detail, count = count + 1, last = excluded.last
"""
_SUM_UP = """
INSERT INTO report_counts (day, code, count)
SELECT '', code, sum(count) FROM report_counts WHERE day > '' AND day < ? GROUP BY code
ON CONFLICT (day, code) DO UPDATE SET count = count + excluded.count
"""
_COUNT = """
INSERT INTO report_counts (day, code, count) VALUES (?, ?, ?)
ON CONFLICT (day, code) DO UPDATE SET count = count + excluded.count
"""


def known_endpoints(connection: sqlite3.Connection, names: Iterable[str]) -> dict[str, Known]:
    """What is on record of these names, of those that are registered."""
    rows = connection.execute(_KNOWN, (json.dumps([name for name in names if name.isprintable()]),))
    return {row["name"]: Known(row["host_key"], row["sequence"] or 0, _products(row)) for row in rows}


def _products(row: sqlite3.Row) -> tuple[str, ...]:
    return tuple(filter(None, (row["product"], *json.loads(row["further"] or "[]"))))


def take(connection: sqlite3.Connection, good: Mapping[str, Good], known: Mapping[str, Known], now: float) -> None:
    """Record good reports, in the caller's transaction: what the endpoints have, and that they can be reached."""
    rows = [
        (name, one.report.sequence, known[name].host_key, one.report.at, now, one.document)
        for name, one in good.items()
    ]
    connection.executemany(_TAKE, rows)
    for name, one in good.items():
        _hold(connection, name, one.report.status, known[name].products, now)
    record_engines(connection, {name: one.report for name, one in good.items()}, now)
    connection.executemany(_CLEAR, [(name,) for name in good])
    for name, one in good.items():
        record_verdict(connection, name, one.report, now)
    record_answers(connection, {name: answers_in(one.report.status) for name, one in good.items()}, now)
    mark_reachable(connection, good, now)
    _count(connection, {TAKEN: len(good)}, now)


def refuse(
    connection: sqlite3.Connection, refused: Mapping[str, Refused], known: Mapping[str, Known], now: float
) -> None:
    """Record refusals, in the caller's transaction."""
    whose = {name: name if name in known else NOBODY for name in refused}
    rows = [(whose[name], one.code.value, one.detail, now, now) for name, one in refused.items()]
    connection.executemany(_REFUSE, rows)
    codes = [one.code.value for one in refused.values()]
    _count(connection, {code: codes.count(code) for code in set(codes)}, now)


def forget(connection: sqlite3.Connection, names: Iterable[str]) -> None:
    """Remove what is on record of endpoints that are registered no more, in the caller's transaction."""
    them = [(name,) for name in names]
    connection.executemany("DELETE FROM endpoint_reports WHERE endpoint = ?", them)
    connection.executemany("DELETE FROM endpoint_states WHERE endpoint = ?", them)
    connection.executemany("DELETE FROM rollout_members WHERE endpoint = ?", them)
    forget_engines(connection, them)
    connection.executemany(_CLEAR, them)


def refusal_since(connection: sqlite3.Connection, name: str, begin: float) -> tuple[str, str] | None:
    """Code and detail of the last refusal of an endpoint's report, where it was after ``begin``."""
    select = "SELECT code, detail FROM refused_reports WHERE endpoint = ? AND last >= ? ORDER BY last DESC LIMIT 1"
    row = connection.execute(select, (name, begin)).fetchone()
    return None if row is None else (row["code"], row["detail"])


def sum_up_old_counts(connection: sqlite3.Connection, now: float) -> None:
    """Sum up the counts of days more than two years ago under no day: what was ever counted stays the same."""
    last = (_day(now - _KEPT_DAYS * 86400),)
    with transaction(connection):
        connection.execute(_SUM_UP, last)
        connection.execute("DELETE FROM report_counts WHERE day > '' AND day < ?", last)


def summary(connection: sqlite3.Connection, now: float) -> dict[str, Any]:
    """How many endpoints have reported, the newest report, today's counts, and the last refusals."""
    count, newest = connection.execute("SELECT count(*), max(received) FROM endpoint_reports").fetchone()
    today = connection.execute("SELECT code, count FROM report_counts WHERE day = ? ORDER BY code", (_day(now),))
    refused = connection.execute("SELECT * FROM refused_reports ORDER BY last DESC, endpoint LIMIT ?", (_SHOWN,))
    return {
        "endpoints": count,
        "newest": iso_or_none(newest),
        "today": {row["code"]: row["count"] for row in today},
        "refused": [{**dict(row), "first": iso(row["first"]), "last": iso(row["last"])} for row in refused],
    }


def _hold(
    connection: sqlite3.Connection, name: str, status: Mapping[str, Any], registered: Collection[str], now: float
) -> None:
    """Record what an endpoint has of each of its products, and nothing any more of one that it had once."""
    rows = (_holding(name, one, now, registered) for one in (status, *status.get("products", ())))
    connection.executemany(_HOLD, [row for row in rows if row is not None])
    connection.execute(_DROP, (name, json.dumps([*_PRODUCTS, *registered])))


def _holding(name: str, status: Mapping[str, Any], now: float, registered: Collection[str]) -> tuple[Any, ...] | None:
    """A row of ``holdings``; None where the report does not tell all components of a product that is known.

    A product that has a definition is known by the endpoint's registration alone: an endpoint can't make up others.
    """
    product, components = status.get("product"), status.get("components")
    if not product or product not in (*_PRODUCTS, *registered) or components is None or status.get("truncated"):
        return None
    versions = {one["name"]: one["version"] for one in components}
    return name, product, json.dumps(versions, sort_keys=True), now


def _count(connection: sqlite3.Connection, counts: Mapping[str, int], now: float) -> None:
    connection.executemany(_COUNT, [(_day(now), code, count) for code, count in counts.items() if count])


def _day(instant: float) -> str:
    return iso(instant)[:10]
