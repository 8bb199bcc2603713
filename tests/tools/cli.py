# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The command line: choose steps, run them all whatever fails, and tell how it went."""

from __future__ import annotations

import argparse
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from .beside import Died, beside
from .report import FAILED, PASSED, SKIPPED, Outcome, Row, closing_line, table
from .steps import BESIDE, GROUPS, STEPS, WAITING
from .workbench import StepFailed, Workbench


def main(arguments: Sequence[str]) -> int:
    """Run the named steps; 1 when one of them failed."""
    names = _parse(arguments)
    signal.signal(signal.SIGTERM, lambda *_received: sys.exit("ended by SIGTERM"))  # so that steps end, too
    bench = Workbench(Path(__file__).resolve().parents[2])
    began = time.monotonic()
    rows = [*([_build(bench)] if len(names) > 1 else []), *_all(names, bench)]
    if len(rows) > 1:
        print(*table(rows, time.monotonic() - began), sep="\n", flush=True)
    elif rows[0].status == FAILED:
        print(f"{rows[0].step}: {rows[0].note}", closing_line(rows), sep="\n", flush=True)
    return int(any(row.status == FAILED for row in rows))


def _parse(arguments: Sequence[str]) -> list[str]:
    lines = [f"  {name:<14} {(step.__doc__ or '').splitlines()[0]}" for name, step in STEPS.items()]
    lines += [f"  {name:<14} {', '.join(steps)}" for name, steps in GROUPS.items()]
    parser = argparse.ArgumentParser(
        prog="tests/run.py",
        formatter_class=argparse.RawDescriptionHelpFormatter,
        epilog="\n".join(["steps:", *lines]),
    )
    parser.add_argument("steps", nargs="+", metavar="STEP", choices=[*STEPS, *GROUPS], help="see below")
    chosen = parser.parse_args(arguments).steps
    return [name for choice in chosen for name in GROUPS.get(choice, (choice,))]


def _build(bench: Workbench) -> Row:
    """The environment as a row of its own, so that no step's time hides the installation."""

    def install(bench: Workbench) -> Outcome:
        bench.tools()
        print("collections:", bench.collections, flush=True)
        return Outcome(f"Python {bench.controller.dotted} at {bench.controller.path}")

    return _timed("environment", install, bench)


def _all(names: Sequence[str], bench: Workbench) -> list[Row]:
    """Run every step: where machines are waited for, some of them beside the others, each of the two kinds in order."""
    waiting = [name for name in names if name in BESIDE and WAITING.intersection(names)]
    computing = [name for name in names if name not in waiting]
    if not (waiting and computing):
        return [_row(name, bench) for name in names]
    print(f"\nbeside the others, shown when they have ended: {', '.join(waiting)}", flush=True)
    with beside(lambda: [_row(name, bench) for name in waiting], bench.results / "beside.log") as finish:
        rows = [_row(name, bench) for name in computing]
        began = time.monotonic()
        try:
            rows += finish()
        except Died as died:
            rows += [Row(name, FAILED, time.monotonic() - began, str(died)) for name in waiting]
    return sorted(rows, key=lambda row: names.index(row.step))


def _row(name: str, bench: Workbench) -> Row:
    return _timed(name, STEPS[name], bench)


def _timed(name: str, step: Callable[[Workbench], Outcome], bench: Workbench) -> Row:
    print(f"\n== {name} ==", flush=True)
    began = time.monotonic()
    try:
        outcome = step(bench)
    except (StepFailed, LookupError, OSError, subprocess.CalledProcessError) as error:
        return Row(name, FAILED, time.monotonic() - began, str(error))
    status = PASSED if outcome.ran else SKIPPED
    return Row(name, status, time.monotonic() - began, outcome.note, outcome.skips)
