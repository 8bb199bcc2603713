# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Readers of what other machines send: known keys of known types, bounded; what does not fit is left out (R5)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from ..timestamps import unix
from ..untrusted_text import LONGEST_SENTENCE, LONGEST_WORD, shown

UNFIT = object()
"""What a reader gives for a value that is not of its type."""
_LARGEST_NUMBER = 2**53
Reader = Callable[[object], object]
"""From a value of JSON to what is kept of it, or UNFIT."""


def known(raw: Mapping[str, Any], readers: Mapping[str, Reader]) -> dict[str, Any]:
    """What is understood of a mapping; a key that is unknown, or whose value is of another type, is left out."""
    found: dict[str, Any] = {}
    for key, read in readers.items():
        if key in raw and (one := read(raw[key])) is not UNFIT:
            found[key] = one
    return found


def word(raw: object) -> object:
    return shown(raw, LONGEST_WORD) if isinstance(raw, str) else UNFIT


def sentence(raw: object) -> object:
    return shown(raw, LONGEST_SENTENCE) if isinstance(raw, str) else UNFIT


def flag(raw: object) -> object:
    return raw if isinstance(raw, bool) else UNFIT


def number(raw: object) -> object:
    """A whole one, from 0 to 2^53."""
    fits = isinstance(raw, int) and not isinstance(raw, bool) and 0 <= raw <= _LARGEST_NUMBER
    return raw if fits else UNFIT


def moment(raw: object) -> object:
    """An instant in the one form, as an agent writes it."""
    try:
        unix(raw if isinstance(raw, str) else "")
    except ValueError:
        return UNFIT
    return raw


def optional(read: Reader) -> Reader:
    """Null, or what ``read`` reads."""
    return lambda raw: None if raw is None else read(raw)


def each(read: Reader, most: int) -> Reader:
    """The first ``most`` entries of a list, without those that do not fit."""

    def of_list(raw: object) -> object:
        if not isinstance(raw, list):
            return UNFIT
        return [one for one in map(read, raw[:most]) if one is not UNFIT]

    return of_list


def part(readers: Mapping[str, Reader]) -> Reader:
    """A mapping, of which ``readers`` say what is kept."""
    return lambda raw: known(raw, readers) if isinstance(raw, dict) else UNFIT
