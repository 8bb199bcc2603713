# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Host keys of endpoints, fetched once and pinned; one that is pinned is never changed unasked (N5)."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any

from ...._core.validation.addresses import host_and_port
from ...._core.validation.errors import ValidationErrors, show
from ...._core.validation.public_keys import public_key
from ...._core.values import field, frozen
from ...._host.host import Host
from ...database.database import transaction
from ..store import mark_reachable

_AT_ONCE = 2000
_ANSWER_S = 5
_LONGEST_S = 300.0
_KINDS = ("ed25519", "ecdsa,rsa")
"""The second only for those who have none of the first."""

HostAndPort = tuple[str, int]


@frozen
class Pinned:
    """``pinned`` are the new keys by endpoint, ``silent`` why there is none; ``kept`` had one and keep it."""

    pinned: Mapping[str, str] = field(default_factory=dict)
    silent: Mapping[str, str] = field(default_factory=dict)
    kept: tuple[str, ...] = ()

    def to_result(self) -> dict[str, Any]:
        plain = {"changed": bool(self.pinned), "pinned": dict(self.pinned)}
        return {**plain, "silent": dict(self.silent), "kept": list(self.kept)}


def pin(
    host: Host, connection: sqlite3.Connection, names: Sequence[str] = (), *, replace: Collection[str] = ()
) -> Pinned:
    """Pin the keys of these endpoints, or of all that have none; raises InvalidDocument for names that are unknown."""
    chosen = _chosen(connection, names, replace)
    wanted = {name: address for name, address, key in chosen if not key or name in replace}
    places, silent = _places(wanted)
    keys = _scan(host, sorted(set(places.values())))
    found = {name: keys[place] for name, place in places.items() if place in keys}
    silent.update({name: "no answer" for name in places if name not in found})
    with transaction(connection):
        connection.executemany(
            "UPDATE endpoints SET host_key = ? WHERE name = ? AND (coalesce(host_key, '') = '' OR ?)",
            [(key, name, name in replace) for name, key in found.items()],
        )
        mark_reachable(connection, found, host.now())
    return Pinned(found, silent, tuple(name for name, _address, _key in chosen if name not in wanted))


def _chosen(
    connection: sqlite3.Connection, names: Sequence[str], replace: Collection[str]
) -> list[tuple[str, str, str]]:
    """Name, address and pinned key of the selected endpoints."""
    if not names and not replace:
        select = "SELECT name, address FROM endpoints WHERE coalesce(host_key, '') = '' ORDER BY name"
        return [(row["name"], row["address"] or "", "") for row in connection.execute(select)]
    asked = list(dict.fromkeys([*names, *replace]))
    select = "SELECT name, address, host_key FROM endpoints WHERE name IN (SELECT value FROM json_each(?))"
    known = {row["name"]: row for row in connection.execute(select, (json.dumps(asked),))}
    errors = ValidationErrors()
    for name in asked:
        if name not in known:
            errors.add("name", show(name), "a registered endpoint")
    errors.check()
    return [(name, known[name]["address"] or "", known[name]["host_key"] or "") for name in asked]


def _places(wanted: Mapping[str, str]) -> tuple[dict[str, HostAndPort], dict[str, str]]:
    """Where each endpoint listens, and why some can't be asked."""
    places: dict[str, HostAndPort] = {}
    silent: dict[str, str] = {}
    for name, address in wanted.items():
        try:
            if address.startswith("/"):
                raise ValueError("a directory has no host key")
            places[name] = host_and_port(address)
        except ValueError as error:
            silent[name] = str(error)
    return places, silent


def _scan(host: Host, places: Sequence[HostAndPort]) -> dict[HostAndPort, str]:
    """The key of each place that answers, the best kind that it has."""
    found: dict[HostAndPort, str] = {}
    for kinds in _KINDS:
        left = [place for place in places if place not in found]
        for port in sorted({port for _name, port in left}):
            names = [name for name, its in left if its == port]
            for start in range(0, len(names), _AT_ONCE):
                for name, key in _scan_some(host, names[start : start + _AT_ONCE], port, kinds):
                    found.setdefault((name, port), key)
    return found


def _scan_some(host: Host, names: Sequence[str], port: int, kinds: str) -> Iterator[tuple[str, str]]:
    argv = ["ssh-keyscan", "-T", str(_ANSWER_S), "-t", kinds, "-p", str(port), "-f", "-"]
    done = host.run(argv, timeout=_LONGEST_S, stdin="".join(f"{name}\n" for name in names).encode())
    for line in done.out.splitlines():
        name, _blank, rest = line.partition(" ")
        key = public_key(rest)
        if key is not None:
            yield (name[1:].rpartition("]")[0] if name.startswith("[") else name), key
