# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Reads the records of campaigns: summaries, and the deliveries of one."""

from __future__ import annotations

import json
import sqlite3
from collections import Counter
from collections.abc import Mapping
from typing import Any

from ..._core.results import Result
from ..._core.rollout.delivery import NEVER, DeliveryStatus, SendResult
from ..._core.timestamps import iso, iso_or_none
from ..._core.values import frozen

_FAILED = (Result.FAILED.value, Result.UNREACHABLE.value)
_NOT_REACHED = "not reached"
_BARRED = {SendResult.REFUSED.value: "refused", SendResult.HOST_KEY_CHANGED.value: "host key changed"}
"""Results of endpoints that are up but cannot be notified until an administrator acts."""
_ORDER = (
    *(*_FAILED, *_BARRED.values(), _NOT_REACHED, Result.HELD.value, Result.COOLING_DOWN.value),
    *(Result.UPDATED.value, Result.CURRENT.value, Result.SKIPPED.value),
    *(status.value for status in DeliveryStatus if status.open),
)
"""The order in which results, and statuses without one, are listed: failures first."""


@frozen
class Summary:
    """One campaign: how many endpoints are at each status, and how many have each result (R6).

    ``created`` is in Unix seconds. ``reason`` is what most of those say whose update failed.
    """

    id: str
    trigger: str
    product: str
    version: str
    created: float
    statuses: dict[str, int]
    results: dict[str, int]
    reason: str = ""

    @property
    def failed(self) -> int:
        """How many endpoints reported that their update failed, or that they reached no source."""
        return sum(self.results.get(result, 0) for result in _FAILED)

    def words(self) -> str:
        """Results in numbers, those that failed first, with the reason of most of them."""
        told = [f"{count} {word}" for word, count in worst_first(self.results).items()]
        if self.failed and self.reason:
            told[0] += f" ({self.reason})"
        return ", ".join(told) or "nobody was behind"

    @property
    def open(self) -> bool:
        return any(DeliveryStatus(status).open for status in self.statuses)

    def to_dict(self) -> dict[str, Any]:
        plain: dict[str, Any] = {"campaign": self.id, "trigger": self.trigger, "product": self.product}
        counts = {"statuses": self.statuses, "results": self.results, "failed": self.failed, "reason": self.reason}
        return {**plain, "version": self.version, "created": iso(self.created), "open": self.open, **counts}


def summaries(connection: sqlite3.Connection) -> list[Summary]:
    """All campaigns, the newest first: in the order of their records, since a clock may have been wrong."""
    counted: dict[str, tuple[Counter[str], Counter[str], Counter[str]]] = {}
    select = "SELECT campaign, status, result, reason, count(*) AS n FROM deliveries GROUP BY 1, 2, 3, 4"
    for row in connection.execute(select):
        empty: tuple[Counter[str], Counter[str], Counter[str]] = (Counter(), Counter(), Counter())
        statuses, results, reasons = counted.setdefault(row["campaign"], empty)
        word = result_word(DeliveryStatus(row["status"]), row["result"])
        statuses[row["status"]] += row["n"]
        results[word] += row["n"]
        if word in _FAILED:
            reasons[row["reason"]] += row["n"]
    found = []
    select = "SELECT id, trigger, product, version, created FROM campaigns ORDER BY rowid DESC"
    for row in connection.execute(select).fetchall():
        statuses, results, reasons = counted.get(row["id"], (Counter(), Counter(), Counter()))
        reason = max(sorted(reasons), key=lambda why: reasons[why], default="")
        found.append(Summary(**dict(row), statuses=dict(statuses), results=dict(results), reason=reason))
    return found


def counts(connection: sqlite3.Connection, campaign: str) -> tuple[Counter[str], Counter[str]]:
    """How many endpoints of a campaign are at each status, and how many have each result or stand where."""
    statuses: Counter[str] = Counter()
    results: Counter[str] = Counter()
    select = "SELECT status, result, count(*) AS n FROM deliveries WHERE campaign = ? GROUP BY 1, 2"
    for row in connection.execute(select, (campaign,)):
        statuses[row["status"]] += row["n"]
        results[result_word(DeliveryStatus(row["status"]), row["result"])] += row["n"]
    return statuses, results


def is_failure(word: str) -> bool:
    """Whether a result is one that somebody has to look at: the update failed, or the endpoint was not notified."""
    return word in (*_FAILED, *_BARRED.values(), _NOT_REACHED)


def worst_first(results: Mapping[str, int]) -> dict[str, int]:
    """The results that anybody has, failures first; what is no result of ours is left out."""
    return {word: results[word] for word in _ORDER if word in results}


def result_word(status: DeliveryStatus, result: str) -> str:
    """The result of an endpoint's part, or where it stands without one."""
    if status is DeliveryStatus.FAILED:
        return _BARRED.get(result, _NOT_REACHED)
    return result if status is DeliveryStatus.FINISHED and result else status.value


def deliveries(connection: sqlite3.Connection, campaign: str) -> list[dict[str, Any]]:
    """Every endpoint's part in a campaign, by name; ``answer`` is its own report, the evidence that it reported."""
    rows = connection.execute("SELECT * FROM deliveries WHERE campaign = ? ORDER BY endpoint", (campaign,))
    return [_told(dict(row)) for row in rows]


def _told(row: dict[str, Any]) -> dict[str, Any]:
    """A row as people and JSON have it."""
    due = row["due"] if DeliveryStatus(row["status"]).open and row["due"] < NEVER else None
    instants = {"due": iso_or_none(due), "changed": iso(row["changed"])}
    instants.update({key: iso_or_none(row[key]) for key in ("until", "since", "tried")})
    return {**row, **instants, "answer": json.loads(row["answer"]) if row["answer"] else None}
