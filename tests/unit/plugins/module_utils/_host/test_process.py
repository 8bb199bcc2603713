# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Bounded child processes, with real ones."""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path

import pytest
from ansible_collections.epp.autoupdate.plugins.module_utils._host import process


def test_streams_and_exit_status() -> None:
    done = process.run(["/bin/sh", "-c", "cat; echo problem >&2; exit 3"], timeout=30, stdin=b"given")
    assert (done.code, done.out, done.err, done.timed_out) == (3, "given", "problem\n", False)


def test_more_input_and_output_than_pipes_hold() -> None:
    done = process.run(["/bin/cat"], timeout=30, stdin=b"x" * 3_000_000)
    assert len(done.out) == 3_000_000


def test_output_beyond_the_limit_is_cut_and_does_not_block() -> None:
    done = process.run(["/bin/sh", "-c", "head -c 9000000 /dev/zero"], timeout=60)
    assert (done.code, len(done.out)) == (0, process.OUTPUT_LIMIT)


def test_a_child_that_does_not_read_its_input() -> None:
    assert process.run(["/bin/true"], timeout=30, stdin=b"x" * 1_000_000).code == 0


def test_past_its_time_the_whole_group_is_killed(tmp_path: Path) -> None:
    pid_file = tmp_path / "pid"
    done = process.run(["/bin/sh", "-c", f"sleep 60 & echo $! >{pid_file}; wait"], timeout=1)
    assert done.timed_out
    assert done.code == -9
    assert gone(int(pid_file.read_text()))


def test_a_grandchild_that_keeps_the_pipes_is_not_waited_for(tmp_path: Path) -> None:
    """It is ended with its group; had it been waited for, it would have left its mark."""
    mark = tmp_path / "mark"
    done = process.run(["/bin/sh", "-c", f"(sleep 20; touch {mark}) & exit 4"], timeout=50)
    assert (done.code, done.timed_out) == (4, False)
    assert not mark.exists()


def test_what_a_child_writes_just_before_it_is_found_gone_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    """On a machine with much to do, a child may write and end between a look at its streams and one at itself."""
    look = process._Child.exited

    def late(child: process._Child) -> bool:
        time.sleep(0.5)
        return look(child)

    monkeypatch.setattr(process._Child, "exited", late)
    done = process.run(["sh", "-c", "sleep 0.2; echo out; echo err >&2"], timeout=30)
    assert (done.code, done.out, done.err, done.timed_out) == (0, "out\n", "err\n", False)


def test_an_unknown_program() -> None:
    with pytest.raises(FileNotFoundError):
        process.run(["/nonexistent/program"], timeout=1)


def test_the_environment_is_small_and_in_the_c_locale(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SECRET_OF_THE_CALLER", "1")
    out = process.run(["/usr/bin/env"], timeout=30, env={"EXTRA": "2"}).out.splitlines()
    assert "LC_ALL=C" in out
    assert "EXTRA=2" in out
    assert not [line for line in out if line.startswith("SECRET_OF_THE_CALLER")]


def test_no_descriptor_is_left_behind() -> None:
    before = set(os.listdir("/proc/self/fd"))
    process.run(["/bin/true"], timeout=30)
    with pytest.raises(FileNotFoundError):
        process.run(["/nonexistent/program"], timeout=1)
    assert set(os.listdir("/proc/self/fd")) == before


def gone(pid: int) -> bool:
    """Whether a process has ended (it may still wait to be collected by its parent)."""
    for _attempt in range(50):
        try:
            state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
        except FileNotFoundError:
            return True
        if state == "Z":
            return True
        time.sleep(0.1)
    return False


def test_what_is_kept_of_the_output_may_be_more_or_less_than_usual() -> None:
    script = "import sys; sys.stdout.write('x' * 6_000_000)"
    argv = [sys.executable, "-c", script]
    assert len(process.run(argv, timeout=60).out) == process.OUTPUT_LIMIT
    assert len(process.run(argv, timeout=60, keep=8_000_000).out) == 6_000_000
    assert len(process.run(argv, timeout=60, keep=10).out) == 10


@pytest.mark.parametrize(
    ("script", "ended", "cut"),
    [
        ("exit 3", "ended with exit code 3", False),
        ("kill -9 $$", "was killed by signal 9 (often out of memory)", True),
        ("kill -11 $$", "was killed by signal 11 (it crashed)", True),
        ("kill -10 $$", "was killed by signal 10", True),
        ("sh -c 'kill -9 $$'; exit $?", "ended with exit code 137, as after signal 9 (often out of memory)", False),
        ("exit 130", "ended with exit code 130", False),
        ("sleep 60", "took too long and was ended", True),
    ],
)
def test_how_a_process_ended_is_said_in_words(script: str, ended: str, cut: bool) -> None:
    done = process.run(["/bin/sh", "-c", script], timeout=1 if "sleep" in script else 30)
    assert (done.ended, done.cut) == (ended, cut)
