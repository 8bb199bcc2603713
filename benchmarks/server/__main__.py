# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Measure what changes cost an update server as its fleet grows. See benchmarks/README.md.

    python benchmarks/server [--endpoints 1000 10000 100000] [--rounds 3] [--reports 20000]
        [--fleet-reports 10000 100000] [--rollout 1000]

Runs as anybody, in a directory of its own. Each step is a process of the real program; prints a table, writes JSON to
.cache/bench.
"""

from __future__ import annotations

import argparse
import json
import platform
import sqlite3
import statistics
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
REPOSITORY = HERE.parent.parent
sys.path.insert(0, str(REPOSITORY))

# The library and this folder are on the path only now: hence E402 below.
import fleet_report  # noqa: E402  # on the path only now
import ingest  # noqa: E402  # on the path only now
import staged  # noqa: E402  # on the path only now
from program import Cost, Program  # noqa: E402  # on the path only now
from steps import STEPS, Step  # noqa: E402  # on the path only now

from plugins.module_utils._server import payload  # noqa: E402  # on the path only now

FIGURES = ("wall", "cpu", "peak")


def main() -> int:
    options = _parser().parse_args()
    place = REPOSITORY / ".cache" / "bench" / "server"
    place.mkdir(parents=True, exist_ok=True)
    measured: dict[int, dict[str, list[Cost]]] = {}
    for count in options.endpoints:
        with tempfile.TemporaryDirectory(prefix="epp-bench-", dir=options.directory) as directory:
            measured[count] = _measure(Path(directory), count, options.rounds)
    if measured:
        print(_table(measured))
    for count in options.reports:
        with tempfile.TemporaryDirectory(prefix="epp-bench-", dir=options.directory) as directory:
            print(_ingest(Path(directory), count))
    for count in options.fleet_reports:
        with tempfile.TemporaryDirectory(prefix="epp-bench-", dir=options.directory) as directory:
            _fleet_report(Path(directory), count)
    for count in options.rollout:
        for line in staged.lines(count, options.rounds, options.directory):
            print(line, flush=True)
    _write(options.json or place / "results.json", measured, options.rounds)
    return 0


def _measure(directory: Path, count: int, rounds: int) -> dict[str, list[Cost]]:
    """Every step on a server of this size: what lasts is done once, what can be done again in each round."""
    program = _program(directory)
    costs: dict[str, list[Cost]] = {}
    for step in STEPS:
        for number in range(rounds if step.again else 1):
            costs.setdefault(step.title, []).append(_run(step, program, count, number))
        last = costs[step.title][-1]
        print(
            f"{count} endpoints, {step.title}: {last.wall:.2f} s, {last.published} documents published",
            file=sys.stderr,
            flush=True,
        )
    return costs


def _ingest(directory: Path, count: int) -> str:
    program = _program(directory)
    ingest.fill(program, count)
    return ingest.line(count, ingest.take(program, count))


def _fleet_report(directory: Path, count: int) -> None:
    program, file = _program(directory), directory / "fleet.html"
    fleet_report.fill(program, count)
    for line in fleet_report.ask(program, count):
        print(line, flush=True)
    print(fleet_report.line(count, file, fleet_report.write(program, file)))


def _program(directory: Path) -> Program:
    file = directory / "epp-server"
    file.write_bytes(payload.build(payload.sources(), interpreter=sys.executable))
    return Program(file, directory / "server")


def _run(step: Step, program: Program, count: int, number: int) -> Cost:
    step.prepare(program, count, number)
    cost = program.run(step.arguments(count), step.document(count, number))
    if step.published is not None and cost.published != step.published:
        raise SystemExit(f"{step.title}: {cost.published} documents were published, not {step.published}")
    return cost


def _table(measured: dict[int, dict[str, list[Cost]]]) -> str:
    heads = [f"{count:,} endpoints" for count in measured]
    lines = [
        f"| step | documents signed | {' | '.join(f'{head}: wall s | CPU s | peak MiB' for head in heads)} |",
        f"| --- | --: | {' | '.join(['--:'] * 3 * len(heads))} |",
    ]
    for step in STEPS:
        signed = next(iter(measured.values()))[step.title][0].published
        figures = [_median(costs[step.title], what) for costs in measured.values() for what in FIGURES]
        lines.append(f"| {step.title} | {signed} | {' | '.join(figures)} |")
    return "\n".join(lines)


def _median(costs: list[Cost], what: str) -> str:
    found = statistics.median(getattr(cost, what) for cost in costs)
    return f"{found:.0f}" if what == "peak" else f"{found:.2f}"


def _write(path: Path, measured: dict[int, dict[str, list[Cost]]], rounds: int) -> None:
    about: dict[str, Any] = {
        "when": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
        "python": platform.python_version(),
        "sqlite": sqlite3.sqlite_version,
        "kernel": platform.release(),
        "rounds": rounds,
    }
    runs = {
        count: {title: [vars(cost) for cost in some] for title, some in costs.items()}
        for count, costs in measured.items()
    }
    path.write_text(json.dumps({**about, "endpoints": runs}, indent=2) + "\n", encoding="utf-8")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="benchmarks/server", description=__doc__.splitlines()[0])
    parser.add_argument("--endpoints", type=int, nargs="*", default=[1000, 10_000, 100_000], metavar="N")
    parser.add_argument("--reports", type=int, nargs="*", default=[20_000], metavar="N", help="how many are taken in")
    words, sizes = "of how many endpoints states, health and the report on the fleet are asked for", [10_000, 100_000]
    parser.add_argument("--fleet-reports", type=int, nargs="*", default=sizes, metavar="N", help=words)
    words = "beside how many endpoints a version goes out without rings, with one and with three"
    parser.add_argument("--rollout", type=int, nargs="*", default=[1000], metavar="N", help=words)
    parser.add_argument("--rounds", type=int, default=3, help="runs of each step that can be done again (3)")
    parser.add_argument("--directory", help="where the servers' directories are made (the system's own for such)")
    parser.add_argument("--json", type=Path, help="where to write all runs")
    return parser


sys.exit(main())
