# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Selects endpoints of the registry: by name, by domain, or because they are outdated."""

from __future__ import annotations

from collections.abc import Collection, Iterable

from ..._core.validation.errors import ValidationErrors, show
from ..._core.validation.parsers import boolean, listing, read_mapping
from ..._core.validation.strings import domain_path, endpoint_name
from ..._core.values import frozen
from .inventory import EndpointRecord
from .nodes import is_below

_MOST = 1_000_000
_KEYS = {
    "endpoints": listing(endpoint_name, most=_MOST, unique=False),
    "domains": listing(domain_path, most=_MOST, unique=False),
    "outdated": boolean,
}


@frozen
class Selection:
    """Endpoints by name, and those of some domains and below; the domain ``""`` is the root.

    Both None: all endpoints; an empty list: none. ``outdated`` keeps only those that are, or that never reported.
    """

    endpoints: tuple[str, ...] | None = None
    domains: tuple[str, ...] | None = None
    outdated: bool = False

    @classmethod
    def from_dict(cls, raw: object) -> Selection:
        """Read a selection, in which every key may be missing; raises InvalidDocument with all errors."""
        errors = ValidationErrors()
        values = read_mapping(raw, path="", known=_KEYS, errors=errors)
        errors.check()
        return cls(**values)

    def names(self, fleet: Iterable[EndpointRecord], domains: Collection[str]) -> list[str]:
        """The selected names; raises InvalidDocument for unknown endpoints and domains."""
        registered = {one.name: one for one in fleet}
        self._check(registered, domains)
        everybody = self.endpoints is None and self.domains is None
        named = set(self.endpoints or ())
        return [
            name
            for name, one in registered.items()
            if everybody or name in named or any(is_below(one.domain, domain) for domain in self.domains or ())
            if one.outdated or one.reported is None or not self.outdated
        ]

    def _check(self, registered: Collection[str], domains: Collection[str]) -> None:
        errors = ValidationErrors()
        for index, name in enumerate(self.endpoints or ()):
            if name not in registered:
                errors.add(f"endpoints[{index}]", show(name), "a registered endpoint")
        for index, path in enumerate(self.domains or ()):
            if path not in domains:
                errors.add(f"domains[{index}]", show(path), "a domain of the client tree")
        errors.check()
