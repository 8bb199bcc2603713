# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""One process of the real program, and what it cost."""

from __future__ import annotations

import json
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


class Program:
    """The server's program on a directory that stands for a host."""

    def __init__(self, file: Path, root: Path) -> None:
        self.root = root
        self._file = file
        root.mkdir()

    def settings(self, **sections: Any) -> None:
        place = self.root / "etc/epp-autoupdate/server.json"
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(json.dumps(sections), encoding="utf-8")

    def run(self, arguments: list[str], document: object = None) -> Cost:
        """Run one command; raises SystemExit where it fails."""
        with tempfile.TemporaryDirectory() as directory:
            given, out = Path(directory, "given"), Path(directory, "out")
            given.write_text(json.dumps(document), encoding="utf-8")
            server = [sys.executable, "-I", self._file, "--root", self.root, *arguments]
            meter = [sys.executable, "-IS", METER, given, out, *server]
            done = subprocess.run(meter, stdout=subprocess.PIPE, check=True)
            told = out.read_bytes()
        status, wall, cpu, peak = json.loads(done.stdout)
        if status:
            raise SystemExit(f"epp-server {' '.join(arguments)}: {told[:2000].decode()}")
        return Cost(wall, cpu, peak, _published(told), told.decode())


def _published(told: bytes) -> int:
    result = json.loads(told or b"null")
    return sum(result["published"].values()) if isinstance(result, dict) and "published" in result else 0
