# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Every key that an endpoint's document has besides the policy, and what it takes."""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum
from types import MappingProxyType
from typing import Any

from ..durations import format_duration
from ..policy.enums import DAY, Initiator
from ..policy.policy import Policy
from ..products import DEFAULT, SHIPPED
from ..schedule.ordinals import MOST_ORDINAL
from ..validation.errors import ValidationErrors, join, show, suggestion
from ..validation.parsers import (
    InvalidValue,
    Parser,
    boolean,
    choice,
    duration,
    integer,
    listing,
    nullable,
    or_empty,
    read_mapping,
)
from ..validation.strings import (
    PRODUCT_NAME,
    account,
    argument,
    database,
    directory,
    domain_path,
    endpoint_name,
    given_arguments,
    path,
    ring_name,
    url,
)
from .trust import RESTORE, plain_size, probe_keys, read_holds
from .update_server import KEYS as SERVER_KEYS
from .update_server import REQUIRED as SERVER_REQUIRED

FORMAT = 1
# Where people and programs put files that come from elsewhere; we write to none of them.
SCAN_PATHS = ("/home", "/root", "/tmp", "/var/tmp", "/srv", "/opt")


class ProductKind(str, Enum):
    """The protection products that have code of their own; all others are data (``product_definitions``)."""

    CLAMAV = "clamav"
    FILES = "files"
    COMMAND = "command"


NO_DEFINITIONS: Mapping[str, Any] = MappingProxyType({})
_MOST_DEFINITIONS = 50
SINGLE = "command"
"""The one component of a product ``command`` whose updater tells one version for everything."""


class SchedulerKind(str, Enum):
    """The schedulers of hosts; ``auto`` takes what the host has."""

    AUTO = "auto"
    SYSTEMD = "systemd"
    CRON = "cron"


class Updates(str, Enum):
    """Whether several products of one endpoint may be updated at the same time."""

    ONE_AT_A_TIME = "one_at_a_time"
    INDEPENDENT = "independent"


def _format(value: object) -> int:
    if isinstance(value, bool) or value != FORMAT or not isinstance(value, int):
        raise InvalidValue(f"the number {FORMAT}, the only format of documents known here")
    return value


def _as_is(value: object) -> object:
    return value


def product_name(value: object) -> str:
    """The name of a product, built in or defined."""
    if not isinstance(value, str) or not PRODUCT_NAME.fullmatch(value):
        words = [kind.value for kind in ProductKind]
        near = suggestion(value, [*words, *SHIPPED])
        raise InvalidValue(f"{', '.join(words[:-1])} or {words[-1]}, nor the name of a definition{near}")
    return value


def _definitions(raw: object, errors: ValidationErrors) -> dict[str, Any]:
    if not isinstance(raw, dict) or len(raw) > _MOST_DEFINITIONS:
        errors.add("product_definitions", show(raw), f"a mapping of at most {_MOST_DEFINITIONS} names and definitions")
        return {}
    if not raw:
        return {}
    from ..products.definition import read_definition

    found, built_in = {}, [kind.value for kind in ProductKind]
    for name, one in raw.items():
        where = join("product_definitions", name)
        if not isinstance(name, str) or not PRODUCT_NAME.fullmatch(name) or name in built_in:
            errors.add(where, show(name), "the name (small letters, digits, - and _) of a product that is not built in")
        found[name] = read_definition(str(name), one, where, errors)
    return found


def _settings(raw: object, errors: ValidationErrors) -> dict[str, Any]:
    if raw == {}:
        return {}
    from ..products.definition import read_settings  # what products without a definition do without

    return dict(read_settings(raw, "product_settings", errors))


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


_SECTIONS: Mapping[str, Mapping[str, Parser]] = {
    "clamav": {
        "databases": listing(database),
        "custom_urls": listing(url("https", "http", "file")),
        "database_directory": directory,
        "database_owner": or_empty(account),
        "clamd_config": or_empty(directory),
    },
    "files": {"directory": directory},
    "command": {
        **dict.fromkeys(("update", "version"), _command(1)),
        **dict.fromkeys(("scan", "restore", "offers"), _command(0)),
    },
    "probe": probe_keys(_command(0)),
    "restore": RESTORE,
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
    "channel": or_empty(ring_name),
    "product": product_name,
    **dict.fromkeys((*(kind.value for kind in ProductKind), "probe", "restore", "held_versions"), _as_is),
    **dict.fromkeys(("product_definitions", "product_settings"), _as_is),
    "takeover": boolean,
    "scan_paths": listing(path, least=1),
    "scheduler": choice(SchedulerKind),
    "user_group": account,
    **dict.fromkeys(("reconnect", "limits"), _as_is),
    "textfile_directory": directory,
    "server": _as_is,
    "products": _as_is,
    "updates": choice(Updates),
}

_DURATIONS = {"reconnect": ("probe", "jitter", "wait"), "limits": ("update", "scan"), "probe": ("timeout",)}
_SIZES = ("keep_space",)


def read_document(
    raw: object, errors: ValidationErrors, definitions: Mapping[str, Any] | None = NO_DEFINITIONS
) -> dict[str, Any]:
    """The values of a document, typed but for ``policy``; what is wrong becomes errors.

    ``product_definitions`` are there with those beside its own (``definitions``), or None where they can't be read.
    """
    values = read_mapping(raw, path="", known=_KEYS, errors=errors)
    for name, known in _SECTIONS.items():
        if name in values:
            values[name] = read_mapping(values[name], path=name, known=known, errors=errors)
    if "product_settings" in values:
        values["product_settings"] = _settings(values["product_settings"], errors)
    own = _definitions(values.get("product_definitions", {}), errors)
    unread = definitions is None or errors.has_error("product_definitions")
    values["product_definitions"] = None if unread else {**(definitions or {}), **own}
    if "held_versions" in values:
        values["held_versions"] = read_holds(values["held_versions"], errors)
    if isinstance(raw, dict):
        _check_required(raw, "format", f"the number {FORMAT}", errors)
        _check_required(raw, "endpoint", "the endpoint's name", errors)
    return values


def check_together(values: Mapping[str, Any], policy: Policy, errors: ValidationErrors) -> None:
    """Note what each part of a document allows but the whole does not."""
    # About what was read wrong, nothing more can be said.
    product = None if errors.has_error("product") else values.get("product", DEFAULT)
    _check_product(values, product, errors)
    unread = any(errors.has_error(key) for key in ("policy", "policy.sources", "policy.sources.urls"))
    if product == ProductKind.COMMAND.value:
        command = values.get("command", {})
        for name in ("update", "version"):
            if not errors.has_error(f"command.{name}"):
                _check_required(command, name, "an argument list, as product is command", errors, section="command")
    managed = "server" in values
    for name in SERVER_REQUIRED if managed else ():
        if not errors.has_error(f"server.{name}"):
            _check_required(values["server"], name, "there", errors, section="server")
    if product == ProductKind.FILES.value and not policy.sources.urls and not unread and not managed:
        errors.add("policy.sources.urls", "", "a list of at least one URL, as product is files")
    if policy.schedule.initiator is Initiator.SERVER and not managed:
        # Its slots would pass in silence: nobody is there who notifies a standalone endpoint (S6).
        errors.add("policy.schedule.initiator", '"server"', "possible without an update server (endpoint)")
    clamav = values.get("clamav", {})
    if product == ProductKind.CLAMAV.value and clamav.get("databases") == () and not clamav.get("custom_urls"):
        errors.add("clamav.databases", "an empty list", "allowed without custom_urls (there would be no component)")


def _check_product(values: Mapping[str, Any], product: str | None, errors: ValidationErrors) -> None:
    """Note a product that is neither built in nor defined, and settings that its definition has no use for."""
    built_in, definitions = [kind.value for kind in ProductKind], values["product_definitions"]
    if product is None or definitions is None:
        return
    definition = definitions.get(product)
    if product not in built_in and definition is None:
        near = suggestion(product, [*built_in, *SHIPPED, *definitions])
        known = f"{', '.join(built_in[:-1])} or {built_in[-1]}"
        errors.add("product", show(product), f"{known}, nor the name of a definition{near}")
    elif values.get("product_settings"):
        _check_settings(values["product_settings"], {} if definition is None else definition.settings, errors)


def _check_settings(given: Mapping[str, Any], known: Mapping[str, Any], errors: ValidationErrors) -> None:
    for name, one in given.items():
        if name not in known:
            errors.add_unknown_key("product_settings", name, list(known))
        elif isinstance(one, str) != isinstance(known[name], str):
            allowed = "a text" if isinstance(known[name], str) else "a list of texts"
            errors.add(f"product_settings.{name}", show(one), f"{allowed}, as in the product's definition")


def plain_settings(settings: Mapping[str, Any]) -> dict[str, Any]:
    """Values of placeholders as documents hold them."""
    return {name: list(one) if isinstance(one, tuple) else one for name, one in settings.items()}


def plain_section(name: str, section: object) -> dict[str, Any]:
    """A section's values as documents hold them."""
    values: dict[str, Any] = {}
    for key in _SECTIONS[name]:
        value = getattr(section, key)
        values[key] = format_duration(value) if key in _DURATIONS.get(name, ()) else value
        if isinstance(value, tuple):
            values[key] = list(value)
        if key in _SIZES:
            values[key] = plain_size(value)
    return values


def _check_required(
    mapping: Mapping[str, Any], key: str, allowed: str, errors: ValidationErrors, *, section: str = ""
) -> None:
    if key not in mapping:
        errors.add(f"{section}.{key}" if section else key, "", allowed)
