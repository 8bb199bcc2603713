# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The sections of an endpoint's document about trust in content: the probe, what is kept for a way back, holds."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Callable

from ..holds import Hold
from ..policy.enums import DAY
from ..sizes import format_size, parse_size
from ..untrusted_text import LONGEST_SENTENCE, LONGEST_WORD
from ..validation.errors import ValidationErrors
from ..validation.parsers import InvalidValue, Parser, boolean, duration, integer, listing, read_mapping
from ..validation.strings import line, path
from ..values import frozen

_MOST_HOLDS = 1000
_LARGEST = 1 << 50


@frozen
class ProbeSettings:
    """What is probed after an update. ``find`` are files that must be found, ``clean`` those that must not.

    ``command`` is an argument list that ends with 0 where the protection works; empty: there is none. ``timeout`` is
    seconds.
    """

    enabled: bool = True
    find: tuple[str, ...] = ()
    clean: tuple[str, ...] = ("/bin/sh", "/bin/ls", "/sbin/init", "/usr/bin/ssh")
    command: tuple[str, ...] = ()
    timeout: int = 300


@frozen
class RestoreSettings:
    """How many sets are kept beside the one in use, and how many bytes those before the last may take."""

    keep_versions: int = 2
    keep_space: int = 1 << 30


def probe_keys(command: Parser) -> Mapping[str, Parser]:
    """The keys of the section ``probe``; ``command`` reads an argument list."""
    return {
        "enabled": boolean,
        "find": listing(path),
        "clean": listing(path),
        "command": command,
        "timeout": duration(10, DAY),
    }


def _size(raw: object) -> int:
    try:
        size = parse_size(raw) if isinstance(raw, str) else -1
    except ValueError:
        size = -1
    if not 0 <= size <= _LARGEST:
        raise InvalidValue("a size (try 500M, 2G)")
    return size


RESTORE: Mapping[str, Parser] = {
    "keep_versions": integer(0, 100),
    "keep_space": _size,
}
"""The keys of the section ``restore``."""


def read_holds(raw: object, errors: ValidationErrors) -> tuple[Hold, ...]:
    """The list ``held_versions`` of a document; what is wrong with it becomes errors."""
    if not isinstance(raw, list) or len(raw) > _MOST_HOLDS:
        errors.add("held_versions", "something else", f"a list of at most {_MOST_HOLDS} versions")
        return ()
    found = []
    for index, one in enumerate(raw):
        values = read_mapping(one, path=f"held_versions[{index}]", known=_HOLD, errors=errors)
        if isinstance(one, dict) and "version" not in one:
            errors.add(f"held_versions[{index}].version", "", "the version that is held, in quotes")
        if "version" in values:
            found.append(Hold(**values))
    return tuple(found)


def plain_holds(holds: tuple[Hold, ...]) -> list[dict[str, str]]:
    """The list as documents hold it."""
    return [{key: getattr(hold, key) for key in _HOLD} for hold in holds]


def plain_size(size: int) -> str:
    return format_size(size)


def _text(allowed: str, longest: int, *, empty: bool = True) -> Callable[[object], str]:
    def parse(raw: object) -> str:
        text = "" if empty and raw == "" else line(raw, allowed)
        if len(text) > longest:
            raise InvalidValue(f"{allowed} of at most {longest} characters")
        return text

    return parse


_HOLD: Mapping[str, Parser] = {
    "component": _text("the name of a component", LONGEST_WORD),
    "version": _text("a version, in quotes", LONGEST_WORD, empty=False),
    "reason": _text("a reason of one line", LONGEST_SENTENCE),
}
