# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The runner: which trigger may update, and what its report says (R1, E1-E3, P1)."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from ansible_collections.epp.autoupdate.plugins.module_utils._core.results import Result, Trigger
from ansible_collections.epp.autoupdate.plugins.module_utils._core.settings.endpoint import Limits
from ansible_collections.epp.autoupdate.plugins.module_utils._core.values import replace
from ansible_collections.epp.autoupdate.plugins.module_utils._endpoint import paths
from ansible_collections.epp.autoupdate.plugins.module_utils._endpoint.endpoint import Endpoint
from ansible_collections.epp.autoupdate.plugins.module_utils._endpoint.status.status import compose
from ansible_collections.epp.autoupdate.plugins.module_utils._host.filesystem.open_directory import temporary_name

from ..conftest import Sandbox
from .runs import policy, remember, versions


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


def test_an_update_that_takes_too_long_fails_clearly(sandbox: Sandbox) -> None:
    sandbox.converge(command={**sandbox.document()["command"], "update": ["/bin/sleep", "120"]})
    limited = replace(sandbox.endpoint.document, limits=Limits(update=1))
    report = sandbox.runner(Endpoint.of(sandbox.host, limited)).run(Trigger.MANUAL)
    assert report.result is Result.FAILED
    assert "longer than 1 s" in report.why


def test_a_result_survives_a_state_that_cannot_be_written(sandbox: Sandbox) -> None:
    """A directory in the place of the temporary file is an error that not even root gets past."""
    sandbox.converge()
    obstacle = Path(temporary_name(str(sandbox.root / paths.STATE[1:])))
    obstacle.mkdir()
    assert sandbox.runner().run(Trigger.DOWNLOAD).result is Result.UPDATED
    assert (sandbox.root / paths.EMERGENCY_REPORT[1:]).exists()
    assert compose(sandbox.endpoint, sandbox.endpoint.store.read())["last"]["download"]["result"] == "updated"
    obstacle.rmdir()
    sandbox.runner().run(Trigger.MANUAL)
    assert sandbox.endpoint.store.read().last["download"].result == "updated"
    assert not (sandbox.root / paths.EMERGENCY_REPORT[1:]).exists()


def test_the_sentence_of_a_cool_down_has_its_end(sandbox: Sandbox) -> None:
    """For the journal and the terminal alike."""
    sandbox.converge()
    report = replace(sandbox.runner().run(Trigger.MANUAL), result=Result.COOLING_DOWN, why="refused", until=1795352400)
    assert report.sentence().endswith("refused; until 2026-11-22T13:00:00Z")
