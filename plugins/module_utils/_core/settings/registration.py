# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Domains and endpoints in bulk as ``epp-server register`` takes them, read with complete validation."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from typing import Any, Callable

from ..policy.overrides import Values, read_part
from ..schedule.ordinals import MOST_ORDINAL
from ..validation.addresses import host_and_port
from ..validation.errors import ValidationErrors, show
from ..validation.parsers import InvalidValue, Parser, boolean, integer, listing, nullable, read_mapping
from ..validation.strings import domain_path, endpoint_name, line, path
from ..values import frozen
from .endpoint_keys import product_name
from .further_products import MOST
from .update_server import signer

_ADDRESS = re.compile(
    r"[A-Za-z0-9_][A-Za-z0-9._:-]{0,300}"  # never an option of a program, nor a network
    r"|\[[0-9A-Fa-f:.]{2,45}(?:%[A-Za-z0-9._-]{1,20})?\](?::[0-9]{1,5})?"
)


@frozen
class EndpointRegistration:
    """One endpoint; what is None stays as it is on record, and what a new endpoint lacks is empty.

    ``product`` and ``databases``, the components that its ClamAV settings ask for, tell the server what it is to have,
    and ``further`` which products it has beside the first (D2).
    ``policy`` are all the keys that it sets itself, an empty mapping for none.
    """

    name: str
    domain: str | None = None
    address: str | None = None
    host_key: str | None = None
    ordinal: int | None = None
    source: str | None = None
    product: str | None = None
    databases: tuple[str, ...] | None = None
    further: tuple[str, ...] | None = None
    policy: Values | None = None


@frozen
class Registration:
    """``root`` and each domain's policy are all the keys that the node sets itself; None leaves them as they are.

    With ``purge``, endpoints and domains that are not named are removed, as far as the document has the list at all:
    ``domains`` and ``endpoints`` are None where it does not. ``absent`` are the names of endpoints that are removed,
    where they are registered.
    """

    root: Values | None = None
    domains: Mapping[str, Values | None] | None = None
    endpoints: tuple[EndpointRegistration, ...] | None = None
    absent: tuple[str, ...] = ()
    purge: bool = False

    @classmethod
    def from_dict(cls, raw: object) -> Registration:
        """Read a registration; raises InvalidDocument with all its errors."""
        errors = ValidationErrors()
        read = read_mapping(raw, path="", known=_KEYS, errors=errors)
        if read.get("root") is not None:
            read["root"] = read_part(read["root"], path="root", errors=errors)
        if read.get("domains") is not None:
            read["domains"] = _domains(read["domains"], errors)
        if read.get("endpoints") is not None:
            read["endpoints"] = _endpoints(read["endpoints"], errors)
        read["absent"] = _absent(read.get("absent") or [], {one.name for one in read.get("endpoints") or ()}, errors)
        errors.check()
        return cls(**read)


def _domains(raw: dict[Any, object], errors: ValidationErrors) -> dict[str, Values | None]:
    domains: dict[str, Values | None] = {}
    for name, policy in raw.items():
        where = f"domains[{name}]" if isinstance(name, str) and name.isprintable() else f"domains[{show(name)}]"
        try:
            if not domain_path(name):
                raise InvalidValue("a domain such as emea/finance (the root has a key of its own)")
        except InvalidValue as unfit:
            unfit.report(errors, where, name)
            continue
        domains[name] = None if policy is None else read_part(policy, path=where, errors=errors)
    return domains


def _endpoints(raw: list[object], errors: ValidationErrors) -> tuple[EndpointRegistration, ...]:
    entries: dict[str, EndpointRegistration] = {}
    for index, one in enumerate(raw):
        where = f"endpoints[{index}]"
        read = read_mapping(one, path=where, known=_ENTRY, errors=errors)
        if read.get("policy") is not None:
            read["policy"] = read_part(read["policy"], path=f"{where}.policy", errors=errors)
        if isinstance(one, dict) and "name" not in one:
            errors.add(f"{where}.name", "", "the endpoint's name")
        name = read.get("name")
        if name in entries:
            errors.add(f"{where}.name", show(name), "allowed twice")
        if name is not None:
            entries[name] = EndpointRegistration(**read)
    return tuple(entries.values())


def _absent(raw: list[object], named: Collection[str], errors: ValidationErrors) -> tuple[str, ...]:
    names: dict[str, None] = {}
    for index, one in enumerate(raw):
        where = f"absent[{index}]"
        try:
            name = endpoint_name(one)
        except InvalidValue as unfit:
            unfit.report(errors, where, one)
            continue
        if name in named:
            errors.add(where, show(name), "allowed, for it is one of endpoints")
        if name in names:
            errors.add(where, show(name), "allowed twice")
        names[name] = None
    return tuple(names)


def _of_type(kind: type, allowed: str) -> Parser:
    def parse(raw: object) -> object:
        if raw is not None and not isinstance(raw, kind):
            raise InvalidValue(allowed)
        return raw

    return parse


def _empty_or(parser: Parser) -> Parser:
    """A reader of texts that takes the empty one, which means none, and null, which means as it was."""
    return lambda raw: raw if raw is None or raw == "" else parser(raw)


def address(raw: object) -> str:
    """How an endpoint is reached: ``host``, ``host:port``, ``[v6]:port``; in a sandbox an endpoint's directory."""
    if isinstance(raw, str) and raw.startswith("/"):
        return path(raw)
    try:
        if isinstance(raw, str) and _ADDRESS.fullmatch(raw) and host_and_port(raw):
            return raw
    except ValueError:
        pass
    raise InvalidValue("an address (host, host:port or [IPv6]:port)")


def _source(raw: object) -> str:
    text = line(raw, "the name of an update source")
    if len(text) > _LONGEST_SOURCE:
        raise InvalidValue(f"a name of at most {_LONGEST_SOURCE} characters")
    return text


def _component(raw: object) -> str:
    text = line(raw, "the name of a database")
    if len(text) > _LONGEST_SOURCE:
        raise InvalidValue(f"a name of at most {_LONGEST_SOURCE} characters")
    return text


_LONGEST_SOURCE = 200
_KEYS: Mapping[str, Parser] = {
    "root": _of_type(dict, "a policy or null"),
    "domains": _of_type(dict, "a mapping of domains to their policies"),
    "endpoints": _of_type(list, "a list of endpoints"),
    "absent": _of_type(list, "a list of the names of endpoints"),
    "purge": boolean,
}
_ENTRY: Mapping[str, Callable[[object], Any]] = {
    "name": endpoint_name,
    "domain": nullable(domain_path),
    "address": _empty_or(address),
    "host_key": _empty_or(signer),
    "ordinal": nullable(integer(0, MOST_ORDINAL)),
    "source": _empty_or(_source),
    "product": _empty_or(product_name),
    "databases": nullable(listing(_component, most=200)),
    "further": nullable(listing(product_name, most=MOST - 1)),
    "policy": _of_type(dict, "a policy or null"),
}
