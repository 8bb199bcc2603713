# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The first screen: how the fleet is, where it is going, and what somebody should do today."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ...._core.reports.states import EndpointState
from .markup import Html, counted, element, exactly, instant, joined, link, number, section, word
from .plots import figure, stacked, states_legend, swatch
from .rollouts import stops

FIRST = (EndpointState.CURRENT, EndpointState.BEHIND, EndpointState.FAILING, EndpointState.SILENT)
ORDER = tuple(state.value for state in reversed(EndpointState))
"""From below: those that are well first."""


def summary(document: Mapping[str, Any]) -> Html:
    """The head of the report."""
    first = element("div", _today(document), _trend(document), class_="first")
    return joined([_as_of(document), _tiles(document), first])


def _as_of(document: Mapping[str, Any]) -> Html:
    heard, total = document["heard"], document["endpoints"]
    server = ["Update server ", element("strong", document["server"]), ". "] if document["server"] else []
    words = [f"Reports of {number(heard['endpoints'])} of {number(total)} endpoints"]
    if heard["endpoints"]:
        words += [", received from ", instant(heard["first"]), " to ", instant(heard["last"])]
    return element("p", "As of ", instant(document["at"]), ". ", *server, *words, ".", class_="asof")


def _tiles(document: Mapping[str, Any]) -> Html:
    states, total = document["states"], document["endpoints"]
    first = element("ul", *(_tile(state.value, states[state.value], total) for state in FIRST), class_="tiles")
    others = [state.value for state in EndpointState if state not in FIRST]
    more = (
        element("li", swatch(name, f"{word(name)} "), counted(states[name], state=exactly(name))) for name in others
    )
    return joined([first, element("ul", *more, class_="others")])


def _tile(name: str, count: int, total: int) -> Html:
    share = f"{count * 100 / total:.1f} %" if total else "no endpoint"
    big = element("span", number(count), class_="big")
    target = link({"state": exactly(name)}, big, swatch(name, word(name)))
    return element("li", target, element("span", share, class_="share"))


def _today(document: Mapping[str, Any]) -> Html:
    """What waits for somebody's word, the other alarms, then the endpoints that need somebody."""
    halted = list(stops(document))
    alarms = [
        element("li", element("strong", "Alarm: "), f"{alarm['words']}", class_="alarm")
        for alarm in document["alarms"]
        if not (halted and alarm["name"] == "rollout")
    ]
    by_state: dict[str, list[Mapping[str, Any]]] = {}
    for task in document["tasks"]:
        by_state.setdefault(task["state"], []).append(task)
    lines = [*halted, *alarms, *(_task(state, tasks) for state, tasks in by_state.items())]
    if not lines:
        return section("today", "What to do today", element("p", "Nothing: no alarm, and no endpoint needs anybody."))
    return section("today", "What to do today", element("ol", *lines))


def _task(state: str, tasks: list[Mapping[str, Any]]) -> Html:
    """One state with its way out; its reasons, the most frequent first, where there are any."""
    count = sum(task["endpoints"] for task in tasks)
    who = link({"state": exactly(state)}, f"{number(count)} {word(state)}")
    way = element("span", f": {tasks[0]['way']}.", class_="way")
    reasons = [_reason(state, task) for task in tasks if task["reason"] != ""]
    return element(
        "li",
        element("span", swatch(state, ""), who, class_="who"),
        way,
        *([element("ul", *reasons)] if reasons else []),
    )


def _reason(state: str, task: Mapping[str, Any]) -> Html:
    if task["reason"] is None:
        return element("li", f"{number(task['endpoints'])} for other reasons")
    return element(
        "li", counted(task["endpoints"], state=exactly(state), reason=exactly(task["reason"])), f": {task['reason']}"
    )


def _trend(document: Mapping[str, Any]) -> Html:
    days = document["history"]
    picture = stacked([day["states"] for day in days], ORDER, _direction(days), [_day(day) for day in days])
    ends = [days[0]["day"], days[-1]["day"]] if len(days) > 1 else [days[0]["day"]] if days else []
    shown = [state for state in reversed(ORDER) if any(day["states"][state] for day in days)]
    title = f"Endpoints by state, day by day, at most {number(max((_total(day) for day in days), default=0))}"
    drawn = figure(title, picture, ends, states_legend(shown))
    return section("trend", "Trend", element("p", _direction(days)), drawn)


def _direction(days: list[Mapping[str, Any]]) -> str:
    """The share of those that are current, today and before."""
    if not days:
        return "No day is on record."
    told = [f"{_share(days[-1])} current today"]
    told += [f"{_share(days[-1 - back])} {back} days ago" for back in (7, 30) if len(days) > back]
    return ", ".join(told) + ("." if len(days) > 1 else "; nothing is on record of earlier days.")


def _total(day: Mapping[str, Any]) -> int:
    return sum(day["states"].values())


def _share(day: Mapping[str, Any]) -> str:
    total = _total(day)
    return f"{day['states'][EndpointState.CURRENT.value] * 100 / total:.1f} %" if total else "none"


def _day(day: Mapping[str, Any]) -> str:
    told = ", ".join(f"{count} {word(state)}" for state, count in day["states"].items() if count)
    return f"{day['day']}: {told or 'no endpoint'}"
