# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The state of an endpoint by what its server knows of it (R6)."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.epp.autoupdate.plugins.module_utils._core.reports.report import Report
from ansible_collections.epp.autoupdate.plugins.module_utils._core.reports.states import (
    Assessment,
    EndpointState,
    Knowledge,
    Verdict,
    assess,
    judge,
)
from ansible_collections.epp.autoupdate.plugins.module_utils._core.timestamps import iso
from ansible_collections.epp.autoupdate.plugins.module_utils._core.values import replace

from .test_report import STATUS, report

NOW = 1795348800.0
DAY = 86400.0
State = EndpointState


def run(result: str, reason: str = "", *, ago: float = 60, until: str | None = None) -> dict[str, Any]:
    return {"result": result, "reason": reason, "finished": iso(NOW - ago), "until": until}


def verdict(status: dict[str, Any] | None = None, *, skew: float = 0, **more: Any) -> Verdict:
    """That over a report that came a minute ago."""
    one: Report = report(at=int(NOW - 60 + skew), **more)
    return judge(replace(one, status={**STATUS, "last": {}, **(status or {})}), received=NOW - 60)


def told(status: dict[str, Any] | None = None, **more: Any) -> Knowledge:
    """What a server knows of an endpoint that reported a minute ago."""
    return Knowledge(**{"verdict": verdict(status), "seen": NOW - 60, **more})


REPORTED = {
    "well": ({}, State.CURRENT, ""),
    "updated": ({"last": {"schedule": run("updated")}}, State.CURRENT, ""),
    "failed": ({"last": {"schedule": run("failed", "the disk is full")}}, State.FAILING, "failed; the disk is full"),
    "no source": ({"last": {"manual": run("unreachable", "no answer")}}, State.FAILING, "unreachable; no answer"),
    "failed by its probe": (
        {"last": {"schedule": {**run("failed", "/bin/sh was called malware"), "kind": "probe"}}},
        State.FAILING,
        "probe: /bin/sh was called malware",
    ),
    "engine packages failed, patterns are well": (
        {"last": {"schedule": run("updated")}, "engine": run("failed", "the disk is full", ago=300)},
        State.FAILING,
        "engine: failed; the disk is full",
    ),
    "engine packages are held": (
        {"last": {"schedule": run("updated")}, "engine": run("held", "it crashes")},
        State.CURRENT,
        "",
    ),
    "failed, then well": (
        {"last": {"schedule": run("failed", ago=300), "manual": run("current")}},
        State.CURRENT,
        "",
    ),
    "well, then failed": (
        {"last": {"schedule": run("failed", "x"), "manual": run("current", ago=300)}},
        State.FAILING,
        "failed; x",
    ),
    "failed, then skipped": (
        {"last": {"schedule": run("failed", "x", ago=300), "manual": run("skipped")}},
        State.FAILING,
        "failed; x",
    ),
    "self-test": (
        {"selftest": {"at": None, "errors": ["freshclam is not installed", "y"]}},
        State.FAILING,
        "freshclam is not installed (and 1 more)",
    ),
    "lost zone": ({"schedule_fault": "the zone is gone"}, State.FAILING, "the zone is gone"),
    "refuses": (
        {"configuration": {"result": "rollback", "reason": "serial 3 is lower than 4"}},
        State.REFUSING,
        "rollback: serial 3 is lower than 4",
    ),
    "can't take it": (
        {"configuration": {"result": "failed", "reason": "no space"}},
        State.FAILING,
        "the configuration can't be taken: no space",
    ),
    "server was away": ({"configuration": {"result": "unreachable", "reason": "x"}}, State.CURRENT, ""),
    "user's switch": (
        {"switch": False, "scheduled_update": False},
        State.SWITCHED_OFF,
        "its user has switched scheduled update off",
    ),
    "policy": ({"scheduled_update": False}, State.SWITCHED_OFF, "its policy has scheduled update off"),
    "user's switch, not asked": ({"switch": False, "scheduled_update": True}, State.CURRENT, ""),
    "roaming": ({"roaming": True}, State.ROAMING, ""),
    "nothing installed": ({"components": []}, State.BEHIND, "no component is installed"),
    "too many to be told": ({"components": [], "truncated": True}, State.CURRENT, ""),
    "roaming and failing": (
        {"roaming": True, "last": {"manual": run("failed", "x")}},
        State.FAILING,
        "failed; x",
    ),
}


@pytest.mark.parametrize("what", REPORTED)
def test_what_an_endpoint_reported(what: str) -> None:
    status, state, reason = REPORTED[what]
    found = assess(told(status), now=NOW, silence=2 * DAY)
    assert (found.state, found.reason) == (state, reason)
    assert found.since is not None


def test_a_failing_run_tells_since_when() -> None:
    known = told({"last": {"schedule": run("failed", "x", ago=4000)}})
    assert assess(known, now=NOW, silence=DAY).since == NOW - 4000


def test_what_the_server_sees_itself() -> None:
    assert assess(Knowledge(), now=NOW, silence=DAY) == Assessment(State.NEVER_SEEN)
    quiet = told(seen=NOW - 3 * DAY)
    assert assess(quiet, now=NOW, silence=2 * DAY) == Assessment(State.SILENT, "", NOW - 3 * DAY)
    assert assess(quiet, now=NOW, silence=3 * DAY).state is State.CURRENT
    lacks = told(behind="daily 27001, 27002 is published", behind_since=NOW - 900)
    assert assess(lacks, now=NOW, silence=DAY) == Assessment(State.BEHIND, lacks.behind, NOW - 900)
    answered = Knowledge(seen=NOW - 60)
    assert assess(answered, now=NOW, silence=DAY) == Assessment(State.CURRENT, "", NOW - 60), "by an answer alone"
    strange = told(refused="signed by another key than the pinned one", refused_since=NOW - 5)
    found = assess(strange, now=NOW, silence=DAY)
    words = "its reports are refused: signed by another key than the pinned one"
    assert found == Assessment(State.FAILING, words, NOW - 5)
    assert assess(replace(strange, verdict=None, seen=None), now=NOW, silence=DAY).state is State.FAILING
    changed = told(barred="its host key has changed", barred_since=NOW - 9)
    assert assess(changed, now=NOW, silence=DAY) == Assessment(State.FAILING, "its host key has changed", NOW - 9)


@pytest.mark.parametrize(
    ("skew", "words"),
    [
        (9 * 365 * DAY, "its clock is 3285 d ahead"),
        (-3600, "its clock is 1h behind"),
        (14 * 60, ""),
        (-14 * 60, ""),
    ],
)
def test_a_wrong_clock_is_told(skew: float, words: str) -> None:
    found = verdict(skew=skew).said
    assert (found.state, found.reason) == ((State.FAILING, words) if words else (State.CURRENT, ""))


def test_files_that_differ_are_a_failure_that_names_the_first() -> None:
    found = verdict(drift=("file /etc/x: its content",), drift_count=3).said
    words = "differs from what was converged: file /etc/x: its content (and 2 more)"
    assert (found.state, found.reason) == (State.FAILING, words)


def test_a_cool_down_explains_why_one_is_behind() -> None:
    waits = {"last": {"schedule": run("cooling_down", "asked to wait", until="2026-11-30T12:00:00Z")}}
    known = told(waits, behind="daily 1, 2 is published", behind_since=NOW)
    words = "daily 1, 2 is published; cooling_down; asked to wait; until 2026-11-30T12:00:00Z"
    assert assess(known, now=NOW, silence=DAY).reason == words


SECTION: dict[str, Any] = {"product": "suricata", "components": [{"name": "rules", "version": "7"}], "last": {}}
OF_PRODUCTS = {
    "well": ({}, State.CURRENT, ""),
    "failed": ({"last": {"schedule": run("failed", "no rules")}}, State.FAILING, "suricata: failed; no rules"),
    "can not be updated": ({"selftest": {"errors": ["no tls"]}}, State.FAILING, "suricata: no tls"),
    "no time zone": ({"schedule_fault": "no such zone"}, State.FAILING, "suricata: no such zone"),
    "bare": ({"components": []}, State.BEHIND, "suricata: no component is installed"),
    "switched off": ({"scheduled_update": False}, State.CURRENT, ""),
}


@pytest.mark.parametrize("case", OF_PRODUCTS)
def test_an_endpoint_is_what_its_worst_product_is(case: str) -> None:
    section, state, reason = OF_PRODUCTS[case]
    found = verdict({"products": [{**SECTION, "product": "rkhunter"}, {**SECTION, **section}]}).said
    assert (found.state, found.reason) == (state, reason)


def test_what_has_to_be_mended_of_any_product_comes_before_what_somebody_wanted() -> None:
    failed = {**SECTION, "last": {"schedule": run("failed", "no rules", ago=300)}}
    found = verdict({"scheduled_update": False, "products": [failed]}).said
    assert (found.state, found.reason, found.since) == (State.FAILING, "suricata: failed; no rules", NOW - 300)
    both = verdict({"last": {"schedule": run("failed", "the disk is full")}, "products": [failed]}).said
    assert both.reason == "failed; the disk is full"
