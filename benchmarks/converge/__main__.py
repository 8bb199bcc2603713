# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Measure a converge of the collection beside other ways to deploy the same files. See benchmarks/README.md.

    python benchmarks/converge [--endpoints 10 40] [--rounds 3]

Runs as root on Linux, on the project's own fleet of machines (tests/lab). Prints tables, writes JSON to .cache/bench.
"""

from __future__ import annotations

import argparse
import json
import shutil
import signal
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

HERE = Path(__file__).resolve().parent
REPOSITORY = HERE.parent.parent
sys.path.insert(0, str(REPOSITORY / "tests" / "lab"))

# The lab's modules are on the path only now, and those of this folder import them: hence E402 below.
import lab_root  # noqa: E402
from contenders import FLOOR, MANAGED, OURS, TITLES, WITHOUT  # noqa: E402
from machines import Machines  # noqa: E402
from managed import Managed  # noqa: E402
from race import Race  # noqa: E402
from report import Section, circumstances  # noqa: E402
from stage import Stage  # noqa: E402

CHOICES = tuple(name for name in TITLES if name != MANAGED)
SLOW = ("builtin", "mitogen")
WHAT = ("first", "noop", "managed")


def main() -> int:
    options = _parser().parse_args()
    for number in (signal.SIGINT, signal.SIGTERM):  # whoever ends it ends its machines, too
        signal.signal(number, lambda number, _frame: sys.exit(128 + number))
    obstacle = lab_root.why_not()
    if obstacle:
        sys.exit(f"no benchmark here: {obstacle}")
    place = REPOSITORY / ".cache" / "bench" / "converge"
    sections: list[Section] = []
    for count in options.endpoints:
        for section in _measure(options, count, place / str(count)):
            print(f"\n{section.table()}\n", flush=True)
            sections.append(section)
            _write(options.json or place / "results.json", options, sections)
    return 0


def _measure(options: argparse.Namespace, count: int, work: Path) -> Iterator[Section]:
    shutil.rmtree(work, ignore_errors=True)
    work.mkdir(parents=True)
    if {"first", "noop"} & set(options.what):
        with _machines(options, count) as machines:
            stage = Stage(work, machines, start=_twelve_hours_from_now())
            race = Race(stage, machines, rounds=_rounds(options), without=options.without, cold=options.cold)
            if "first" in options.what:
                yield race.first_converge()
            if "noop" in options.what:
                yield race.no_op()
    if "managed" in options.what:
        shutil.rmtree(work / "managed", ignore_errors=True)
        with _machines(options, count + 1) as machines:
            stage = Stage(work / "managed", machines, start=_twelve_hours_from_now(), server=machines.names[-1])
            yield Managed(stage, machines, rounds=options.rounds).no_op()


def _rounds(options: argparse.Namespace) -> dict[str, int]:
    """How often each contender runs."""
    often, seldom = options.rounds, options.slow_rounds or options.rounds
    return {name: seldom if name in SLOW else often for name in CHOICES if name in {FLOOR, OURS, *options.only}}


@contextmanager
def _machines(options: argparse.Namespace, count: int) -> Iterator[Machines]:
    print(f"booting {count} endpoints ...", file=sys.stderr, flush=True)
    machines = Machines(name=options.name, subnet=options.subnet, count=count)
    try:
        yield machines
    finally:
        machines.down()


def _twelve_hours_from_now() -> str:
    """The start of a window that does not begin while this runs."""
    return time.strftime("%H:00", time.gmtime(time.time() + 12 * 3600))


def _write(path: Path, options: argparse.Namespace, sections: list[Section]) -> None:
    result = {
        **circumstances(),
        "connections": "new" if options.cold else "shared masters, warm",
        "sections": [section.to_dict() for section in sections],
    }
    path.write_text(json.dumps(result, indent=1) + "\n")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="benchmarks/converge", description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--endpoints", type=int, nargs="+", default=[10, 40], metavar="N", help="default: 10 40")
    parser.add_argument("--rounds", type=int, default=3, help="runs of each contender, interleaved (default: 3)")
    parser.add_argument("--slow-rounds", type=int, help=f"the same for {' and '.join(SLOW)}, which take minutes each")
    parser.add_argument("--only", nargs="+", choices=CHOICES, default=CHOICES, help="besides the floor and ours")
    parser.add_argument(
        "--without",
        nargs="*",
        choices=tuple(WITHOUT),
        default=tuple(WITHOUT),
        metavar="THING",
        help=f"no-ops of ours without these, a line each: {', '.join(WITHOUT)} (default: all)",
    )
    parser.add_argument("--what", nargs="+", choices=WHAT, default=WHAT)
    parser.add_argument("--cold", action="store_true", help="log in anew for every run: no shared SSH masters")
    parser.add_argument("--name", default="eppbench", help="of the fleet and its bridge, at most 8 letters")
    parser.add_argument("--subnet", default="10.60", help="of the fleet, a /16 (default: 10.60)")
    parser.add_argument("--json", type=Path, help="where results go (default: .cache/bench/converge/results.json)")
    return parser


if __name__ == "__main__":
    sys.exit(main())
