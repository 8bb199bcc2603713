# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The report on the fleet as one document of plain data, from which every form of it is made.

It is bounded: whatever grows with the fleet is in ``hosts``, in columns; all other lists have a limit and say what they
leave out. Instants are ISO 8601 in UTC.
"""

from __future__ import annotations

import sqlite3
from collections import Counter
from collections.abc import Sequence
from functools import lru_cache
from typing import Any

from ..._core.reports.alarms import FleetFacts
from ..._core.reports.states import EndpointState
from ..._core.results import Trigger
from ..._core.timestamps import iso, iso_or_none
from ..._core.version import VERSION
from ..._host.local_host import LocalHost
from ..._host.timezone import zone_of
from ..fleet.inventory import by_product
from ..fleet.state_history import history
from ..health import health_of, survey_now
from ..rollout.standing import standings
from ..rollout.status import document as rollout_document
from ..settings import limits_zone, notify_settings, read_section
from .ages import age_of, ages, components
from .columns import NEVER
from .counts import counted
from .curves import campaigns
from .facts import EndpointFacts, endpoint_facts
from .hosts import NO_RUN, table
from .page.page import FORMAT
from .staged import columns
from .starts import start_of, windows
from .tasks import tasks
from .tree import domains

KIND = "fleet_report"
_MOST_DAYS = 92


def fleet_report(host: LocalHost, connection: sqlite3.Connection) -> dict[str, Any]:
    """The report at this moment."""
    seen = survey_now(host, connection)
    now, facts = seen.now, endpoint_facts(connection, seen.found)
    health = health_of(host, connection, seen)
    zones = lru_cache(maxsize=None)(lambda name: zone_of(host, name))
    starts = [start_of(one, now=now, zone_of=zones) for one in facts]
    keys, other_components = components(facts)
    notify = notify_settings(host)
    published, zone = by_product(seen.published.offers), limits_zone(host, notify)
    tree, other_domains = domains(connection, facts)
    staged = standings(host, connection)
    return {
        "format": FORMAT,
        "kind": KIND,
        "at": iso(now),
        "version": VERSION,
        "server": _url(host),
        **health.to_dict(),
        "heard": _heard(facts),
        "tasks": tasks(facts),
        "rollouts": [rollout_document(connection, one, now=now) for one in staged],
        "history": _history(connection, health.facts, now),
        "domains": tree,
        "other_domains": other_domains,
        "components": [ages(key, facts, [age_of(one, key, now) for one in facts], published) for key in keys],
        "other_components": other_components,
        "results": _results(facts),
        "windows": windows(facts, starts, now),
        "campaigns": campaigns(connection, now=now, cap=lambda instant: notify.caps.at(instant, zone)),
        "drift": counted(difference for one in facts if one.report for difference in one.report.drift),
        "hosts": table(facts, starts, keys, now, columns(facts, staged)),
    }


def _url(host: LocalHost) -> str:
    """Where endpoints reach this server; empty where nothing is set."""
    web = read_section(host, "web")
    return str(web.get("url", "")) if isinstance(web, dict) else ""


def _heard(facts: Sequence[EndpointFacts]) -> dict[str, Any]:
    """Of how many endpoints there is a report, and when the oldest and the newest of these came."""
    received = [one.report.received for one in facts if one.report]
    ends = {"first": iso_or_none(min(received, default=None)), "last": iso_or_none(max(received, default=None))}
    return {"endpoints": len(received), **ends}


def _history(connection: sqlite3.Connection, now_counted: FleetFacts, now: float) -> list[dict[str, Any]]:
    """The counts of the last days, the oldest first; those of today are of this moment."""
    today = iso(now).partition("T")[0]
    days = {**history(connection), today: {state.value: n for state, n in now_counted.states.items()}}
    told = sorted(days.items())[-_MOST_DAYS:]
    return [
        {"day": day, "states": {one.value: counts.get(one.value, 0) for one in EndpointState}} for day, counts in told
    ]


def _results(facts: Sequence[EndpointFacts]) -> list[dict[str, Any]]:
    """What the last run of each trigger came to, on how many endpoints."""
    found = []
    for trigger in Trigger:
        runs = [one.report.run(trigger.value) for one in facts if one.report]
        results = Counter(str(run["result"]) for run in runs if "result" in run)
        missing = {str(NO_RUN): len(runs) - sum(results.values()), str(NEVER): len(facts) - len(runs)}
        told = [{"words": words, "endpoints": count} for words, count in missing.items()]
        found.append({"trigger": trigger.value, "results": dict(sorted(results.items())), "missing": told})
    return found
