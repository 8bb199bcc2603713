# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""How many endpoints were in each state, day by day: nothing of single endpoints, kept for two years."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping

from ..._core.reports.states import EndpointState
from ..._core.timestamps import iso

KEPT_S = 730 * 86400


def record(connection: sqlite3.Connection, counts: Mapping[EndpointState, int], now: float) -> None:
    """Keep the counts of this day (UTC), in place of earlier ones of it; what is older than two years is dropped."""
    rows = [(_day(now), state.value, counts.get(state, 0)) for state in EndpointState]
    connection.executemany("INSERT OR REPLACE INTO state_history VALUES (?, ?, ?)", rows)
    connection.execute("DELETE FROM state_history WHERE day < ?", (_day(now - KEPT_S),))


def history(connection: sqlite3.Connection) -> dict[str, dict[str, int]]:
    """The counts of states by day, the oldest first."""
    days: dict[str, dict[str, int]] = {}
    for row in connection.execute("SELECT day, state, endpoints FROM state_history ORDER BY day, state"):
        days.setdefault(row["day"], {})[row["state"]] = row["endpoints"]
    return days


def _day(instant: float) -> str:
    return iso(instant).partition("T")[0]
