# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Every key that an endpoint's document has besides the policy, and what it takes."""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum
from typing import Any

from ..durations import format_duration
from ..policy.enums import DAY, Initiator
from ..policy.policy import Policy
from ..schedule.ordinals import MOST_ORDINAL
from ..validation.errors import ValidationErrors, show
from ..validation.parsers import InvalidValue, Parser, choice, duration, integer, listing, nullable, read_mapping
from ..validation.strings import (
    account,
    argument,
    database,
    directory,
    domain_path,
    endpoint_name,
    given_arguments,
    path,
    url,
)
from .update_server import KEYS as SERVER_KEYS
from .update_server import REQUIRED as SERVER_REQUIRED

FORMAT = 1
# Where people and programs put files that come from elsewhere; we write to none of them.
SCAN_PATHS = ("/home", "/root", "/tmp", "/var/tmp", "/srv", "/opt")


class ProductKind(str, Enum):
    """The protection products that we know how to update."""

    CLAMAV = "clamav"
    FILES = "files"
    COMMAND = "command"


SINGLE = "command"
"""The one component of a product ``command`` whose updater tells one version for everything."""


class SchedulerKind(str, Enum):
    """The schedulers of hosts; ``auto`` takes what the host has."""

    AUTO = "auto"
    SYSTEMD = "systemd"
    CRON = "cron"


def _format(value: object) -> int:
    if isinstance(value, bool) or value != FORMAT or not isinstance(value, int):
        raise InvalidValue(f"the number {FORMAT}, the only format of documents known here")
    return value


def _as_is(value: object) -> object:
    return value


def _command(least: int) -> Parser:
    """A reader of argument lists; the program is a path, so that no PATH decides what runs as root."""
    arguments = listing(argument, least=least, most=256, unique=False)

    def parse(value: object) -> tuple[str, ...]:
        argv: tuple[str, ...] = arguments(given_arguments(value))
        if argv and not argv[0].startswith("/"):
            raise InvalidValue(f"an argument list whose program is an absolute path (found {show(argv[0])})")
        if argv:
            path(argv[0])
        return argv

    return parse


def _or_empty(parser: Parser) -> Parser:
    """A reader of what may be left open, by the empty text."""
    return lambda value: "" if value == "" else parser(value)


_SECTIONS: Mapping[str, Mapping[str, Parser]] = {
    "clamav": {
        "databases": listing(database),
        "custom_urls": listing(url("https", "http", "file")),
        "database_directory": directory,
        "database_owner": _or_empty(account),
        "clamd_config": _or_empty(directory),
    },
    "files": {"directory": directory},
    "command": {"update": _command(1), "version": _command(1), "scan": _command(0)},
    "reconnect": {"probe": duration(10, DAY), "jitter": duration(0, 3600), "wait": duration(0, 3600)},
    "limits": {"update": duration(10, DAY), "scan": duration(10, 7 * DAY)},
    "server": SERVER_KEYS,
}

_KEYS: Mapping[str, Parser] = {
    "format": _format,
    "endpoint": endpoint_name,
    "domain": domain_path,
    "ordinal": nullable(integer(0, MOST_ORDINAL)),
    "policy": _as_is,
    "product": choice(ProductKind),
    **dict.fromkeys(("clamav", "files", "command"), _as_is),
    "scan_paths": listing(path, least=1),
    "scheduler": choice(SchedulerKind),
    "user_group": account,
    **dict.fromkeys(("reconnect", "limits"), _as_is),
    "textfile_directory": directory,
    "server": _as_is,
}

_DURATIONS = ("reconnect", "limits")


def read_document(raw: object, errors: ValidationErrors) -> dict[str, Any]:
    """The values of a document, typed but for ``policy``; what is wrong becomes errors."""
    values = read_mapping(raw, path="", known=_KEYS, errors=errors)
    for name, known in _SECTIONS.items():
        if name in values:
            values[name] = read_mapping(values[name], path=name, known=known, errors=errors)
    if isinstance(raw, dict):
        _check_required(raw, "format", f"the number {FORMAT}", errors)
        _check_required(raw, "endpoint", "the endpoint's name", errors)
    return values


def check_together(values: Mapping[str, Any], policy: Policy, errors: ValidationErrors) -> None:
    """Note what each part of a document allows but the whole does not."""
    # About what was read wrong, nothing more can be said.
    product = None if errors.has_error("product") else values.get("product", ProductKind.FILES)
    unread = any(errors.has_error(key) for key in ("policy", "policy.sources", "policy.sources.urls"))
    if product is ProductKind.COMMAND:
        command = values.get("command", {})
        for name in ("update", "version"):
            if not errors.has_error(f"command.{name}"):
                _check_required(command, name, "an argument list, as product is command", errors, section="command")
    managed = "server" in values
    for name in SERVER_REQUIRED if managed else ():
        if not errors.has_error(f"server.{name}"):
            _check_required(values["server"], name, "there", errors, section="server")
    if product is ProductKind.FILES and not policy.sources.urls and not unread and not managed:
        errors.add("policy.sources.urls", "", "a list of at least one URL, as product is files")
    if policy.schedule.initiator is Initiator.SERVER and not managed:
        # Its slots would pass in silence: nobody is there who notifies a standalone endpoint (S6).
        errors.add("policy.schedule.initiator", '"server"', "possible without an update server (endpoint)")
    clamav = values.get("clamav", {})
    if product is ProductKind.CLAMAV and clamav.get("databases") == () and not clamav.get("custom_urls"):
        errors.add("clamav.databases", "an empty list", "allowed without custom_urls (there would be no component)")


def plain_section(name: str, section: object) -> dict[str, Any]:
    """A section's values as documents hold them."""
    values: dict[str, Any] = {}
    for key in _SECTIONS[name]:
        value = getattr(section, key)
        values[key] = format_duration(value) if name in _DURATIONS else value
        if isinstance(value, tuple):
            values[key] = list(value)
    return values


def _check_required(
    mapping: Mapping[str, Any], key: str, allowed: str, errors: ValidationErrors, *, section: str = ""
) -> None:
    if key not in mapping:
        errors.add(f"{section}.{key}" if section else key, "", allowed)
