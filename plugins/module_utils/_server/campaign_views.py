# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Private: what the records of campaigns tell: summaries, each endpoint's part, what endpoints have installed."""

from __future__ import annotations

import json
import sqlite3
from typing import Any

from .._core.campaign import Stage
from .._core.values import value


@value
class Summary:
    """One campaign and how many endpoints are at each stage."""

    id: str
    trigger: str
    product: str
    version: str
    created: float
    stages: dict[str, int]

    @property
    def open(self) -> bool:
        return any(Stage(stage).open for stage in self.stages)

    def to_dict(self) -> dict[str, Any]:
        plain: dict[str, Any] = {"campaign": self.id, "trigger": self.trigger, "product": self.product}
        return {**plain, "version": self.version, "created": self.created, "open": self.open, "stages": self.stages}


def summaries(connection: sqlite3.Connection) -> list[Summary]:
    """All campaigns, the newest first."""
    counted: dict[str, dict[str, int]] = {}
    for row in connection.execute("SELECT campaign, stage, count(*) AS n FROM notices GROUP BY campaign, stage"):
        counted.setdefault(row["campaign"], {})[row["stage"]] = row["n"]
    rows = connection.execute("SELECT * FROM campaigns ORDER BY created DESC, id").fetchall()
    return [Summary(**dict(row), stages=counted.get(row["id"], {})) for row in rows]


def notices(connection: sqlite3.Connection, campaign: str) -> list[dict[str, Any]]:
    """Every endpoint's part in a campaign, by name; ``answer`` is its own report, the evidence that it reported."""
    rows = connection.execute("SELECT * FROM notices WHERE campaign = ? ORDER BY endpoint", (campaign,))
    return [_told(dict(row)) for row in rows]


def installed(connection: sqlite3.Connection, product: str) -> dict[str, dict[str, str]]:
    """What endpoints have installed as far as they reported it: component to version, by endpoint."""
    rows = connection.execute("SELECT endpoint, versions FROM reports WHERE product = ?", (product,))
    return {row["endpoint"]: json.loads(row["versions"]) for row in rows}


def _told(row: dict[str, Any]) -> dict[str, Any]:
    """A row as people and JSON have it."""
    due = row["due"] if Stage(row["stage"]).open and row["due"] < float("inf") else None
    return {**row, "due": due, "answer": json.loads(row["answer"]) if row["answer"] else None}
