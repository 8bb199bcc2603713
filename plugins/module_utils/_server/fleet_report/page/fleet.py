# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The fleet for an engineer: ages of components, states by domain, results by trigger, differences, users' choices."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from ...._core.reports.states import EndpointState
from .markup import Html, counted, element, exactly, joined, link, number, rows, section, word
from .plots import length, states_bar

_STATES = tuple(state.value for state in EndpointState)


def domains(document: Mapping[str, Any]) -> Html:
    """How many endpoints of each domain, and below it, are in each state."""
    head = ["domain", "endpoints", "", *map(word, _STATES)]
    body = [_domain(one) for one in document["domains"]]
    left = _left_out(document["other_domains"], "domain", "domains")
    return section("domains", "States by domain", rows(head, body, "Endpoints of each domain and below it"), left)


def _domain(one: Mapping[str, Any]) -> list[str]:
    where = {"domain": exactly(one["domain"])} if one["domain"] else {}
    states = [counted(one["states"][state], **where, state=exactly(state)) for state in _STATES]
    name = one["domain"] or "(root)"
    return [link(where, name), number(one["endpoints"]), states_bar(one["states"]), *states]


def components(document: Mapping[str, Any]) -> Html:
    """One histogram of ages for each component."""
    found = [_component(one) for one in document["components"]]
    none = [] if found else [element("p", "No endpoint has reported a component.")]
    left = _left_out(document["other_components"], "component", "components")
    title = "Age of components"
    return section("ages", title, element("div", *found, class_="cards"), *none, left)


def _component(one: Mapping[str, Any]) -> Html:
    most = max(entry["endpoints"] for entry in one["ages"])
    body = [
        [_span(entry), length(entry["endpoints"], most), counted(entry["endpoints"], **{one["column"]: _range(entry)})]
        for entry in one["ages"]
    ]
    table = rows(["age", "", "endpoints"], body, f"Age of {one['name']}")
    published = f"Published: {one['published']}. " if one["published"] else "The server publishes none of this name. "
    versions = [f"{entry['words']} on {number(entry['endpoints'])}" for entry in one["versions"]]
    words = element("p", published, f"Versions: {', '.join(versions)}.")
    return element(
        "article",
        element("h3", f"{one['name']} ({one['product']})"),
        table,
        words,
        missing(one["missing"], one["column"]),
    )


def _span(entry: Mapping[str, Any]) -> str:
    if entry["to"] is None:
        return f"{entry['from']} days and more"
    return "below 1 day" if entry["to"] == 1 else f"{entry['from']} to {entry['to']} days"


def _range(entry: Mapping[str, Any]) -> str:
    return f"{entry['from']}..{'' if entry['to'] is None else entry['to']}"


def missing(reasons: Iterable[Mapping[str, Any]], column: str, **filters: str) -> Html:
    """Why a value is not known, and of how many endpoints; ``filters`` choose those that are counted at all."""
    told = [
        element(
            "li", link({**filters, column: f"?{one['words']}"}, number(one["endpoints"])), f" not known: {one['words']}"
        )
        for one in reasons
    ]
    return element("ul", *told, class_="missing") if told else Html("")


def results(document: Mapping[str, Any]) -> Html:
    """What the last run of each trigger came to."""
    names = sorted({result for one in document["results"] for result in one["results"]})
    reasons = [entry["words"] for entry in document["results"][0]["missing"]]
    head = ["trigger", *map(word, names), *reasons]
    body = [
        [
            one["trigger"],
            *(counted(one["results"].get(name, 0), **{f"run:{one['trigger']}": exactly(name)}) for name in names),
            *(
                counted(entry["endpoints"], **{f"run:{one['trigger']}": f"?{entry['words']}"})
                for entry in one["missing"]
            ),
        ]
        for one in document["results"]
    ]
    return section("results", "Results by trigger", rows(head, body, "Last run of each trigger, in endpoints"))


def choices(document: Mapping[str, Any]) -> Html:
    """Who is not updated by plan: switched off, roaming, silent; and what differs from what was converged."""
    states = document["states"]
    about = {
        "switched_off": "Scheduled update is off",
        "roaming": "Roaming: they take no commands",
        "silent": "Silent: not heard of for longer than the limit",
        "never_seen": "Registered, and never heard of",
    }
    body = [[words, counted(states[state], state=exactly(state))] for state, words in about.items()]
    off = _having(document["hosts"], "switch", "off")
    body.insert(1, ["Of these, by their users", counted(off, switch=exactly("off"))])
    people = section("choices", "Switched off, roaming, silent", rows(["", "endpoints"], body, "Not updated by plan"))
    return joined([people, _drift(document)])


def _having(table: Mapping[str, Any], name: str, value: str) -> int:
    """How many endpoints have a value in a column."""
    column = next(one for one in table["columns"] if one["name"] == name)
    return sum(code >= 0 and column["values"][code] == value for code in column["codes"])


def _drift(document: Mapping[str, Any]) -> Html:
    body = [[one["words"], counted(one["endpoints"], difference=exactly(one["words"]))] for one in document["drift"]]
    if not body:
        return section(
            "drift",
            "Drift",
            element(
                "p",
                "No endpoint has reported a difference from what was converged. ",
                link({"drift": "?"}, "Where nobody has looked"),
            ),
        )
    table = rows(["difference", "endpoints"], body, "Differences from what was converged")
    return section("drift", "Drift", table, element("p", link({"drift": "1.."}, "All endpoints with differences")))


def _left_out(count: int, one: str, many: str) -> Html:
    return element("p", f"{number(count)} more {one if count == 1 else many} left out.") if count else Html("")
