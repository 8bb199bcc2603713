# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A clock that is wrong, and put right between or during runs: the schedule goes on, nothing runs twice."""

from __future__ import annotations

from datetime import datetime, timezone

import pytest
from ansible_collections.epp.autoupdate.plugins.module_utils._core.results import Result, Trigger
from ansible_collections.epp.autoupdate.plugins.module_utils._endpoint.clock import reckoning_anew
from ansible_collections.epp.autoupdate.plugins.module_utils._endpoint.runner.runner import Runner
from ansible_collections.epp.autoupdate.plugins.module_utils._endpoint.runner.start_gate import StartGate
from ansible_collections.epp.autoupdate.plugins.module_utils._host.scheduler import systemd

from .conftest import Sandbox
from .runner.runs import NOON, boot, versions

DAY = 86400.0
WRONG = [
    datetime(2035, 1, 1, 12, tzinfo=timezone.utc).timestamp(),
    NOON + 30 * DAY,
    NOON + 3 * DAY,
    NOON - 3 * DAY,
    datetime(2000, 1, 1, 12, tzinfo=timezone.utc).timestamp(),
]


@pytest.mark.parametrize("wrong", WRONG)
def test_after_a_run_by_a_wrong_clock_each_day_has_its_run(sandbox: Sandbox, wrong: float) -> None:
    sandbox.converge()
    sandbox.host.clock = wrong
    assert sandbox.runner().run(Trigger.SCHEDULE).result is Result.UPDATED
    for day in range(5):
        sandbox.host.clock = NOON + day * DAY
        report = sandbox.runner().run(Trigger.SCHEDULE)
        assert (report.result, report.started) == (Result.CURRENT, NOON + day * DAY)
        assert not sandbox.runner().run(Trigger.SCHEDULE).ran


@pytest.mark.parametrize("wrong", [WRONG[0], WRONG[-1]])
def test_what_was_run_is_not_run_again_when_the_clock_was_wrong_in_between(sandbox: Sandbox, wrong: float) -> None:
    sandbox.converge()
    assert sandbox.runner().run(Trigger.SCHEDULE).ran
    sandbox.host.clock = wrong
    assert sandbox.runner().run(Trigger.SCHEDULE).ran
    sandbox.host.clock = NOON + 1800
    again = sandbox.runner().run(Trigger.SCHEDULE)
    assert (again.result, again.recorded) == (Result.SKIPPED, False)
    sandbox.host.clock = NOON + DAY
    assert sandbox.runner().run(Trigger.SCHEDULE).ran


def test_a_clock_that_is_an_hour_ahead_runs_the_next_occurrence_once(sandbox: Sandbox) -> None:
    sandbox.converge()
    assert sandbox.runner().run(Trigger.SCHEDULE).ran
    sandbox.host.clock = NOON - 3600
    assert not sandbox.runner().run(Trigger.SCHEDULE).ran
    sandbox.host.clock = NOON
    assert not sandbox.runner().run(Trigger.SCHEDULE).ran


def test_who_waits_does_not_wait_for_years_when_the_clock_is_set_back(sandbox: Sandbox) -> None:
    """The agent drew 13:30 of a day in 2035; then the clock is put right."""
    sandbox.converge()
    sandbox.host.clock = WRONG[0] + 3600
    slept = []

    def put_right(seconds: float) -> None:
        slept.append(seconds)
        sandbox.host.clock = NOON - 7200 + sum(slept)

    report = Runner(sandbox.endpoint, StartGate(put_right, lambda: 0.5)).run(Trigger.SCHEDULE)
    assert (report.result, report.recorded) == (Result.SKIPPED, False)
    assert sum(slept) < 120
    assert versions(sandbox) == "0"


def test_who_waits_updates_in_the_window_that_is_open_when_the_clock_is_right(sandbox: Sandbox) -> None:
    sandbox.converge()
    sandbox.host.clock = WRONG[0] + 3600

    def put_right(seconds: float) -> None:
        sandbox.host.clock = (NOON + 3600 if sandbox.host.clock > WRONG[0] else sandbox.host.clock) + seconds

    report = Runner(sandbox.endpoint, StartGate(put_right, lambda: 0.5)).run(Trigger.SCHEDULE)
    assert report.result is Result.UPDATED
    assert NOON + 3600 < report.started < NOON + 7200


def test_the_source_is_not_waited_for_for_years(sandbox: Sandbox) -> None:
    """E2: 127.0.0.1:1 refuses every connection, and the clock is set back a day at each pause."""
    lost = {"product": "files", "policy": {"sources": {"urls": ["http://127.0.0.1:1"]}}}
    sandbox.converge(**lost, reconnect={"wait": "4m", "jitter": "0s"})
    boot(sandbox, "the second boot")
    pauses = []

    def set_back(seconds: float) -> None:
        pauses.append(seconds)
        sandbox.host.clock -= DAY

    report = Runner(sandbox.endpoint, StartGate(set_back, lambda: 0.5)).run(Trigger.RECONNECT)
    assert report.result is Result.UNREACHABLE
    assert sum(pauses) == pytest.approx(240, abs=15)


@pytest.mark.parametrize(
    ("went_by", "elapsed", "anew"), [(-9 * 365 * DAY, 5.0, True), (5.0, 5.0, False), (9 * 365 * DAY, 5.0, False)]
)
def test_the_timers_are_reckoned_anew_when_the_clock_is_set_back_during_a_run(
    sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch, went_by: float, elapsed: float, anew: bool
) -> None:
    sandbox.converge()
    told: list[tuple[str, ...]] = []
    monkeypatch.setattr(systemd, "systemd_runs", lambda _host: True)
    monkeypatch.setattr(systemd, "systemctl", lambda _host, *words: told.append(words))
    passed = iter((0.0, elapsed))
    with reckoning_anew(sandbox.endpoint, lambda: next(passed)):
        sandbox.host.clock += went_by
    expected = ("try-restart", "--no-block", "--", "epp-update.timer", "epp-sync.timer", "epp-engine.timer")
    assert told == ([expected] if anew else [])
