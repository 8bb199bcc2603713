# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the records of campaigns tell: summaries, and each endpoint's part."""

from __future__ import annotations

import json
import sqlite3
from collections import Counter
from typing import Any

from ..._core.results import Result
from ..._core.rollout.delivery import NEVER, Heard, Stage
from ..._core.timestamps import iso, iso_or_none
from ..._core.values import frozen

_FAILED = (Result.FAILED.value, Result.UNREACHABLE.value)
_NOT_REACHED = "not reached"
_NAMES = {"stage": "status", "why": "reason"}
"""What columns are called in results."""
_BARRED = {Heard.REFUSED.value: "refused", Heard.HOST_KEY.value: "host key changed"}
"""Of endpoints that are up, and that somebody has to mend before they can be notified."""
_ORDER = (
    *(*_FAILED, *_BARRED.values(), _NOT_REACHED, Result.HELD.value, Result.COOLING_DOWN.value),
    *(Result.UPDATED.value, Result.CURRENT.value, Result.SKIPPED.value),
    *(stage.value for stage in Stage if stage.open),
)
"""In which order results, and stages without one, are told: what needs somebody first."""


@frozen
class Summary:
    """One campaign: how many endpoints are at each stage, and how many have each result (R6).

    ``created`` is in Unix seconds. ``reason`` is what most of those say whose update failed.
    """

    id: str
    trigger: str
    product: str
    version: str
    created: float
    stages: dict[str, int]
    results: dict[str, int]
    reason: str = ""

    @property
    def failed(self) -> int:
        """How many endpoints reported that their update failed, or that they reached no source."""
        return sum(self.results.get(result, 0) for result in _FAILED)

    def words(self) -> str:
        """Results in numbers, those that failed first, with the reason of most of them."""
        told = [f"{self.results[word]} {word}" for word in _ORDER if word in self.results]
        if self.failed and self.reason:
            told[0] += f" ({self.reason})"
        return ", ".join(told) or "nobody was behind"

    @property
    def open(self) -> bool:
        return any(Stage(stage).open for stage in self.stages)

    def to_dict(self) -> dict[str, Any]:
        plain: dict[str, Any] = {"campaign": self.id, "trigger": self.trigger, "product": self.product}
        counts = {"statuses": self.stages, "results": self.results, "failed": self.failed, "reason": self.reason}
        return {**plain, "version": self.version, "created": iso(self.created), "open": self.open, **counts}


def summaries(connection: sqlite3.Connection) -> list[Summary]:
    """All campaigns, the newest first: in the order of their records, since a clock may have been wrong."""
    counted: dict[str, tuple[Counter[str], Counter[str], Counter[str]]] = {}
    select = "SELECT campaign, stage, result, why, count(*) AS n FROM notices GROUP BY campaign, stage, result, why"
    for row in connection.execute(select):
        empty: tuple[Counter[str], Counter[str], Counter[str]] = (Counter(), Counter(), Counter())
        stages, results, reasons = counted.setdefault(row["campaign"], empty)
        word = _word(Stage(row["stage"]), row["result"])
        stages[row["stage"]] += row["n"]
        results[word] += row["n"]
        if word in _FAILED:
            reasons[row["why"]] += row["n"]
    found = []
    for row in connection.execute("SELECT * FROM campaigns ORDER BY rowid DESC").fetchall():
        stages, results, reasons = counted.get(row["id"], (Counter(), Counter(), Counter()))
        reason = max(sorted(reasons), key=lambda why: reasons[why], default="")
        found.append(Summary(**dict(row), stages=dict(stages), results=dict(results), reason=reason))
    return found


def _word(stage: Stage, result: str) -> str:
    """The result of an endpoint's part, or where it stands without one."""
    if stage is Stage.GAVE_UP:
        return _BARRED.get(result, _NOT_REACHED)
    return result if stage is Stage.DONE and result else stage.value


def notices(connection: sqlite3.Connection, campaign: str) -> list[dict[str, Any]]:
    """Every endpoint's part in a campaign, by name; ``answer`` is its own report, the evidence that it reported."""
    rows = connection.execute("SELECT * FROM notices WHERE campaign = ? ORDER BY endpoint", (campaign,))
    return [_told(dict(row)) for row in rows]


def _told(row: dict[str, Any]) -> dict[str, Any]:
    """A row as people and JSON have it."""
    due = row["due"] if Stage(row["stage"]).open and row["due"] < NEVER else None
    instants = {"due": iso_or_none(due), "changed": iso(row["changed"])}
    instants.update({key: iso_or_none(row[key]) for key in ("until", "since")})
    plain = {_NAMES.get(key, key): one for key, one in row.items()}
    return {**plain, **instants, "answer": json.loads(row["answer"]) if row["answer"] else None}
