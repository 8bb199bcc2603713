# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a policy sets for single products: ``products.suricata.schedule.window`` (D2).

Such a key is one of its own: where several layers set it, the innermost counts, and where none does, the product has
what all products have. So a window that a domain sets does not undo what root has set for one product.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any

from ..validation.errors import ValidationErrors, join, show, suggestion
from ..validation.strings import PRODUCT_NAME
from .inheritance import Layer, resolve
from .keys import read_values
from .policy import OPTIONAL, Policy

PRODUCTS = "products"
SECTIONS = ("events", "schedule", "components", "sources")
"""What products may have of their own; privileges belong to people, and so to the endpoint."""


def general(layers: Sequence[Layer]) -> tuple[Layer, ...]:
    """The layers without what they set for single products."""
    return tuple(Layer(one.name, without_products(one.values), one.prefix) for one in layers)


def of_product(layers: Sequence[Layer], product: str) -> tuple[Layer, ...]:
    """The layers that make one product's policy: what is set for it lies within all that is set for any."""
    return (*general(layers), *_own(layers, product))


def sets_products(layers: Sequence[Layer]) -> bool:
    """Whether any layer sets something for a single product."""
    return any(one.values.get(PRODUCTS) for one in layers)


def check(layers: Sequence[Layer], known: Collection[str] | None, errors: ValidationErrors) -> None:
    """Note what is wrong with what layers set for single products, whichever an endpoint has.

    A name that is none of the ``known`` may be of another host's definition, unless it is nearly a known one; None:
    names are not looked at.
    """
    for layer in layers:
        if layer.values.get(PRODUCTS) is not None:
            check_parts(layer.values[PRODUCTS], join(layer.prefix, PRODUCTS), known, errors)


def check_parts(parts: object, where: str, known: Collection[str] | None, errors: ValidationErrors) -> None:
    """Note what is wrong with what one layer sets for single products."""
    if not isinstance(parts, Mapping):
        errors.add(where, show(parts), "a mapping of products and their parts of the policy")
        return
    for name, part in parts.items():
        near = "" if known is None or name in known else suggestion(name, sorted(known))
        if near or not isinstance(name, str) or not PRODUCT_NAME.fullmatch(name):
            errors.add(join(where, name), show(name), f"the name of a product{near}")
        elif isinstance(part, Mapping) and "privileges" in part:
            errors.add(f"{join(where, name)}.privileges", "it", "possible for one product (set it for all)")
        else:
            read_values(part, path=join(where, name), errors=errors)


def named(layers: Sequence[Layer]) -> tuple[str, ...]:
    """The products for which any layer sets something."""
    parts = (layer.values.get(PRODUCTS) for layer in layers)
    return tuple(dict.fromkeys(name for one in parts if isinstance(one, Mapping) for name in one))


def part_of(policy: Policy, whole: Policy) -> dict[str, Any]:
    """What has to be set for a product so that, where all products have the policy ``whole``, it has ``policy``."""
    plain, others = policy.to_dict(), whole.to_dict()["components"]
    defaults = Policy().components
    missing = {key: getattr(defaults, key) for key in OPTIONAL if key in others and key not in plain["components"]}
    cleared = {key: list(one) if isinstance(one, tuple) else one for key, one in missing.items()}
    return {**{name: plain[name] for name in SECTIONS}, "components": {**plain["components"], **cleared}}


def policies(layers: Sequence[Layer], products: Collection[str], *, stored: bool = False) -> dict[str, Policy]:
    """The policy of each product; raises InvalidDocument. ``stored``: see ``read_values``."""
    return {name: resolve(of_product(layers, name), stored=stored).policy for name in products}


def without_products(values: Mapping[str, Any]) -> Mapping[str, Any]:
    """What a layer sets for all products."""
    return {key: one for key, one in values.items() if key != PRODUCTS} if PRODUCTS in values else values


def _own(layers: Sequence[Layer], product: str) -> Iterator[Layer]:
    for layer in layers:
        parts = layer.values.get(PRODUCTS)
        part = parts.get(product) if isinstance(parts, Mapping) else None
        if part is not None:
            yield Layer(layer.name, part, join(join(layer.prefix, PRODUCTS), product))
