# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The registry: domains and endpoints in bulk, one transaction however many (SPEC S5, P2, section 4)."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from ..._core.policy.overrides import Values
from ..._core.schedule import ordinals
from ..._core.settings.registration import EndpointRegistration, Registration
from ..._core.validation.errors import InvalidDocument, ValidationError, ValidationErrors, show
from ..._core.values import asdict, frozen, replace
from . import dirty_shards
from .domains import plan_domains
from .nodes import PolicySample, errors_in, policy_samples, read_nodes, text, write_nodes

_COLUMNS = ("domain", "address", "host_key", "ordinal", "source", "product", "databases", "further", "policy")
_UPDATE = """
UPDATE endpoints
SET domain = ?, address = ?, host_key = ?, ordinal = ?, source = ?, product = ?, databases = ?, further = ?, policy = ?
WHERE name = ?
"""
_INSERT = """
INSERT INTO endpoints (name, domain, address, host_key, ordinal, source, product, databases, further, policy,
    enrolled, shard)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, shard_of(?))
"""
_LISTS = ("databases", "further")
_WAY = ("address", "host_key")
_PUBLISHED = ("domain", "ordinal", "policy", "product", "further")
"""The columns by which shards are published."""


@frozen
class EndpointRow:
    """One recorded endpoint; ``policy`` are its own keys.

    ``product``, ``further`` and ``databases`` say what it is to have, where that is known.
    """

    name: str
    domain: str = ""
    address: str = ""
    host_key: str = ""
    ordinal: int = -1
    source: str = ""
    product: str = ""
    databases: tuple[str, ...] = ()
    further: tuple[str, ...] = ()
    policy: Values | None = None

    def to_dict(self) -> dict[str, Any]:
        plain = asdict(self)
        del plain["name"]
        if not self.further:  # as of most endpoints
            del plain["further"]
        lists = {key: list(plain[key]) for key in _LISTS if key in plain}
        return {**plain, **lists, "policy": self.policy or {}}

    def after(self, entry: EndpointRegistration) -> EndpointRow:
        """With the values of an entry; in another update source it has no ordinal yet."""
        given = {key: getattr(entry, key) for key in _COLUMNS if getattr(entry, key) is not None}
        moved = "source" in given and given["source"] != self.source
        return replace(self, **{"ordinal": -1 if moved else self.ordinal, **given, "policy": self._policy(entry)})

    def _policy(self, entry: EndpointRegistration) -> Values | None:
        return self.policy if entry.policy is None else (entry.policy or None)


@frozen
class RegistrationResult:
    """The changes of a registration: nodes and endpoints by name, each before and after (absent: None).

    ``removed`` are endpoints no longer registered, ``rerouted`` those with another address or host key. A domain that
    sets its initial values itself from now on counts as changed, though its values are the same.
    """

    before: Mapping[str, Any]
    after: Mapping[str, Any]
    endpoints: int
    changed: bool
    removed: tuple[str, ...] = ()
    rerouted: tuple[str, ...] = ()

    def to_result(self) -> dict[str, Any]:
        plain: dict[str, Any] = {"changed": self.changed, "before": self.before, "after": self.after}
        return {**plain, "registered": self.endpoints}


def register(connection: sqlite3.Connection, wanted: Registration, *, now: float) -> RegistrationResult:
    """Bring the registry to the wanted state, in the caller's transaction.

    Raises InvalidDocument with all errors; the transaction has to be rolled back then.
    """
    nodes, entries = read_nodes(connection), wanted.endpoints or ()
    before = {one.name: one for one in _read(connection, [entry.name for entry in entries])}
    drafts = {entry.name: before.get(entry.name, EndpointRow(entry.name)).after(entry) for entry in entries}
    gone = _leaving(connection, wanted, drafts)
    after, errors = _with_ordinals(connection, before, drafts, entries, gone)
    rerouted = _write(connection, before, after, gone, now=now)
    used = {row["domain"] for row in connection.execute("SELECT DISTINCT domain FROM endpoints WHERE domain <> ''")}
    tree, more = plan_domains(nodes, wanted, used=used)
    changes = [*_endpoint_changes(before, after, gone), *_node_changes(nodes, tree)]
    if changes:
        more += errors_in(tree, [*(PolicySample(path) for path in tree), *policy_samples(connection)]).found
    errors.add_all(more)
    errors.check()
    write_nodes(connection, nodes, tree)
    count = connection.execute("SELECT count(*) FROM endpoints").fetchone()[0]
    removed = tuple(one.name for one in gone)
    return RegistrationResult(_told(changes, 0), _told(changes, 1), count, bool(changes), removed, rerouted)


def find(connection: sqlite3.Connection, name: str) -> EndpointRow:
    """One endpoint; raises InvalidDocument where it is not registered."""
    found = list(_read(connection, [name]))
    if not found:
        raise InvalidDocument((ValidationError("name", show(name), "a registered endpoint"),))
    return found[0]


def _read(connection: sqlite3.Connection, names: list[str]) -> Iterator[EndpointRow]:
    """The registered ones among the named endpoints."""
    rows = connection.execute(
        "SELECT * FROM endpoints WHERE name IN (SELECT value FROM json_each(?))", (json.dumps(names),)
    )
    yield from (_registered(row) for row in rows)


def _registered(row: sqlite3.Row) -> EndpointRow:
    policy = json.loads(row["policy"]) if row["policy"] else None
    texts = {key: row[key] or "" for key in ("domain", "address", "host_key", "source", "product")}
    lists = {key: tuple(json.loads(row[key] or "[]")) for key in _LISTS}
    return EndpointRow(**{"name": row["name"], "ordinal": row["ordinal"], "policy": policy, **lists, **texts})


def _leaving(connection: sqlite3.Connection, wanted: Registration, named: Mapping[str, Any]) -> list[EndpointRow]:
    """The endpoints to remove: those that are to be absent, and with ``purge`` all that are not named, if any is."""
    names = list(wanted.absent)
    if wanted.purge and wanted.endpoints is not None:
        registered = [row["name"] for row in connection.execute("SELECT name FROM endpoints ORDER BY name")]
        names = [name for name in registered if name not in named]
    return list(_read(connection, names))


def _with_ordinals(
    connection: sqlite3.Connection,
    before: Mapping[str, EndpointRow],
    drafts: Mapping[str, EndpointRow],
    entries: Iterable[EndpointRegistration],
    gone: Iterable[EndpointRow],
) -> tuple[dict[str, EndpointRow], ValidationErrors]:
    """All endpoints with ordinals, and an error for each chosen one that is taken: its endpoint gets another one."""
    chosen = {
        entry.name: f"endpoints[{index}].ordinal"
        for index, entry in enumerate(entries)
        if entry.ordinal is not None and (entry.name not in before or _moves(before[entry.name], drafts[entry.name]))
    }
    wanting = [one.name for one in drafts.values() if one.ordinal < 0 or one.name in chosen]
    after, errors = dict(drafts), ValidationErrors()
    for source in sorted({drafts[name].source for name in wanting}):
        mine = [name for name in wanting if drafts[name].source == source]
        claimed = {name: drafts[name].ordinal for name in mine if name in chosen}
        held = _held(connection, source, {*wanting, *(one.name for one in gone), *_leavers(before, drafts, source)})
        for name, owner in ordinals.conflicts(held, claimed).items():
            errors.add(chosen[name], show(claimed.pop(name)), f"free ({owner} has it)")
        for name, ordinal in ordinals.give(held, claimed, mine).items():
            after[name] = replace(drafts[name], ordinal=ordinal)
    return after, errors


def _moves(before: EndpointRow, after: EndpointRow) -> bool:
    return (before.source, before.ordinal) != (after.source, after.ordinal)


def _leavers(before: Mapping[str, EndpointRow], drafts: Mapping[str, EndpointRow], source: str) -> Iterator[str]:
    """Endpoints that move to another update source, whose ordinals become free."""
    yield from (name for name, one in before.items() if one.source == source != drafts[name].source)


def _held(connection: sqlite3.Connection, source: str, but: set[str]) -> dict[int, str]:
    """The ordinals of an update source that stay assigned, with the names of their endpoints."""
    rows = connection.execute("SELECT ordinal, name FROM endpoints WHERE source = ?", (source,))
    return {row["ordinal"]: row["name"] for row in rows if row["name"] not in but}


def _write(
    connection: sqlite3.Connection,
    before: Mapping[str, EndpointRow],
    after: Mapping[str, EndpointRow],
    gone: list[EndpointRow],
    *,
    now: float,
) -> tuple[str, ...]:
    """Write the changes of endpoints; returns the names of the rerouted ones."""
    names = [one.name for one in gone]
    connection.executemany("DELETE FROM endpoints WHERE name = ?", [(name,) for name in names])
    new = [one for one in after.values() if one.name not in before]
    other = [one for one in after.values() if one.name in before and before[one.name] != one]
    # First out of each other's way: two endpoints may change places.
    moving = [(one.name,) for one in other if _moves(before[one.name], one)]
    connection.executemany("UPDATE endpoints SET ordinal = -1 - id WHERE name = ?", moving)
    connection.executemany(_UPDATE, [(*_row(one), one.name) for one in other])
    connection.executemany(_INSERT, [(one.name, *_row(one), now, one.name) for one in new])
    dirty_shards.mark(connection, [*names, *(one.name for one in new), *_differing(_PUBLISHED, before, other)])
    return tuple(_differing(_WAY, before, other))


def _differing(keys: Iterable[str], before: Mapping[str, EndpointRow], ones: Iterable[EndpointRow]) -> list[str]:
    """The names of the endpoints that had another value under one of these keys."""
    return [one.name for one in ones if any(getattr(one, key) != getattr(before[one.name], key) for key in keys)]


def _row(one: EndpointRow) -> tuple[Any, ...]:
    lists = {key: json.dumps(getattr(one, key)) if getattr(one, key) else None for key in _LISTS}
    held = {"policy": text(one.policy), **lists}
    return tuple(held[column] if column in held else getattr(one, column) for column in _COLUMNS)


Change = tuple[str, str, Any, Any]


def _endpoint_changes(
    before: Mapping[str, EndpointRow], after: Mapping[str, EndpointRow], gone: Iterable[EndpointRow]
) -> Iterator[Change]:
    for name, one in after.items():
        was = before.get(name)
        if was != one:
            yield "endpoints", name, was and was.to_dict(), one.to_dict()
    yield from (("endpoints", one.name, one.to_dict(), None) for one in gone)


def _node_changes(before: Mapping[str, Any], after: Mapping[str, Any]) -> Iterator[Change]:
    for path in sorted({*before, *after}):
        if before.get(path) != after.get(path):
            was, now = (nodes[path].values if path in nodes else None for nodes in (before, after))
            yield ("domains", path, was, now) if path else ("root", "", was, now)


def _told(changes: Iterable[Change], side: int) -> dict[str, Any]:
    """One side of the changes as documents have them; absent nodes and endpoints are left out."""
    plain: dict[str, Any] = {}
    for section, name, *sides in changes:
        if sides[side] is None:
            plain.setdefault(section, {})
        elif section == "root":
            plain["root"] = sides[side]
        else:
            plain.setdefault(section, {})[name] = sides[side]
    return plain
