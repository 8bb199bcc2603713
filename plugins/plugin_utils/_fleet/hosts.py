# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which host of an inventory is which endpoint."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from typing import Any

from ansible_collections.epp.autoupdate.plugins.module_utils._core.validation.addresses import PORT, host_and_port
from ansible_collections.epp.autoupdate.plugins.module_utils._core.validation.errors import ValidationError
from ansible_collections.epp.autoupdate.plugins.plugin_utils._inventory import read_variables
from ansible_collections.epp.autoupdate.plugins.plugin_utils._names import NAME, name_of, taken

Host = tuple[str, Mapping[str, Any], Callable[[Any], Any]]
"""A host of the inventory: its name, its variables, and what templates them."""


class SharedName(ValueError):
    """Several hosts are one endpoint by their variables."""


def by_endpoint(hosts: Iterable[Host], endpoints: Collection[str]) -> dict[str, str]:
    """The host of each of some endpoints that has one.

    Raises SharedName, and FailedTemplate where the variable that names a host's endpoint can't be templated.
    """
    found: dict[str, list[str]] = {}
    for host, variables, template in hosts:
        name = str(name_of(host, read_variables(variables, template, names=(NAME,)).get(NAME)))
        if name in endpoints:
            found.setdefault(name, []).append(host)
    errors: list[ValidationError] = [taken(name, several) for name, several in found.items() if len(several) > 1]
    if errors:
        raise SharedName("\n".join(map(str, errors)))
    return {name: several[0] for name, several in found.items()}


def connection(address: str) -> dict[str, Any]:
    """How Ansible reaches an endpoint that the inventory does not have: as its update server does."""
    if not address or address.startswith("/"):
        return {}
    host, port = host_and_port(address)
    return {"ansible_host": host, **({"ansible_port": port} if port != PORT else {})}
