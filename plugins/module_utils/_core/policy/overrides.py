# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a node of the client tree sets: parts of a policy as documents hold them, changed key by key (P2)."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from ..validation.errors import ValidationErrors, join
from ..values import field, frozen
from .keys import KEYS, read_values
from .of_products import PRODUCTS, check_parts, without_products
from .rules import plain

Values = Mapping[str, Mapping[str, Any]]
"""Sections of keys: ``{"schedule": {"window": "2h"}}``; the section ``products`` has such for single products (D2)."""

KNOWN = tuple(f"{section}.{key}" for section, keys in KEYS.items() for key in keys)
_BELONG = {
    "schedule.frequency": tuple(
        f"schedule.{key}" for key in ("interval", "configuration_once_per_day", "start", "day", "window")
    ),
    "events.update_after_download": ("events.include_roaming_and_offline",),
}
"""Keys that mean something only together with another one, by that one."""


@frozen
class Node:
    """Root or a domain: ``own`` is what was set there, ``born`` what a domain was given when it was made.

    ``future`` are the root's values for domains that are made later; they have no part in its own.
    """

    own: Values = field(default_factory=dict)
    born: Values = field(default_factory=dict)
    future: Values = field(default_factory=dict)

    @property
    def values(self) -> dict[str, dict[str, Any]]:
        """What the node sets: what it was born with under its own, key by key."""
        return nested({**flat(self.born), **flat(self.own)})


def read_part(raw: object, *, path: str, errors: ValidationErrors) -> dict[str, dict[str, Any]]:
    """A part of a policy in its canonical form, so that equal values are equal texts; what is wrong becomes errors."""
    of_all = without_products(raw) if isinstance(raw, Mapping) else raw
    found = {key: plain(key, typed) for key, typed in read_values(of_all, path=path, errors=errors).items()}
    if isinstance(raw, Mapping) and PRODUCTS in raw:
        check_parts(raw[PRODUCTS], join(path, PRODUCTS), None, errors)
        parts = raw[PRODUCTS] if isinstance(raw[PRODUCTS], Mapping) else {}
        for name, part in parts.items():
            read = read_values(part, path=join(path, PRODUCTS), errors=ValidationErrors())
            found.update({f"{PRODUCTS}.{name}.{key}": plain(key, typed) for key, typed in read.items()})
    return nested(found)


def flat(values: Values) -> dict[str, Any]:
    """The values by flat keys: ``{"schedule.window": "2h", "products.suricata.schedule.window": "1h"}``."""
    found = {f"{section}.{key}": one for section, keys in without_products(values).items() for key, one in keys.items()}
    for name, part in values.get(PRODUCTS, {}).items():
        found.update({f"{PRODUCTS}.{name}.{key}": one for key, one in flat(part).items()})
    return found


def nested(values: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """Values by flat keys as documents hold them, in the order of the policy's own keys, and then of products."""
    sections: dict[str, dict[str, Any]] = {}
    for name in (name for name in KNOWN if name in values):
        section, _dot, key = name.partition(".")
        sections.setdefault(section, {})[key] = values[name]
    parts: dict[str, dict[str, Any]] = {}
    for whole in values:
        product, key = product_and_key(whole)
        if product:
            parts.setdefault(product, {})[key] = values[whole]
    return {**sections, PRODUCTS: {name: nested(parts[name]) for name in sorted(parts)}} if parts else sections


def product_and_key(key: str) -> tuple[str, str]:
    """The product of a flat key, empty for one of all products, and the policy's own key."""
    head, _dot, rest = key.partition(".")
    if head != PRODUCTS:
        return "", key
    product, _dot, own = rest.partition(".")
    return product, own


def changed(values: Values, new: Values, inherit: Collection[str]) -> dict[str, dict[str, Any]]:
    """The values with new ones put in and the keys of ``inherit`` taken out."""
    return without(nested({**flat(values), **flat(new)}), inherit)


def without(values: Values, keys: Collection[str]) -> dict[str, dict[str, Any]]:
    """The values without these flat keys."""
    return nested({key: one for key, one in flat(values).items() if key not in keys})


def replaced_by(new: Values, inherit: Collection[str]) -> set[str]:
    """The flat keys that a change at root replaces everywhere: its own, and those that only mean something with them.

    A domain that was born with a window keeps no window when all get another frequency.
    """
    own = {*flat(new), *inherit}
    return own.union(*map(_belonging, own))


def _belonging(key: str) -> list[str]:
    product, own = product_and_key(key)
    prefix = f"{PRODUCTS}.{product}." if product else ""
    return [prefix + one for one in _BELONG.get(own, ())]
