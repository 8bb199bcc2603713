# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The runner: which trigger may update when, and what its report says (R1, R3, E1-E3, S4, P1)."""

from __future__ import annotations

import json
import signal
import subprocess
import time
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.epp.autoupdate.plugins.module_utils._core.document import Limits
from ansible_collections.epp.autoupdate.plugins.module_utils._core.results import Result, Trigger
from ansible_collections.epp.autoupdate.plugins.module_utils._core.values import replace
from ansible_collections.epp.autoupdate.plugins.module_utils._endpoint import places
from ansible_collections.epp.autoupdate.plugins.module_utils._endpoint.endpoint import Endpoint
from ansible_collections.epp.autoupdate.plugins.module_utils._endpoint.runner import Runner
from ansible_collections.epp.autoupdate.plugins.module_utils._endpoint.status import compose
from ansible_collections.epp.autoupdate.plugins.module_utils._endpoint.waiting import Waiting
from ansible_collections.epp.autoupdate.plugins.module_utils._host.live_host import temporary_name

from .conftest import Sandbox

NOON = 1795348800.0  # 2026-11-22T12:00:00Z, when the sandbox's clock starts and its daily window (ordinal 0: its slot)


def policy(**sections: Any) -> dict[str, Any]:
    return {"policy": sections}


def versions(sandbox: Sandbox) -> str:
    return sandbox.installed.read_text()


def test_an_update_is_judged_by_its_versions(sandbox: Sandbox) -> None:
    sandbox.converge()
    first, second = (sandbox.runner().run(Trigger.MANUAL) for _run in range(2))
    assert (first.result, first.changed) == (Result.UPDATED, ("command",))
    assert (first.before[0].version, first.after[0].version) == ("0", "1")
    assert (second.result, second.changed) == (Result.CURRENT, ())
    assert sandbox.endpoint.store.read().last["manual"].result == "current"


def test_success_without_a_new_version_is_no_update(sandbox: Sandbox) -> None:
    """R1: never from an exit code alone, in neither direction."""
    command = {"update": ["/bin/true"], "version": ["/bin/cat", str(sandbox.installed)]}
    sandbox.converge(command=command)
    assert sandbox.runner().run(Trigger.MANUAL).result is Result.CURRENT
    command["update"] = ["/bin/sh", "-c", f"echo 5 >{sandbox.installed}; exit 9"]
    sandbox.converge(command=command)
    assert sandbox.runner().run(Trigger.MANUAL).result is Result.UPDATED
    command["update"] = ["/bin/sh", "-c", "echo no space >&2; exit 9"]
    sandbox.converge(command=command)
    report = sandbox.runner().run(Trigger.MANUAL)
    assert report.result is Result.FAILED
    assert "no space" in report.why


@pytest.mark.parametrize(
    ("trigger", "sections", "state", "why"),
    [
        ("download", {"events": {"update_after_download": False}}, {}, "events.update_after_download is off"),
        ("download", {}, {"roaming": True}, "roaming and events.include_roaming_and_offline is off"),
        ("reconnect", {"events": {"update_on_reconnect": False}}, {}, "events.update_on_reconnect is off"),
        ("reconnect", {}, {"roaming": True}, "this endpoint is roaming"),
        ("schedule", {"privileges": {"scheduled_update": False}}, {}, "off by policy"),
        ("schedule", {"privileges": {"toggle_scheduled_update": True}}, {"switch": False}, "user has switched"),
    ],
)
def test_triggers_that_may_not(
    sandbox: Sandbox, trigger: str, sections: dict[str, Any], state: dict[str, Any], why: str
) -> None:
    sandbox.converge(**policy(**sections))
    remember(sandbox, **state)
    report = sandbox.runner().run(Trigger(trigger))
    assert report.result is Result.SKIPPED
    assert why in report.why
    assert versions(sandbox) == "0"


@pytest.mark.parametrize(
    ("trigger", "sections", "state"),
    [
        ("download", {}, {}),
        ("download", {"events": {"include_roaming_and_offline": True}}, {"roaming": True}),
        ("schedule", {}, {"roaming": True}),
        ("schedule", {}, {"switch": False}),
        ("schedule", {"privileges": {"toggle_scheduled_update": True, "scheduled_update": False}}, {"switch": True}),
        ("reconnect", {}, {"boot_id": "an earlier boot"}),
        ("reconnect", {}, {"source_lost": True}),
        ("manual", {}, {"roaming": True}),
    ],
)
def test_triggers_that_may(sandbox: Sandbox, trigger: str, sections: dict[str, Any], state: dict[str, Any]) -> None:
    sandbox.converge(**policy(**sections))
    remember(sandbox, **state)
    assert sandbox.runner().run(Trigger(trigger)).result is Result.UPDATED


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

    report = Runner(sandbox.endpoint, Waiting(wake_another, lambda: 0.5)).run(Trigger.SCHEDULE)
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

    report = Runner(sandbox.endpoint, Waiting(suspend, lambda: 0.5)).run(Trigger.SCHEDULE)
    assert (report.result, report.recorded) == (Result.SKIPPED, False)
    assert versions(sandbox) == "0"


def test_a_new_schedule_does_not_wait_for_the_old_ones_instant(sandbox: Sandbox) -> None:
    """S3: the run that waits for 13:30 makes room for the slot of a new schedule, at 13:05."""
    sandbox.converge()
    sandbox.host.clock += 3600

    def converge_meanwhile(seconds: float) -> None:
        sandbox.host.sleep(seconds)
        sandbox.converge(**policy(schedule={"start": "13:05"}))

    waited = Runner(sandbox.endpoint, Waiting(converge_meanwhile, lambda: 0.5)).run(Trigger.SCHEDULE)
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

    runner = Runner(sandbox.endpoint, Waiting(change_it, lambda: 0.5))
    assert runner.run(Trigger.SCHEDULE).result is Result.SKIPPED
    assert versions(sandbox) == "0"


def test_the_first_converge_is_no_restart(sandbox: Sandbox) -> None:
    """E2: an endpoint that is enrolled has not missed anything by a restart."""
    sandbox.converge()
    report = sandbox.runner().run(Trigger.RECONNECT)
    assert (report.result, report.recorded) == (Result.SKIPPED, False)


def test_a_restart_is_answered_once_with_jitter(sandbox: Sandbox) -> None:
    """E2 and N3."""
    sandbox.converge(reconnect={"jitter": "2m"})
    boot(sandbox, "the second boot")
    report = sandbox.runner(draw=0.25).run(Trigger.RECONNECT)
    assert report.result is Result.UPDATED
    assert report.started == NOON + 30
    assert not sandbox.runner().run(Trigger.RECONNECT).recorded


def test_a_reconnect_that_fails_is_tried_again_but_not_for_ever(sandbox: Sandbox) -> None:
    """E2: what was missed is still missed after a failure; a source that stays broken is left alone after a while."""
    command = sandbox.document()["command"]
    sandbox.converge(command={**command, "update": ["/bin/false"]}, reconnect={"jitter": "0s"})
    boot(sandbox, "the second boot")
    results = [sandbox.runner().run(Trigger.RECONNECT) for _probe in range(7)]
    assert [result.result for result in results] == [Result.FAILED] * 5 + [Result.SKIPPED] * 2
    boot(sandbox, "the third boot")
    assert sandbox.runner().run(Trigger.RECONNECT).result is Result.FAILED
    sandbox.converge(reconnect={"jitter": "0s"})
    assert sandbox.runner().run(Trigger.RECONNECT).result is Result.UPDATED
    assert not sandbox.runner().run(Trigger.RECONNECT).recorded


def test_an_unreachable_source_is_waited_for_then_remembered(sandbox: Sandbox) -> None:
    """E2: 127.0.0.1:1 refuses every connection."""
    lost = {"product": "files", "policy": {"sources": {"urls": ["http://127.0.0.1:1"]}}}
    sandbox.converge(**lost, reconnect={"wait": "4m", "jitter": "0s"})
    boot(sandbox, "the second boot")
    report = sandbox.runner().run(Trigger.RECONNECT)
    assert report.result is Result.UNREACHABLE
    assert sandbox.host.clock - NOON == pytest.approx(240, abs=15)
    state = sandbox.endpoint.store.read()
    assert state.source_lost
    assert state.last["reconnect"].result == "unreachable"


@pytest.mark.parametrize(
    ("trigger", "events", "state", "scanned"),
    [
        ("download", {"scan_after_update": True}, {}, True),
        ("reconnect", {"scan_after_update": True}, {"source_lost": True}, True),
        ("schedule", {"scan_after_update": True}, {}, False),
        ("manual", {"scan_after_update": True}, {}, False),
        ("download", {"scan_after_update": False}, {}, False),
        (
            "download",
            {"scan_after_update": True, "include_roaming_and_offline": True},
            {"roaming": True},
            False,
        ),
    ],
)
def test_the_scan_after_an_update(
    sandbox: Sandbox, trigger: str, events: dict[str, bool], state: dict[str, Any], scanned: bool
) -> None:
    """E3: after event-triggered updates that changed a component, not when roaming, once."""
    sandbox.converge(**policy(events=events))
    remember(sandbox, **state)
    assert sandbox.runner().run(Trigger(trigger)).result is Result.UPDATED
    assert sandbox.endpoint.store.read().scan_due is scanned
    remember(sandbox, scan_due=False)
    if trigger == "download":
        assert sandbox.runner().run(Trigger.DOWNLOAD).result is Result.CURRENT
        assert not sandbox.endpoint.store.read().scan_due


def test_two_triggers_at_once_are_one_update(sandbox: Sandbox, agent: Path) -> None:
    """R3, with two real processes."""
    count = sandbox.directory / "count"
    update = f"echo x >>{count}; sleep 2; cat {sandbox.upstream} >{sandbox.installed}"
    sandbox.converge(command={**sandbox.document()["command"], "update": ["/bin/sh", "-c", update]})
    first = start(agent, sandbox, "run", "--trigger", "download", "--json")
    wait_for(count.exists)
    second = start(agent, sandbox, "update-now", "--json")
    reports = [json.loads(process.communicate()[0]) for process in (first, second)]
    assert count.read_text() == "x\n"
    assert [report["result"] for report in reports] == ["updated", "updated"]
    assert [report["joined"] for report in reports] == [None, "download"]


def test_an_event_that_joins_another_run_still_scans_and_tells_versions(sandbox: Sandbox, agent: Path) -> None:
    """E3 and R3: the notice comes while a scheduled or manual run brings the new version."""
    marker = sandbox.directory / "started"
    update = f"touch {marker}; sleep 2; cat {sandbox.upstream} >{sandbox.installed}"
    command = {**sandbox.document()["command"], "update": ["/bin/sh", "-c", update]}
    sandbox.converge(command=command, **policy(events={"scan_after_update": True}))
    manual = start(agent, sandbox, "update-now")
    wait_for(marker.exists)
    notice = json.loads(start(agent, sandbox, "run", "--trigger", "download", "--json").communicate()[0])
    manual.communicate()
    assert (notice["result"], notice["joined"]) == ("updated", "manual")
    assert [notice[side][0]["version"] for side in ("before", "after")] == ["0", "1"]
    assert sandbox.endpoint.store.read().scan_due


def test_a_killed_run_is_told_and_the_next_one_recovers(sandbox: Sandbox, agent: Path) -> None:
    marker = sandbox.directory / "started"
    update = f"touch {marker}; sleep 60"
    sandbox.converge(command={**sandbox.document()["command"], "update": ["/bin/sh", "-c", update]})
    process = start(agent, sandbox, "run", "--trigger", "download")
    wait_for(marker.exists)
    process.kill()
    process.wait()
    assert sandbox.endpoint.store.read().running is not None
    sandbox.converge()
    assert sandbox.runner().run(Trigger.MANUAL).result is Result.UPDATED
    state = sandbox.endpoint.store.read()
    assert state.running is None
    assert state.last["download"].result == "failed"
    assert "interrupted" in state.last["download"].why


def test_a_stopped_run_ends_its_children_and_is_told(sandbox: Sandbox, agent: Path) -> None:
    pid_file = sandbox.directory / "pid"
    update = f"echo $$ >{pid_file}.new; mv {pid_file}.new {pid_file}; exec sleep 60"
    sandbox.converge(command={**sandbox.document()["command"], "update": ["/bin/sh", "-c", update]})
    process = start(agent, sandbox, "run", "--trigger", "download")
    wait_for(pid_file.exists)
    process.send_signal(signal.SIGTERM)
    assert process.wait() == 1
    assert not Path(f"/proc/{int(pid_file.read_text())}").exists()
    record = sandbox.endpoint.store.read().last["download"]
    assert (record.result, record.why) == ("failed", "the run was stopped")


def test_a_waiting_run_takes_over_when_its_holder_dies(sandbox: Sandbox, agent: Path) -> None:
    """R3: what it joined never came to an end, so it does the work itself."""
    marker = sandbox.directory / "started"
    update = f"test -e {marker} || {{ touch {marker}; sleep 60; }}; cat {sandbox.upstream} >{sandbox.installed}"
    sandbox.converge(command={**sandbox.document()["command"], "update": ["/bin/sh", "-c", update]})
    first = start(agent, sandbox, "run", "--trigger", "download")
    wait_for(marker.exists)
    second = start(agent, sandbox, "update-now", "--json")
    time.sleep(0.5)
    first.kill()
    report = json.loads(second.communicate()[0])
    assert (report["result"], report["joined"]) == ("updated", None)


def test_an_update_that_takes_too_long_fails_clearly(sandbox: Sandbox) -> None:
    sandbox.converge(command={**sandbox.document()["command"], "update": ["/bin/sleep", "120"]})
    limited = replace(sandbox.endpoint.document, limits=Limits(update=1))
    report = sandbox.runner(Endpoint.of(sandbox.host, limited)).run(Trigger.MANUAL)
    assert report.result is Result.FAILED
    assert "longer than 1 s" in report.why


def test_a_result_survives_a_state_that_cannot_be_written(sandbox: Sandbox) -> None:
    """A directory in the place of the temporary file is a fault that not even root gets past."""
    sandbox.converge()
    obstacle = Path(temporary_name(str(sandbox.root / places.STATE[1:])))
    obstacle.mkdir()
    assert sandbox.runner().run(Trigger.DOWNLOAD).result is Result.UPDATED
    assert (sandbox.root / places.EMERGENCY_REPORT[1:]).exists()
    assert compose(sandbox.endpoint, sandbox.endpoint.store.read())["last"]["download"]["result"] == "updated"
    obstacle.rmdir()
    sandbox.runner().run(Trigger.MANUAL)
    assert sandbox.endpoint.store.read().last["download"].result == "updated"
    assert not (sandbox.root / places.EMERGENCY_REPORT[1:]).exists()


def remember(sandbox: Sandbox, **values: Any) -> None:
    sandbox.endpoint.remember(lambda state: replace(state, **values))


def boot(sandbox: Sandbox, name: str) -> None:
    sandbox.host.write("/proc/sys/kernel/random/boot_id", name.encode())


def start(agent: Path, sandbox: Sandbox, *arguments: str) -> subprocess.Popen[str]:
    command = [agent, "--root", sandbox.root, *arguments]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def wait_for(condition: Any) -> None:
    deadline = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.02)
