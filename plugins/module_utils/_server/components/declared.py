# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which component a file of a set belongs to, and of what kind it is.

Without any declaration, a set is one component of kind pattern, named after its source. More is declared

* by layout: what lies in ``patterns/``, ``engines/`` or ``programs/`` at the top is of that kind, and each entry of
  it is a component (``patterns/a.dat`` is ``patterns-a``, everything below ``engines/scan/`` is ``engines-scan``);
* by a file ``epp-components.json`` at the top: ``{"scanner": {"kind": "engine", "paths": ["bin/*"]}}``. It comes first,
  and a path belongs to the first component that it fits; ``*`` stands for slashes, too.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterable
from fnmatch import fnmatchcase
from typing import Any

from ..._core.metadata.manifest import WORD, InvalidManifest, Kind
from ..._core.validation.errors import ValidationErrors, join, show
from ..._core.validation.parsers import InvalidValue, choice, listing, read_mapping
from ..._core.validation.strings import line
from ..._core.values import frozen
from .objects import opened

FILE = "epp-components.json"
VERSION_FILE = "VERSION"
"""A file of this name, at the top of a set, says its version."""
OWN_FILES = (FILE, VERSION_FILE)
"""What tells of a set, and is not published itself."""
_LAYOUT = {"patterns": Kind.PATTERN, "engines": Kind.ENGINE, "programs": Kind.PROGRAM}
_MAX_SIZE = 1 << 20
_NAMELESS = "files"


@frozen
class Declared:
    """One component of ``epp-components.json``; ``paths`` are patterns for relative paths."""

    name: str
    kind: Kind
    paths: tuple[str, ...]

    def has(self, path: str) -> bool:
        return any(fnmatchcase(path, pattern) for pattern in self.paths)


@frozen
class Declaration:
    """What a set declares; ``rest`` is the component of everything else."""

    rest: str
    components: tuple[Declared, ...] = ()

    @classmethod
    def of(cls, folder: str, source: str) -> Declaration:
        """Read what a (real) folder declares; ``source`` names what nothing is declared of.

        Raises InvalidManifest with all that is wrong with the file.
        """
        try:
            with opened(folder, FILE) as stream:
                content = stream.read(_MAX_SIZE + 1)
        except FileNotFoundError:
            return cls(component_name(source))
        return cls(component_name(source), _read(content))

    def place_of(self, path: str) -> tuple[str, Kind]:
        """Component and kind of a file."""
        for component in self.components:
            if component.has(path):
                return component.name, component.kind
        top, _slash, inner = path.partition("/")
        if top in _LAYOUT and inner:
            entry, slash, _rest = inner.partition("/")
            return component_name(f"{top}-{entry if slash else os.path.splitext(entry)[0]}"), _LAYOUT[top]
        return self.rest, Kind.PATTERN

    def unused(self, paths: Iterable[str]) -> list[str]:
        """The declared components that no file belongs to."""
        used = {self.place_of(path)[0] for path in paths}
        return [component.name for component in self.components if component.name not in used]


def component_name(text: str) -> str:
    """A text as the name of a component."""
    return re.sub(r"[^A-Za-z0-9._+~]+", "-", text).strip("-._+~")[:100] or _NAMELESS


def _read(content: bytes) -> tuple[Declared, ...]:
    try:
        raw = json.loads(content) if len(content) <= _MAX_SIZE else None
    except (ValueError, RecursionError):
        raw = None
    errors = ValidationErrors()
    if not isinstance(raw, dict):
        errors.add(FILE, show(raw), "a JSON object of component names")
        raw = {}
    found = tuple(_one(name, section, errors) for name, section in raw.items())
    if errors.found:
        raise InvalidManifest("; ".join(map(str, errors.found)))
    return found


def _one(name: str, raw: object, errors: ValidationErrors) -> Declared:
    where = join(FILE, name)
    if not WORD.fullmatch(name):
        errors.add(where, show(name), "a name of at most 100 letters, digits and . _ + ~ -")
    values: dict[str, Any] = read_mapping(raw, path=where, known=_KEYS, errors=errors)
    if isinstance(raw, dict) and "paths" not in raw:
        errors.add(f"{where}.paths", "", "a list of paths (try rules/*.yar)")
    return Declared(name, values.get("kind", Kind.PATTERN), values.get("paths", ()))


def _pattern(raw: object) -> str:
    allowed = "a relative path, in which * stands for any text"
    text = line(raw, allowed)
    if text.startswith("/") or ".." in text.split("/"):
        raise InvalidValue(allowed)
    return f"{text}*" if text.endswith("/") else text


_KEYS = {"kind": choice(Kind), "paths": listing(_pattern, least=1, most=1000)}
