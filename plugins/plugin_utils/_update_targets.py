# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Who is meant by an Update Now, and by which way each endpoint is reached."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from ansible_collections.epp.autoupdate.plugins.module_utils._core.validation.errors import (
    InvalidDocument,
)
from ansible_collections.epp.autoupdate.plugins.module_utils._module.documents import is_false
from ansible_collections.epp.autoupdate.plugins.plugin_utils._groups import (
    ENDPOINTS,
    NO_HOSTS,
    SERVER_HOST,
    SERVERS,
    of_group,
    server_of,
    servers_in,
)
from ansible_collections.epp.autoupdate.plugins.plugin_utils._inventory import unknown_server
from ansible_collections.epp.autoupdate.plugins.plugin_utils._names import VARIABLE, name_of
from ansible_collections.epp.autoupdate.plugins.plugin_utils._policy_layers import PREFIX

_READ = (SERVER_HOST, "server", "domain", "strict")


@dataclass(frozen=True)
class Targets:
    """The endpoints that are meant: those of each server by their names, and the hosts that have none.

    ``names`` has the host of each endpoint's name.
    """

    servers: dict[str, list[str]]
    direct: list[str]
    names: dict[str, str]

    def to_dict(self) -> dict[str, Any]:
        return asdict(self)


class NobodyIsMeant(ValueError):
    """Neither group has a host."""


def targets(
    hostvars: Mapping[str, Mapping[str, Any]],
    hosts: Sequence[str],
    groups: Mapping[str, Sequence[str]],
    domains: Collection[str] = (),
) -> Targets:
    """The endpoints among some hosts that are in one of the domains or below it, or all of them without any domain.

    Raises InvalidDocument with the errors of all servers that are not known, and NobodyIsMeant where no host is in one
    of the two groups.
    """
    endpoints = list(of_group(hosts, groups, ENDPOINTS))
    if not endpoints and not any(of_group(hosts, groups, SERVERS)):
        raise NobodyIsMeant(NO_HOSTS)
    found, errors = Targets({}, [], {}), {}
    for host in endpoints:
        values = {name: hostvars[host].get(PREFIX + name) for name in _READ}
        if not _is_inside(values["domain"] or "", domains):
            continue
        try:
            server = server_of(values, servers_in(groups))
        except InvalidDocument as ambiguous:
            errors.update(dict.fromkeys(ambiguous.errors))
            continue
        strange = None if is_false(values["strict"]) else unknown_server(server, groups["all"], _nowhere_else)
        errors.update(dict.fromkeys([strange] if strange else []))
        name = str(name_of(host, hostvars[host].get(VARIABLE)))
        found.names[name] = host
        if server:
            found.servers.setdefault(str(server), []).append(name)
        else:
            found.direct.append(host)
    if errors:
        raise InvalidDocument(tuple(errors))
    return found


def listed(domains: str | Sequence[str]) -> list[str]:
    """The domains of ``emea,apac`` or of a list; none where the empty one, the root, is among them."""
    names = [one.strip() for one in domains.split(",")] if isinstance(domains, str) else list(domains)
    return [] if "" in names else names


def _is_inside(domain: str, domains: Collection[str]) -> bool:
    return not domains or any(domain == one or domain.startswith(f"{one}/") for one in domains)


def _nowhere_else(_name: str) -> bool:
    return False
