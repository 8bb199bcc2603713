# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Who is what: the two groups of an inventory, and the update server of each endpoint."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from typing import Any

from ansible_collections.epp.autoupdate.plugins.module_utils._core.validation.errors import (
    InvalidDocument,
    ValidationError,
    show,
)

SERVERS, ENDPOINTS = "autoupdate_servers", "autoupdate_endpoints"
SERVER_HOST = "server_host"
"""The variable that names an endpoint's update server, without its prefix."""
NO_HOSTS = f"""\
neither of the groups {SERVERS} and {ENDPOINTS} has a host of this run. They say who is what:

all:
  children:
    {SERVERS}: # leave it out for endpoints without an update server
      hosts:
        updates:
    {ENDPOINTS}:
      hosts:
        till-1:
        till-2:
"""
NOBODY = NO_HOSTS.partition(". ")[0]
_SHOWN = 5


def server_of(values: Mapping[str, Any], servers: Sequence[str]) -> Any:
    """The host that is the update server of an endpoint; empty for none. ``values`` are variables without the prefix.

    That is what ``autoupdate_server_host`` says, else the only host of the group ``autoupdate_servers``. An endpoint
    whose ``autoupdate_server`` describes a server elsewhere has none in the inventory. What is given is returned as it
    is, for whoever looks for the host to refuse. Raises InvalidDocument where there are several servers to choose from.
    """
    given = values.get(SERVER_HOST)
    if given is not None:
        return given
    if not servers or values.get("server"):
        return ""
    if len(servers) > 1:
        raise InvalidDocument((ambiguous_server(servers),))
    return servers[0]


def ambiguous_server(servers: Sequence[str]) -> ValidationError:
    """The error of an endpoint that does not say which of several servers is its own."""
    names = ", ".join(map(show, servers[:_SHOWN])) + (", ..." if len(servers) > _SHOWN else "")
    return ValidationError(
        f"autoupdate_{SERVER_HOST}",
        "",
        f"this endpoint's update server, for the group {SERVERS} has several hosts ({names}): name one of them, or "
        'none with ""',
    )


def servers_in(groups: Mapping[str, Sequence[str]]) -> Sequence[str]:
    """The update servers of the inventory, whoever is in the play."""
    return groups.get(SERVERS, ())


def of_group(hosts: Iterable[str], groups: Mapping[str, Collection[str]], name: str) -> Iterator[str]:
    """Those of some hosts that are in a group, in their order."""
    members = frozenset(groups.get(name, ()))
    return (host for host in hosts if host in members)
