# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The packages of engines on endpoints, as reported where their upgrades are staged (G1)."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Mapping
from typing import Any

from ..._core.reports.report import Report
from ..._core.results import ENGINE, Result
from ..._core.settings.endpoint_keys import ProductKind
from ..._core.validation.parsers import fits
from ..._core.validation.strings import package_version, stream_name
from ..._core.values import frozen

_PRODUCTS = frozenset(kind.value for kind in ProductKind)
_BEFORE = 0.0
"""When an endpoint has tried what its first report of a stream tells of: before it was one of the stream."""
_TAKE = """
INSERT INTO endpoint_engines (endpoint, product, stream, version, run, ended, received) VALUES (?, ?, ?, ?, ?, ?, ?)
ON CONFLICT (endpoint) DO UPDATE SET product = excluded.product, stream = excluded.stream, version = excluded.version,
    run = excluded.run, received = excluded.received, ended = CASE
        WHEN (endpoint_engines.product, endpoint_engines.stream) <> (excluded.product, excluded.stream)
        THEN excluded.ended
        WHEN json_extract(endpoint_engines.run, '$.version', '$.tried')
            = json_extract(excluded.run, '$.version', '$.tried')
        AND (json_extract(excluded.run, '$.version') IS NOT NULL
            OR json_extract(endpoint_engines.run, '$.finished') IS json_extract(excluded.run, '$.finished'))
        THEN endpoint_engines.ended ELSE excluded.received END
"""
"""A trial, or without one a run, was when it was told first: the clock of an endpoint may be wrong."""
_SELECT = """
SELECT endpoint_engines.endpoint, name, domain, ordinal, version, run, ended, endpoint_engines.received AS received,
    endpoint_states.state AS state
FROM endpoint_engines JOIN endpoints ON name = endpoint_engines.endpoint
LEFT JOIN endpoint_states ON endpoint_states.endpoint = name
WHERE endpoint_engines.product = ? AND stream = ? ORDER BY name
"""


@frozen
class ReportedEngine:
    """One endpoint's engine: the installed version, and the last run of its packages as its status has it.

    ``received`` is when it reported. ``ended`` is when it has first told of the version that it has tried last, or
    without one of its last run; zero where that was before it was one of this stream. Both are Unix seconds by the
    server's clock. ``state`` is the endpoint's state.
    """

    name: str
    domain: str
    ordinal: int
    version: str
    run: Mapping[str, Any]
    ended: float
    received: float
    state: str

    @property
    def tried(self) -> str:
        """The version that it has begun to install last; empty for none."""
        return str(self.run.get("version", ""))

    @property
    def outcome(self) -> Mapping[str, Any]:
        """How that ended, as ``result``, ``kind`` and ``reason``; of an endpoint that has tried none, its last run."""
        found = self.run.get("outcome", {}) if self.tried else self.run
        return found if isinstance(found, Mapping) else {}

    @property
    def has_failed(self) -> bool:
        return self.outcome.get("result") == Result.FAILED.value

    @property
    def versions(self) -> frozenset[str]:
        """What it has, and what it has tried in this stream."""
        tried = self.tried if self.ended > _BEFORE else ""
        return frozenset({self.version, tried} - {""})


def record_engines(connection: sqlite3.Connection, reports: Mapping[str, Report], now: float) -> None:
    """Record what reports tell of engines, by endpoint, in the caller's transaction.

    What one endpoint reports decides for others, so a version that is no version is none.
    """
    rows = [row for row in (_row(name, one, now) for name, one in reports.items()) if row is not None]
    connection.executemany(_TAKE, rows)
    if connection.execute("SELECT 1 FROM endpoint_engines LIMIT 1").fetchone() is not None:
        mine = {row[0] for row in rows}
        forget_engines(connection, [(name,) for name in reports if name not in mine])


def forget_engines(connection: sqlite3.Connection, endpoints: Iterable[tuple[str]]) -> None:
    """Remove what is on record of endpoints, in the caller's transaction."""
    connection.executemany("DELETE FROM endpoint_engines WHERE endpoint = ?", endpoints)


def streams(connection: sqlite3.Connection, product: str) -> dict[str, int]:
    """How many endpoints report an engine of each stream of a product."""
    select = "SELECT stream, count(*) AS endpoints FROM endpoint_engines WHERE product = ? GROUP BY stream"
    return {row["stream"]: row["endpoints"] for row in connection.execute(select, (product,))}


def reported_engines(connection: sqlite3.Connection, product: str, stream: str) -> list[ReportedEngine]:
    """The registered endpoints of a stream."""
    return [
        ReportedEngine(
            name=row["name"],
            domain=row["domain"] or "",
            ordinal=row["ordinal"],
            version=row["version"],
            run=json.loads(row["run"]),
            ended=row["ended"],
            received=row["received"],
            state=row["state"] or "",
        )
        for row in connection.execute(_SELECT, (product, stream))
    ]


def _row(name: str, report: Report, now: float) -> tuple[Any, ...] | None:
    """A row; None where the report does not tell of an engine that is staged."""
    status = report.status
    product, stream = status.get("product"), status.get("engine_stream")
    if product not in _PRODUCTS or not fits(stream_name, stream):
        return None
    components = status.get("components") or ()
    versions = [one["version"] for one in components if (one["name"], one.get("kind")) == (ENGINE, ENGINE)]
    run = dict(status.get("engine") or {})
    if not fits(package_version, run.get("version")):
        run.pop("version", None)
    version = versions[0] if versions and fits(package_version, versions[0]) else ""
    return name, product, stream, version, json.dumps(run, sort_keys=True), _BEFORE, now
