# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a step's run came to, and the table at the end."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

PASSED, FAILED, SKIPPED = "passed", "failed", "skipped"


@dataclass(frozen=True)
class Skip:
    """A test that did not run."""

    name: str
    reason: str


@dataclass(frozen=True)
class Outcome:
    """What a step that did not fail has to tell; ``skips`` holds every test that did not run."""

    note: str = ""
    skips: tuple[Skip, ...] = ()
    ran: bool = True


@dataclass(frozen=True)
class Row:
    """One line of the table."""

    step: str
    status: str
    seconds: float
    note: str = ""
    skips: tuple[Skip, ...] = ()


def table(rows: Sequence[Row], seconds: float) -> Iterable[str]:
    """The summary of a run that took ``seconds``, line by line.

    The last one counts steps and has the form that pytest's last line has.
    """
    width = max(len(row.step) for row in rows)
    yield ""
    for row in rows:
        yield f"{row.step:<{width}}  {row.status:<7}  {_clock(row.seconds):>6}  {row.note}".rstrip()
    yield from _did_not_run(rows)
    yield ""
    yield f"{len(rows)} steps in {_clock(seconds)}"
    yield closing_line(rows)


def _did_not_run(rows: Sequence[Row]) -> Iterable[str]:
    """Every test that did not run, by name, below its reason."""
    names: dict[tuple[str, str], list[str]] = {}
    for row in rows:
        for skip in row.skips:
            names.setdefault((row.step, skip.reason), []).append(skip.name)
    for (step, reason), tests in names.items():
        yield ""
        yield f"{step} did not run, {reason}:"
        yield from (f"  {name}" for name in tests)


def closing_line(rows: Sequence[Row]) -> str:
    """``11 passed, 0 failed``, and the steps that could not run where there are any."""
    count = {status: sum(row.status == status for row in rows) for status in (PASSED, FAILED, SKIPPED)}
    line = f"{count[PASSED]} passed, {count[FAILED]} failed"
    return f"{line}, {count[SKIPPED]} skipped" if count[SKIPPED] else line


def junit(*paths: Path) -> Outcome:
    """Count the tests of JUnit files, and name those that were skipped."""
    cases = [case for path in paths for case in ET.parse(path).getroot().iter("testcase")]
    skips = []
    for case in cases:
        skipped = case.find("skipped")
        if skipped is not None:
            skips.append(Skip(f"{case.get('classname')}::{case.get('name')}", skipped.get("message", "")))
    note = f"{len(cases) - len(skips)} tests" + (f", {len(skips)} skipped" if skips else "")
    return Outcome(note, tuple(skips), ran=len(skips) < len(cases))


def _clock(seconds: float) -> str:
    return f"{int(seconds) // 60}:{int(seconds) % 60:02d}" if seconds >= 60 else f"{seconds:.1f} s"
