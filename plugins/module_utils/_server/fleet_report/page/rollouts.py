# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Staged rollouts: the rings of each product, what is stopped or held, and the last decisions."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from ...._core.durations import format_duration
from ...._core.timestamps import unix
from .markup import Html, counted, element, exactly, instant, joined, link, number, section
from .plots import strip, swatch

_PHASES = {"idle": "current", "baking": "roaming", "halted": "failing", "inconclusive": "behind"}
_OUTCOMES = {"healthy": "current", "failed": "failing", "pending": "behind", "not_counted": "never_seen"}
"""The colors, by the states that have them."""
_WORDS = {"not_counted": "not counted"}
_PURPOSES = {False: ("To take it back, type", "To go on with it, type"), True: ("To lift the hold, type",)}
"""What the commands of a stop are for, by whether it is a hold."""


def stops(document: Mapping[str, Any]) -> Iterator[Html]:
    """The versions that wait for somebody's word, each as a line with what can be typed."""
    for rollout in document["rollouts"]:
        for stop in rollout["stops"]:
            if stop["kind"] != "held":
                yield element("li", *_stopped(rollout, stop), class_="alarm")


def rollouts(document: Mapping[str, Any]) -> Html:
    """Every product that has rings; nothing where none has."""
    found = [_product(one, document["at"]) for one in document["rollouts"]]
    return section("rollouts", "Rollouts", *found) if found else Html("")


def _product(one: Mapping[str, Any], now: str) -> Html:
    newest = ["Newest version ", element("strong", one["newest"]), ", published ", instant(one["published"])]
    dry = [" Dry run: all endpoints are offered the newest version, and decisions are recorded only."]
    head = element("p", *(newest if one["newest"] else ["No version has been published"]), ".", *dry * one["dry_run"])
    rings = element("ol", *(_ring(one["product"], ring, now) for ring in one["rings"]), class_="rings")
    return joined([element("h3", one["product"]), head, rings, _stops(one), _decisions(one["events"])])


def _ring(product: str, ring: Mapping[str, Any], now: str) -> Html:
    """One ring as a card."""
    members = counted(ring["endpoints"], **{f"ring:{product}": exactly(ring["name"])})
    title = element("h4", ring["name"], " ", swatch(_PHASES[ring["phase"]], ring["phase"]))
    offered = ["offered ", element("strong", ring["offered"])] if ring["offered"] else ["offered no version"]
    tries = ["; tries ", element("strong", ring["candidate"]), " since ", instant(ring["since"])]
    first = element("p", *offered, *(tries if ring["counts"] else []), ".")
    size = "no endpoints" if not ring["endpoints"] else f" endpoint{'' if ring['endpoints'] == 1 else 's'}"
    parts = [element("p", *([members] if ring["endpoints"] else []), size, *_outcomes(product, ring), ".")]
    if ring["counts"]:
        parts.append(strip({_OUTCOMES[key]: ring["counts"][key] for key in _OUTCOMES}))
    if ring["reason"]:
        parts.append(element("p", f"Failures: {ring['reason']}", class_="way"))
    return element("li", title, first, *parts, element("p", *_next(ring, now), class_="way"))


def _outcomes(product: str, ring: Mapping[str, Any]) -> Iterator[str]:
    """The counts, each with its endpoints."""
    for place, key in enumerate(_OUTCOMES if ring["counts"] else ()):
        which = _WORDS.get(key, key)
        yield ": " if place == 0 else ", "
        yield counted(ring["counts"][key], **{f"rollout:{product}": f"in {ring['name']}: {which}"})
        yield f" {which}"


def _next(ring: Mapping[str, Any], now: str) -> list[str]:
    """What the ring waits for, and until when."""
    if ring["phase"] in ("halted", "inconclusive"):
        return ["No bake time: it waits for somebody to abort or resume."]
    if ring["bake_ends"]:
        return [f"Bake time: {_left(ring['bake_ends'], now)}, ends ", instant(ring["bake_ends"]), "."]
    if ring["deadline"]:
        words = f"Bake time: not begun, too few are healthy. Deadline: {_left(ring['deadline'], now)}, "
        return [words, instant(ring["deadline"]), "."]
    if ring["next_at"]:
        return [f"Next: {ring['next']}, from ", instant(ring["next_at"]), " on, by the hours of promotion."]
    if ring["next"]:
        return [f"Next: {ring['next']}, but no hour of promotion comes within a week."]
    return ["Bake time: none, it tries no version."]


def _left(end: str, now: str) -> str:
    seconds = unix(end) - unix(now)
    return f"{format_duration(seconds // 60 * 60 if seconds >= 60 else seconds)} left" if seconds > 0 else "over"


def _stops(one: Mapping[str, Any]) -> Html:
    """What is stopped, the versions that wait for somebody's word first."""
    ordered = sorted(one["stops"], key=lambda stop: stop["kind"] == "held")
    lines = [
        element("li", *_stopped(one, stop), class_=None if stop["kind"] == "held" else "alarm") for stop in ordered
    ]
    if not lines:
        return element("p", "No version is halted or held.")
    return element("ul", *lines, class_="stops")


def _stopped(rollout: Mapping[str, Any], stop: Mapping[str, Any]) -> Iterator[str]:
    """A stopped version in a sentence, with what can be typed."""
    yield element("strong", f"{rollout['product']} {stop['version']} {stop['kind']}")
    yield f"{' in ' + stop['ring'] if stop['ring'] else ''} by {stop['by'] or 'the server itself'} since "
    yield instant(stop["since"])
    yield f": {stop['reason']}"
    yield f"; endpoints go back to {stop['restore']}. " if stop["restore"] else ". "
    yield from _failed(rollout, stop)
    for purpose, command in zip(_PURPOSES[stop["kind"] == "held"], stop["commands"]):
        yield element("div", f"{purpose}: ", element("code", command))


def _failed(rollout: Mapping[str, Any], stop: Mapping[str, Any]) -> Iterator[str]:
    """The endpoints that failed with it, where they are still on record."""
    mine = [one for one in rollout["rings"] if one["name"] == stop["ring"] and one["candidate"] == stop["version"]]
    count = sum(one["counts"]["failed"] for one in mine if one["counts"])
    if count:
        which = {f"rollout:{rollout['product']}": f"in {stop['ring']}: failed"}
        yield link(which, f"{number(count)} failed endpoint{'' if count == 1 else 's'}")
        yield ". "


def _decisions(events: Sequence[Mapping[str, Any]]) -> Html:
    """The last decisions, the newest first."""
    if not events:
        return element("p", "Nothing has been decided yet.")
    lines = (element("li", *_decision(one)) for one in events)
    head = element("summary", f"The last {number(len(events))} decisions, the newest first")
    return element("details", head, element("ul", *lines, class_="decisions"), open=True)


def _decision(one: Mapping[str, Any]) -> Iterator[str]:
    yield instant(one["at"])
    yield " "
    yield element("strong", f"{one['version']} {one['kind']}")
    who, why = one["evidence"].get("by"), one["reason"]
    yield f"{' in ' + one['ring'] if one['ring'] else ''}{f' by {who}' if who else ''}{f': {why}' if why else ''}"
