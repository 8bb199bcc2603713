# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a node of the client tree sets: parts of a policy as documents hold them, changed key by key (P2)."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from ..validation.errors import ValidationErrors
from ..values import field, frozen
from .keys import KEYS, read_values
from .rules import plain

Values = Mapping[str, Mapping[str, Any]]
"""Sections of keys: ``{"schedule": {"window": "2h"}}``."""

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
    return nested({key: plain(key, typed) for key, typed in read_values(raw, path=path, errors=errors).items()})


def flat(values: Values) -> dict[str, Any]:
    """The values by flat keys: ``{"schedule.window": "2h"}``."""
    return {f"{section}.{key}": one for section, keys in values.items() for key, one in keys.items()}


def nested(values: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """Values by flat keys as documents hold them, in the order of the policy's own keys."""
    sections: dict[str, dict[str, Any]] = {}
    for name in (name for name in KNOWN if name in values):
        section, _dot, key = name.partition(".")
        sections.setdefault(section, {})[key] = values[name]
    return sections


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
    return own.union(*(_BELONG.get(key, ()) for key in own))
