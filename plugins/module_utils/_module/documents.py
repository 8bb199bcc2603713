# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""From what a playbook gives to the library's own values.

What the control node checks and what the module checks on the host goes through here alike, so that both say the same.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Any, Callable, TypeVar

from .._core.settings.endpoint import EndpointDocument
from .._core.settings.endpoint_keys import FORMAT
from .._core.settings.managed import refuse_tree_keys
from .._core.validation.errors import InvalidDocument, ValidationErrors
from .._core.validation.parsers import choice, read_mapping
from .._core.validation.strings import path
from . import spec_parts

T = TypeVar("T")
_MAY_NOT_BE_EMPTY = ("bool", "int", "path")


class State(str, Enum):
    """What becomes of an endpoint."""

    PRESENT = "present"
    ABSENT = "absent"


_OF_THE_TASK = ("use_variables", "require")
_NOTIFY = "notify"
PRODUCTS, OVERRIDES = "products", "product_overrides"
_OWN = {"state": choice(State), "installroot": path}


@dataclass(frozen=True)
class Wanted:
    """What a task of the module ``endpoint`` asks for; ``document`` is None where every trace is to go."""

    document: EndpointDocument | None
    root: str = ""

    @classmethod
    def from_options(cls, options: Mapping[str, Any]) -> Wanted:
        """Read the options as ``plain`` gives them; raises InvalidDocument with all errors."""
        described = {name: one for name, one in options.items() if name != _NOTIFY}
        server = described.get("server")
        if is_false(options.get(_NOTIFY)) and isinstance(server, Mapping) and server:
            described["server"] = {**server, "notify_key": None, "broker": None}
        return cls(*document_and_root(_document, FORMAT, described))


def _document(raw: dict[str, Any]) -> EndpointDocument:
    """The document of options, which may name several products, or set something for single ones (D2)."""
    parts = isinstance(raw.get("policy"), Mapping) and PRODUCTS in raw["policy"]
    if not parts and not any(raw.get(name) for name in (PRODUCTS, OVERRIDES)):
        return EndpointDocument.from_dict({name: raw[name] for name in raw if name not in (PRODUCTS, OVERRIDES)})
    from .products import renamed, with_entries  # few endpoints need it

    whole = with_entries(raw)
    try:
        return EndpointDocument.from_dict(whole)
    except InvalidDocument as invalid:
        raise renamed(invalid, raw) from None


def document_and_root(
    read: Callable[[dict[str, Any]], T], number: int, options: Mapping[str, Any]
) -> tuple[T | None, str]:
    """The document, of the format with this number, that the options make, None where every trace is to go; and the
    root directory. Raises InvalidDocument with all errors."""
    errors = ValidationErrors()
    absent, root = _own(options, errors)
    document = None if absent else _read(read, number, options, errors)
    errors.check()
    return document, root


def plain(spec: spec_parts.Spec, given: Mapping[str, Any]) -> dict[str, Any]:
    """The options that are given: what is null counts as not given, at any depth.

    Otherwise values stay as they are, for the library to refuse with all their errors. Only what templates of
    ansible-core 2.18 do to numbers and null is undone: ``"{{ 4 }}"`` is the text ``4`` there.
    """
    values = {name: _plain(spec.get(name, {}), value) for name, value in given.items()}
    return {name: value for name, value in values.items() if value is not None}


def is_false(value: Any) -> bool:
    """Whether a boolean was given as false, in any of Ansible's words; what is missing is not."""
    return value is False or str(value).strip().lower() in ("false", "no", "off", "0", "n", "f")


def _plain(option: Mapping[str, Any], value: Any) -> Any:
    if isinstance(value, Mapping):
        return plain(option.get("options", {}), value)
    if isinstance(value, list):
        return [_plain({}, item) for item in value]
    if getattr(value, "__ENCRYPTED__", False):
        return str(value)  # a text from a vault, which ansible-core 2.18 decrypts only now
    kind = option.get("type", "")
    if value == "" and kind in _MAY_NOT_BE_EMPTY:
        return None
    return int(value) if kind == "int" and isinstance(value, str) and value.isdecimal() else value


def _own(options: Mapping[str, Any], errors: ValidationErrors) -> tuple[bool, str]:
    """The options that are no part of a document: whether everything is to go, and the root directory."""
    own = {name: options[name] for name in _OWN if name in options}
    values = read_mapping(own, path="", known=_OWN, errors=errors)
    return values.get("state") is State.ABSENT, values.get("installroot", "").rstrip("/")


def _read(
    read: Callable[[dict[str, Any]], T], number: int, options: Mapping[str, Any], errors: ValidationErrors
) -> T | None:
    described = {name: value for name, value in options.items() if name not in (*_OWN, *_OF_THE_TASK)}
    if described.get("server") == {}:  # the role's default, since a mapping can't be left out there
        del described["server"]
    refuse_tree_keys(described, errors)
    try:
        return read({"format": number, **described})
    except InvalidDocument as invalid:
        for error in invalid.errors:
            errors.add(error.path, error.found, error.allowed)
        return None
