# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The agent's code is compiled once in a run, and for hosts whose Python is of the control node's version alone."""

from __future__ import annotations

import multiprocessing
import sys
from pathlib import Path

import pytest
from ansible import constants
from ansible_collections.epp.autoupdate.plugins.module_utils._endpoint import payload
from ansible_collections.epp.autoupdate.plugins.plugin_utils import _agent_archive

FILES = {"_core/__init__.py": b"", "_core/answer.py": b"ANSWER = 42\n"}
OWN = f"/usr/bin/python3.{sys.version_info.minor}"


@pytest.fixture(autouse=True)
def run_directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(constants, "DEFAULT_LOCAL_TMP", str(tmp_path))
    return tmp_path


@pytest.mark.parametrize(
    "told", ["", "/usr/bin/python3", "/usr/bin/python3.3", OWN + "1", "sh: 1: readlink: not found"]
)
def test_there_is_none_for_another_python_or_one_that_is_not_known(told: str, run_directory: Path) -> None:
    assert _agent_archive.archive_for(told, FILES, "d1") == b""
    assert list(run_directory.iterdir()) == []


def test_workers_at_the_same_time_compile_once(run_directory: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each of them leaves a mark when it compiles."""
    marks = run_directory / "marks"

    def compiles(files: dict[str, bytes]) -> bytes:
        with marks.open("a") as log:
            log.write("x")
        return payload.packed(files)

    monkeypatch.setattr(_agent_archive, "packed", compiles)
    workers = [
        multiprocessing.get_context("fork").Process(target=_agent_archive.archive_for, args=(OWN, FILES, "d1"))
        for _n in range(8)
    ]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join(30)
        assert worker.exitcode == 0
    assert _agent_archive.archive_for(OWN, FILES, "d1") == payload.packed(FILES)
    assert marks.read_text() == "x"
    kept = run_directory / "epp-autoupdate-d1"
    assert kept.stat().st_mode & 0o777 == 0o600
