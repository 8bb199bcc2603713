# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""How the version of a component and its date are read: a program's output, a file, or a digest of files.

A version matches its pattern and is a word with a digit in it. A page that a proxy or a portal answered with, an error
or a heading is none, whatever the pattern.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from enum import Enum
from typing import Any

from ..policy.enums import Scope
from ..results import UNREADABLE
from ..validation.errors import ValidationErrors, join, show
from ..validation.parsers import InvalidValue, Parser, choice, duration, listing, read_mapping
from ..validation.strings import account, line, path
from ..values import frozen
from .arguments import Setting, command, expanded, placeholders
from .dates import date_format, read_date
from .patterns import first_match, lines_of, pattern

_VERSION = re.compile(r"[0-9A-Za-z][0-9A-Za-z./:+_~-]{0,79}")
_NAME = re.compile(r"[0-9A-Za-z][0-9A-Za-z.:+_~-]{0,79}")
_DIGIT = re.compile(r"[0-9]")
_PAGE = re.compile(r"<(?:!doctype|html|head|body|\?xml)\b", re.IGNORECASE)
_LOOKED_AT = 4096
_KEYS = re.compile(r"[A-Za-z0-9_ -]+(?:\.[A-Za-z0-9_ -]+){0,9}")
_PLACES = ("command", "file", "digest")
_LONGEST_S = 600


class ComponentKind(str, Enum):
    """What a component is to the product."""

    PATTERN = "pattern"
    ENGINE = "engine"
    PROGRAM = "program"


IN_SCOPE: Mapping[Scope, tuple[ComponentKind, ...]] = {
    Scope.PATTERNS: (ComponentKind.PATTERN,),
    Scope.ENGINES: (ComponentKind.ENGINE,),
    Scope.ALL: tuple(ComponentKind),
}
"""Which kinds of components an update may be for under each scope."""


@frozen
class VersionSource:
    """Where the version of one component is read: exactly one of ``command``, ``file`` and ``digest``.

    ``file`` and the paths of ``digest`` may have ``*`` for a part of a name. In an output or a file, ``json`` names
    the place of the version and ``date`` that of its date; without it the pattern's groups are matched against lines,
    those behind the first that is as ``after`` says. A group ``revision`` becomes a part of the version.
    """

    kind: ComponentKind = ComponentKind.PATTERN
    command: tuple[str, ...] = ()
    user: str = ""
    timeout: int = 60
    file: str = ""
    digest: tuple[str, ...] = ()
    json: str = ""
    date: str = ""
    after: re.Pattern[str] | None = None
    pattern: re.Pattern[str] | None = None
    date_format: str = ""


@frozen
class VersionReading:
    """What a source told: a version (empty: none), and its date in Unix seconds where it has one."""

    version: str = ""
    built: int | None = None


def read_components(
    raw: object, where: str, errors: ValidationErrors, names: Mapping[str, Setting]
) -> dict[str, VersionSource]:
    """Read the components of a definition; what is wrong becomes errors."""
    if not isinstance(raw, dict) or not 0 < len(raw) <= 50:
        errors.add(where, show(raw), "a mapping of 1 to 50 components, each with how its version is read")
        return {}
    found = {}
    for name, one in raw.items():
        place = join(where, name)
        if not isinstance(name, str) or not _NAME.fullmatch(name):
            errors.add(place, show(name), "the name of a component (letters, digits and . : + _ ~ - inside)")
        found[str(name)] = _source(one, place, errors, names)
    return found


def _source(raw: object, where: str, errors: ValidationErrors, names: Mapping[str, Setting]) -> VersionSource:
    known: dict[str, Parser] = {
        **_KNOWN,
        "command": command(names),
        "file": _path(names),
        "digest": listing(_path(names), least=1, most=20),
    }
    values = read_mapping(raw, path=where, known=known, errors=errors)
    if not isinstance(raw, dict):
        return VersionSource()
    given = [name for name in _PLACES if name in raw]
    if len(given) != 1:
        found = " and ".join(given)
        errors.add(where, found, f"exactly one of {', '.join(_PLACES)} (without it no version can be read)")
    if given != ["digest"] and "json" not in raw and "pattern" not in raw:
        errors.add(f"{where}.pattern", "", "there, or json: how the version stands in what is read")
    dated = "date" in raw or ("pattern" in values and "date" in values["pattern"].groupindex)
    if dated and "date_format" not in raw:
        errors.add(f"{where}.date_format", "", "the format of the date")
    return VersionSource(**values)


def told(source: VersionSource, text: str, now: float) -> VersionReading:
    """The version and the date in an output or a file's text; never an error, whatever the text is."""
    if _PAGE.search(text[:_LOOKED_AT]):
        return VersionReading()
    if source.json:
        return _in_json(source, text, now)
    lines = iter(lines_of(text))
    if source.pattern is None or (source.after is not None and first_match(source.after, lines) is None):
        return VersionReading()
    found = first_match(source.pattern, lines)
    return VersionReading() if found is None else _of_groups(source, found, now)


def digest_version(digests: Mapping[str, str]) -> str:
    """The version that files' SHA-256 sums (hex) by name make together."""
    import hashlib

    total = hashlib.sha256("".join(f"{name}\0{digests[name]}\n" for name in sorted(digests)).encode())
    return "sha256-" + total.hexdigest()[:16]


def value_in(text: str, keys: str) -> str | None:
    """The value at a place (``a.b.0``) of a JSON document as a text; None where there is none, or it is none."""
    try:
        found: Any = json.loads(text)
    except (ValueError, RecursionError):
        return None
    for key in keys.split("."):
        if isinstance(found, list) and key.isdecimal() and len(key) < 6 and int(key) < len(found):
            found = found[int(key)]
        elif isinstance(found, dict) and key in found:
            found = found[key]
        else:
            return None
    if isinstance(found, bool):
        return "true" if found else "false"
    return str(found) if isinstance(found, (str, int, float)) and len(str(found)) <= _LOOKED_AT else None


def _in_json(source: VersionSource, text: str, now: float) -> VersionReading:
    version = value_in(text, source.json)
    if version is None:
        return VersionReading()
    date = value_in(text, source.date) if source.date else None
    built = None if date is None else read_date(date, source.date_format, now)
    if source.pattern is None:
        return VersionReading(_word(version), built)
    found = first_match(source.pattern, lines_of(version))
    return VersionReading() if found is None else VersionReading(_word(found["version"] or ""), built)


def _of_groups(source: VersionSource, found: re.Match[str], now: float) -> VersionReading:
    groups = found.groupdict()
    date = groups.get("date")
    parts = (groups["version"], groups.get("revision"))
    version = _word("-".join(one.strip() for one in parts if one))
    return VersionReading(version, read_date(date, source.date_format, now) if date else None)


def _path(names: Mapping[str, Setting]) -> Parser:
    """A reader of paths with placeholders, which stay; each stands for one text, and the whole is absolute with it."""

    def parse(raw: object) -> str:
        text = line(raw, "an absolute path")
        unknown = [name for name in placeholders(text) if not isinstance(names.get(name), str)]
        if unknown:
            raise InvalidValue("a path with known placeholders", found=show("{" + unknown[0] + "}"))
        path("".join(expanded((text,), names)))
        return text

    return parse


def _word(text: str) -> str:
    """The text where it is a version, else the empty one."""
    text = text.strip()
    return text if _VERSION.fullmatch(text) and _DIGIT.search(text) and text != UNREADABLE else ""


def json_place(raw: object) -> str:
    """A reader of places in JSON documents (``a.b.0``)."""
    text = line(raw, "a place in a JSON document (a.b.0)")
    if len(text) > 200 or not _KEYS.fullmatch(text):
        raise InvalidValue("a place in a JSON document: at most ten keys with dots between them (a.b.0)")
    return text


_KNOWN: Mapping[str, Parser] = {
    "kind": choice(ComponentKind),
    "user": account,
    "timeout": duration(1, _LONGEST_S),
    "json": json_place,
    "date": json_place,
    "after": pattern(),
    "pattern": pattern(needs=("version",), allows=("date", "revision")),
    "date_format": date_format,
}
