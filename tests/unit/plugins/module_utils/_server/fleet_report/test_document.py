# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The report on the fleet as a document: bounded, typed, and in agreement with itself and with the server's records."""

from __future__ import annotations

import json
from collections import Counter
from contextlib import closing
from typing import Any

from ansible_collections.epp.autoupdate.plugins.module_utils._core.timestamps import iso, unix
from ansible_collections.epp.autoupdate.plugins.module_utils._server.database.database import open_database
from ansible_collections.epp.autoupdate.plugins.module_utils._server.fleet_report.document import fleet_report
from ansible_collections.epp.autoupdate.plugins.module_utils._server.health import assessments, health

from .conftest import COUNT, HOSTILE
from .made_fleet import DOMAINS, NOW, MadeHost

KINDS = {"text": str, "instant": str, "number": int, "seconds": int, "days": int}


def column(document: dict[str, Any], name: str) -> list[Any]:
    """The values of a column, row by row; what is not known is its reason in a tuple."""
    found = next(one for one in document["hosts"]["columns"] if one["name"] == name)
    values, missing = found["values"], found["missing"]
    return [values[code] if code >= 0 else (missing[-1 - code],) for code in found["codes"]]


def test_the_states_are_those_of_health(fleet: MadeHost, document: dict[str, Any]) -> None:
    with closing(open_database(fleet)) as connection:
        told, states = health(fleet, connection).to_dict(), assessments(fleet, connection)
    assert {key: document[key] for key in told} == told
    assert column(document, "name") == list(states)
    assert column(document, "state") == [one.state.value for one in states.values()]
    assert column(document, "reason") == [one.reason for one in states.values()]
    assert len(set(column(document, "state"))) == 8, "the made fleet has every state"


def test_every_value_has_its_type_and_every_code_its_value(document: dict[str, Any]) -> None:
    assert json.loads(json.dumps(document)) == document
    assert document["at"] == iso(NOW)
    for one in document["hosts"]["columns"]:
        assert len(one["codes"]) == document["hosts"]["count"] == COUNT
        assert -len(one["missing"]) <= min(one["codes"])
        assert max(one["codes"]) < len(one["values"])
        assert {type(value) for value in one["values"]} <= {KINDS[one["kind"]]}
        assert all(unix(value) for value in one["values"] if one["kind"] == "instant")
        assert all(one["missing"]), "a value that is not known has its reason"


def test_each_count_of_a_component_is_that_of_its_column(document: dict[str, Any]) -> None:
    assert [one["name"] for one in document["components"]] == ["bytecode", "daily", "main"]
    for one in document["components"]:
        days = column(document, one["column"])
        for entry in one["ages"]:
            end = float("inf") if entry["to"] is None else entry["to"]
            inside = [age for age in days if not isinstance(age, tuple) and entry["from"] <= age < end]
            assert entry["endpoints"] == len(inside)
        missing = Counter(age[0] for age in days if isinstance(age, tuple))
        assert {entry["words"]: entry["endpoints"] for entry in one["missing"]} == missing
    (daily,) = (one for one in document["components"] if one["name"] == "daily")
    assert daily["published"] == "27602"
    assert {one["words"] for one in daily["versions"]} == {"27602", "27598"}


def test_each_schedule_has_its_plan_and_its_starts(document: dict[str, Any]) -> None:
    planned, started = column(document, "planned"), column(document, "started")
    assert sum(sum(one["planned"]) for one in document["windows"]) == sum(isinstance(one, str) for one in planned)
    assert sum(sum(one["real"]) for one in document["windows"]) == sum(isinstance(one, str) for one in started)
    words = [one["schedule"] for one in document["windows"]]
    assert words == [
        "daily at 02:00 UTC, window 2h, even",
        "daily at 18:00 UTC, window 4h, random",
        "every 4 hours",
    ]
    assert [one["open"] for one in document["windows"]] == [True, False, False], "intervals follow each other at once"
    late = [one for one in column(document, "late") if isinstance(one, int)]
    assert all(0 <= seconds <= 244 for seconds in late)
    outside = sum(seconds > 90 for seconds in late)
    assert sum(one["on_time"] for one in document["windows"]) == len(late) - outside
    assert outside > 0
    off = [row for row, words in enumerate(column(document, "planned")) if words == ("its scheduled update is off",)]
    assert {column(document, "scheduled")[row] for row in off} == {"no"}


def test_the_in_flight_curve_stays_below_its_cap(document: dict[str, Any]) -> None:
    (campaign,) = document["campaigns"]
    course = campaign["course"]
    assert (course["peak"], set(course["cap"])) == (max(course["in_flight"]), {250})
    assert course["peak"] <= 250
    assert course["finished"][-1] == campaign["results"]["updated"]
    assert unix(course["end"]) - unix(course["begin"]) <= course["step"] * len(course["in_flight"])


def test_a_domain_counts_what_is_below_it_and_names_the_source_of_each_value(document: dict[str, Any]) -> None:
    found = {one["domain"]: one for one in document["domains"]}
    assert set(found) == {"", *DOMAINS}
    assert found[""]["states"] == document["states"]
    below = Counter(domain for domain in column(document, "domain"))
    assert found["emea"]["endpoints"] == sum(count for name, count in below.items() if name.startswith("emea"))
    policy = {one["key"]: (one["value"], one["source"]) for one in found["apac/sales"]["policy"]}
    assert policy["schedule.start"] == ("18:00", "domain apac")
    assert policy["privileges.toggle_scheduled_update"] == ("true", "root")
    assert policy["events.scan_after_update"] == ("false", "default")


def test_what_to_do_begins_with_the_gravest_and_counts_everybody_once(document: dict[str, Any]) -> None:
    tasks = document["tasks"]
    assert tasks[0]["state"] == "failing"
    for state in {one["state"] for one in tasks}:
        assert sum(one["endpoints"] for one in tasks if one["state"] == state) == document["states"][state]


def test_the_history_ends_with_this_moment(document: dict[str, Any]) -> None:
    days = document["history"]
    assert [days[0]["day"], days[-1]["day"]] == ["2026-09-30", "2026-11-29"]
    assert days[-1]["states"] == document["states"]


def test_text_of_an_endpoint_is_bounded_and_can_not_act(document: dict[str, Any]) -> None:
    reasons = [one for one in column(document, "reason") if "onerror" in one]
    assert reasons
    assert HOSTILE not in reasons
    assert all(one.isprintable() for one in reasons)


def test_a_server_without_endpoints_has_a_report_too(tmp_path: Any) -> None:
    host = MadeHost(str(tmp_path), program="epp-server")
    with closing(open_database(host)) as connection:
        empty = fleet_report(host, connection)
    assert (empty["endpoints"], empty["hosts"]["count"], empty["tasks"]) == (0, 0, [])
