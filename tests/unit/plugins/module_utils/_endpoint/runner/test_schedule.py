# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Scheduled runs: at their instant, once, in what remains of a window, and what changes while they wait (S3, S4)."""

from __future__ import annotations

import pytest
from ansible_collections.epp.autoupdate.plugins.module_utils._core.results import Result, Trigger
from ansible_collections.epp.autoupdate.plugins.module_utils._endpoint.runner.runner import Runner
from ansible_collections.epp.autoupdate.plugins.module_utils._endpoint.runner.start_gate import StartGate

from ..conftest import Sandbox
from .runs import NOON, policy, remember, versions


def test_a_schedule_runs_once_an_occurrence(sandbox: Sandbox) -> None:
    """S3."""
    sandbox.converge()
    assert sandbox.runner().run(Trigger.SCHEDULE).result is Result.UPDATED
    again = sandbox.runner().run(Trigger.SCHEDULE)
    assert (again.result, again.recorded) == (Result.SKIPPED, False)
    sandbox.host.clock += 86400
    assert sandbox.runner().run(Trigger.SCHEDULE).result is Result.CURRENT


def test_before_its_minute_a_schedule_does_nothing_and_says_nothing(sandbox: Sandbox) -> None:
    sandbox.converge()
    sandbox.host.clock -= 3600
    before = sandbox.tree()
    assert not sandbox.runner().run(Trigger.SCHEDULE).recorded
    assert {path: kept for path, kept in sandbox.tree().items() if not path.startswith("run/")} == {
        path: kept for path, kept in before.items() if not path.startswith("run/")
    }


def test_a_grain_of_minutes_waits_to_the_second(sandbox: Sandbox) -> None:
    """Cron starts the agent up to a minute early."""
    sandbox.converge()
    sandbox.host.clock -= 37
    report = sandbox.runner().run(Trigger.SCHEDULE)
    assert report.result is Result.UPDATED
    assert report.started == NOON


def test_late_in_the_window_an_instant_of_what_remains_is_drawn(sandbox: Sandbox) -> None:
    """S4: the window is 12:00 to 14:00, the endpoint wakes at 13:00 and draws the middle of the rest."""
    sandbox.converge()
    sandbox.host.clock += 3600
    report = sandbox.runner(draw=0.5).run(Trigger.SCHEDULE)
    assert report.result is Result.UPDATED
    assert report.started == pytest.approx(NOON + 3600 + 1800, abs=1)


def test_after_the_window_nothing_is_caught_up(sandbox: Sandbox) -> None:
    """S4."""
    sandbox.converge()
    sandbox.host.clock += 7300
    assert sandbox.runner().run(Trigger.SCHEDULE).result is Result.SKIPPED
    assert versions(sandbox) == "0"


def test_only_one_run_waits(sandbox: Sandbox) -> None:
    """Cron wakes the agent every hour of the window; the first waiter's draw counts."""
    sandbox.converge()
    sandbox.host.clock += 3600
    others = []

    def wake_another(seconds: float) -> None:
        sandbox.host.sleep(seconds)
        others.append(sandbox.runner(draw=0.0).run(Trigger.SCHEDULE))

    report = Runner(sandbox.endpoint, StartGate(wake_another, lambda: 0.5)).run(Trigger.SCHEDULE)
    assert report.result is Result.UPDATED
    assert {(other.result, other.recorded, other.why) for other in others} == {
        (Result.SKIPPED, False, "another run waits already")
    }


def test_after_a_suspension_the_window_may_have_closed(sandbox: Sandbox) -> None:
    """S4: a laptop that slept through the instant it waited for does not update in the morning."""
    sandbox.converge()
    sandbox.host.clock += 3600

    def suspend(_seconds: float) -> None:
        sandbox.host.clock += 12 * 3600

    report = Runner(sandbox.endpoint, StartGate(suspend, lambda: 0.5)).run(Trigger.SCHEDULE)
    assert (report.result, report.recorded) == (Result.SKIPPED, False)
    assert versions(sandbox) == "0"


def test_a_new_schedule_does_not_wait_for_the_old_ones_instant(sandbox: Sandbox) -> None:
    """S3: the run that waits for 13:30 makes room for the slot of a new schedule, at 13:05."""
    sandbox.converge()
    sandbox.host.clock += 3600

    def converge_meanwhile(seconds: float) -> None:
        sandbox.host.sleep(seconds)
        sandbox.converge(**policy(schedule={"start": "13:05"}))

    waited = Runner(sandbox.endpoint, StartGate(converge_meanwhile, lambda: 0.5)).run(Trigger.SCHEDULE)
    assert (waited.result, waited.recorded) == (Result.SKIPPED, False)
    assert sandbox.host.clock < NOON + 3700
    sandbox.host.clock = NOON + 3900
    assert sandbox.runner().run(Trigger.SCHEDULE).result is Result.UPDATED


@pytest.mark.parametrize("change", ["switch", "schedule", "another run"])
def test_what_changes_during_a_wait_counts(sandbox: Sandbox, change: str) -> None:
    sandbox.converge(**policy(privileges={"toggle_scheduled_update": True}))
    sandbox.host.clock += 3600
    sleep = sandbox.host.sleep

    def change_it(seconds: float) -> None:
        sleep(seconds)
        if change == "switch":
            remember(sandbox, switch=False)
        elif change == "schedule":
            sandbox.converge(**policy(schedule={"frequency": "weekly"}))
        else:
            remember(sandbox, occurrence="2026-11-22")

    runner = Runner(sandbox.endpoint, StartGate(change_it, lambda: 0.5))
    assert runner.run(Trigger.SCHEDULE).result is Result.SKIPPED
    assert versions(sandbox) == "0"
