# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Readers of single values. Each takes what a document holds and gives the value, or raises InvalidValue."""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum
from typing import Any, Callable

from ..durations import format_duration, parse_duration
from .errors import ValidationError, ValidationErrors, join, show, suggestion

Parser = Callable[[object], Any]
_LONGEST_NUMBER = 10


class InvalidValue(ValueError):
    """A value is not what its field takes.

    ``allowed`` says what it takes and ``found`` replaces the value in messages; ``inside`` is for the errors of
    a list's items instead: (index, InvalidValue, item), ``below`` for those of a mapping, with paths from there.
    """

    def __init__(
        self,
        allowed: str,
        *,
        found: str | None = None,
        inside: tuple[tuple[int, InvalidValue, object], ...] = (),
        below: tuple[ValidationError, ...] = (),
    ) -> None:
        self.allowed = allowed
        self.found = found
        self.inside = inside
        self.below = below
        super().__init__(allowed)

    def report(self, errors: ValidationErrors, path: str, value: object) -> None:
        """Put this into a collection of errors, an item's under the item's own path."""
        if not self.inside and not self.below:
            errors.add(path, self.found or show(value), self.allowed)
        for error in self.below:
            dot = "" if error.path.startswith("[") else "."
            errors.add(f"{path}{dot}{error.path}", error.found, error.allowed)
        for index, unfit, item in self.inside:
            unfit.report(errors, f"{path}[{index}]", item)


def fits(parser: Parser, value: object) -> bool:
    """Whether a parser takes a value."""
    try:
        parser(value)
    except InvalidValue:
        return False
    return True


def boolean(value: object) -> bool:
    """True or False, and nothing that merely looks like it."""
    if isinstance(value, bool):
        return value
    hint = " (without quotes)" if isinstance(value, str) else ""
    raise InvalidValue(f"true or false{hint}")


def integer(low: int, high: int) -> Callable[[object], int]:
    """A reader of whole numbers from ``low`` to ``high``, both allowed."""

    def parse(value: object) -> int:
        # bool is a subclass of int in Python, but `interval: true` is a mistake.
        if isinstance(value, int) and not isinstance(value, bool) and low <= value <= high:
            return value
        hint = " (without quotes)" if isinstance(value, str) and value.isdigit() else ""
        raise InvalidValue(f"a whole number from {low} to {high}{hint}")

    return parse


def choice(words: type[Enum]) -> Callable[[object], Any]:
    """A reader of one of an enumeration's words."""
    known = [str(member.value) for member in words]

    def parse(value: object) -> Enum:
        if isinstance(value, str) and value in known:
            return words(value)
        raise InvalidValue(f"{', '.join(known[:-1])} or {known[-1]}{suggestion(value, known)}")

    return parse


def duration(low: int, high: int) -> Callable[[object], int]:
    """A reader of durations from ``low`` to ``high`` seconds, both allowed; gives seconds."""

    def parse(value: object) -> int:
        try:
            seconds = parse_duration(value) if isinstance(value, str) else None
        except ValueError:
            seconds = None
        if seconds is None:
            raise InvalidValue(f"a duration (try {_with_unit(value) or '90m, 2h'})")
        if not low <= seconds <= high:
            raise InvalidValue(f"a duration from {format_duration(low)} to {format_duration(high)}")
        return seconds

    return parse


def _with_unit(value: object) -> str:
    """A bare number as the duration that it was meant to be, most likely in seconds; empty for anything else."""
    text = str(value) if isinstance(value, (int, str)) and not isinstance(value, bool) else ""
    bare = text.isascii() and text.isdecimal() and len(text) < _LONGEST_NUMBER
    return f"{format_duration(int(text))} for {text} seconds" if bare else ""


def nullable(parser: Parser) -> Parser:
    """The reader, which takes null too."""
    return lambda value: None if value is None else parser(value)


def listing(parser: Parser, *, least: int = 0, most: int = 100, unique: bool = True) -> Parser:
    """A reader of lists; gives a tuple."""

    def parse(value: object) -> tuple[Any, ...]:
        if not isinstance(value, list) or not least <= len(value) <= most:
            raise InvalidValue(f"a list of {least} to {most} items")
        items: list[Any] = []
        wrong: list[tuple[int, InvalidValue, object]] = []
        for index, raw in enumerate(value):
            item = _attempt(parser, raw)
            if unique and item in items:
                item = InvalidValue("allowed twice")
            if isinstance(item, InvalidValue):
                wrong.append((index, item, raw))
            else:
                items.append(item)
        if wrong:
            raise InvalidValue("a right list", inside=tuple(wrong))
        return tuple(items)

    return parse


def or_empty(parser: Parser) -> Parser:
    """A reader of what may be left open, by the empty text."""
    return lambda value: "" if value == "" else parser(value)


def _attempt(parser: Parser, raw: object) -> Any:
    """What the reader gives, or the InvalidValue that it raises."""
    try:
        return parser(raw)
    except InvalidValue as unfit:
        return unfit


def read_mapping(raw: object, *, path: str, known: Mapping[str, Parser], errors: ValidationErrors) -> dict[str, Any]:
    """The values of a mapping's keys that are there and right; everything else becomes an error."""
    values: dict[str, Any] = {}
    if not isinstance(raw, dict):
        errors.add(path, show(raw), f"a mapping (keys: {', '.join(known)})")
        return values
    for key, value in raw.items():
        parser = known.get(key) if isinstance(key, str) else None
        if parser is None:
            errors.add_unknown_key(path, key, list(known))
            continue
        try:
            values[key] = parser(value)
        except InvalidValue as unfit:
            unfit.report(errors, join(path, key), value)
    return values
