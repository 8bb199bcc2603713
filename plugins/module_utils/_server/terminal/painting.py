# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Lines that have colors where the terminal has them; whatever is in them stays data (R5)."""

from __future__ import annotations

from collections.abc import Iterable

from ..._core.untrusted_text import LONGEST_LINE, shown
from ..._core.values import frozen
from ..._host.output import write_composed
from .capabilities import Terminal

RED, YELLOW, GREEN, DIM = "31", "33", "32", "2"


@frozen
class Span:
    """A part of a line in one color, or in none."""

    text: str
    color: str = ""


Line = tuple[Span, ...]


def plain(text: str) -> Line:
    """A line without colors."""
    return (Span(text),)


def painted(line: Iterable[Span], terminal: Terminal) -> str:
    """One line as the terminal gets it, no longer than the terminal is wide and without its end."""
    parts, left = [], terminal.columns
    for span in line:
        text = shown(span.text, LONGEST_LINE)[:left]
        left -= len(text)
        parts.append(f"\x1b[{span.color}m{text}\x1b[0m" if text and span.color and terminal.colors else text)
    return "".join(parts)


def write_painted(lines: Iterable[Line], terminal: Terminal) -> None:
    """Lines for people at this terminal, which is that of standard output."""
    write_composed("".join(f"{painted(line, terminal).rstrip()}\n" for line in lines))
