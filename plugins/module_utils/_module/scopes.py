# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Where a task sets a section of policy, and what it sets there; all that is wrong with it at once."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from .._core.policy.change import ApplyTo, TreeScope
from .._core.policy.keys import read_values
from .._core.validation.errors import ValidationErrors, show
from .._core.validation.parsers import InvalidValue
from .._core.validation.strings import domain_path, endpoint_name


@dataclass(frozen=True)
class PolicyScope:
    """A node: ``name`` is a domain's path or an endpoint's name, and empty for the root and for this very host."""

    scope: TreeScope = TreeScope.ENDPOINT
    name: str = ""
    apply_to: ApplyTo = ApplyTo.ALL

    @property
    def on_server(self) -> bool:
        """Whether the node is one of an update server's tree."""
        return self.scope is not TreeScope.ENDPOINT or bool(self.name)

    def __str__(self) -> str:
        return f"{self.scope.value} {self.name}" if self.name else self.scope.value


@dataclass(frozen=True)
class Assignment:
    """The keys that a node is to set (``{section: {key: value}}``), and those (``schedule.window``) it is not to."""

    values: Mapping[str, Mapping[str, Any]]
    inherit: tuple[str, ...] = ()
    place: PolicyScope = field(default_factory=PolicyScope)

    @classmethod
    def from_options(cls, section: str, options: Mapping[str, Any], given: Mapping[str, Any]) -> Assignment:
        """Read a module's options, of which ``given`` are the section's keys; raises InvalidDocument with all errors.

        What ``None`` stands for was not given. A contradiction between keys is found where the node is known.
        """
        errors = ValidationErrors()
        place = _place(options, errors)
        inherit = options.get("inherit") or []
        if inherit and not place.on_server:
            errors.add("inherit", show(inherit), "allowed on a standalone endpoint (only on an update server)")
        for index, key in enumerate(inherit):
            if key in given:
                errors.add(f"inherit[{index}]", show(key), f"allowed beside a value for {key}")
        _check_values(section, given, errors)
        errors.check()
        return cls({section: dict(given)} if given else {}, tuple(f"{section}.{key}" for key in inherit), place)


def _place(options: Mapping[str, Any], errors: ValidationErrors) -> PolicyScope:
    scope, name, apply_to = TreeScope(options["scope"]), options.get("name") or "", options.get("apply_to")
    if scope is TreeScope.ROOT and name:
        errors.add("name", show(name), "allowed with scope root (only with domain or endpoint)")
    if scope is TreeScope.DOMAIN and not name:
        errors.add("name", "", "the path of a domain such as emea/finance")
    if apply_to is not None and scope is not TreeScope.ROOT:
        errors.add("apply_to", show(apply_to), f"allowed with scope {scope.value} (only with root)")
    reader = {TreeScope.DOMAIN: domain_path, TreeScope.ENDPOINT: endpoint_name}.get(scope)
    if reader is not None and name:
        try:
            reader(name)
        except InvalidValue as unfit:
            unfit.report(errors, "name", name)
    return PolicyScope(scope, name, ApplyTo(apply_to or ApplyTo.ALL.value))


def _check_values(section: str, given: Mapping[str, Any], errors: ValidationErrors) -> None:
    read_values({section: dict(given)}, path="", errors=errors)
