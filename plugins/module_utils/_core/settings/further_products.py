# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The products of an endpoint beside its first one, in its document (D2).

A further product has a document of its own, as if it were the endpoint's only one. In the endpoint's document it is an
entry of ``products``, with what belongs to a product; the rest it has in common with the first one.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Callable, TypeVar

from ..products import DEFAULT
from ..validation.errors import InvalidDocument, ValidationError, ValidationErrors, show
from ..validation.parsers import InvalidValue
from .endpoint_keys import ProductKind, product_name

T = TypeVar("T")
PRODUCTS = "products"
OWN = ("product_settings", "probe", "restore", "held_versions", "scan_paths", "reconnect", "limits")
"""What a product may have of its own besides its policy."""
_ENTRY = ("product", "product_definitions", *(kind.value for kind in ProductKind), "policy", *OWN)
_INHERITED = (
    *("format", "endpoint", "domain", "ordinal", "policy", "scheduler", "user_group", "textfile_directory"),
    *(kind.value for kind in ProductKind),
    *("restore", "scan_paths", "reconnect", "limits", "takeover", "server"),
)
OF_PROBE = ("enabled", "timeout")
"""What of the section ``probe`` is not about one product."""
MOST = 16
"""Of the products of one endpoint."""


def read_entries(
    raw: Mapping[str, Any], read: Callable[[dict[str, Any], int], T], errors: ValidationErrors
) -> tuple[T, ...]:
    """The documents of the further products; ``read`` takes a raw one and its place in the endpoint's list.

    What is wrong becomes errors, whose paths begin with ``products[suricata]``.
    """
    entries = raw.get(PRODUCTS)
    if not isinstance(entries, list) or len(entries) >= MOST:
        errors.add(PRODUCTS, show(entries), f"a list of at most {MOST - 1} products beside the first")
        return ()
    return tuple(_each(raw, entries, read, errors))


def _each(
    raw: Mapping[str, Any], entries: list[Any], read: Callable[[dict[str, Any], int], T], errors: ValidationErrors
) -> Iterator[T]:
    names = [raw.get("product", DEFAULT)]
    for place, entry in enumerate(entries, start=1):
        name = _name(entry, names, place, errors)
        if name is None:
            continue
        names.append(name)
        where = f"{PRODUCTS}[{name}]"
        for key in entry:
            if key not in _ENTRY:
                errors.add_unknown_key(where, key, list(_ENTRY))
        if "privileges" in (entry.get("policy") or {}):
            errors.add(f"{where}.policy.privileges", "it", "possible for one product (it is the endpoint's)")
        try:
            yield read(_document(raw, entry), place)
        except InvalidDocument as invalid:
            errors.add_all(tuple(_of_entry(invalid.errors, entry, where)))


def _name(entry: object, names: list[Any], place: int, errors: ValidationErrors) -> str | None:
    if not isinstance(entry, dict) or not isinstance(entry.get("policy") or {}, dict):
        errors.add(f"{PRODUCTS}[{place - 1}]", show(entry), "a mapping with a product and what it has of its own")
        return None
    try:
        name = product_name(entry.get("product"))
    except InvalidValue as unfit:
        errors.add(f"{PRODUCTS}[{place - 1}].product", show(entry.get("product")), unfit.allowed)
        return None
    if name in names:
        errors.add(f"{PRODUCTS}[{place - 1}].product", show(name), "a product that is named once")
        return None
    return name


def _document(raw: Mapping[str, Any], entry: Mapping[str, Any]) -> dict[str, Any]:
    """A further product's own document, raw."""
    whole = {key: raw[key] for key in _INHERITED if key in raw}
    shared, probe = raw.get("policy"), raw.get("probe")
    of_people = {key: shared[key] for key in ("privileges",) if isinstance(shared, Mapping) and key in shared}
    policy = entry.get("policy", shared)
    if isinstance(policy, Mapping):
        whole["policy"] = {**policy, **of_people}
    if isinstance(probe, Mapping):
        whole["probe"] = {key: probe[key] for key in OF_PROBE if key in probe}
    own = {key: one for key, one in entry.items() if key in _ENTRY and key != "policy"}
    if isinstance(own.get("probe"), Mapping):
        own["probe"] = {**whole.get("probe", {}), **own["probe"]}
    return {**whole, **own}


def _of_entry(found: tuple[ValidationError, ...], entry: Mapping[str, Any], where: str) -> Iterator[ValidationError]:
    """The errors that are the entry's; those of what it has in common with the first are told there."""
    for error in found:
        key = error.path.partition(".")[0].partition("[")[0]
        if key in entry or key not in _INHERITED or _is_missing(error):
            yield ValidationError(f"{where}.{error.path}", error.found, error.allowed)


def _is_missing(error: ValidationError) -> bool:
    return not error.found


def plain_entry(document: Mapping[str, Any]) -> dict[str, Any]:
    """A further product's own document, plain, as an entry."""
    entry = {key: document[key] for key in _ENTRY if key in document}
    policy = {name: one for name, one in entry["policy"].items() if name != "privileges"}
    return {**entry, "policy": policy}
