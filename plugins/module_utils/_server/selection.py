# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Private: which endpoints of the registry somebody means: by name, by domain, or because they are behind."""

from __future__ import annotations

import sqlite3

from .._core.catalogue import behind
from .._core.faults import Faults, show
from .._core.fields import boolean, listing, read_mapping
from .._core.texts import domain_path, endpoint_name
from .._core.values import value

_MOST = 1_000_000
_KEYS = {
    "endpoints": listing(endpoint_name, most=_MOST, unique=False),
    "domains": listing(domain_path, most=_MOST, unique=False),
    "outdated": boolean,
}


@value
class Selection:
    """Endpoints by name, and all of some domains and of those below them; the domain ``""`` is the root.

    With neither, all endpoints are meant. ``outdated`` leaves only those whose components are behind.
    """

    endpoints: tuple[str, ...] = ()
    domains: tuple[str, ...] = ()
    outdated: bool = False

    @classmethod
    def from_dict(cls, raw: object) -> Selection:
        """Read a selection, in which every key may be missing; raises InvalidDocument with all faults."""
        faults = Faults()
        values = read_mapping(raw, path="", known=_KEYS, faults=faults)
        faults.check()
        return cls(**values)

    def names(
        self, connection: sqlite3.Connection, *, installed: dict[str, dict[str, str]], published: dict[str, str]
    ) -> list[str]:
        """The names that are meant, sorted; raises InvalidDocument for what the registry does not know."""
        rows = connection.execute("SELECT name, domain FROM endpoints ORDER BY name").fetchall()
        registered = {row["name"]: row["domain"] or "" for row in rows}
        self._check(connection, registered)
        meant = set(self.endpoints)
        return [
            name
            for name, domain in registered.items()
            if (name in meant or self._in_domain(domain))
            and not (self.outdated and not behind(installed.get(name), published))
        ]

    def _in_domain(self, domain: str) -> bool:
        if not self.domains:
            return not self.endpoints
        return any(not one or domain == one or domain.startswith(f"{one}/") for one in self.domains)

    def _check(self, connection: sqlite3.Connection, registered: dict[str, str]) -> None:
        faults = Faults()
        domains = {"", *registered.values(), *(row["path"] for row in connection.execute("SELECT path FROM nodes"))}
        for index, name in enumerate(self.endpoints):
            if name not in registered:
                faults.add(f"endpoints[{index}]", show(name), "a registered endpoint")
        for index, path in enumerate(self.domains):
            if path not in domains and not any(known.startswith(f"{path}/") for known in domains):
                faults.add(f"domains[{index}]", show(path), "a domain of the client tree")
        faults.check()
