# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Pictures as inline SVG: shapes alone, which stretch with the page; the words stand beside them in HTML."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from .markup import Html, element, joined, word

_HEIGHT = 100
"""Units of the picture; its size on the screen is the style sheet's."""


def figure(title: str, picture: Html, ends: Sequence[str], legend: Html) -> Html:
    """A picture under its title, with what its left and right ends mean."""
    axis = element("div", *(element("span", one) for one in ends), class_="axis")
    return element("figure", element("figcaption", title), legend, picture, axis)


def legend(kinds: Mapping[str, str]) -> Html:
    """What each kind of shape means, by its class."""
    return element("div", *(swatch(kind, text) for kind, text in kinds.items()), class_="legend")


def swatch(kind: str, text: str) -> Html:
    """A colour with its word."""
    mark = element(
        "svg", element("rect", width=10, height=10), class_=f"mark {kind}", viewBox="0 0 10 10", aria_hidden="true"
    )
    return element("span", mark, text, class_="swatch")


def stacked(columns: Sequence[Mapping[str, int]], order: Sequence[str], words: str, titles: Sequence[str]) -> Html:
    """Columns of parts that lie on each other; ``order`` from below."""
    most = max((sum(one.values()) for one in columns), default=0) or 1
    shapes: list[str] = []
    for place, (column, title) in enumerate(zip(columns, titles)):
        below, parts = 0.0, []
        for kind in order:
            height = column.get(kind, 0) * _HEIGHT / most
            if height:
                top = _HEIGHT - below - height
                parts.append(
                    element("rect", x=place + 0.05, y=_short(top), width=0.9, height=_short(height), class_=kind)
                )
            below += height
        shapes.append(element("g", element("title", title), *parts))
    return _picture(len(columns), words, shapes)


def strip(parts: Mapping[str, int]) -> Html:
    """One line of parts beside each other, for a row of a table that has the numbers."""
    total, left, shapes = sum(parts.values()) or 1, 0.0, []
    for kind, count in parts.items():
        width = count * 100 / total
        if count:
            shapes.append(element("rect", x=_short(left), y=0, width=_short(width), height=10, class_=kind))
        left += width
    return element("svg", *shapes, class_="bar", viewBox="0 0 100 10", preserveAspectRatio="none", aria_hidden="true")


def length(count: int, most: int) -> Html:
    """A bar whose length is a count, for a row of a table that has the number."""
    shape = element("rect", x=0, y=0, width=_short(count * 100 / (most or 1)), height=10, class_="plain")
    return element("svg", shape, class_="bar", viewBox="0 0 100 10", preserveAspectRatio="none", aria_hidden="true")


def curves(bars: Sequence[int], lines: Mapping[str, Sequence[int]], words: str, kind: str = "plain") -> Html:
    """Bars, and step lines above them, all on one scale; lines by their class."""
    most = max([1, *bars, *(one for line in lines.values() for one in line)])
    shapes: list[str] = []
    for place, count in enumerate(bars):
        if count:
            height = count * _HEIGHT / most
            shapes.append(
                element(
                    "rect", x=place + 0.05, y=_short(_HEIGHT - height), width=0.9, height=_short(height), class_=kind
                )
            )
    for name, line in lines.items():
        shapes.append(element("path", d=_steps(line, most), class_=f"line {name}"))
    return _picture(len(bars), words, shapes)


def states_bar(states: Mapping[str, int]) -> Html:
    """The states of endpoints as one bar."""
    return strip(dict(reversed(list(states.items()))))


def states_legend(states: Sequence[str]) -> Html:
    return legend({state: word(state) for state in states})


def _steps(line: Sequence[int], most: int) -> str:
    heights = [_short(_HEIGHT - count * _HEIGHT / most) for count in line]
    return f"M0 {heights[0]}" + "".join(f"V{y}H{place + 1}" for place, y in enumerate(heights)) if heights else ""


def _picture(width: int, words: str, shapes: Sequence[str]) -> Html:
    return element(
        "svg",
        joined(shapes),
        class_="plot",
        viewBox=f"0 -4 {max(width, 1)} {_HEIGHT + 4}",
        preserveAspectRatio="none",
        role="img",
        aria_label=words,
    )


def _short(value: float) -> str:
    return f"{value:.2f}".rstrip("0").rstrip(".")
