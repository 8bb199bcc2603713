# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What happened over time: the last campaigns, and scheduled starts against their plan."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ...._core.durations import format_duration
from .fleet import missing
from .markup import Html, counted, element, exactly, instant, link, number, section
from .plots import curves, figure, legend


def campaigns(document: Mapping[str, Any]) -> Html:
    """The last campaigns."""
    found = [_campaign(one) for one in document["campaigns"]]
    none = [] if found else [element("p", "There was no campaign.")]
    return section("campaigns", "Last campaigns", element("div", *found, class_="cards"), *none)


def _campaign(one: Mapping[str, Any]) -> Html:
    head = element("h3", f"{one['product']} {one['version']}")
    facts = element(
        "p",
        f"{one['trigger']}, begun ",
        instant(one["created"]),
        ", ",
        "open" if one["open"] else "over",
        f"; {number(one['endpoints'])} endpoints: {one['words']}.",
    )
    course = one["course"]
    if course is None:
        return element("article", head, facts, element("p", "No course: nothing was sent in it."))
    flight = curves(course["in_flight"], {"cap": course["cap"]}, _flight(course), "flight")
    peak = f"In flight, at most {number(course['peak'])} of {number(max(course['cap']))}"
    first = figure(peak, flight, _ends(course), legend({"flight": "in flight", "cap": "cap, by today's settings"}))
    words = f"Reported: {number(course['finished'][-1])} of {number(one['endpoints'])}"
    second = figure(
        words,
        curves(course["finished"], {"all": [one["endpoints"]] * len(course["finished"])}, words),
        _ends(course),
        legend({"plain": "reported", "all": "all endpoints"}),
    )
    return element("article", head, facts, first, second, element("p", _pace(course)))


def _pace(course: Mapping[str, Any]) -> str:
    """When half of those that reported had, and when all had, after the first sending; to the length of a step."""
    finished, step = course["finished"], course["step"]
    if not finished[-1]:
        return "Nobody has reported yet."
    half = next(place for place, count in enumerate(finished) if count * 2 >= finished[-1])
    last = next(place for place, count in enumerate(finished) if count == finished[-1])
    times = [format_duration((place + 1) * step) for place in (half, last)]
    return f"Half of them had reported after {times[0]}, the last one after {times[1]}."


def _flight(course: Mapping[str, Any]) -> str:
    return f"At most {course['peak']} endpoints in flight, the cap is {min(course['cap'])} to {max(course['cap'])}"


def _ends(course: Mapping[str, Any]) -> list[Html]:
    return [instant(course["begin"]), instant(course["end"])]


def windows(document: Mapping[str, Any]) -> Html:
    """The newest occurrence of each schedule: planned starts and real ones."""
    found = [_window(one) for one in document["windows"]]
    none = [] if found else [element("p", "No endpoint has a schedule that the server can plan.")]
    unplanned = element("p", link({"planned": "?"}, "Endpoints without a planned start"), ", each with its reason.")
    title = "Scheduled starts against their plan"
    return section("starts", title, element("div", *found, class_="cards"), *none, unplanned)


def _window(one: Mapping[str, Any]) -> Html:
    started = sum(one["real"])
    words = f"{number(sum(one['planned']))} planned, {number(started)} started"
    most = max(*one["planned"], *one["real"])
    title = f"Starts in each {format_duration(one['step'])}, at most {number(most)}: {words}"
    marks = legend({"real": "started", "planned": "planned"})
    drawn = figure(title, curves(one["real"], {"planned": one["planned"]}, words, "real"), _bounds(one), marks)
    unknown = missing(one["missing"], "started", schedule=exactly(one["schedule"]))
    return element("article", element("h3", one["schedule"]), drawn, _punctual(one, started), unknown)


def _bounds(one: Mapping[str, Any]) -> list[Html]:
    """The ends of a window; those of intervals are no instants, as each endpoint has one of its own."""
    if one["windowed"]:
        return [instant(one["start"]), instant(one["end"])]
    return [element("span", "begin of the interval"), element("span", "its end")]


def _punctual(one: Mapping[str, Any], started: int) -> Html:
    if not started:
        return element("p", "No real start is known.")
    early, most = one["tolerance"]["early"], one["tolerance"]["late"]
    late = counted(started - one["on_time"], late=f"!-{early}..{most + 1}", schedule=exactly(one["schedule"]))
    spread = f" In the middle {one['median_late']} s after the plan, at most {one['most_late']} s."
    end = " The window is still open." if one["open"] else ""
    return element("p", f"{number(one['on_time'])} within {most} s of their slot, ", late, " others.", spread, end)
