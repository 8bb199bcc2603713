# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A scan by the command of a definition."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from ...._core.products.meanings import Meaning
from ...._core.products.patterns import MOST_LINES, first_match, lines_of
from ...._core.products.steps import Step
from ...._core.results import ScanOutcome
from ...._core.untrusted_text import LONGEST_WORD, shown
from ...._host.host import Host
from .commands import Commands


def scanned(host: Host, commands: Commands, step: Step, paths: Sequence[str], timeout: float) -> ScanOutcome:
    """Scan what exists of ``paths``; what the command prints as its definition says are the findings."""
    present = [host.real(path) for path in paths if host.exists(path)]
    if not present:
        return ScanOutcome(ok=True, why="none of the scan paths exists")
    ran = commands.step(step, timeout, present)
    found = tuple(_findings(host, step, "" if ran.completed is None else ran.completed.out + "\n" + ran.completed.err))
    if not (ran.ending.means.good or ran.ending.means is Meaning.FOUND):
        return ScanOutcome(False, found, ran.ending.why)
    if ran.ending.means is Meaning.FOUND and not found:
        return ScanOutcome(False, (), "the scan reported findings, and printed none as its definition says")
    return ScanOutcome(True, found)


def _findings(host: Host, step: Step, output: str) -> Iterator[tuple[str, str]]:
    if step.findings is None:
        return
    lines = output.splitlines()
    for start in range(0, len(lines), MOST_LINES):
        for line in lines_of("\n".join(lines[start : start + MOST_LINES])):
            found = first_match(step.findings, (line,))
            if found is not None:
                path = found.groupdict().get("path") or ""
                inside = path[len(host.root) :] if host.root and path.startswith(host.root + "/") else path
                yield shown(inside, LONGEST_WORD), shown(found["name"] or "", LONGEST_WORD)
