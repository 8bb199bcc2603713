# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Runs of the real agent in processes of their own: joined, killed, stopped (R1, R3)."""

from __future__ import annotations

import json
import signal
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

from ansible_collections.epp.autoupdate.plugins.module_utils._core.results import Result, Trigger

from ..conftest import Sandbox
from .runs import policy, start, wait_for


class Looks:
    """Looks at the version leave a line: one while an update is under way is that of a run that has found it."""

    def __init__(self, sandbox: Sandbox) -> None:
        self._sandbox = sandbox
        self._lines = sandbox.directory / "looks"
        self.forget = f": >{self._lines}"
        self.until_one = f"until test -s {self._lines}; do sleep 0.02; done"

    def command(self, update: str) -> dict[str, Any]:
        """The product whose update is this script."""
        look = f"cat {self._sandbox.installed} && echo look >>{self._lines}"
        own = {"update": ["/bin/sh", "-c", update], "version": ["/bin/sh", "-c", look]}
        return {**self._sandbox.document()["command"], **own}

    def any(self) -> bool:
        return self._lines.stat().st_size > 0


def test_two_triggers_at_once_are_one_update(sandbox: Sandbox, agent: Path) -> None:
    """R3, with two real processes."""
    count = sandbox.directory / "count"
    looks = Looks(sandbox)
    update = f"{looks.forget}; echo x >>{count}; {looks.until_one}; cat {sandbox.upstream} >{sandbox.installed}"
    sandbox.converge(command=looks.command(update))
    first = start(agent, sandbox, "run", "--trigger", "download", "--json")
    wait_for(count.exists)
    second = start(agent, sandbox, "update-now", "--json")
    reports = [json.loads(process.communicate()[0]) for process in (first, second)]
    assert count.read_text() == "x\n"
    assert [report["result"] for report in reports] == ["updated", "updated"]
    assert [report["joined"] for report in reports] == [None, "download"]


def test_who_joins_tells_the_last_run_and_not_one_of_a_clock_that_was_wrong(sandbox: Sandbox, agent: Path) -> None:
    """R3: sequence says what is newest."""
    sandbox.host.clock = datetime(2035, 1, 1, 12, tzinfo=timezone.utc).timestamp()
    sandbox.converge(command={**sandbox.document()["command"], "update": ["/bin/false"]})
    assert sandbox.runner().run(Trigger.SCHEDULE).result is Result.FAILED
    marker = sandbox.directory / "started"
    looks = Looks(sandbox)
    update = f"{looks.forget}; touch {marker}; {looks.until_one}; cat {sandbox.upstream} >{sandbox.installed}"
    sandbox.converge(command=looks.command(update))
    first = start(agent, sandbox, "update-now", "--json")
    wait_for(marker.exists)
    second = start(agent, sandbox, "run", "--trigger", "download", "--json")
    reports = [json.loads(process.communicate()[0]) for process in (first, second)]
    assert [(report["result"], report["joined"]) for report in reports] == [("updated", None), ("updated", "manual")]


def test_an_event_that_joins_another_run_still_scans_and_tells_versions(sandbox: Sandbox, agent: Path) -> None:
    """E3 and R3: the notice comes while a scheduled or manual run brings the new version."""
    marker = sandbox.directory / "started"
    looks = Looks(sandbox)
    update = f"{looks.forget}; touch {marker}; {looks.until_one}; cat {sandbox.upstream} >{sandbox.installed}"
    sandbox.converge(command=looks.command(update), **policy(events={"scan_after_update": True}))
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
    child = Path(f"/proc/{int(pid_file.read_text())}")
    wait_for(lambda: not child.exists())  # it was killed; somebody has to have reaped it, too
    record = sandbox.endpoint.store.read().last["download"]
    assert (record.result, record.why) == ("failed", "the run was stopped")


def test_a_waiting_run_takes_over_when_its_holder_dies(sandbox: Sandbox, agent: Path) -> None:
    """R3: what it joined never came to an end, so it does the work itself."""
    marker = sandbox.directory / "started"
    looks = Looks(sandbox)
    first_update = f"{looks.forget}; touch {marker}; sleep 60"
    update = f"test -e {marker} || {{ {first_update}; }}; cat {sandbox.upstream} >{sandbox.installed}"
    sandbox.converge(command=looks.command(update))
    first = start(agent, sandbox, "run", "--trigger", "download")
    wait_for(marker.exists)
    second = start(agent, sandbox, "update-now", "--json")
    wait_for(looks.any)
    first.kill()
    report = json.loads(second.communicate()[0])
    assert (report["result"], report["joined"]) == ("updated", None)
