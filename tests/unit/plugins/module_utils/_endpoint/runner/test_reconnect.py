# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Runs after a restart or a lost source: once, with jitter, and not for ever (E2, N3)."""

from __future__ import annotations

import pytest
from ansible_collections.epp.autoupdate.plugins.module_utils._core.results import Result, Trigger

from ..conftest import Sandbox
from .runs import NOON, boot


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
