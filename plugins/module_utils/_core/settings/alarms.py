# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""When the server raises alarms (section ``alarms`` of its settings), read with complete validation."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..durations import format_duration
from ..policy.enums import DAY
from ..products import SHIPPED
from ..validation.errors import ValidationErrors, show, suggestion
from ..validation.parsers import InvalidValue, Parser, duration, integer, read_mapping
from ..values import field, frozen
from .endpoint_keys import ProductKind, product_name

_PRODUCTS = (*(kind.value for kind in ProductKind), *SHIPPED)
_MOST_PRODUCTS = 100


@frozen
class AlarmSettings:
    """Times are seconds, shares are percent of all registered endpoints: an alarm is raised beyond them.

    ``component_age`` is, by product, how old the newest published version may be, and how long an endpoint may lack
    what is published; of a product that the server does not publish, how old what an endpoint has may be. A product
    without one is never too old. ``silence`` is how long an endpoint may be silent, and
    ``expiry`` how near the end of what is published may come.
    """

    component_age: Mapping[str, int] = field(default_factory=lambda: {ProductKind.CLAMAV.value: 3 * DAY})
    silence: int = 2 * DAY
    silent_share: int = 10
    failing_share: int = 5
    refusing_share: int = 0
    expiry: int = 2 * DAY

    @classmethod
    def from_dict(cls, raw: object, path: str = "alarms") -> AlarmSettings:
        """Read the section, in which every key may be missing; raises InvalidDocument with all its errors."""
        errors = ValidationErrors()
        values = read_mapping(raw, path=path, known=_KEYS, errors=errors)
        if "component_age" in values:
            values["component_age"] = _ages(values["component_age"], f"{path}.component_age", errors)
        errors.check()
        return cls(**values)

    def to_dict(self) -> dict[str, Any]:
        """The section in its canonical form, which ``from_dict`` reads back as the same value."""
        return {
            "component_age": {name: format_duration(age) for name, age in sorted(self.component_age.items())},
            "silence": format_duration(self.silence),
            **{name: getattr(self, name) for name in _SHARES},
            "expiry": format_duration(self.expiry),
        }


def _ages(raw: object, path: str, errors: ValidationErrors) -> dict[str, int]:
    """By product: those that the collection knows, and others of somebody's own that are no slip of the pen."""
    if not isinstance(raw, dict) or len(raw) > _MOST_PRODUCTS:
        errors.add(path, show(raw), f"a mapping of at most {_MOST_PRODUCTS} products and durations")
        return {}
    names = [*_PRODUCTS, *(name for name in raw if _is_own(name))]
    return read_mapping(raw, path=path, known=dict.fromkeys(names, _AGE), errors=errors)


def _is_own(name: object) -> bool:
    try:
        return not suggestion(product_name(name), list(_PRODUCTS))
    except InvalidValue:
        return False


def _as_is(raw: object) -> object:
    return raw


_SHARES = ("silent_share", "failing_share", "refusing_share")
_AGE = duration(3600, 3660 * DAY)
_KEYS: Mapping[str, Parser] = {
    "component_age": _as_is,
    "silence": duration(3600, 366 * DAY),
    **dict.fromkeys(_SHARES, integer(0, 100)),
    "expiry": duration(0, 366 * DAY),
}
