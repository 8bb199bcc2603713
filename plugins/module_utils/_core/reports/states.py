# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The one state that the server knows of each endpoint, with its reason (R6)."""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum
from typing import Any, Callable, Optional

from ..durations import format_duration
from ..metadata.manifest import Kind
from ..metadata.sync_result import REFUSALS, SyncResult
from ..results import ReasonKind, Result
from ..timestamps import unix
from ..values import frozen, replace
from .report import Report

MAX_SKEW_S = 15 * 60
"""How far the clock of an endpoint may be from that of its server."""
_HOUR = 3600
_FAILED = (Result.FAILED.value, Result.UNREACHABLE.value)


class EndpointState(str, Enum):
    """The states, those that need somebody first."""

    FAILING = "failing"
    REFUSING = "refusing"
    SILENT = "silent"
    BEHIND = "behind"
    NEVER_SEEN = "never_seen"
    SWITCHED_OFF = "switched_off"
    ROAMING = "roaming"
    CURRENT = "current"


@frozen
class Assessment:
    """The state of one endpoint; ``since`` is Unix seconds, None where nobody knows."""

    state: EndpointState
    reason: str = ""
    since: float | None = None


@frozen
class Verdict:
    """What a report says of itself, kept beside it: a state, and why the endpoint waits if it is behind."""

    said: Assessment
    waits: str = ""


@frozen
class Knowledge:
    """What a server knows of an endpoint. Instants are Unix seconds by the server's clock.

    ``verdict`` is that of the newest report that was taken; ``seen`` is when the endpoint was last heard of in any way.
    ``refused`` says why its reports have been refused since, and ``refused_since`` from when on. ``barred`` is why it
    takes no notices. ``behind`` says what it lacks of what is published, and ``behind_since`` since when that has been
    published.
    """

    verdict: Verdict | None = None
    seen: float | None = None
    refused: str = ""
    refused_since: float | None = None
    barred: str = ""
    barred_since: float | None = None
    behind: str = ""
    behind_since: float | None = None


def assess(known: Knowledge, *, now: float, silence: float) -> Assessment:
    """The state of an endpoint; one that was not heard of for ``silence`` seconds is silent, whatever it said last.

    Of several that apply it is the one that has to be mended first.
    """
    found = _from_outside(known, now, silence)
    said = known.verdict.said if known.verdict else Assessment(EndpointState.CURRENT, "", known.seen)
    if found is not None or said.state is not EndpointState.CURRENT or not known.behind:
        return found or said
    waits = known.verdict.waits if known.verdict else ""
    words = f"{known.behind}; {waits}" if waits else known.behind
    return Assessment(EndpointState.BEHIND, words, known.behind_since)


def _from_outside(known: Knowledge, now: float, silence: float) -> Assessment | None:
    """What counts whatever the last report says: a key that is another one, and silence."""
    if known.refused:
        return Assessment(EndpointState.FAILING, f"its reports are refused: {known.refused}", known.refused_since)
    if known.barred:
        return Assessment(EndpointState.FAILING, known.barred, known.barred_since)
    if known.seen is None:
        return Assessment(EndpointState.NEVER_SEEN)
    return Assessment(EndpointState.SILENT, "", known.seen) if now - known.seen > silence else None


def judge(report: Report, *, received: float) -> Verdict:
    """The verdict over a report that came at an instant by the server's clock.

    A wrong clock is a fault of its own: schedules, expiries and signatures go by it.
    """
    run = _last_run(report.status)
    waits = run.get("result") in (Result.COOLING_DOWN.value, Result.HELD.value)
    skew = _skew(report.at - received)
    found, whose = (skew, report) if skew else _found(report)
    state, reason = found or (EndpointState.CURRENT, "")
    failed = _last_run(whose.status)
    by_run = found is not None and found == _failed_run(whose) and "finished" in failed
    since = unix(failed["finished"]) if by_run else received
    reason = reason if whose is report else f"{whose.status.get('product')}: {reason}"
    return Verdict(Assessment(state, reason, since), _words(run) if waits else "")


def _found(report: Report) -> tuple[tuple[EndpointState, str] | None, Report]:
    """What the first rule that applies finds, and the report that it is of: that of a further product is as if it were
    the endpoint's only one (D2)."""
    further = [replace(report, status=one, drift=None, drift_count=0) for one in report.status.get("products", ())]
    for rule in _RULES:
        for one in (report, *(further if rule in _OF_PRODUCTS else ())):
            found = rule(one)
            if found:
                return found, one
    return None, report


def newest_built(report: Report) -> dict[str, float]:
    """By product, when the newest of its components that are no engine was built (Unix seconds), where any tells.

    Engines are rarely built, and of a set of patterns some parts hardly ever are: what comes each day is the newest.
    """
    found: dict[str, float] = {}
    for section in (report.status, *report.status.get("products", ())):
        listed = section.get("components") or ()
        dates = [unix(one["built"]) for one in listed if one.get("built") and one.get("kind") != Kind.ENGINE.value]
        if dates:
            found[str(section.get("product") or "")] = max(dates)
    return found


def _skew(seconds: float) -> tuple[EndpointState, str] | None:
    if abs(seconds) <= MAX_SKEW_S:
        return None
    return EndpointState.FAILING, f"its clock is {_about(abs(seconds))} {'ahead' if seconds > 0 else 'behind'}"


Rule = Callable[[Report], Optional[tuple[EndpointState, str]]]
"""What a report says of itself: a state and its reason, or nothing."""


def _refusal(report: Report) -> tuple[EndpointState, str] | None:
    result, reason = _configuration(report)
    if result not in REFUSALS:
        return None
    return EndpointState.REFUSING, f"{result}: {reason}" if reason else result


def refusal_code(assessment: Assessment) -> str:
    """Of an endpoint that refuses its configuration, the ``SyncResult`` that it told."""
    return assessment.reason.partition(":")[0]


def _failed_selftest(report: Report) -> tuple[EndpointState, str] | None:
    errors = report.status.get("selftest", {}).get("errors") or ()
    return (EndpointState.FAILING, _first_of(errors, len(errors))) if errors else None


def _failed_run(report: Report) -> tuple[EndpointState, str] | None:
    run = _last_run(report.status)
    if run.get("result") not in _FAILED:
        return None
    if run.get("kind") == ReasonKind.PROBE.value:
        return EndpointState.FAILING, f"{ReasonKind.PROBE.value}: {run.get('reason') or 'no details'}"
    return EndpointState.FAILING, _words(run)


def _failed_engine(report: Report) -> tuple[EndpointState, str] | None:
    """The last upgrade of the engine's packages has failed, which updates of patterns say nothing about."""
    run = report.status.get("engine") or {}
    return (EndpointState.FAILING, f"engine: {_words(run)}") if run.get("result") in _FAILED else None


def _lost_schedule(report: Report) -> tuple[EndpointState, str] | None:
    fault = report.status.get("schedule_fault")
    return (EndpointState.FAILING, str(fault)) if fault else None


def _lost_configuration(report: Report) -> tuple[EndpointState, str] | None:
    result, reason = _configuration(report)
    if result != SyncResult.FAILED.value:
        return None
    return EndpointState.FAILING, f"the configuration can't be taken: {reason or 'no reason was given'}"


def _drifted(report: Report) -> tuple[EndpointState, str] | None:
    if not report.drift_count:
        return None
    first = _first_of(report.drift or (), report.drift_count)
    return EndpointState.FAILING, f"differs from what was converged: {first}"


def _switched_off(report: Report) -> tuple[EndpointState, str] | None:
    if report.status.get("scheduled_update", True):
        return None
    who = "its user has switched" if report.status.get("switch") is False else "its policy has"
    return EndpointState.SWITCHED_OFF, f"{who} scheduled update off"


def _roaming(report: Report) -> tuple[EndpointState, str] | None:
    return (EndpointState.ROAMING, "") if report.status.get("roaming", False) else None


def _bare(report: Report) -> tuple[EndpointState, str] | None:
    """An endpoint without any component is not protected, whatever is published."""
    bare = report.status.get("components") == [] and not report.status.get("truncated")
    return (EndpointState.BEHIND, "no component is installed") if bare else None


_RULES: tuple[Rule, ...] = (
    _refusal,
    _failed_selftest,
    _failed_run,
    _failed_engine,
    _lost_schedule,
    _lost_configuration,
    _drifted,
    _switched_off,
    _roaming,
    _bare,
)
"""What has to be mended comes before what somebody wanted."""
_OF_PRODUCTS: tuple[Rule, ...] = (_failed_selftest, _failed_run, _lost_schedule, _bare)
"""What each product of an endpoint may have for itself."""


def _configuration(report: Report) -> tuple[str, str]:
    """What became of asking for the configuration last: the result and its reason."""
    found = report.status.get("configuration") or {}
    return str(found.get("result") or ""), str(found.get("reason") or "")


def _last_run(status: Mapping[str, Any]) -> Mapping[str, Any]:
    """The run that finished last and asked the product; who was skipped or joined another one says nothing new."""
    runs = [run for run in status.get("last", {}).values() if run.get("result") not in (None, Result.SKIPPED.value)]
    return max(runs, key=lambda run: str(run.get("finished", "")), default={})


def _words(run: Mapping[str, Any]) -> str:
    parts = [str(run["result"]), str(run.get("reason") or "")]
    if run.get("until"):
        parts.append(f"until {run['until']}")
    return "; ".join(part for part in parts if part)


def _first_of(sentences: Any, count: int) -> str:
    words = str(next(iter(sentences), "")) or "no details"
    return words if count <= 1 else f"{words} (and {count - 1} more)"


def _about(seconds: float) -> str:
    """A span in its largest unit."""
    days = int(seconds // (24 * _HOUR))
    return f"{days} d" if days else format_duration(int(seconds // 60) * 60)
