# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The records of campaigns as a publishing dispatcher needs them: each change is one transaction (N4).

A delivery is ``in_flight`` on record, with no instant, before its order is published; and with the instant by which its
report must have come once the broker has the order. So whatever kills the server, the next start publishes again what
may not have been published, and no endpoint begins a campaign twice.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping

from ...._core.results import Trigger
from ...._core.rollout import delivery
from ...._core.rollout.command import AFTER_BLACKOUT, UpdateCommand
from ...._core.rollout.delivery import Delivery, SendOutcome, SendResult
from ...._core.settings.retries import RetryPolicy
from ...._core.timestamps import unix
from ..store import WAITING, CampaignStore, read_delivery
from .members import Group, Members
from .plan import DueCampaign, Publication, is_first

NO_REPORT = "it has not reported since it was told: it is off, not connected to the message broker, or still at work"
_UNPUBLISHED = "status = 'in_flight' AND due >= 9e999"
_DUE = f"""
    SELECT * FROM (
        SELECT *, 1 AS ready FROM deliveries WHERE {_UNPUBLISHED}
        UNION ALL
        SELECT *, due <= :now AND NOT EXISTS (
            SELECT 1 FROM deliveries AS other WHERE other.endpoint = deliveries.endpoint AND other.status = 'in_flight'
        ) FROM deliveries WHERE {WAITING} AND (due <= :now OR (due <= :soon AND mode IN ('event', 'retained')))
    ) ORDER BY status <> 'in_flight', tries, due, endpoint
"""
_MEASURED = 500


class PublishingStore(CampaignStore):
    """The campaigns of one server's database, for one publishing dispatcher."""

    def close_overdue(self, now: float, limits: RetryPolicy) -> list[Delivery]:
        """Record what came of deliveries whose time is over, and of those whose endpoints have not reported in time;
        returns them as they are then."""
        done = []
        with self._transaction():
            for unsent in (WAITING, _UNPUBLISHED):
                for row in self._select(f"{unsent} AND until <= ?", (now,)):
                    done.append(delivery.expire(read_delivery(row)))
                    self._update(row["campaign"], done[-1], now)
            silent = SendOutcome(SendResult.NOT_REACHED, reason=NO_REPORT)
            for row in self._select("status = 'in_flight' AND due <= ?", (now,)):
                done.append(delivery.apply_response(read_delivery(row), silent, now=now, limits=limits))
                self._update(row["campaign"], done[-1], now)
        return done

    def has_due(self, now: float) -> bool:
        """Whether anything is to be published now."""
        waiting = self._connection.execute(f"SELECT 1 FROM deliveries WHERE {WAITING} AND due <= ? LIMIT 1", (now,))
        if waiting.fetchone() is not None:
            return True
        return self._connection.execute(f"SELECT 1 FROM deliveries WHERE {_UNPUBLISHED} LIMIT 1").fetchone() is not None

    def due(self, now: float, members: Members) -> list[DueCampaign]:
        """What is to be published now, one delivery of an endpoint at a time, the first due first; with the first
        tellings of the same campaigns that a group takes along."""
        rows = self._connection.execute(_DUE, {"now": now, "soon": now + AFTER_BLACKOUT}).fetchall()
        by_campaign: dict[str, tuple[list[Delivery], list[Delivery]]] = {}
        seen: set[str] = set()
        for row in rows:
            one = read_delivery(row)
            due, coming = by_campaign.setdefault(row["campaign"], ([], []))
            if row["ready"] and one.endpoint not in seen:
                seen.add(one.endpoint)
                due.append(one)
            elif is_first(one):
                coming.append(one)
        return [self._due(name, due, coming, members) for name, (due, coming) in by_campaign.items() if due]

    def _due(self, name: str, due: list[Delivery], coming: list[Delivery], members: Members) -> DueCampaign:
        about = self._connection.execute("SELECT * FROM campaigns WHERE id = ?", (name,)).fetchone()
        command = UpdateCommand(name, about["version"], Trigger(about["trigger"]))
        product, ring, group = about["product"], about["ring"], Group()
        if command.trigger is Trigger.DOWNLOAD and len(coming) + sum(map(is_first, due)) > 1:
            rows = self._connection.execute("SELECT endpoint FROM deliveries WHERE campaign = ?", (name,))
            group = members.group(product, ring, {row["endpoint"] for row in rows})
        return DueCampaign(command, product, ring, int(about["created"]), tuple(due), tuple(coming), group)

    def known_starts(self, since: float, *, lease: int) -> list[int]:
        """The starts, later than an instant, of those who have been told and have not reported; their reports are due
        ``lease`` seconds after them (N1)."""
        select = "SELECT due FROM deliveries WHERE status = 'in_flight' AND due > ? AND due < 9e999"
        rows = self._connection.execute(select, (since + lease,)).fetchall()
        return [int(row["due"]) - lease for row in rows]

    def begin(self, made: Iterable[Publication], now: float) -> int:
        """Record that these publications are about to be made; returns how many deliveries they are. Those that a
        report has closed meanwhile stay so."""
        unsent = f"campaign = ? AND endpoint = ? AND ({WAITING} OR ({_UNPUBLISHED}))"
        count = 0
        with self._transaction():
            for publication in made:
                name = publication.command.campaign
                for endpoint in publication.starts:
                    for row in self._select(unsent, (name, endpoint)):
                        self._update(name, delivery.mark_sent(read_delivery(row), now), now)
                        count += 1
        return count

    def published(self, made: Iterable[Publication], *, lease: int) -> None:
        """Record that the broker has these publications."""
        update = f"UPDATE deliveries SET due = ? WHERE campaign = ? AND endpoint = ? AND {_UNPUBLISHED}"
        with self._transaction() as connection:
            for one in made:
                campaign = one.command.campaign
                rows = [(at + lease, campaign, endpoint) for endpoint, at in one.starts.items()]
                connection.executemany(update, rows)

    def measured_runs(self) -> list[float]:
        """How long the last updates of versions took, as endpoints told; seconds."""
        select = (
            "SELECT answer FROM deliveries JOIN campaigns ON id = campaign WHERE trigger = ? AND answer IS NOT NULL"
            " AND status = 'finished' ORDER BY changed DESC LIMIT ?"
        )
        rows = self._connection.execute(select, (Trigger.DOWNLOAD.value, _MEASURED))
        times = (_seconds(json.loads(row["answer"])) for row in rows)
        return [one for one in times if one is not None]


def _seconds(answer: Mapping[str, object]) -> float | None:
    started, finished = answer.get("started"), answer.get("finished")
    if not isinstance(started, str) or not isinstance(finished, str):
        return None
    try:
        return max(0.0, float(unix(finished) - unix(started)))
    except ValueError:
        return None
