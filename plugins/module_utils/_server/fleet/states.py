# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The state of each endpoint, from its newest report and from what the server sees itself (R6)."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator, Mapping
from typing import Any

from ..._core.durations import format_duration
from ..._core.metadata.policy_tree import KIND as TREE
from ..._core.metadata.shard import SHARDS, shard_of
from ..._core.reports.report import Report
from ..._core.reports.states import Assessment, EndpointState, Knowledge, Verdict, assess, judge, newest_built
from ..._core.results import Trigger
from ..._core.rollout.delivery import SendResult
from ..._core.rollout.outdated import Holding, lacking
from ..._core.schedule.sync_schedule import OVERDUE
from ..._core.timestamps import iso
from ..._core.values import frozen, replace
from .dirty_shards import PREFIX
from .holdings import Reported, holdings, is_behind
from .offers import FleetOffers
from .policies import EndpointPolicy, endpoint_policies

_BARRED = {
    SendResult.REFUSED.value: "it does not let the server in",
    SendResult.HOST_KEY_CHANGED.value: "its host key has changed",
}
# A notice that is still to be sent, or no longer is, says nothing of its endpoint; one that was sent says how that was
# when the sending began: whoever was heard of meanwhile has been mended since.
_LAST_NOTICE = """
SELECT endpoint, result, reason, max(tried) AS tried FROM deliveries
WHERE tried IS NOT NULL AND result NOT IN ('', 'superseded', 'held', 'expired', 'unregistered') GROUP BY endpoint
"""
_REFUSED_NOTICES = """
SELECT endpoint, tried FROM deliveries
WHERE result IN (SELECT value FROM json_each(?)) AND endpoint IN (SELECT value FROM json_each(?)) ORDER BY tried
"""


@frozen
class Lack:
    """What an endpoint lacks of what is published, in words; ``since`` is when that was published (Unix seconds).

    ``product`` is empty where it is the configuration, and everything where it lacks nothing.
    """

    words: str = ""
    since: float | None = None
    product: str = ""


@frozen
class EndpointHealth:
    """The state of one endpoint, what it lacks, whichever state it is in, and when its newest report was taken.

    A product is in one of the ``lacks`` at most.
    """

    assessment: Assessment
    lacks: tuple[Lack, ...] = ()
    reported: float | None = None

    @property
    def lack(self) -> Lack:
        """The first of them, by which the endpoint is behind."""
        return self.lacks[0] if self.lacks else Lack()


@frozen
class Published:
    """What is published, and since when (Unix seconds), by product."""

    offers: FleetOffers
    since: Mapping[str, float]
    issues: Mapping[str, tuple[int, float]]
    """Serial and issue of each published document, by its name."""


def record_verdict(connection: sqlite3.Connection, endpoint: str, report: Report, received: float) -> None:
    """Keep what a report says of the state of its endpoint, in the caller's transaction.

    A state that goes on began when it began, and differences that were found stay until somebody looks again.
    """
    select = "SELECT state, since, drift, drift_count FROM endpoint_states WHERE endpoint = ?"
    before = connection.execute(select, (endpoint,)).fetchone()
    if report.drift is None and before is not None and before["drift_count"]:
        report = replace(report, drift=tuple(json.loads(before["drift"])), drift_count=before["drift_count"])
    verdict = judge(report, received=received)
    said = verdict.said
    goes_on = before is not None and before["state"] == said.state.value
    since = before["since"] if goes_on else said.since
    configuration: Mapping[str, Any] = report.status.get("configuration") or {}
    serials = (configuration.get("tree_serial"), configuration.get("shard_serial"))
    built = json.dumps(newest_built(report))
    values = (endpoint, said.state.value, said.reason, received if since is None else since, verdict.waits)
    drift = (json.dumps(list(report.drift or ())), report.drift_count)
    insert = "INSERT OR REPLACE INTO endpoint_states VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
    connection.execute(insert, (*values, built, received, *serials, *drift))


def published_now(connection: sqlite3.Connection, offered: FleetOffers) -> Published:
    """What the states of endpoints are compared with."""
    select = "SELECT product, max(created) AS at FROM campaigns WHERE trigger = ? GROUP BY product"
    since = {row["product"]: row["at"] for row in connection.execute(select, (Trigger.DOWNLOAD.value,))}
    since.update({row["product"]: row["at"] for row in connection.execute(_STAGED)})
    issues = {row["name"]: (row["serial"], row["issued"]) for row in connection.execute(_ISSUES)}
    return Published(offered, since, issues)


def survey(
    connection: sqlite3.Connection, published: Published, *, now: float, silence: float, ages: Mapping[str, int]
) -> dict[str, EndpointHealth]:
    """Every registered endpoint, by name; ``ages`` are how old the components of a product may be, in seconds."""
    told, said = holdings(connection), _said(connection)
    heard = _heard(told, said)
    refused, barred = _refused(connection, said, now), _barred(connection, heard)
    found = {}
    for member in endpoint_policies(connection):
        row = said.get(member.name)
        answered = told.get(member.name, Reported({}))
        lacks = (*_lacks(member, answered, row, published, now), *_aged(row, published, ages, now))
        first = lacks[0] if lacks else Lack()
        why, refused_since = refused.get(member.name, ("", None))
        shut, shut_since = barred.get(member.name, ("", None))
        known = Knowledge(
            verdict=_verdict(row),
            seen=heard.get(member.name),
            refused=why,
            refused_since=refused_since,
            barred=shut,
            barred_since=shut_since,
            behind=first.words,
            behind_since=first.since,
        )
        reported = row["received"] if row else None
        found[member.name] = EndpointHealth(assess(known, now=now, silence=silence), lacks, reported)
    return found


def _verdict(row: sqlite3.Row | None) -> Verdict | None:
    if row is None:
        return None
    return Verdict(Assessment(EndpointState(row["state"]), row["reason"], row["since"]), row["waits"])


def _lacks(
    member: EndpointPolicy, answered: Reported, row: sqlite3.Row | None, published: Published, now: float
) -> Iterator[Lack]:
    """What an endpoint lacks of all that is published here."""
    if answered.at is not None:
        for name, offer in published.offers.to(member):
            if is_behind(member, answered, offer):
                holding = answered.holdings.get(name, Holding())
                yield Lack(lacking(offer, member.wish(offer.product), holding), published.since.get(name), name)
    if row is None:
        return
    shard = f"{PREFIX}{shard_of(member.name, SHARDS)}"
    for name, adopted in ((TREE, row["tree_serial"]), (shard, row["shard_serial"])):
        serial, issued = published.issues.get(name, (0, now))
        if adopted is not None and adopted < serial and now - issued > OVERDUE:
            yield Lack(f"configuration: {name} {adopted} was adopted, {serial} is published", issued)


def _aged(row: sqlite3.Row | None, published: Published, ages: Mapping[str, int], now: float) -> Iterator[Lack]:
    """What is too old on an endpoint though nothing newer is published here: its vendor or its updater stands still."""
    newest: Mapping[str, float] = {} if row is None else json.loads(row["built"])
    for product, built in newest.items():
        most = None if product in published.offers.common else ages.get(product)
        if most is not None and now - built > most:
            words = f"{product}: its newest component is of {iso(built)}, and may be {format_duration(most)} old"
            yield Lack(words, built, product)


def _said(connection: sqlite3.Connection) -> dict[str, sqlite3.Row]:
    return {row["endpoint"]: row for row in connection.execute("SELECT * FROM endpoint_states")}


def _refused(
    connection: sqlite3.Connection, good: Mapping[str, sqlite3.Row], now: float
) -> dict[str, tuple[str, float]]:
    """Why the reports of an endpoint have been refused since its last good one, and from when on.

    Anybody who reaches the web server can send what is refused, so it says nothing of an endpoint whose own reports
    come: that is once a day at least.
    """
    found = {}
    for row in connection.execute("SELECT endpoint, detail, first FROM refused_reports ORDER BY last"):
        last = good.get(row["endpoint"])
        if last is None or now - last["received"] > OVERDUE:
            found[row["endpoint"]] = (row["detail"], row["first"])
    return found


def _heard(told: Mapping[str, Reported], said: Mapping[str, sqlite3.Row]) -> dict[str, float]:
    """When each endpoint was last heard of, by an answer or a report; who was never heard of is missing."""
    heard = {name: row["received"] for name, row in said.items()}
    for name, answered in told.items():
        if answered.at is not None:
            heard[name] = max(answered.at, heard.get(name, answered.at))
    return heard


def _barred(connection: sqlite3.Connection, heard: Mapping[str, float]) -> dict[str, tuple[str, float]]:
    """Who did not let the server in when it was last notified, why, and when that began.

    It holds until the endpoint is heard of, also while a notice of a newer campaign waits to be sent.
    """
    rows = {
        row["endpoint"]: row
        for row in connection.execute(_LAST_NOTICE)
        if row["result"] in _BARRED and row["tried"] > heard.get(row["endpoint"], 0.0)
    }
    since: dict[str, float] = {}
    for row in connection.execute(_REFUSED_NOTICES, (json.dumps(list(_BARRED)), json.dumps(list(rows)))):
        if row["tried"] > heard.get(row["endpoint"], 0.0):
            since.setdefault(row["endpoint"], row["tried"])
    return {name: (_sentence(row), since[name]) for name, row in rows.items()}


def _sentence(row: sqlite3.Row) -> str:
    return f"{_BARRED[row['result']]}: {row['reason']}" if row["reason"] else _BARRED[row["result"]]


_STAGED = "SELECT product, max(at) AS at FROM rollout_versions GROUP BY product"
"""Of a product whose rollout is staged, a version is published before any ring is notified of it."""
_ISSUES = "SELECT name, serial, issued FROM serials WHERE file IS NOT NULL"
