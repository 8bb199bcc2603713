# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""One change of the client tree as ``epp-server tree set`` takes it, read with complete validation."""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum
from typing import Any

from ..validation.errors import ValidationErrors, show
from ..validation.parsers import InvalidValue, Parser, choice, listing, read_mapping
from ..validation.strings import domain_path, endpoint_name
from ..values import field, frozen
from .overrides import KNOWN, Values, flat, product_and_key, read_part


class TreeScope(str, Enum):
    """Which kind of node is changed."""

    ROOT = "root"
    DOMAIN = "domain"
    ENDPOINT = "endpoint"


class ApplyTo(str, Enum):
    """Whom a change at root reaches (P2)."""

    ALL = "all"
    FUTURE_DOMAINS = "future_domains"


@frozen
class TreeChange:
    """``values`` are set at a node, the keys of ``inherit`` (``schedule.window``) are no longer set there."""

    scope: TreeScope
    name: str = ""
    apply_to: ApplyTo = ApplyTo.ALL
    values: Values = field(default_factory=dict)
    inherit: tuple[str, ...] = ()

    @classmethod
    def from_dict(cls, raw: object) -> TreeChange:
        """Read a change; raises InvalidDocument with all its errors."""
        errors = ValidationErrors()
        read = read_mapping(raw, path="", known=_KEYS, errors=errors)
        if "values" in read:
            read["values"] = read_part(read["values"], path="values", errors=errors)
        if isinstance(raw, dict) and "scope" not in raw:
            errors.add("scope", "", "root, domain or endpoint")
        if "scope" in read:
            _check_scope(read, errors)
        for key in flat(read.get("values", {})):
            if key in read.get("inherit", ()):
                errors.add("inherit", show(key), "allowed for a key that values sets")
        errors.check()
        return cls(**read)


def _check_scope(read: dict[str, Any], errors: ValidationErrors) -> None:
    """What the scope demands of the name, and who may choose whom a change reaches."""
    scope = read["scope"]
    name = "" if read.get("name") is None else read["name"]
    reader = {TreeScope.ROOT: _no_name, TreeScope.DOMAIN: _domain, TreeScope.ENDPOINT: endpoint_name}[scope]
    try:
        read["name"] = reader(name)
    except InvalidValue as unfit:
        unfit.report(errors, "name", name)
    if "apply_to" in read and read["apply_to"] is not ApplyTo.ALL and scope is not TreeScope.ROOT:
        errors.add("apply_to", show(read["apply_to"].value), "allowed with another scope than root")


def _no_name(raw: object) -> str:
    if raw != "":
        raise InvalidValue("allowed with scope root")
    return ""


def _domain(raw: object) -> str:
    path = domain_path(raw)
    if not path:
        raise InvalidValue("a domain such as emea/finance (the root is a scope of its own)")
    return path


def _as_is(raw: object) -> object:
    return raw


def known_key(raw: object) -> str:
    """A key of the policy, such as ``schedule.window``."""
    product, key = product_and_key(raw) if isinstance(raw, str) else ("", "")
    if key not in KNOWN or (product and key.startswith("privileges.")):
        raise InvalidValue("a key of the policy such as schedule.window or products.suricata.schedule.window")
    return str(raw)


_KEYS: Mapping[str, Parser] = {
    "scope": choice(TreeScope),
    "name": _as_is,
    "apply_to": choice(ApplyTo),
    "values": _as_is,
    "inherit": listing(known_key),
}
