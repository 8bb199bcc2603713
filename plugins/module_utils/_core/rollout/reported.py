# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What is kept of an endpoint's answer to a notice: known keys of known types, bounded (R5)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from ..timestamps import unix
from ..untrusted_text import LONGEST_SENTENCE, LONGEST_WORD, shown

MAX_COMPONENTS = 20_000


def reported(raw: Mapping[str, Any]) -> dict[str, Any]:
    """What an answer tells as far as it is understood; a key that is unknown, or of another type, is left out."""
    found = {key: _READERS[key](raw[key]) for key in _READERS if key in raw}
    return {key: one for key, one in found.items() if one is not _UNFIT}


def _word(raw: object) -> object:
    return shown(raw, LONGEST_WORD) if isinstance(raw, str) else _UNFIT


def _sentence(raw: object) -> object:
    return shown(raw, LONGEST_SENTENCE) if isinstance(raw, str) else _UNFIT


def _flag(raw: object) -> object:
    return raw if isinstance(raw, bool) else _UNFIT


def _optional(read: Callable[[object], object]) -> Callable[[object], object]:
    return lambda raw: None if raw is None else read(raw)


def _moment(raw: object) -> object:
    """An instant in the one form, as an agent writes it."""
    try:
        unix(raw if isinstance(raw, str) else "")
    except ValueError:
        return _UNFIT
    return raw


def _words(raw: object) -> object:
    if not isinstance(raw, list):
        return _UNFIT
    return [shown(one, LONGEST_WORD) for one in raw[:MAX_COMPONENTS] if isinstance(one, str)]


def _components(raw: object) -> object:
    """Names and versions; a version may be a number in what another agent wrote."""
    if not isinstance(raw, list):
        return _UNFIT
    named = [one for one in raw[:MAX_COMPONENTS] if isinstance(one, dict) and isinstance(one.get("name"), str)]
    return [{"name": shown(one["name"], LONGEST_WORD), "version": _version(one.get("version"))} for one in named]


def _version(raw: object) -> str:
    plain = isinstance(raw, (str, int, float)) and not isinstance(raw, bool)
    return shown(str(raw), LONGEST_WORD) if plain else "unknown"


_UNFIT = object()
_READERS: dict[str, Callable[[object], object]] = {
    **dict.fromkeys(("campaign", "endpoint", "product", "result", "trigger", "version"), _word),
    "reason": _sentence,
    "joined": _optional(_word),
    **dict.fromkeys(("started", "finished"), _moment),
    "until": _optional(_moment),
    "changed": _words,
    **dict.fromkeys(("before", "after"), _components),
    "repeated": _flag,
}
