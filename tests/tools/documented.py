# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What README says that ``make demo`` prints, held against what it has printed."""

from __future__ import annotations

import re
from collections.abc import Iterator

_BLOCK = re.compile(r"^```text\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_STEP = re.compile(r"^\d+\. ", re.MULTILINE)
_VARIES = {
    re.compile(r"\b\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ"): "INSTANT",
    re.compile(r"\b\d+ s from the first converge"): "N s from the first converge",
}
"""What differs from run to run, and what is compared in its place."""


def blocks(readme: str) -> list[list[str]]:
    """The blocks of README that have steps of the demonstration, as lines."""
    return [block.splitlines() for block in _BLOCK.findall(readme) if _STEP.search(block)]


def not_printed(readme: str, printed: str) -> Iterator[str]:
    """The lines of README's blocks that were not printed, or not in this order; a block may leave lines out."""
    for block in blocks(readme):
        left = iter([_plain(line) for line in printed.splitlines()])
        for line in filter(None, block):
            if _plain(line) not in left:  # reads on to that line
                yield line
                break


def _plain(line: str) -> str:
    for pattern, words in _VARIES.items():
        line = pattern.sub(words, line)
    return line.rstrip()
