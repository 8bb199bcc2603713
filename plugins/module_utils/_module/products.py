# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""From the options that name several products of one endpoint to the document that has an entry for each (D2)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from .._core.policy import of_products
from .._core.policy.inheritance import Layer
from .._core.products import SHIPPED, given_products
from .._core.settings import further_products as further
from .._core.settings.endpoint_keys import SCAN_PATHS, ProductKind, plain_section, product_name
from .._core.settings.trust import ProbeSettings
from .._core.validation.errors import InvalidDocument, ValidationError, ValidationErrors, show, suggestion
from .._core.validation.parsers import InvalidValue
from .documents import OVERRIDES, PRODUCTS


def known_products(options: Mapping[str, Any]) -> set[str]:
    """Every name that is known to be one of a product, on this endpoint or on any."""
    own = options.get("product_definitions")
    defined = {str(name) for name in own} if isinstance(own, Mapping) else set()
    return {*(kind.value for kind in ProductKind), *SHIPPED, *defined, *map(str, given_products(options))}


def with_entries(options: Mapping[str, Any]) -> dict[str, Any]:
    """The raw document of options without what only several products need; raises InvalidDocument.

    What is set for single products goes to these, for an endpoint with one product as well.
    """
    policy = options.get("policy")
    errors = ValidationErrors()
    names, overrides = _names(options, errors), _overrides(options, errors)
    layers = (Layer("policy", policy if isinstance(policy, Mapping) else {}, "policy"),)
    of_products.check(layers, known_products(options), errors)
    errors.check()
    whole = {key: one for key, one in options.items() if key not in (PRODUCTS, OVERRIDES)}
    if isinstance(policy, Mapping):
        whole["policy"] = dict(of_products.general(layers)[0].values)
    probe = {key: one for key, one in _mapping(whole, "probe").items() if key in further.OF_PROBE}
    for_others = {**whole, "probe": probe}
    own = {
        name: {**_completed(overrides.get(name, {}), for_others if place else whole), **_policy(layers, name)}
        for place, name in enumerate(names)
    }
    first, shared = own[names[0]], _kept_from(for_others, own[names[0]])
    entries = [{"product": name, **shared, **own[name]} for name in names[1:]]
    return {**whole, **_first(whole, first), "product": names[0], **({further.PRODUCTS: entries} if entries else {})}


def _completed(own: Mapping[str, Any], whole: Mapping[str, Any]) -> dict[str, Any]:
    """What a product has of its own: in sections key by key, under which lies what the endpoint has there."""
    found = dict(own)
    for key in ("probe", "restore", "reconnect", "limits"):
        if isinstance(own.get(key), Mapping) and isinstance(whole.get(key), Mapping):
            found[key] = {**whole[key], **own[key]}
    return found


def _first(whole: Mapping[str, Any], own: Mapping[str, Any]) -> dict[str, Any]:
    """What the first product has of its own, which is the endpoint's in its document."""
    people = {key: one for key, one in _mapping(whole, "policy").items() if key == "privileges"}
    return {**own, "policy": {**own["policy"], **people}} if "policy" in own else dict(own)


def _kept_from(whole: Mapping[str, Any], first: Mapping[str, Any]) -> dict[str, Any]:
    """What the other products would have of the endpoint, did the first one not have its own in that place."""
    policy = {name: one for name, one in _mapping(whole, "policy").items() if name != "privileges"}
    probe = plain_section("probe", ProbeSettings())
    usual = {
        "policy": policy,
        "probe": {**{key: probe[key] for key in further.OF_PROBE}, **whole["probe"]},
        "scan_paths": whole.get("scan_paths", list(SCAN_PATHS)),
        **{key: whole.get(key, {}) for key in ("restore", "reconnect", "limits")},
    }
    return {key: one for key, one in usual.items() if key in first}


def _mapping(values: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    """A section; an empty one where there is none, or where it is none, which its reader refuses."""
    found = values.get(key)
    return found if isinstance(found, Mapping) else {}


def renamed(invalid: InvalidDocument, options: Mapping[str, Any]) -> InvalidDocument:
    """The errors by the options in which they are; what several products have of the endpoint is told once."""
    names = list(map(str, given_products(options)))
    return InvalidDocument(tuple(dict.fromkeys(_by_option(error, names, options) for error in invalid.errors)))


def _by_option(error: ValidationError, names: Sequence[str], options: Mapping[str, Any]) -> ValidationError:
    name, path = _of_product(error.path, names)
    return ValidationError(_option(path, name, names, options), error.found, error.allowed)


def _of_product(path: str, names: Sequence[str]) -> tuple[str, str]:
    """The product that an error's path is about, and the rest of it; what names no other one is about the first."""
    head, bracket, rest = path.partition("[")
    name, closing, key = rest.partition("].")
    further_one = head == further.PRODUCTS and bracket and closing and name in names[1:]
    return (name, key) if further_one else (names[0], path)


def _option(path: str, name: str, names: Sequence[str], options: Mapping[str, Any]) -> str:
    """Where a product has what is at this path of its document: where it is set, or else where it would be."""
    section, _dot, below = path.partition(".")
    head = section.partition("[")[0]
    if path == "product":
        return f"{PRODUCTS}[{names.index(name)}]" if options.get(PRODUCTS) else path
    if head not in (*further.OWN, "policy"):
        return path
    own = f"policy.{of_products.PRODUCTS}.{name}.{below}" if head == "policy" else f"{OVERRIDES}.{name}.{path}"
    if _sets(options, own):
        return own
    return path if name == names[0] or _sets(options, path) else own


def _sets(values: Any, path: str) -> bool:
    """Whether options set what is at a path; what is in a list, or in what should be a mapping, is set with it."""
    for key in path.split("."):
        if not isinstance(values, Mapping):
            return True
        name = key.partition("[")[0]
        if name not in values:
            return False
        values = values[name]
    return True


def _names(options: Mapping[str, Any], errors: ValidationErrors) -> list[str]:
    given = options.get(PRODUCTS, [])
    if not isinstance(given, list):
        errors.add(PRODUCTS, show(given), "a list of products")
        return []
    names = given_products(options)
    for index, name in enumerate(names if given else []):
        where = f"{PRODUCTS}[{index}]"
        try:
            product_name(name)
        except InvalidValue as unfit:
            errors.add(where, show(name), unfit.allowed)
            continue
        near = "" if name in known_products({**options, PRODUCTS: []}) else suggestion(name, sorted(SHIPPED))
        if names.index(name) != index:
            errors.add(where, show(name), "a product that is named once")
        elif near:
            errors.add(where, show(name), f"clamav, files, command or the name of a definition{near}")
    if len(names) > further.MOST:
        errors.add(PRODUCTS, show(names), f"a list of at most {further.MOST} products")
    return names


def _overrides(options: Mapping[str, Any], errors: ValidationErrors) -> Mapping[str, Any]:
    given, known = options.get(OVERRIDES, {}), known_products(options)
    if not isinstance(given, Mapping):
        errors.add(OVERRIDES, show(given), "a mapping of products and what they have of their own")
        return {}
    for name, own in given.items():
        where, near = f"{OVERRIDES}.{name}", "" if name in known else suggestion(name, sorted(known))
        if near:
            errors.add(where, show(name), f"the name of a product{near}")
        if not isinstance(own, Mapping):
            errors.add(where, show(own), f"a mapping of {', '.join(further.OWN)}")
            continue
        for key in own:
            if key not in further.OWN:
                errors.add_unknown_key(where, key, list(further.OWN))
    return given


def _policy(layers: Sequence[Layer], name: str) -> dict[str, Any]:
    """The key ``policy`` of a product for which something is set; empty for one that has what all have."""
    if name not in (layers[0].values.get(of_products.PRODUCTS) or {}):
        return {}
    plain = of_products.policies(layers, [name])[name].to_dict()
    return {"policy": {section: one for section, one in plain.items() if section != "privileges"}}
