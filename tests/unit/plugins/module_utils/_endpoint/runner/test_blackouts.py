# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Blackouts on an endpoint (G7): what they refuse, what may pass, and that it is told once and never silent."""

from __future__ import annotations

import json
from typing import Any

import pytest
from ansible_collections.epp.autoupdate.plugins.module_utils._core.policy.enums import BlackoutException
from ansible_collections.epp.autoupdate.plugins.module_utils._core.results import Result, Trigger
from ansible_collections.epp.autoupdate.plugins.module_utils._core.timestamps import unix
from ansible_collections.epp.autoupdate.plugins.module_utils._endpoint.runner.blackout import AFTER_S
from ansible_collections.epp.autoupdate.plugins.module_utils._endpoint.runner.runner import Runner
from ansible_collections.epp.autoupdate.plugins.module_utils._endpoint.runner.start_gate import StartGate
from ansible_collections.epp.autoupdate.plugins.module_utils._endpoint.status.status import compose

from ..conftest import Sandbox
from .runs import NOON, boot, policy, remember, versions

SUNDAY = {"name": "sunday", "days": ["sunday"], "from": "10:00", "to": "18:00"}
"""It swallows the window from 12:00 to 14:00 of the day on which the sandbox's clock stands."""
END = int(NOON) + 6 * 3600


def converge(sandbox: Sandbox, *blackouts: dict[str, Any], **more: Any) -> None:
    sandbox.converge(**policy(schedule={"blackouts": list(blackouts), **more}), reconnect={"jitter": "0s"})


@pytest.mark.parametrize("trigger", [Trigger.SCHEDULE, Trigger.DOWNLOAD, Trigger.RECONNECT, Trigger.MANUAL])
def test_a_blackout_refuses_each_trigger_and_says_until_when(sandbox: Sandbox, trigger: Trigger) -> None:
    converge(sandbox, SUNDAY, blackout_exceptions=[])
    boot(sandbox, "the second boot")
    report = sandbox.runner().run(trigger)
    assert (report.result, report.why, report.until) == (Result.SKIPPED, "blackout sunday", END)
    assert report.sentence().endswith("skipped; blackout sunday; until 2026-11-22T18:00:00Z")
    assert versions(sandbox) == "0"
    told = compose(sandbox.endpoint, sandbox.endpoint.store.read())["last"][trigger.value]
    assert (told["result"], told["until"]) == ("skipped", "2026-11-22T18:00:00Z")


@pytest.mark.parametrize(
    ("trigger", "exception", "granted", "result"),
    [
        (Trigger.MANUAL, None, ["update_now"], Result.UPDATED),
        (Trigger.MANUAL, None, ["rollback", "expedite"], Result.SKIPPED),
        (Trigger.DOWNLOAD, BlackoutException.EXPEDITE, ["expedite"], Result.UPDATED),
        (Trigger.DOWNLOAD, BlackoutException.EXPEDITE, ["rollback", "update_now"], Result.SKIPPED),
        (Trigger.DOWNLOAD, BlackoutException.ROLLBACK, ["rollback"], Result.UPDATED),
        (Trigger.DOWNLOAD, None, ["rollback", "expedite", "update_now"], Result.SKIPPED),
    ],
)
def test_exceptions_pass_by_their_key(
    sandbox: Sandbox, trigger: Trigger, exception: BlackoutException | None, granted: list[str], result: Result
) -> None:
    converge(sandbox, SUNDAY, blackout_exceptions=granted)
    assert sandbox.runner().run(trigger, exception).result is result


@pytest.mark.parametrize("trigger", [Trigger.SCHEDULE, Trigger.DOWNLOAD])
@pytest.mark.parametrize("granted", [True, False])
def test_a_held_version_is_replaced_in_a_blackout_where_policy_lets_it(
    sandbox: Sandbox, trigger: Trigger, granted: bool
) -> None:
    """G5: what is installed says that the run is a way back, whatever started it."""
    kept = sandbox.directory / "kept"
    kept.write_text("before")
    command = {
        **sandbox.document()["command"],
        "restore": ["/bin/sh", "-c", f"cat {kept} >{sandbox.installed}"],
        "offers": ["/bin/cat", str(sandbox.upstream)],
    }
    exceptions = ["rollback"] if granted else ["expedite", "update_now"]
    schedule = {"schedule": {"blackouts": [SUNDAY], "blackout_exceptions": exceptions}}
    held = [{"version": "0", "reason": "it takes printers for malware"}]
    sandbox.converge(command=command, policy=schedule, held_versions=held)
    report = sandbox.runner().run(trigger)
    assert (report.result is Result.SKIPPED, versions(sandbox) == "0") == (not granted, not granted)
    assert sandbox.runner().run(trigger).result is Result.SKIPPED


def test_what_is_forced_passes_whatever_the_exceptions_are(sandbox: Sandbox) -> None:
    converge(sandbox, SUNDAY, blackout_exceptions=[])
    assert sandbox.runner().run(Trigger.MANUAL, forced=True).result is Result.UPDATED


def test_a_swallowed_window_is_told_once_and_the_next_one_runs(sandbox: Sandbox) -> None:
    converge(sandbox, SUNDAY)
    first, second = (sandbox.runner().run(Trigger.SCHEDULE) for _waking in range(2))
    assert (first.recorded, second.recorded) == (True, False)
    sandbox.host.clock += 86400
    assert sandbox.runner().run(Trigger.SCHEDULE).result is Result.UPDATED
    sandbox.host.clock += 6 * 86400
    again = sandbox.runner().run(Trigger.SCHEDULE)
    assert (again.result, again.recorded, again.until) == (Result.SKIPPED, True, END + 7 * 86400)


def test_the_status_says_which_window_is_swallowed_and_when_the_next_run_is(sandbox: Sandbox) -> None:
    converge(sandbox, SUNDAY)
    told = compose(sandbox.endpoint, sandbox.endpoint.store.read())
    assert told["next_run"] == "2026-11-23T12:00:00Z"
    assert told["blackout"] == {
        "name": "sunday",
        "start": "2026-11-22T10:00:00Z",
        "end": "2026-11-22T18:00:00Z",
        "swallowed": ["2026-11-22"],
    }
    sandbox.host.clock = END
    told = compose(sandbox.endpoint, sandbox.endpoint.store.read())
    assert (told["blackout"]["start"], told["blackout"]["swallowed"]) == ("2026-11-29T10:00:00Z", [])
    converge(sandbox)
    assert compose(sandbox.endpoint, sandbox.endpoint.store.read())["blackout"] is None


def test_a_cut_window_is_run_in_what_remains(sandbox: Sandbox) -> None:
    converge(sandbox, {**SUNDAY, "to": "13:00"})
    assert not sandbox.runner().run(Trigger.SCHEDULE).recorded
    sandbox.host.clock += 3600
    report = sandbox.runner().run(Trigger.SCHEDULE)
    assert (report.result, report.started) == (Result.UPDATED, NOON + 3600)


def test_an_interval_schedule_tells_a_blackout_once(sandbox: Sandbox) -> None:
    converge(sandbox, SUNDAY, frequency="minutes", interval=10)
    recorded = []
    for _waking in range(5):
        report = sandbox.runner().run(Trigger.SCHEDULE)
        assert report.result is Result.SKIPPED
        recorded.append(report.recorded)
        sandbox.host.clock += 600
    assert recorded == [True, False, False, False, False]
    sandbox.host.clock = END
    assert sandbox.runner().run(Trigger.SCHEDULE).result is Result.UPDATED


def test_a_wait_that_ends_in_a_blackout_is_no_start(sandbox: Sandbox) -> None:
    """The jitter of a reconnect reaches into it."""
    converge(sandbox, {**SUNDAY, "from": "12:05"})
    sandbox.converge(**policy(schedule={"blackouts": [{**SUNDAY, "from": "12:05"}]}), reconnect={"jitter": "20m"})
    boot(sandbox, "the second boot")
    report = sandbox.runner(draw=0.5).run(Trigger.RECONNECT)
    assert (report.result, report.until) == (Result.SKIPPED, END)
    assert versions(sandbox) == "0"


def test_a_blackout_that_a_converge_brings_during_a_wait_counts(sandbox: Sandbox) -> None:
    converge(sandbox)
    boot(sandbox, "the second boot")
    sandbox.converge(reconnect={"jitter": "2m"})

    def converge_meanwhile(seconds: float) -> None:
        sandbox.host.sleep(seconds)
        sandbox.converge(**policy(schedule={"blackouts": [SUNDAY]}))

    sandbox.host.clock -= 1800
    waiting = Runner(sandbox.endpoint, StartGate(converge_meanwhile, lambda: 0.5))
    sandbox.host.clock += 1800 - 37
    assert waiting.run(Trigger.SCHEDULE).result is Result.SKIPPED
    assert versions(sandbox) == "0"


def test_who_came_back_in_a_blackout_updates_after_it_and_not_all_at_once(sandbox: Sandbox) -> None:
    """E2 and N3: the first second after the blackout belongs to ordinal 0, and each has its own in the hour."""
    starts = []
    for ordinal in (0, 1, 2):
        sandbox.installed.write_text("0")
        sandbox.host.clock = NOON
        schedule = {"schedule": {"blackouts": [SUNDAY]}}
        sandbox.converge(ordinal=ordinal, policy=schedule, reconnect={"jitter": "0s"})
        boot(sandbox, f"boot {ordinal}")
        assert sandbox.runner().run(Trigger.RECONNECT).until == END
        assert not sandbox.runner().run(Trigger.RECONNECT).recorded
        sandbox.host.clock = END
        while sandbox.runner().run(Trigger.RECONNECT).result is not Result.UPDATED:
            sandbox.host.clock += 60
            assert sandbox.host.clock < END + AFTER_S + 60
        starts.append(sandbox.host.clock - END)
    assert starts[0] == 0
    assert len(set(starts)) == 3


def test_a_restart_after_the_blackout_waits_for_no_turn(sandbox: Sandbox) -> None:
    converge(sandbox, SUNDAY)
    sandbox.host.clock = END + 60
    boot(sandbox, "the second boot")
    assert sandbox.runner().run(Trigger.RECONNECT).result is Result.UPDATED


def test_a_zone_that_is_gone_lets_nothing_start_and_says_why(sandbox: Sandbox) -> None:
    zone = {**SUNDAY, "timezone": "Europe/Berlin"}
    converge(sandbox, zone)
    path = sandbox.root / "etc/epp-autoupdate/endpoint.json"
    path.write_text(path.read_text().replace("Europe/Berlin", "Europe/Nowhere"))
    for trigger in (Trigger.DOWNLOAD, Trigger.SCHEDULE):
        report = sandbox.runner().run(trigger)
        assert report.result in (Result.SKIPPED, Result.FAILED)
        assert "schedule.blackouts[0].timezone: Europe/Nowhere is not known here any more" in report.why
    assert compose(sandbox.endpoint, sandbox.endpoint.store.read())["schedule_fault"]
    assert sandbox.runner().run(Trigger.MANUAL).result is Result.UPDATED
    assert json.loads(path.read_text())["policy"]["schedule"]["blackouts"][0]["timezone"] == "Europe/Nowhere"


def test_a_blackout_is_no_reason_to_forget_that_the_source_was_lost(sandbox: Sandbox) -> None:
    converge(sandbox, SUNDAY)
    remember(sandbox, source_lost=True)
    sandbox.runner().run(Trigger.RECONNECT)
    assert sandbox.endpoint.store.read().source_lost
    assert unix("2026-11-22T18:00:00Z") == END
