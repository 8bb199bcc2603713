# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""One update with its probe: what fails is taken back and counts, what is held is never begun (G3, G5)."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.epp.autoupdate.plugins.module_utils._core.results import ReasonKind, Result, Trigger
from ansible_collections.epp.autoupdate.plugins.module_utils._endpoint import paths
from ansible_collections.epp.autoupdate.plugins.module_utils._endpoint.holds import REFUSED_FOR_S
from ansible_collections.epp.autoupdate.plugins.module_utils._endpoint.runner.report import RunReport
from ansible_collections.epp.autoupdate.plugins.module_utils._endpoint.state.store import Running

from ..conftest import Sandbox
from .runs import NOON, remember, versions


def converge(sandbox: Sandbox, **more: Any) -> None:
    """A product whose version 1 was kept, and whose probe refuses what holds ``bad``; each probe leaves a line."""
    kept, probes = sandbox.directory / "kept", sandbox.directory / "probes"
    kept.write_text("1")
    command = {
        **sandbox.document()["command"],
        "restore": ["/bin/sh", "-c", f"cat {kept} >{sandbox.installed}"],
        "offers": ["/bin/cat", str(sandbox.upstream)],
    }
    probe = {"command": ["/bin/sh", "-c", f"echo >>{probes}; ! grep -q bad {sandbox.installed}"]}
    sandbox.converge(**{"command": command, "probe": probe, **more})


def offer(sandbox: Sandbox, version: str) -> None:
    sandbox.upstream.write_text(version)


def run(sandbox: Sandbox, trigger: Trigger = Trigger.MANUAL) -> RunReport:
    return sandbox.runner().run(trigger)


def status(sandbox: Sandbox) -> dict[str, Any]:
    content = sandbox.host.read(paths.STATUS)
    return dict(json.loads(content or b""))


def probes(sandbox: Sandbox) -> int:
    path = sandbox.directory / "probes"
    return len(path.read_text().splitlines()) if path.exists() else 0


def test_what_passes_its_probe_is_updated_and_told(sandbox: Sandbox) -> None:
    converge(sandbox)
    assert status(sandbox)["probe"] is None
    report = run(sandbox)
    assert (report.result, report.why, probes(sandbox)) == (Result.UPDATED, "", 1)
    assert status(sandbox)["probe"] == {
        "product": "command",
        "versions": {"command": "1"},
        "ok": True,
        "reason": "",
        "at": "2026-11-22T12:00:00Z",
    }


def test_what_changes_nothing_is_not_probed(sandbox: Sandbox) -> None:
    converge(sandbox)
    run(sandbox)
    assert run(sandbox).result is Result.CURRENT
    assert probes(sandbox) == 1


def test_what_fails_its_probe_is_taken_back_at_once_and_counts(sandbox: Sandbox) -> None:
    converge(sandbox)
    run(sandbox)
    offer(sandbox, "2-bad")
    report = run(sandbox, Trigger.DOWNLOAD)
    assert (report.result, report.kind, report.changed) == (Result.FAILED, ReasonKind.PROBE, ())
    why = "the probe of command 2-bad failed: the probe command ended with exit code 1; command 1 is back"
    assert report.why == why
    assert versions(sandbox) == "1"
    told = status(sandbox)
    assert (told["last"]["download"]["kind"], told["last"]["download"]["result"]) == ("probe", "failed")
    assert "kind" not in told["last"]["manual"]
    assert (told["probe"]["ok"], told["probe"]["versions"]) == (False, {"command": "2-bad"})
    assert not told["scan"]["due"]


@pytest.mark.parametrize("trigger", [Trigger.MANUAL, Trigger.DOWNLOAD, Trigger.SCHEDULE, Trigger.RECONNECT])
def test_what_has_failed_stays_failed_for_every_trigger_without_a_scan_or_a_second_probe(
    sandbox: Sandbox, trigger: Trigger
) -> None:
    converge(sandbox)
    run(sandbox)
    offer(sandbox, "2-bad")
    run(sandbox)
    remember(sandbox, source_lost=True)
    again = run(sandbox, trigger)
    assert (again.result, again.kind, versions(sandbox)) == (Result.FAILED, ReasonKind.PROBE, "1")
    assert again.why.startswith("command 2-bad failed its probe here: the probe command ended with exit code 1; it is")
    assert probes(sandbox) == 2


def test_the_next_good_version_goes_through(sandbox: Sandbox) -> None:
    converge(sandbox)
    run(sandbox)
    offer(sandbox, "2-bad")
    run(sandbox)
    offer(sandbox, "3")
    assert run(sandbox).result is Result.UPDATED
    assert versions(sandbox) == "3"
    assert status(sandbox)["probe"]["ok"]


def test_what_failed_by_chance_is_begun_again_after_a_day(sandbox: Sandbox) -> None:
    converge(sandbox)
    run(sandbox)
    offer(sandbox, "2-bad")
    run(sandbox)
    sandbox.host.clock = NOON + REFUSED_FOR_S
    report = run(sandbox)
    assert report.why.startswith("the probe of command 2-bad failed")
    assert probes(sandbox) == 3


def test_without_a_way_back_it_is_told_and_probed_again_by_each_run(sandbox: Sandbox) -> None:
    converge(sandbox, command=sandbox.document()["command"])
    offer(sandbox, "2-bad")
    report = run(sandbox)
    assert (report.result, versions(sandbox)) == (Result.FAILED, "2-bad")
    assert report.why.endswith("command.restore is not set: this product has no way back")
    again = run(sandbox)
    assert (again.result, again.kind, probes(sandbox)) == (Result.FAILED, ReasonKind.PROBE, 2)
    offer(sandbox, "3")
    assert run(sandbox).result is Result.UPDATED


def test_a_run_that_was_cut_off_is_made_up_for_by_a_probe(sandbox: Sandbox) -> None:
    """The power may have gone right behind the new version's coming."""
    converge(sandbox)
    run(sandbox)
    sandbox.installed.write_text("2-bad")
    offer(sandbox, "2-bad")
    remember(sandbox, running=Running("manual", 1, NOON))
    report = run(sandbox)
    assert (report.result, report.kind, versions(sandbox)) == (Result.FAILED, ReasonKind.PROBE, "1")
    assert not sandbox.endpoint.store.read().unproven


def test_a_probe_is_bounded_in_time(sandbox: Sandbox) -> None:
    converge(sandbox, probe={"command": ["/bin/sh", "-c", "sleep 600"], "timeout": "10s"})
    report = run(sandbox)
    assert (report.result, report.kind) == (Result.FAILED, ReasonKind.PROBE)
    assert "the probe command took too long and was ended" in report.why


@pytest.mark.parametrize("probe", [{"enabled": False, "command": ["/bin/false"]}, {}])
def test_without_a_probe_the_versions_alone_decide(sandbox: Sandbox, probe: dict[str, Any]) -> None:
    converge(sandbox, probe=probe)
    assert run(sandbox).result is Result.UPDATED
    assert status(sandbox)["probe"] is None


def test_a_held_version_that_is_installed_is_replaced_by_the_last_good_one(sandbox: Sandbox) -> None:
    converge(sandbox)
    run(sandbox)
    offer(sandbox, "2")
    run(sandbox)
    converge(sandbox, held_versions=[{"version": "2", "reason": "it takes printers for malware"}])
    report = run(sandbox)
    assert (report.result, report.kind, versions(sandbox)) == (Result.HELD, ReasonKind.NONE, "1")
    assert report.why == "command 2 is held: it takes printers for malware; command 1 is back"
    again = run(sandbox)
    assert (again.result, versions(sandbox)) == (Result.HELD, "1")
    offer(sandbox, "3")
    assert run(sandbox).result is Result.UPDATED
    assert versions(sandbox) == "3"


def test_a_hold_that_is_lifted_lets_the_version_through(sandbox: Sandbox) -> None:
    converge(sandbox, held_versions=[{"component": "command", "version": "2"}])
    run(sandbox)
    offer(sandbox, "2")
    assert run(sandbox).result is Result.HELD
    converge(sandbox)
    assert run(sandbox).result is Result.UPDATED
    assert versions(sandbox) == "2"


def test_a_hold_of_another_component_holds_nothing(sandbox: Sandbox) -> None:
    converge(sandbox, held_versions=[{"component": "other", "version": "1"}])
    assert run(sandbox).result is Result.UPDATED


def test_an_updater_that_can_not_tell_what_it_offers_is_not_started_while_that_may_be_held(sandbox: Sandbox) -> None:
    command = sandbox.document()["command"]
    converge(sandbox, command=command)
    run(sandbox)
    offer(sandbox, "3")
    converge(sandbox, command=command, held_versions=[{"version": "2"}])
    report = run(sandbox)
    assert (report.result, versions(sandbox)) == (Result.HELD, "1")
    assert report.why.startswith("command 2 is held; command.offers is not set")
    converge(sandbox, command=command, held_versions=[{"version": "0"}])
    assert run(sandbox).result is Result.UPDATED


def test_people_are_told_of_the_last_probe(sandbox: Sandbox, agent: Path) -> None:
    converge(sandbox)
    run(sandbox)
    offer(sandbox, "2-bad")
    run(sandbox)
    told = subprocess.run([agent, "--root", sandbox.root, "status"], capture_output=True, text=True, check=True).stdout
    why = "the probe command ended with exit code 1"
    assert f"last probe        failed at 2026-11-22T12:00:00Z: command 2-bad ({why})\n" in told
