# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The message broker over which a server tells its endpoints, as the server's settings and as endpoints know it (L3).

Secrets are in files that whoever runs the hosts puts there; settings name them by their paths alone.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from ..durations import format_duration
from ..validation.errors import InvalidDocument, ValidationErrors
from ..validation.parsers import InvalidValue, Parser, duration, integer, listing, read_mapping
from ..validation.strings import visible_path
from ..values import frozen

PORT = 8883
PREFIX = "epp"
_HOST = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9.-]{0,251}[A-Za-z0-9])?|(?=[^:]*:[^:]*:)[0-9A-Fa-f:.]{2,45}")
_PREFIX = re.compile(r"[A-Za-z0-9_-]{1,32}(?:/[A-Za-z0-9_-]{1,32}){0,7}")
_USER = re.compile(r"[A-Za-z0-9_.@:-]{1,128}")
_MOST_HOSTS = 16


@frozen
class BrokerAccess:
    """How one side proves itself to the broker: by ``certificate`` and ``key``, by ``user`` and the first line of
    ``password_file``, or by both. ``ca`` is the file with the authorities that the broker's certificate is from."""

    ca: str = ""
    certificate: str = ""
    key: str = ""
    user: str = ""
    password_file: str = ""

    def to_dict(self) -> dict[str, str]:
        """The keys that are set."""
        names = ("ca", "certificate", "key", "user", "password_file")
        return {name: getattr(self, name) for name in names if getattr(self, name)}


@frozen
class Broker:
    """What an endpoint knows of the broker. An empty ``user`` with a password file is the endpoint's id there."""

    hosts: tuple[str, ...]
    port: int = PORT
    prefix: str = PREFIX
    access: BrokerAccess = BrokerAccess()

    def to_dict(self) -> dict[str, Any]:
        return {"hosts": list(self.hosts), "port": self.port, "prefix": self.prefix, **self.access.to_dict()}


@frozen
class BrokerSettings:
    """Section ``notify.mqtt`` of a server's settings.

    ``run_time`` is for how long an update is reckoned with until enough were measured, in seconds. ``endpoints`` is
    how those prove themselves.
    """

    hosts: tuple[str, ...]
    port: int = PORT
    prefix: str = PREFIX
    run_time: int = 60
    access: BrokerAccess = BrokerAccess()
    endpoints: BrokerAccess = BrokerAccess()

    def to_dict(self) -> dict[str, Any]:
        """The section in its canonical form, which ``read_settings`` reads back as the same value."""
        plain: dict[str, Any] = {"hosts": list(self.hosts), "port": self.port, "prefix": self.prefix}
        plain["run_time"] = format_duration(self.run_time)
        return {**plain, **self.access.to_dict(), "endpoints": self.endpoints.to_dict()}

    @property
    def of_endpoints(self) -> Broker:
        """The broker as the endpoints know it."""
        return Broker(self.hosts, self.port, self.prefix, self.endpoints)


def read_settings(raw: object) -> BrokerSettings:
    """Read ``notify.mqtt``; a parser of the section ``notify``."""
    whole, errors = _mapping(raw, _SETTINGS), ValidationErrors()
    values = read_mapping(whole, path="", known=_SETTINGS, errors=errors)
    access, others = _popped(values), values.pop("endpoints", {})
    told = whole.get("endpoints", {})
    _check_access(whole, "", errors, named=True)
    if isinstance(told, dict):
        _check_access(told, "endpoints.", errors, named=False)
    _finish(whole, errors)
    of_endpoints = BrokerAccess(**{"ca": access["ca"], **others})
    return BrokerSettings(**values, access=BrokerAccess(**access), endpoints=of_endpoints)


def read_broker(raw: object) -> Broker | None:
    """Read ``server.broker`` of an endpoint's document; a parser."""
    if raw is None:
        return None
    whole, errors = _mapping(raw, {**_COMMON, **_ACCESS}), ValidationErrors()
    values = read_mapping(whole, path="", known={**_COMMON, **_ACCESS}, errors=errors)
    access = _popped(values)
    _check_access(whole, "", errors, named=False)
    _finish(whole, errors)
    return Broker(**values, access=BrokerAccess(**access))


def _mapping(raw: object, known: Mapping[str, Parser]) -> dict[str, Any]:
    if not isinstance(raw, dict):
        raise InvalidValue(f"a mapping (keys: {', '.join(known)})")
    return raw


def _popped(values: dict[str, Any]) -> dict[str, str]:
    return {name: values.pop(name) for name in tuple(values) if name in _ACCESS}


def _check_access(given: Mapping[str, Any], path: str, errors: ValidationErrors, *, named: bool) -> None:
    """Note what is missing in an access as it was given, right or wrong; ``named``: a password needs a user."""
    for name, other in (("certificate", "key"), ("key", "certificate")):
        if name in given and other not in given:
            errors.add(f"{path}{other}", "", f"the file that belongs to {path}{name}")
    if "user" in given and "password_file" not in given:
        errors.add(f"{path}password_file", "", f"the file with the password of {path}user")
    if named and "password_file" in given and "user" not in given:
        errors.add(f"{path}user", "", f"whose password {path}password_file is")
    if not given.keys() & {"certificate", "key", "user", "password_file"}:
        errors.add(f"{path}certificate", "", "a certificate and its key, or a password_file")


def _finish(raw: Mapping[str, Any], errors: ValidationErrors) -> None:
    if "ca" not in raw:
        errors.add("ca", "", "the file with the authorities of the broker's certificate (TLS is not optional)")
    if "hosts" not in raw:
        errors.add("hosts", "", "the broker's hosts (such as [broker1.example.com])")
    try:
        errors.check()
    except InvalidDocument as invalid:
        raise InvalidValue("a message broker", below=invalid.errors) from None


def _matching(pattern: re.Pattern[str], allowed: str) -> Parser:
    def parse(raw: object) -> str:
        if not isinstance(raw, str) or not pattern.fullmatch(raw):
            raise InvalidValue(allowed)
        return raw

    return parse


_COMMON: Mapping[str, Parser] = {
    "hosts": listing(_matching(_HOST, "a host's name or address, without a port"), least=1, most=_MOST_HOSTS),
    "port": integer(1, 65535),
    "prefix": _matching(_PREFIX, "the begin of the topics: letters, digits, - and _, with / between (such as epp)"),
}
_ACCESS: Mapping[str, Parser] = {
    **dict.fromkeys(("ca", "certificate", "key", "password_file"), visible_path),
    "user": _matching(_USER, "a user of the broker (letters, digits and _ . @ : -)"),
}


def _of_endpoints(raw: object) -> dict[str, str]:
    errors = ValidationErrors()
    values = read_mapping(_mapping(raw, _ACCESS), path="", known=_ACCESS, errors=errors)
    try:
        errors.check()
    except InvalidDocument as invalid:
        raise InvalidValue("an access", below=invalid.errors) from None
    return values


_SETTINGS: Mapping[str, Parser] = {
    **_COMMON,
    **_ACCESS,
    "run_time": duration(1, 7200),
    "endpoints": _of_endpoints,
}
