# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The report as Markdown for a merge request. What comes from hosts stands in code only, where no markup works (R5)."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from ansible_collections.epp.autoupdate.plugins.module_utils._core.untrusted_text import LONGEST_WORD, shown
from ansible_collections.epp.autoupdate.plugins.plugin_utils._check_report.report import (
    HostReport,
    Report,
    ReportedFault,
    State,
    Verdict,
    bounded,
)

LONGEST = 60_000
"""Characters of the whole: GitHub takes 65,536 in a comment."""
_MOST_LINES = 20
_WORDS = {
    Verdict.CLEAN: "everything is as the inventory says",
    Verdict.DRIFT: "hosts differ from the inventory",
    Verdict.FAULTS: "not everything could be compared",
    Verdict.INCOMPLETE: "hosts were not reached",
}
_TICKS = re.compile("`+")
_REST = "\n*More is in `check.json`.*\n"


def markdown(report: Report) -> str:
    """The verdict and the numbers, then faults, drift with its differences, and who was not reached."""
    verdict = report.verdict
    head = f"## Autoupdate check: {verdict.value}\n\n{_WORDS[verdict].capitalize()}. {_numbers(report)}\n"
    return _within(LONGEST, head, [*_faults(report.faults), *_drift(report.hosts), *_not_compared(report.hosts)])


def code(text: str, longest: int | None = None) -> str:
    """A text as a code span of its own, whatever backticks it has."""
    plain = shown(text) if longest is None else shown(text, longest)
    if not plain.strip():
        return "``` ```" if plain else ""
    ticks = "`" * (max((len(found) for found in _TICKS.findall(plain)), default=0) + 1)
    space = " " if plain[0] in "` " or plain[-1] in "` " else ""
    return f"{ticks}{space}{plain}{space}{ticks}"


def _numbers(report: Report) -> str:
    counts = report.counts()
    total = counts.pop("hosts")
    allowed = sum(host.allowed for host in report.hosts)
    states = [f"{number} {state.replace('_', ' ')}" for state, number in counts.items() if number]
    hosts = f"{total} host{'' if total == 1 else 's'}: {', '.join(states)}" if total else "No hosts"
    more = f"; {allowed} may be unreachable" if allowed else ""
    return f"{hosts}{more}. As of {report.finished or report.started}."


def _faults(faults: Iterable[ReportedFault]) -> Iterator[str]:
    lines = [f"- {_place(one)}{code(one.text)}\n" for one in faults]
    if lines:
        yield "\n### Faults\n\n"
        yield from lines


def _place(fault: ReportedFault) -> str:
    file = f"{fault.file}:{fault.line}" if fault.file and fault.line else fault.file
    hosts = ", ".join(code(host, LONGEST_WORD) for host in fault.hosts[:5]) + (" ..." if len(fault.hosts) > 5 else "")
    return "".join(f"{one}: " for one in (code(file), hosts) if one)


def _drift(hosts: Iterable[HostReport]) -> Iterator[str]:
    drifted = [host for host in hosts if host.drift]
    if drifted:
        yield "\n### Drift\n\n"
    for host in drifted:
        yield f"- {code(host.name, LONGEST_WORD)}\n"
        yield from (f"  - {code(one.sentence)}\n" for one in host.drift)
    with_diff = [(host, one) for host in drifted for one in host.drift if one.diff]
    if with_diff:
        yield "\n### Differences\n"
    for host, one in with_diff:
        place = one.path or one.kind
        yield f"\n{code(host.name, LONGEST_WORD)} {code(place)}\n\n{_block(bounded(one.diff, _MOST_LINES))}"


def _block(lines: Iterable[str]) -> str:
    told = [shown(line) for line in lines]
    longest = max((len(found) for line in told for found in _TICKS.findall(line)), default=0)
    fence = "`" * max(3, longest + 1)
    return "".join(f"{line}\n" for line in (f"{fence}diff", *told, fence))


def _not_compared(hosts: Iterable[HostReport]) -> Iterator[str]:
    missing = [host for host in hosts if host.state in (State.UNREACHABLE, State.NOT_COMPARED)]
    if missing:
        yield "\n### Not compared\n\n"
    for host in missing:
        allowed = " (may be unreachable)" if host.allowed else ""
        yield f"- {code(host.name, LONGEST_WORD)}: {code(host.reason)}{allowed}\n"


def _within(longest: int, head: str, parts: Iterable[str]) -> str:
    """The parts that fit whole; each of them is Markdown by itself."""
    text = head
    for part in parts:
        if len(text) + len(part) > longest - len(_REST):
            return text + _REST
        text += part
    return text
