# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a run of a program costs: time, CPU of this machine's side and CPU of the endpoints, from control groups.

Endpoints run on the processors of the controller here, so wall time alone would mix the two. A control group counts
whatever descends from a program, also what it leaves behind or never waits for.
"""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from lab_host import cgroup_root

TIMEOUT_S = 1800


@dataclass(frozen=True)
class Cost:
    """Seconds. ``other`` is what the rest of this machine took meanwhile: a high one spoils the figures."""

    wall: float
    controller: float
    endpoints: float
    other: float

    def __str__(self) -> str:
        return (
            f"{self.wall:.2f} s; CPU {self.controller:.2f} s controller, {self.endpoints:.2f} s endpoints, "
            f"{self.other:.2f} s other work"
        )


@dataclass(frozen=True)
class Finished:
    """A program's end, its output and its cost."""

    code: int
    output: str
    cost: Cost


class Meter:
    """Runs programs. SSH masters that several programs share live in a group of their own, whose use is charged to
    whoever runs: an SSH client inside a program is charged to it anyway."""

    def __init__(self, fleet: str) -> None:
        self._own = cgroup_root() / f"{fleet}-controller"
        self._masters = self._own / "masters"
        self._program = self._own / "program"
        self._fleet = cgroup_root() / fleet
        for group in (self._own, self._masters, self._program):
            group.mkdir(exist_ok=True)

    def run(self, argv: Sequence[str], *, env: Mapping[str, str], cwd: Path) -> Finished:
        """Run a program to its end."""
        before = self._clocks()
        process = subprocess.Popen(
            _in(self._program, argv),
            env=env,
            cwd=cwd,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
        )
        try:
            output, _nothing = process.communicate(timeout=TIMEOUT_S)
        except BaseException:
            _end(self._program)
            process.wait()
            raise
        after = self._clocks()
        _end(self._program)
        spent = {name: after[name] - before[name] for name in before}
        own = spent["program"] + spent["masters"]
        other = max(0.0, spent["machine"] - own - spent["endpoints"])
        cost = Cost(wall=spent["wall"], controller=own, endpoints=spent["endpoints"], other=other)
        return Finished(process.returncode, output, cost)

    def start_masters(self, commands: Sequence[Sequence[str]]) -> None:
        """Run commands that leave SSH masters behind."""
        running = [
            subprocess.Popen(
                _in(self._masters, argv),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
            )
            for argv in commands
        ]
        if any(process.wait(60) for process in running):
            raise RuntimeError("not every machine could be logged in to")

    def close(self) -> None:
        for group in (self._program, self._masters):
            _end(group)
            group.rmdir()
        self._own.rmdir()

    def _clocks(self) -> dict[str, float]:
        return {
            "wall": time.monotonic(),
            "program": _used(self._program),
            "masters": _used(self._masters),
            "endpoints": _used(self._fleet),
            "machine": _machine(),
        }


def _used(group: Path) -> float:
    """CPU seconds (user and system) of a control group and those below it, also of processes that are gone."""
    first = (group / "cpu.stat").read_text().split("\n", 1)[0]
    return int(first.removeprefix("usage_usec ")) / 1e6


def _machine() -> float:
    """CPU seconds that this machine has been busy."""
    user, nice, system, _idle, _waiting, irq, softirq = map(int, Path("/proc/stat").read_text().split()[1:8])
    return (user + nice + system + irq + softirq) / os.sysconf("SC_CLK_TCK")


def _in(group: Path, argv: Sequence[str]) -> list[str]:
    """A command line that enters a control group first."""
    return ["sh", "-c", 'echo 0 >"$0" && exec "$@"', str(group / "cgroup.procs"), *argv]


def _end(group: Path) -> None:
    """End whatever is left in a control group."""
    (group / "cgroup.kill").write_text("1")
    for _try in range(100):
        if "populated 0" in (group / "cgroup.events").read_text():
            return
        time.sleep(0.05)
    raise RuntimeError(f"processes in {group} survive SIGKILL")
