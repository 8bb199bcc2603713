# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which programs run, by the kernel's own word."""

from __future__ import annotations

import shutil
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from ansible_collections.epp.autoupdate.plugins.module_utils._host import running
from ansible_collections.epp.autoupdate.plugins.module_utils._host.local_host import LocalHost

NAME = "epp-sleeper"

pytestmark = pytest.mark.skipif(not running.name_of(1), reason="there is no /proc, or others are hidden in it")


def _wait_for_name(pid: int) -> None:
    """The kernel lets the parent of a vfork go on before it renames the child."""
    end = time.monotonic() + 60
    while running.name_of(pid) != NAME and time.monotonic() < end:
        time.sleep(0.01)


@pytest.fixture
def sleeper(tmp_path: Path) -> Iterator[subprocess.Popen[bytes]]:
    program = tmp_path / NAME
    shutil.copy("/bin/sleep", program)
    with subprocess.Popen([program, "60"]) as process:
        _wait_for_name(process.pid)
        yield process
        process.kill()


def test_a_program_that_runs_is_found_by_its_name_until_it_ends(sleeper: subprocess.Popen[bytes]) -> None:
    names = ("no-such-process", NAME)
    assert running.process_of(names) == sleeper.pid
    assert LocalHost("").runs(names)
    assert running.same(names, sleeper.pid)
    assert not running.same(names, running.NONE)
    sleeper.kill()
    sleeper.wait()
    assert running.process_of(names) == running.NONE
    assert not LocalHost("").runs(names)
    assert not running.same(names, sleeper.pid)
    assert running.same(names, running.NONE)
