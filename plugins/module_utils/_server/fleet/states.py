# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The state of each endpoint, from its newest report and from what the server sees itself (R6)."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Mapping
from typing import Any

from ..._core.metadata.catalog import CatalogItem
from ..._core.metadata.policy_tree import KIND as TREE
from ..._core.metadata.shard import SHARDS, shard_of
from ..._core.reports.report import Report
from ..._core.reports.states import Assessment, EndpointState, Knowledge, Verdict, assess, judge
from ..._core.results import Trigger
from ..._core.rollout.delivery import SendResult
from ..._core.rollout.outdated import Holding, Offer, lacking
from ..._core.schedule.sync_schedule import OVERDUE
from ..._core.values import frozen, replace
from .dirty_shards import PREFIX
from .holdings import Reported, holdings, is_behind, offers
from .policies import EndpointPolicy, endpoint_policies

_BARRED = {
    SendResult.REFUSED.value: "it does not let the server in",
    SendResult.HOST_KEY_CHANGED.value: "its host key has changed",
}


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
    """The state of one endpoint, what it lacks, whichever state it is in, and when its newest report was taken."""

    assessment: Assessment
    lack: Lack
    reported: float | None = None


@frozen
class Published:
    """What is published, and since when (Unix seconds), by product."""

    offers: Mapping[str, Offer]
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
    values = (endpoint, said.state.value, said.reason, received if since is None else since, verdict.waits, received)
    drift = (json.dumps(list(report.drift or ())), report.drift_count)
    insert = "INSERT OR REPLACE INTO endpoint_states VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
    connection.execute(insert, (*values, *serials, *drift))


def published_now(connection: sqlite3.Connection, items: Iterable[CatalogItem]) -> Published:
    """What the states of endpoints are compared with."""
    select = "SELECT product, max(created) AS at FROM campaigns WHERE trigger = ? GROUP BY product"
    since = {row["product"]: row["at"] for row in connection.execute(select, (Trigger.DOWNLOAD.value,))}
    issues = {row["name"]: (row["serial"], row["issued"]) for row in connection.execute(_ISSUES)}
    return Published(offers(connection, items), since, issues)


def survey(
    connection: sqlite3.Connection, published: Published, *, now: float, silence: float
) -> dict[str, EndpointHealth]:
    """Every registered endpoint, by name."""
    told, said, barred = holdings(connection), _said(connection), _barred(connection)
    refused = _refused(connection, said, now)
    found = {}
    for member in endpoint_policies(connection):
        row = said.get(member.name)
        answered = told.get(member.name, Reported({}))
        lack = _lack(member, answered, row, published, now)
        heard = [at for at in (answered.at, row["received"] if row else None) if at is not None]
        why, refused_since = refused.get(member.name, ("", None))
        shut, shut_since = barred.get(member.name, ("", None))
        known = Knowledge(
            verdict=_verdict(row),
            seen=max(heard, default=None),
            refused=why,
            refused_since=refused_since,
            barred=shut if shut_since is not None and shut_since > max(heard, default=0.0) else "",
            barred_since=shut_since,
            behind=lack.words,
            behind_since=lack.since,
        )
        reported = row["received"] if row else None
        found[member.name] = EndpointHealth(assess(known, now=now, silence=silence), lack, reported)
    return found


def _verdict(row: sqlite3.Row | None) -> Verdict | None:
    if row is None:
        return None
    return Verdict(Assessment(EndpointState(row["state"]), row["reason"], row["since"]), row["waits"])


def _lack(
    member: EndpointPolicy, answered: Reported, row: sqlite3.Row | None, published: Published, now: float
) -> Lack:
    if answered.at is not None:
        for name, offer in published.offers.items():
            if is_behind(member, answered, offer):
                holding = answered.holdings.get(name, Holding())
                return Lack(lacking(offer, member.wish(offer.product), holding), published.since.get(name), name)
    if row is None:
        return Lack()
    shard = f"{PREFIX}{shard_of(member.name, SHARDS)}"
    for name, adopted in ((TREE, row["tree_serial"]), (shard, row["shard_serial"])):
        serial, issued = published.issues.get(name, (0, now))
        if adopted is not None and adopted < serial and now - issued > OVERDUE:
            return Lack(f"configuration: {name} {adopted} was adopted, {serial} is published", issued)
    return Lack()


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


def _barred(connection: sqlite3.Connection) -> dict[str, tuple[str, float]]:
    """Who did not let the server in when it was last notified, why, and when."""
    select = "SELECT endpoint, result, reason, max(changed) AS changed FROM deliveries GROUP BY endpoint"
    rows = (row for row in connection.execute(select) if row["result"] in _BARRED)
    return {row["endpoint"]: (_sentence(row), row["changed"]) for row in rows}


def _sentence(row: sqlite3.Row) -> str:
    return f"{_BARRED[row['result']]}: {row['reason']}" if row["reason"] else _BARRED[row["result"]]


_ISSUES = "SELECT name, serial, issued FROM serials WHERE file IS NOT NULL"
