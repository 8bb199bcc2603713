# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""One process of the real program, and what it cost."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

METER = Path(__file__).resolve().parent / "meter.py"


@dataclass(frozen=True)
class Cost:
    """Seconds of wall clock; seconds of CPU with those of the programs that it ran; the largest of its processes."""

    wall: float
    cpu: float
    peak: float
    published: int
    told: str

    @property
    def figures(self) -> str:
        return f"wall {self.wall:.2f} s, CPU {self.cpu:.2f} s, peak {self.peak:.0f} MiB"


class Program:
    """A program, the server's or the agent, on a directory that stands for a host."""

    def __init__(self, file: Path, root: Path) -> None:
        self.root = root
        self._file = file
        root.mkdir()

    def settings(self, **sections: Any) -> None:
        place = self.root / "etc/epp-autoupdate/server.json"
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(json.dumps(sections), encoding="utf-8")

    def run(self, arguments: list[str], document: object = None, *, codes: tuple[int, ...] = (0,)) -> Cost:
        """Run one command; raises SystemExit where it ends with none of these exit codes."""
        with tempfile.TemporaryDirectory() as directory:
            given, out = Path(directory, "given"), Path(directory, "out")
            given.write_text(json.dumps(document), encoding="utf-8")
            server = [sys.executable, "-I", self._file, "--root", self.root, *arguments]
            done = subprocess.run(_metered(given, out, server), stdout=subprocess.PIPE, check=True)
            told = out.read_bytes()
        status, wall, cpu, peak = json.loads(done.stdout)
        if os.waitstatus_to_exitcode(status) not in codes:
            raise SystemExit(f"{self._file.name} {' '.join(arguments)}: {told[:2000].decode()}")
        return Cost(wall, cpu, peak, _published(told), told.decode())

    @staticmethod
    def bare(command: list[str]) -> Cost:
        """The cost of any other command, which is to succeed."""
        metered = _metered(Path(os.devnull), Path(os.devnull), command)
        status, wall, cpu, peak = json.loads(subprocess.run(metered, stdout=subprocess.PIPE, check=True).stdout)
        if status:
            raise SystemExit(f"{command[0]} ended with {os.waitstatus_to_exitcode(status)}")
        return Cost(wall, cpu, peak, 0, "")


def _metered(given: Path, out: Path, command: list[Any]) -> list[Any]:
    return [sys.executable, "-IS", METER, given, out, *command]


def _published(told: bytes) -> int:
    result = json.loads(told or b"null")
    return sum(result["published"].values()) if isinstance(result, dict) and "published" in result else 0
