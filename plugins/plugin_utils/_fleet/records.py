# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The list of endpoints as data of another machine: known keys, of known types, bounded (R5)."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ansible_collections.epp.autoupdate.plugins.module_utils._core.settings.registration import address
from ansible_collections.epp.autoupdate.plugins.module_utils._core.untrusted_text import LONGEST_WORD, shown
from ansible_collections.epp.autoupdate.plugins.module_utils._core.validation.foreign import (
    UNFIT,
    Reader,
    flag,
    known,
    moment,
    number,
    optional,
    part,
    sentence,
    word,
)
from ansible_collections.epp.autoupdate.plugins.module_utils._core.validation.parsers import InvalidValue, Parser
from ansible_collections.epp.autoupdate.plugins.module_utils._core.validation.strings import domain_path, endpoint_name
from ansible_collections.epp.autoupdate.plugins.module_utils._server.fleet.nodes import is_below

_MOST = 1_000_000
_MOST_PRODUCTS = 20
_MOST_COMPONENTS = 1_000


class NoList(ValueError):
    """A document is no list of endpoints; the message says why."""


@dataclass(frozen=True)
class Fleet:
    """The endpoints, each with the keys of ``READERS``; ``unfit`` counts the entries that were left out."""

    endpoints: tuple[Mapping[str, Any], ...]
    unfit: int = 0


def parse(text: str) -> Fleet:
    """Read what ``epp-server endpoints --json`` prints, or a result of ``fleet_info``; raises NoList."""
    try:
        return checked(json.loads(text))
    except (ValueError, RecursionError) as error:
        if isinstance(error, NoList):
            raise
        raise NoList(f"it is not JSON, but begins with {shown(text.strip(), 60)!r}") from None


def checked(raw: object) -> Fleet:
    """The same of a document that was parsed already, such as one out of a cache."""
    listed = raw.get("endpoints") if isinstance(raw, dict) else raw
    if not isinstance(listed, list):
        raise NoList("it has no list of endpoints")
    found = [one for one in map(_endpoint, listed[:_MOST]) if one is not None]
    if listed and not found:
        raise NoList("none of its entries is an endpoint with a name, a domain and a state")
    return Fleet(tuple(found), len(listed) - len(found))


def chosen(fleet: Fleet, domains: Sequence[str], states: Sequence[str]) -> tuple[Mapping[str, Any], ...]:
    """The endpoints in some domains and below them, and in some states; all where nothing is said."""
    return tuple(
        one
        for one in fleet.endpoints
        if (not domains or any(is_below(one["domain"], domain) for domain in domains))
        and (not states or one["state"] in states)
    )


def _endpoint(raw: object) -> Mapping[str, Any] | None:
    if not isinstance(raw, dict):
        return None
    found = known(raw, READERS)
    return {**_UNKNOWN, **found} if found.keys() >= _NEEDED else None


def _parsed(parser: Parser) -> Reader:
    """A reader from one of the parsers of single values."""

    def read(raw: object) -> object:
        try:
            return parser(raw)
        except InvalidValue:
            return UNFIT

    return read


def _versions(raw: object) -> object:
    """Versions by product and component."""
    if not isinstance(raw, dict):
        return UNFIT
    products = list(raw.items())[:_MOST_PRODUCTS]
    return {_key(product): _words(found) for product, found in products if isinstance(found, dict)}


def _words(raw: Mapping[str, Any]) -> dict[str, str]:
    few = list(raw.items())[:_MOST_COMPONENTS]
    return {_key(key): shown(value, LONGEST_WORD) for key, value in few if isinstance(value, str)}


def _key(raw: str) -> str:
    return shown(raw, LONGEST_WORD)


READERS: Mapping[str, Reader] = {
    "name": _parsed(endpoint_name),
    "domain": _parsed(domain_path),
    "state": word,
    "reason": sentence,
    "since": optional(moment),
    "reported": optional(moment),
    "outdated": flag,
    "versions": _versions,
    "address": lambda raw: raw if raw == "" else _parsed(address)(raw),
    "pinned": flag,
    "ordinal": number,
    "source": word,
    "notice": optional(
        part({**dict.fromkeys(("campaign", "status", "result"), word), "reason": sentence, "changed": moment})
    ),
}
"""The keys of an endpoint, and how each is read."""
_NEEDED = frozenset({"name", "domain", "state"})
_UNKNOWN: Mapping[str, Any] = {
    **dict.fromkeys(("since", "reported", "notice"), None),
    **dict.fromkeys(("reason", "address", "source"), ""),
    "ordinal": None,
    "outdated": False,
    "pinned": False,
    "versions": {},
}
"""What stands for a key that the server did not tell."""
