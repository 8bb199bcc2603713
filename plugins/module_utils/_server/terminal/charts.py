# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Charts as text: pure functions of numbers, each with a form for terminals that have ASCII alone."""

from __future__ import annotations

from collections.abc import Sequence
from math import ceil

from ..._core.values import frozen


@frozen
class Glyphs:
    """What charts are drawn with. ``heights`` and ``widths`` rise from nothing to a full cell.

    ``shades`` tell the parts of one bar apart without colors: what failed, what is done, what is neither, what is open.
    """

    heights: str
    widths: str
    shades: str
    rule: str


BLOCKS = Glyphs(
    heights=" \u2581\u2582\u2583\u2584\u2585\u2586\u2587\u2588",
    widths=" \u258f\u258e\u258d\u258c\u258b\u258a\u2589\u2588",
    shades="\u2593\u2588\u2592\u2591",
    rule="\u2500",
)
ASCII = Glyphs(heights=" ._-=+*%#", widths=" #", shades="!#=.", rule="-")


def glyphs(*, blocks: bool) -> Glyphs:
    """The characters of a terminal that has blocks, or ASCII alone."""
    return BLOCKS if blocks else ASCII


def merged(values: Sequence[int], columns: int) -> list[int]:
    """So many columns at most, each the highest of the values that it stands for: a peak is never averaged away.

    Few values get several columns each.
    """
    if not values or columns < 1:
        return []
    if len(values) <= columns:
        return [value for value in values for _copy in range(columns // len(values))]
    each = ceil(len(values) / columns)
    return [max(values[first : first + each]) for first in range(0, len(values), each)]


def histogram(columns: Sequence[int], *, rows: int, using: Glyphs) -> list[str]:
    """Columns from zero to the highest value, as so many rows of text, the top one first.

    What is not zero is at least a sign on the bottom row.
    """
    full = len(using.heights) - 1
    top = max(columns, default=0) or 1
    levels = [0 if value <= 0 else max(1, round(value * rows * full / top)) for value in columns]
    return [
        "".join(using.heights[min(full, max(0, level - row * full))] for level in levels)
        for row in reversed(range(rows))
    ]


def scale(marks: Sequence[tuple[int, str]], columns: int) -> str:
    """One line below a chart with each mark at its column; the last one ends it, and one without room is left out."""
    if not marks:
        return ""
    end = marks[-1][1][:columns]
    room, line = columns - len(end), ""
    for column, text in marks[:-1]:
        if column >= len(line) + (2 if line else 0) and column + len(text) + 2 <= room:
            line = f"{line:<{column}}{text}"
    return f"{line:<{room}}{end}"


def gauge(value: int, *, of: int, columns: int, using: Glyphs) -> str:
    """A bar of ``value`` as its share of ``of``, in so many columns; not empty for what is not zero."""
    full = len(using.widths) - 1
    cells = columns * full
    length = min(cells, round(value * cells / of)) if of > 0 else 0
    length = max(length, 1) if value > 0 and columns > 0 else length
    whole, rest = divmod(length, full)
    return using.widths[full] * whole + (using.widths[rest] if rest else "")


def shares(values: Sequence[int], columns: int) -> list[int]:
    """How many of the columns each value gets; all of them together, unless all values are zero.

    What is not zero gets a column as long as there are enough of them.
    """
    total = sum(values)
    if total <= 0:
        return [0] * len(values)
    cells = [value * columns // total for value in values]
    for index, value in enumerate(values):
        cells[index] = max(cells[index], 1) if value else 0
    while sum(cells) > columns:
        cells[cells.index(max(cells))] -= 1
    behind = sorted(range(len(values)), key=lambda index: cells[index] - values[index] * columns / total)
    for index in [one for one in behind if values[one]] * columns:
        if sum(cells) == columns:
            break
        cells[index] += 1
    return cells


def sparkline(values: Sequence[int | None], *, top: int, using: Glyphs) -> str:
    """One sign a value, from zero to ``top``; a blank for what is not known, the lowest sign for what is small."""
    full = len(using.heights) - 1
    signs = (
        using.heights[0 if value is None else min(full, max(1, round(value * full / top))) if top > 0 else 1]
        for value in values
    )
    return "".join(signs)
