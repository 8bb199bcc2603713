# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The last campaigns with their course: how many endpoints were in flight at each time, and what the cap was (N1)."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable
from itertools import accumulate
from typing import Any, Callable

from ..._core.rollout.delivery import DeliveryStatus
from ..._core.timestamps import iso
from ..campaigns.queries import Summary, summaries

MOST = 5
"""How many campaigns have their course told."""
_STEPS = 60
_SELECT = "SELECT status, since, changed FROM deliveries WHERE campaign = ?"
Cap = Callable[[float], int]
"""How many endpoints may be in flight at an instant."""


def campaigns(connection: sqlite3.Connection, *, now: float, cap: Cap) -> list[dict[str, Any]]:
    """The newest campaigns, the newest first."""
    return [_campaign(connection, one, now=now, cap=cap) for one in summaries(connection)[:MOST]]


def _campaign(connection: sqlite3.Connection, one: Summary, *, now: float, cap: Cap) -> dict[str, Any]:
    rows = connection.execute(_SELECT, (one.id,)).fetchall()
    spans = [(row["since"], now if DeliveryStatus(row["status"]).open else row["changed"]) for row in rows]
    flights = [(since, max(since, end)) for since, end in spans if since is not None]
    done = [row["changed"] for row in rows if row["status"] == DeliveryStatus.FINISHED.value]
    return {**one.to_dict(), "endpoints": len(rows), "words": one.words(), "course": course(flights, done, cap)}


def course(flights: list[tuple[float, float]], done: Iterable[float], cap: Cap) -> dict[str, Any] | None:
    """What happened when, in equal steps from the first sending to the last answer; None where nothing was sent.

    ``flights`` are the begin and the end of each endpoint's place, ``done`` when an endpoint had reported.
    ``in_flight`` is the most at a time in each step, ``finished`` how many had reported at its end.
    """
    if not flights:
        return None
    begin, end = min(since for since, _end in flights), max(end for _since, end in flights)
    step = max(1, -(-int(end + 1 - begin) // _STEPS))
    count = int(end - begin) // step + 1
    most = _most_in_flight(flights, begin, step, count)
    ends = [0] * count
    for at in done:
        ends[min(max(0, int(at - begin) // step), count - 1)] += 1
    return {
        "begin": iso(begin),
        "end": iso(end),
        "step": step,
        "in_flight": most,
        "finished": list(accumulate(ends)),
        "cap": [cap(begin + number * step) for number in range(count)],
        "peak": max(most),
    }


def _most_in_flight(flights: list[tuple[float, float]], begin: float, step: int, count: int) -> list[int]:
    """A place that becomes free is free for whoever takes it at the same instant."""
    changes = sorted([(since, 1) for since, _end in flights] + [(end, -1) for _since, end in flights])
    most, running, index = [0] * count, 0, 0
    for at, change in changes:
        step_of = min(int(at - begin) // step, count - 1)
        while index < step_of:
            index += 1
            most[index] = running
        running += change
        most[index] = max(most[index], running)
    return most
