# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The definitions of products that this collection brings (D1), which the control node puts into documents."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from functools import cache
from typing import Any

from ansible_collections.epp.autoupdate.plugins.module_utils._core import products

_DIRECTORY = os.path.join(os.path.dirname(products.__file__), "definitions")
SETTINGS, DEFINITIONS = "product_settings", "product_definitions"


@cache
def shipped(name: str) -> Any:
    """The definition of a product that the collection brings, as JSON has it; None for any other name."""
    if name not in products.SHIPPED:
        return None
    with open(os.path.join(_DIRECTORY, f"{name}.json"), encoding="utf-8") as stream:
        return json.load(stream)


def with_definition(options: Mapping[str, Any]) -> dict[str, Any]:
    """Options of the module ``endpoint`` with the definitions of their products, of those that the collection brings.

    One of the options' own with that name counts instead.
    """
    own = options.get(DEFINITIONS) or {}
    if not isinstance(own, Mapping):
        return dict(options)
    found = {name: shipped(name) for name in products.products_of(options) if name not in own}
    brought = {name: one for name, one in found.items() if one is not None}
    return {**options, DEFINITIONS: {**own, **brought}} if brought else dict(options)


def definition_of(options: Mapping[str, Any], product: str) -> Mapping[str, Any]:
    """The definition of a product of these options; empty where it has none."""
    own = with_definition(options).get(DEFINITIONS)
    found = own.get(product) if isinstance(own, Mapping) else None
    return found if isinstance(found, Mapping) else {}
