# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Work beside other work: in a process of its own, which keeps what it prints until somebody wants the result."""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import signal
import sys
from collections.abc import Callable, Iterator
from multiprocessing.connection import Connection
from pathlib import Path
from typing import TypeVar

Result = TypeVar("Result")


class Died(Exception):
    """The process ended without a result."""


@contextlib.contextmanager
def beside(work: Callable[[], Result], log: Path) -> Iterator[Callable[[], Result]]:
    """Start ``work``; yields a function that waits for its end, prints all its output and returns its result.

    When the block ends, so does all that it started. Raises Died, with the output printed, where there is no result.
    """
    log.parent.mkdir(parents=True, exist_ok=True)
    fork = multiprocessing.get_context("fork")
    ours, theirs = fork.Pipe(duplex=False)
    sys.stdout.flush()  # or the other process prints it, too
    process = fork.Process(target=_run, args=(work, log, theirs))
    process.start()
    assert process.pid
    with contextlib.suppress(OSError):  # it does the same, and may be first
        os.setpgid(process.pid, 0)
    theirs.close()

    def finish() -> Result:
        results: list[Result] = []
        with contextlib.suppress(EOFError):
            results.append(ours.recv())
        process.join()
        print(log.read_text(encoding="utf-8", errors="replace"), end="", flush=True)
        if not results:
            raise Died(f"its process ended with {process.exitcode} and told nothing")
        return results[0]

    try:
        yield finish
    finally:
        if process.is_alive():
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGTERM)
            process.join()


def _run(work: Callable[[], Result], log: Path, answer: Connection) -> None:
    os.setpgid(0, 0)  # who ends it reaches every process that it started
    with log.open("wb") as output:
        os.dup2(output.fileno(), 1)
        os.dup2(output.fileno(), 2)
    answer.send(work())
