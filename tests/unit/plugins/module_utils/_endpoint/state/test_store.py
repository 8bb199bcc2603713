# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The state file: one step under a lock, never lost, never half (C3)."""

from __future__ import annotations

import multiprocessing
from pathlib import Path

import pytest
from ansible_collections.epp.autoupdate.plugins.module_utils._core.results import Trigger
from ansible_collections.epp.autoupdate.plugins.module_utils._core.values import replace
from ansible_collections.epp.autoupdate.plugins.module_utils._endpoint import paths
from ansible_collections.epp.autoupdate.plugins.module_utils._endpoint.state.store import (
    Running,
    RunRecord,
    ScanRecord,
    State,
    StateStore,
)
from ansible_collections.epp.autoupdate.plugins.module_utils._host.local_host import LocalHost

RECORD = RunRecord(result="updated", why="", started=1.0, finished=2.0, changed=("daily",))


def test_a_state_reads_back_as_it_was_written(tmp_path: Path) -> None:
    store = StateStore(LocalHost(str(tmp_path)))
    full = replace(
        State(switch=False, roaming=True, running=Running("schedule", 7, 1.0), scan_due=True),
        scan=ScanRecord(ok=True, why="", started=1.0, finished=2.0, found=1, findings=(("/a b: c", "Sig"),)),
    ).with_run(Trigger.DOWNLOAD, RECORD)
    store.change(lambda _state: full)
    assert store.read() == full


def test_it_is_nobody_elses_to_read(tmp_path: Path) -> None:
    StateStore(LocalHost(str(tmp_path))).change(lambda state: replace(state, roaming=True))
    assert (tmp_path / paths.STATE[1:]).stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b'{"last": 7}', b'{"running": {"pid": 1}}', b"\xff"])
def test_an_unreadable_state_is_set_aside_and_told(tmp_path: Path, content: bytes) -> None:
    host = LocalHost(str(tmp_path))
    host.write(paths.STATE, content)
    assert StateStore(host).read() == State()
    assert not host.exists(paths.STATE + ".unreadable")
    StateStore(host).change(lambda state: state)
    assert StateStore(host).read() == State()
    assert host.read(paths.STATE + ".unreadable") == content
    assert b"can't be understood" in (host.read("/var/log/epp-agent.log") or b"")


@pytest.mark.parametrize(
    ("result", "lost_before", "lost_after"),
    [
        ("unreachable", False, True),
        ("updated", True, False),
        ("current", True, False),
        ("failed", True, True),
        ("failed", False, False),
    ],
)
def test_results_tell_whether_the_source_is_lost(result: str, lost_before: bool, lost_after: bool) -> None:
    after = State(source_lost=lost_before).with_run(Trigger.SCHEDULE, replace(RECORD, result=result))
    assert after.source_lost is lost_after


def test_changes_by_many_processes_are_all_kept(tmp_path: Path) -> None:
    context = multiprocessing.get_context("fork")
    workers = [context.Process(target=_count, args=(str(tmp_path), 25)) for _worker in range(4)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert StateStore(LocalHost(str(tmp_path))).read().runs == 100


def _count(root: str, times: int) -> None:
    store = StateStore(LocalHost(root))
    for _time in range(times):
        store.change(lambda state: replace(state, runs=state.runs + 1))
