# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A fleet that has reported: what it costs to ask for its failing endpoints and for its health, and its report.

Of the report: what the file costs its server, its size, and how fast a browser opens and filters it.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from statistics import median
from typing import Any, Callable

from ingest import STATUS
from program import Cost, Program
from steps import fleet

from plugins.module_utils._core.reports.report import Occasion, Report
from plugins.module_utils._core.timestamps import iso
from plugins.module_utils._host.local_host import LocalHost
from plugins.module_utils._server.database.database import open_database, transaction
from plugins.module_utils._server.reports.records import take
from plugins.module_utils._server.reports.verdict import Good, Known

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "tests"))
import chromium

_BATCH = 5000
_RESULTS = ("updated", "current", "current", "current", "failed")
_QUESTIONS: dict[tuple[str, ...], Callable[[Any], int]] = {
    ("endpoints", "--state", "failing", "--json"): len,
    ("health", "--json"): lambda told: int(told["states"]["failing"]),
}
"""Commands, and how many failing endpoints their answers tell."""
_TIMES = """
(() => {
  const found = [];
  const time = (act) => { const begin = performance.now(); act(); found.push(performance.now() - begin); };
  const type = (box, text) => { box.value = text; box.dispatchEvent(new Event('input')); };
  const state = document.querySelector('#head input[data-filter=state]');
  for (const text of ['f', '=failing', '!=failing', '']) { time(() => type(state, text)); }
  for (const text of ['0', '01', 'site-1', '']) { time(() => type(document.querySelector('#search'), text)); }
  return found;
})()
"""


def fill(program: Program, count: int) -> None:
    """Register the fleet of the other steps, and put a report of each endpoint on record, as the intake does."""
    wanted = fleet(count)
    program.run(["register"], wanted)
    names, now = [one["name"] for one in wanted["endpoints"]], int(time.time())
    with closing(open_database(LocalHost(str(program.root)))) as connection:
        for first in range(0, count, _BATCH):
            good = {name: good(name, first + place, now) for place, name in enumerate(names[first : first + _BATCH])}
            with transaction(connection):
                take(connection, good, dict.fromkeys(good, Known("")), float(now))


def write(program: Program, file: Path) -> Cost:
    """Write the file by one process of the real program."""
    return program.run(["report", "--html", str(file)])


def ask(program: Program, count: int) -> Iterator[str]:
    """The cost of each question; raises SystemExit where an answer has not every fifth endpoint."""
    for words, failing in _QUESTIONS.items():
        cost = program.run(list(words), codes=(0, 1))  # 1: there are alarms
        if failing(json.loads(cost.told)) != count // len(_RESULTS):
            raise SystemExit(f"epp-server {' '.join(words)}: {cost.told[:500]}")
        yield f"{' '.join(words[:-1])} of {count:,} endpoints: {cost.figures}"


def line(count: int, file: Path, cost: Cost) -> str:
    size = f"{file.stat().st_size / 1e6:.1f} MB"
    return f"report of {count:,} endpoints: {cost.figures}, {size}{_shown(file)}"


def _shown(file: Path) -> str:
    """How long a browser takes to open it, and to filter it: in the middle and at most."""
    path = chromium.program()
    if path is None:
        return "; no Chromium here"
    with chromium.browser(path) as browser:
        browser.size(1280, 900)
        browser.open(file.as_uri())
        opened: dict[str, Any] = json.loads(
            browser.run("JSON.stringify(performance.getEntriesByType('navigation')[0].toJSON())")
        )
        times = browser.run(_TIMES)
    return f"; opens in {opened['duration']:.0f} ms, filters in {median(times):.0f} ms, at most {max(times):.0f} ms"


def good(name: str, number: int, now: int) -> Good:
    """A report, of which every fifth one has failed."""
    started = iso(now - number % 7200)
    run = {"result": _RESULTS[number % 5], "reason": "", "started": started, "finished": started, "until": None}
    status = {**STATUS, "last": {**STATUS["last"], "schedule": {**run, "changed": [], "joined": None}}}
    one = Report.of_status(
        status, endpoint=name, sequence=now, at=now, occasion=Occasion.DAILY, agent="1.0.0", drift=()
    )
    return Good(one, one.to_bytes().decode())
