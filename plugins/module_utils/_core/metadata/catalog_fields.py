# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The fields of what a catalog lists, and the reader of a list of values."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TypeVar

from ..settings.endpoint_keys import ProductKind
from ..validation.errors import ValidationErrors
from ..validation.parsers import InvalidValue, Parser, choice, integer, read_mapping
from ..validation.strings import line
from ..values import field_names
from .manifest import Kind

_MAX_NUMBER = 2**53
T = TypeVar("T")


def each(
    kind: type[T],
    raw: Iterable[object],
    path: str,
    errors: ValidationErrors,
    known: Mapping[str, Parser] | None = None,
) -> tuple[T, ...]:
    """What a list of values of this class holds; ``known`` reads the fields, else ``FIELDS`` does."""
    readers = known or {name: FIELDS[name] for name in field_names(kind)}
    found = (_one(kind, one, readers, f"{path}[{index}]", errors) for index, one in enumerate(raw))
    return tuple(one for one in found if one is not None)


def _one(kind: type[T], raw: object, known: Mapping[str, Parser], path: str, errors: ValidationErrors) -> T | None:
    values = read_mapping(raw, path=path, known=known, errors=errors)
    missing = [key for key in known if isinstance(raw, dict) and key not in raw]
    for key in missing:
        errors.add(f"{path}.{key}", "", "there")
    return kind(**values) if len(values) == len(known) else None


def text(raw: object) -> str:
    return line(raw, "a text of one line")


def sha256(raw: object) -> str:
    if isinstance(raw, str) and len(raw) == 64 and set(raw) <= set("0123456789abcdef"):
        return raw
    raise InvalidValue("64 hexadecimal digits in lower case")


def relative(raw: object) -> str:
    found = line(raw, "a path below the server's URL")
    if any(part in ("", ".", "..") for part in found.split("/")) or "\\" in found or ":" in found:
        raise InvalidValue("a plain path below the server's URL")
    return found


FIELDS: dict[str, Parser] = {
    "product": lambda raw: str(choice(ProductKind)(raw).value),
    "name": text,
    "version": text,
    "kind": choice(Kind),
    "size": integer(0, _MAX_NUMBER),
    "sha256": sha256,
    "path": relative,
}
