# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The protection of the demonstration, and its probe: a scanner whose signatures are texts.

    python scanner.py COMPONENTS HOST

It ends with 0 when the signatures below COMPONENTS find the sample, and nothing in the programs of the directory HOST.
"""

from __future__ import annotations

import sys
from pathlib import Path

SAMPLE = "the harmless sample that each version has to find"


def main(components: str, host: str) -> int:
    signatures = _signatures(Path(components))
    problems = [] if _found(SAMPLE, signatures) else ["the sample is not found"]
    for file in sorted(Path(host, "opt").rglob("*.conf")):
        name = _found(file.read_text(encoding="utf-8"), signatures)
        if name:
            problems.append(f"/{file.relative_to(host)} is clean, and was called {name}")
    for problem in problems:
        print(problem, file=sys.stderr)
    return 1 if problems else 0


def _signatures(components: Path) -> dict[str, str]:
    lines = (components / "patterns/daily.dat").read_text(encoding="utf-8").splitlines()
    return dict(line.split(":", 1) for line in lines if ":" in line)


def _found(text: str, signatures: dict[str, str]) -> str:
    """The name of a signature that a text has; empty where there is none."""
    return next((name for name, signature in signatures.items() if signature in text), "")


if __name__ == "__main__":
    raise SystemExit(main(*sys.argv[1:]))
