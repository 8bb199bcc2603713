# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The table of all endpoints: what a reader can sort, filter and take away as CSV."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Callable, Union

from ..._core.results import Result, Trigger
from ..._core.timestamps import unix
from .ages import ComponentKey, age_of
from .columns import NEVER, TRUNCATED, Cell, Column, Kind, Missing
from .facts import EndpointFacts
from .starts import Start

NO_RUN = Missing("no run is on record")
_OF_REPORTS = Callable[[Mapping[str, Any]], Cell]


def table(
    facts: Sequence[EndpointFacts],
    starts: Sequence[Start],
    keys: Sequence[ComponentKey],
    now: float,
    more: Iterable[Column] = (),
) -> dict[str, Any]:
    """Every endpoint as one row, in the order of ``facts``; ``starts`` are theirs, and ``more`` are further columns."""
    columns = [_filled(Column(*head), [read(one) for one in facts]) for head, read in _PLAIN]
    columns += [_filled(Column(*head), [read(one) for one in starts]) for head, read in _STARTS]
    for key in keys:
        head = Column(key.column, f"age of {key.name} ({key.product}), days", Kind.DAYS)
        columns.append(_filled(head, [age_of(one, key, now) for one in facts]))
    return {"count": len(facts), "columns": [column.to_dict() for column in (*columns, *more)]}


def _filled(column: Column, cells: Sequence[Cell]) -> Column:
    for cell in cells:
        column.add(cell)
    return column


def _told(read: _OF_REPORTS) -> Callable[[EndpointFacts], Cell]:
    """What the status of a report says, or that there is none."""
    return lambda one: NEVER if one.report is None else read(one.report.status)


def _since(one: EndpointFacts) -> Cell:
    since = one.health.assessment.since
    return Missing("nobody knows") if since is None else since


def _versions(status: Mapping[str, Any]) -> Cell:
    if status.get("truncated"):
        return TRUNCATED
    found = status.get("components")
    if found is None:
        return Missing("its report does not say it")
    return ", ".join(f"{one['name']} {one['version']}" for one in found[:_SHOWN]) + _more(len(found) - _SHOWN)


def _more(count: int) -> str:
    return f" and {count} more" if count > 0 else ""


def _result(trigger: Trigger) -> Callable[[EndpointFacts], Cell]:
    def read(one: EndpointFacts) -> Cell:
        if one.report is None:
            return NEVER
        result = one.report.run(trigger.value).get("result")
        return NO_RUN if result is None else str(result)

    return read


def _next_run(status: Mapping[str, Any]) -> Cell:
    if status.get("next_run"):
        return unix(status["next_run"])
    off = not status.get("scheduled_update", True)
    return Missing("its scheduled update is off" if off else "its report does not say it")


def _blackout(status: Mapping[str, Any]) -> Cell:
    told = status.get("blackout")
    if not told:
        return Missing("none is near")
    words = f"{told.get('name', '')} from {told.get('start', '')} until {told.get('end', '')}"
    swallowed = ", ".join(told.get("swallowed", ())[:_SHOWN])
    return f"{words}; no window on {swallowed}" if swallowed else words


def _switch(status: Mapping[str, Any]) -> Cell:
    switch = status.get("switch")
    return "none" if switch is None else "on" if switch else "off"


def _yes(key: str, default: bool) -> _OF_REPORTS:
    return lambda status: "yes" if status.get(key, default) else "no"


def _drift(one: EndpointFacts) -> Cell:
    if one.report is None:
        return NEVER
    return one.report.drift_count if one.report.looked else Missing("nobody has looked")


def _first_drift(one: EndpointFacts) -> Cell:
    return next(iter(one.report.drift), "") if one.report else ""


def _adopted(key: str) -> _OF_REPORTS:
    def read(status: Mapping[str, Any]) -> Cell:
        told: Union[int, str, None] = (status.get("configuration") or {}).get(key)
        if told is None:
            return Missing("it has adopted none")
        return unix(told) if isinstance(told, str) else told

    return read


def _scan(status: Mapping[str, Any]) -> Cell:
    last = status.get("scan", {}).get("last")
    if not last:
        return Missing("no scan is on record")
    return last.get("found", 0) if last.get("ok", True) else Missing(f"its last scan failed: {last.get('reason', '')}")


def _notice(one: EndpointFacts) -> Cell:
    if one.notice is None:
        return Missing("it was in no campaign")
    return " ".join(part for part in (one.notice["status"], one.notice["result"]) if part)


def _failed_reason(one: EndpointFacts) -> Cell:
    """The reason of the last run that failed, for those who look for all of one kind."""
    runs = [one.report.run(trigger.value) for trigger in Trigger] if one.report else []
    failed = [run for run in runs if run.get("result") in (Result.FAILED.value, Result.UNREACHABLE.value)]
    return next((str(run.get("reason", "")) for run in failed), "")


_SHOWN = 5
_PLAIN: tuple[tuple[tuple[Any, ...], Callable[[EndpointFacts], Cell]], ...] = (
    (("name", "endpoint"), lambda one: one.name),
    (("domain", "domain"), lambda one: one.domain),
    (("state", "state"), lambda one: one.health.assessment.state.value),
    (("since", "since", Kind.INSTANT), _since),
    (("reason", "reason"), lambda one: one.health.assessment.reason),
    (("heard", "as of", Kind.INSTANT), lambda one: one.report.received if one.report else NEVER),
    (("product", "product"), _told(lambda status: status.get("product") or Missing("its report does not say it"))),
    (("versions", "versions"), _told(_versions)),
    (("lacks", "lacks"), lambda one: one.health.lack.words),
    *((((f"run:{one.value}", f"last {one.value} run")), _result(one)) for one in Trigger),
    (("failure", "reason of a failed run"), _failed_reason),
    (("next_run", "next run", Kind.INSTANT), _told(_next_run)),
    (("blackout", "blackout"), _told(_blackout)),
    (("scheduled", "scheduled update"), _told(_yes("scheduled_update", True))),
    (("switch", "user's switch"), _told(_switch)),
    (("roaming", "roaming"), _told(_yes("roaming", False))),
    (("drift", "differences", Kind.NUMBER), _drift),
    (("difference", "first difference"), _first_drift),
    (("tree", "tree serial", Kind.NUMBER), _told(_adopted("tree_serial"))),
    (("expires", "configuration ends", Kind.INSTANT), _told(_adopted("expires"))),
    (("found", "findings of the last scan", Kind.NUMBER), _told(_scan)),
    (("notice", "last notice"), _notice),
    (("own", "values of its own"), lambda one: ", ".join(one.own)),
)
_STARTS: tuple[tuple[tuple[Any, ...], Callable[[Start], Cell]], ...] = (
    (("schedule", "schedule"), lambda one: one.words),
    (("planned", "planned start", Kind.INSTANT), lambda one: one.planned),
    (("started", "real start", Kind.INSTANT), lambda one: one.real),
    (("late", "seconds after plan", Kind.SECONDS), lambda one: one.late),
)
