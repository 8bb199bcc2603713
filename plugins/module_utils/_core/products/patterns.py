# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Patterns for what a vendor's program printed: bounded in length and in what they can cost.

A pattern is matched against single lines, from their beginning. A line is cut, its white space is one space each, and
of a long output the first and the last lines count. What could cost more than that is refused when it is read.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Sequence
from typing import Any

from ..validation.parsers import InvalidValue, Parser
from ..validation.strings import line

LONGEST_PATTERN = 200
"""Characters of a pattern."""
LONGEST_LINE = 300
"""Characters of a line that are looked at."""
MOST_LINES = 400
"""Lines of an output that are looked at, half of them its last ones."""
_COSTLIEST = 4 * LONGEST_LINE**3
_REPEATS = ("MAX_REPEAT", "MIN_REPEAT")
_ALLOWED = frozenset((*_REPEATS, "ANY", "AT", "BRANCH", "CATEGORY", "IN", "LITERAL", "NOT_LITERAL", "SUBPATTERN"))


def pattern(*, needs: Collection[str] = (), allows: Collection[str] = ()) -> Parser:
    """A reader of patterns that have the named groups ``needs``, and no others than these and ``allows``."""
    groups = [f"(?P<{name}>...)" for name in needs]
    allowed = f"a pattern (regular expression) of at most {LONGEST_PATTERN} characters"

    def parse(raw: object) -> re.Pattern[str]:
        text = line(raw, allowed)
        if len(text) > LONGEST_PATTERN:
            raise InvalidValue(allowed)
        try:
            found = re.compile(text, re.ASCII)
        except (re.error, OverflowError, RecursionError) as error:
            raise InvalidValue(f"{allowed}: {error}") from None
        missing = [group for name, group in zip(needs, groups) if name not in found.groupindex]
        if missing:
            raise InvalidValue(f"a pattern with the group {', '.join(missing)}")
        more = set(found.groupindex) - {*needs, *allows}
        if more:
            known = ", ".join((*needs, *allows)) or "none"
            raise InvalidValue(f"a pattern without the group {', '.join(sorted(more))} (known groups: {known})")
        _refuse_costly(text)
        return found

    return parse


def lines_of(*texts: str) -> tuple[str, ...]:
    """The lines of outputs that patterns are matched against; empty ones are left out."""
    lines = [shortened for text in texts for one in text.splitlines() if (shortened := _shortened(one))]
    half = MOST_LINES // 2
    return tuple(lines if len(lines) <= MOST_LINES else [*lines[:half], *lines[-half:]])


def first_match(wanted: re.Pattern[str], lines: Iterable[str]) -> re.Match[str] | None:
    """The first line that begins as a pattern says."""
    return next((found for found in map(wanted.match, lines) if found is not None), None)


def _shortened(text: str) -> str:
    return " ".join(text[: 4 * LONGEST_LINE].split())[:LONGEST_LINE]


def _refuse_costly(text: str) -> None:
    """Raise InvalidValue for a pattern whose matching could take long on some line."""
    try:
        cost = _cost(_parsed(text), repeated=False)
    except _Refused as refused:
        raise InvalidValue(f"a pattern without {refused} (they could take for ever)") from None
    if cost > _COSTLIEST:
        raise InvalidValue("a pattern with at most three parts of open length (.* or [0-9]+)")


class _Refused(Exception):
    """A part of a pattern that is not allowed; the text names it."""


def _parsed(text: str) -> Sequence[Any]:
    """The pattern as the standard library's own parser reads it; its module has had two names."""
    parser: Any = getattr(re, "_parser", None)
    if parser is None:
        import sre_parse as parser
    found: Sequence[Any] = parser.parse(text, re.ASCII)
    return found


def _cost(parts: Iterable[Any], *, repeated: bool) -> int:
    """How many ways there are, at most, to match a line."""
    total = 1
    for kind, argument in parts:
        for ways in _ways(str(kind), argument, repeated=repeated):
            total *= ways
    return total


def _ways(kind: str, argument: Any, *, repeated: bool) -> Iterator[int]:
    if kind not in _ALLOWED:
        raise _Refused("look-arounds, back references and atomic groups")
    if kind in _REPEATS:
        least, most, inside = argument
        most = min(int(most), LONGEST_LINE)
        if repeated and most > 1:
            raise _Refused("repetitions inside repetitions")
        yield max(1, most - int(least) + 1)
        yield _cost(inside, repeated=repeated or most > 1)
    elif kind == "BRANCH":
        if repeated:
            raise _Refused("alternatives inside repetitions")
        yield sum(_cost(one, repeated=repeated) for one in argument[1])
    elif kind == "SUBPATTERN":
        yield _cost(argument[-1], repeated=repeated)
