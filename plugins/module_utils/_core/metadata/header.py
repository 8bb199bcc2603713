# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What every published document begins with: its kind, a serial that only grows, and when it ends (C1, C2)."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from ..validation.errors import InvalidDocument, ValidationError, ValidationErrors, show
from ..validation.parsers import InvalidValue, Parser, integer, read_mapping
from ..values import frozen

FORMAT = 1
NAMESPACE = "epp-configuration"
"""What a signature over a tree or a shard is made for; a catalog has its own."""
MAX_SIZE = 16 * 1024 * 1024
"""Bytes of a published document with its signature, of whichever kind."""
_MAX_NUMBER = 2**53
LARGEST_SERIAL = 2**52
"""What a person may name as one; half of what a document takes is left to follow it."""


@frozen
class Header:
    """One issue of a document; ``issued`` and ``expires`` are Unix seconds."""

    serial: int
    issued: int
    expires: int

    def to_dict(self) -> dict[str, int]:
        return {"serial": self.serial, "issued": self.issued, "expires": self.expires}


UNISSUED = Header(0, 0, 0)
"""The header of a document before it is issued."""


def parse_header(
    content: bytes, kind: str, known: Mapping[str, Parser], optional: Mapping[str, Parser] | None = None
) -> tuple[Header, dict[str, Any]]:
    """The issue and the values of a document of this kind, all of whose keys but the ``optional`` ones must be there.

    Raises InvalidDocument with all errors; a document of another kind is one.
    """
    errors = ValidationErrors()
    try:
        raw = json.loads(content)
    except (ValueError, RecursionError):
        raw = None
        errors.add("", "no JSON", f"a published {kind}")
    errors.check()
    whole = {"format": _exactly(FORMAT), "kind": _exactly(kind), **_ISSUE, **known}
    values = read_mapping(raw, path="", known={**whole, **(optional or {})}, errors=errors)
    for key in (key for key in whole if isinstance(raw, dict) and key not in raw):
        errors.add(key, "", "there")
    errors.check()
    header = Header(**{key: values.pop(key) for key in _ISSUE})
    return header, {key: one for key, one in values.items() if key in known or key in (optional or ())}


def header_fields(kind: str, header: Header) -> dict[str, Any]:
    """The keys with which a document of this kind begins."""
    return {"format": FORMAT, "kind": kind, **header.to_dict()}


def main_error(invalid: InvalidDocument) -> ValidationError:
    """The one error of a document that tells enough; best its kind."""
    return next((one for one in invalid.errors if one.path == "kind"), invalid.errors[0])


def mapping(raw: object) -> dict[str, Any]:
    """A reader of mappings whose values somebody else reads."""
    if not isinstance(raw, dict) or not all(isinstance(key, str) for key in raw):
        raise InvalidValue("a mapping")
    return raw


def _exactly(wanted: object) -> Parser:
    def parse(raw: object) -> object:
        if raw != wanted or isinstance(raw, bool):
            raise InvalidValue(show(wanted))
        return raw

    return parse


_ISSUE: Mapping[str, Parser] = {
    "serial": integer(1, _MAX_NUMBER),
    "issued": integer(0, _MAX_NUMBER),
    "expires": integer(0, _MAX_NUMBER),
}
