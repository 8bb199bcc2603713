# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The hosts of a play as the client tree has them, from their variables."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from ansible_collections.epp.autoupdate.plugins.module_utils._core.cvd_header import component_of, file_of
from ansible_collections.epp.autoupdate.plugins.module_utils._core.products import given_products
from ansible_collections.epp.autoupdate.plugins.module_utils._core.settings.endpoint import ClamavSettings, ProductKind
from ansible_collections.epp.autoupdate.plugins.module_utils._core.settings.registration import Registration
from ansible_collections.epp.autoupdate.plugins.module_utils._core.validation.errors import (
    InvalidDocument,
    ValidationError,
    show,
)
from ansible_collections.epp.autoupdate.plugins.module_utils._module import specs
from ansible_collections.epp.autoupdate.plugins.module_utils._module.documents import is_false, plain
from ansible_collections.epp.autoupdate.plugins.module_utils._module.registration import request
from ansible_collections.epp.autoupdate.plugins.plugin_utils._groups import SERVER_HOST, server_of
from ansible_collections.epp.autoupdate.plugins.plugin_utils._inventory import (
    FailedTemplate,
    Literals,
    read_variables,
    templated,
)
from ansible_collections.epp.autoupdate.plugins.plugin_utils._names import NAME, name_of, shared
from ansible_collections.epp.autoupdate.plugins.plugin_utils._policy_layers import (
    DOMAIN_POLICIES,
    ENDPOINT_POLICY,
    PREFIX,
    ROOT_POLICY,
    plain_policy,
)

_REACHED = ("name", "address", "host_key")
_OWN = (
    "state",
    "installroot",
    "notify",
    "address",
    "host_key",
    "domain",
    "ordinal",
    "server",
    SERVER_HOST,
    "product",
    "products",
    "clamav",
    NAME,
)
_READ = (*_OWN, ENDPOINT_POLICY, ROOT_POLICY, DOMAIN_POLICIES)
_CONNECTION = {
    "ansible_host": ("ansible_host", "ansible_ssh_host"),
    "ansible_port": ("ansible_port", "ansible_ssh_port"),
}
"""How Ansible reaches a host: the variable, and its older name."""
_VARIABLES = {"name": NAME, "policy": ENDPOINT_POLICY, "databases": "clamav.databases", "further": "products"}
"""Options of an endpoint whose variable has another name."""
_SSH_PORT = 22
_IN_ENDPOINT = re.compile(r"endpoints\[(\d+)\]\.(\w+)(.*)", re.DOTALL)
_IN_ABSENT = re.compile(r"absent\[(\d+)\]")
HostsError = tuple[Sequence[str], ValidationError]
"""An error, and the hosts that have it; none for what is nobody's own."""


class Members:
    """Collects the hosts of a play. What a host does not set stays as it is on the server.

    ``host_keys_from`` names a registered variable whose results have the endpoints' host keys. ``server`` is the host
    that the task runs on, empty if it is not known. ``chosen`` is the server whose hosts count, empty for all hosts.
    ``servers`` are those of the inventory, one of which may be that of hosts which name none.
    """

    def __init__(
        self, *, host_keys_from: str = "", server: str = "", chosen: str = "", servers: Sequence[str] = ()
    ) -> None:
        self._servers = servers
        self._chosen = chosen
        self._host_keys_from = host_keys_from
        self._server = server
        self._endpoints: dict[str, dict[str, Any]] = {}
        self._absent: dict[str, Any] = {}
        self._names: dict[str, Any] = {}
        self._pinned: dict[str, tuple[Any, str]] = {}
        self._looked_at: dict[int, Any] = {}
        self._literals = Literals()
        self._errors: dict[ValidationError, list[str]] = {}

    def add(self, host: str, variables: Mapping[str, Any], template: Callable[[Any], Any]) -> None:
        """Take one host, whose variables are not templated yet."""
        try:
            values = read_variables(variables, template, names=_READ, is_literal=self._literals.has)
            reached = _reached(variables, template)
            own_server = server_of(values, self._servers)
        except FailedTemplate as failed:
            self._note(host, failed.error)
            return
        except InvalidDocument as ambiguous:
            self._note(host, *ambiguous.errors)
            return
        if self._chosen and own_server != self._chosen:
            return
        self._check_server(host, own_server)
        name = self._names[host] = name_of(host, values.get(NAME))
        if values.get("state") == "absent":
            self._absent[host] = name
            return
        self._pin(host, f"{PREFIX}{ROOT_POLICY}", values.get(ROOT_POLICY))
        self._pin_domains(host, values.get(DOMAIN_POLICIES))
        entry = {"name": name, **{key: values.get(key) for key in ("domain", "ordinal", "host_key")}}
        own = values.get(ENDPOINT_POLICY) or None
        entry["policy"] = plain_policy(specs.policy(), own) if isinstance(own, Mapping) else own
        entry["address"] = "" if is_false(values.get("notify")) else address(host, values, reached)
        entry["host_key"] = entry["host_key"] or self._host_key(variables)
        entry.update(_to_have(values))
        self._endpoints[host] = plain(specs.member(), entry)

    def errors(self) -> tuple[HostsError, ...]:
        """What is wrong with hosts, each error with those that have it: what they contradict each other in, and how
        they are reached.

        Policies and the like are not looked at: they are checked with the rest of each host.
        """
        found = list(self._noted())
        first = {str(name): host for host, name in reversed(self._names.items())}
        alone = {host: one for host, one in self._endpoints.items() if first[str(self._names[host])] == host}
        reached = [{key: one[key] for key in _REACHED if key in one} for one in alone.values()]
        return (*found, *_refused({"endpoints": reached}, list(alone), []))

    def options(self) -> dict[str, Any]:
        """The options of the module; raises InvalidDocument with the errors of all hosts, by their names."""
        noted = self._noted()
        if noted:
            raise InvalidDocument(_of_hosts(noted))
        policies = dict(self._pinned)
        root = policies.pop(f"{PREFIX}{ROOT_POLICY}", (None, ""))[0]
        # An empty mapping declares a domain, and leaves what the server's own tasks have set there.
        domains = {path[len(_DOMAIN) : -1]: policy or None for path, (policy, _host) in policies.items()}
        options = {
            **({"policy": root} if root is not None else {}),
            **({"domains": domains} if domains else {}),
            "endpoints": list(self._endpoints.values()),
            **({"absent": list(self._absent.values())} if self._absent else {}),
        }
        refused = _refused(options, list(self._endpoints), list(self._absent))
        if refused:
            raise InvalidDocument(_of_hosts(refused))
        return options

    def wanted(self) -> dict[str, Any]:
        """What is wanted of each host: its entry, or the name of one that is to go."""
        return {**self._endpoints, **self._absent}

    def _noted(self) -> tuple[HostsError, ...]:
        """What was noted about hosts, and the names that they share."""
        found = [*self._errors.items(), *((error, hosts) for error, hosts in shared(self._names))]
        return tuple((hosts, error) for error, hosts in found)

    def _note(self, host: str, *errors: ValidationError) -> None:
        for error in errors:
            self._errors.setdefault(error, []).append(host)

    def _check_server(self, host: str, server: Any) -> None:
        if self._server and server and server != self._server:
            allowed = f"{show(self._server)}, where this task runs (one play is registered with one server)"
            self._note(host, ValidationError(f"{PREFIX}{SERVER_HOST}", show(server), allowed))

    def _pin_domains(self, host: str, policies: Any) -> None:
        if not policies or id(policies) in self._looked_at:
            return
        self._looked_at[id(policies)] = policies
        if not isinstance(policies, Mapping):
            self._note(host, ValidationError(f"{PREFIX}{DOMAIN_POLICIES}", show(policies), "a mapping"))
            return
        for path, policy in policies.items():
            self._pin(host, f"{_DOMAIN}{path}]", policy or {}, empty=True)

    def _pin(self, host: str, variable: str, policy: Any, *, empty: bool = False) -> None:
        """Note the policy of a node; that of two hosts for one node must be the same, whoever comes first."""
        if not policy and not empty:
            return
        known = self._pinned.get(variable)
        if known is not None and known[0] == policy:
            return
        plainly = plain_policy(specs.policy(), policy) if isinstance(policy, Mapping) else policy
        if known is None:
            self._pinned[variable] = (plainly, host)
        elif known[0] != plainly:
            allowed = f"what {known[1]} has: set it for all hosts alike, for one node has one policy"
            self._note(host, ValidationError(variable, "what it has", allowed))

    def _host_key(self, variables: Mapping[str, Any]) -> Any:
        told = variables.get(self._host_keys_from) if self._host_keys_from else None
        return told.get("host_key") if isinstance(told, Mapping) else None


def _reached(variables: Mapping[str, Any], template: Callable[[Any], Any]) -> dict[str, Any]:
    """Host and port by which Ansible reaches a host, as far as variables say; raises FailedTemplate."""
    found: dict[str, Any] = {}
    for meaning, names in _CONNECTION.items():
        name = next((one for one in names if one in variables), None)
        if name is not None:
            found[meaning] = templated(name, variables[name], template)
    return found


_DOMAIN = f"{PREFIX}{DOMAIN_POLICIES}["


def _refused(options: Mapping[str, Any], hosts: Sequence[str], gone: Sequence[str]) -> tuple[HostsError, ...]:
    """What the server would refuse, in the words of the inventory; ``hosts`` are those of the endpoints, ``gone`` those
    of what is absent."""
    try:
        Registration.from_dict(request(options))
    except InvalidDocument as invalid:
        return tuple(_named(error, hosts, gone) for error in invalid.errors)
    return ()


def address(host: str, values: Mapping[str, Any], reached: Mapping[str, Any]) -> str:
    """How the server reaches an endpoint: as it is told, by its directory in a sandbox, or as Ansible reaches it."""
    if values.get("address") or values.get("installroot"):
        return str(values.get("address") or values.get("installroot"))
    name, port = str(reached.get("ansible_host") or host), str(reached.get("ansible_port") or _SSH_PORT)
    if port == str(_SSH_PORT):
        return name
    return f"[{name}]:{port}" if ":" in name else f"{name}:{port}"


def _to_have(values: Mapping[str, Any]) -> dict[str, Any]:
    """The product and, of ClamAV, the databases that a host's settings ask for; what is wrong with them is told with
    the rest of its variables."""
    product, *further = given_products(values)
    if ProductKind.CLAMAV.value not in (product, *further):
        return {"product": product, "databases": [], "further": further}
    given = values.get("clamav")
    section = given if isinstance(given, Mapping) else {}
    databases, urls = (section.get(key) for key in ("databases", "custom_urls"))
    names = [*_texts(ClamavSettings().databases if databases is None else databases), *map(file_of, _texts(urls))]
    return {"product": product, "further": further, "databases": list(dict.fromkeys(map(component_of, names)))}


def _texts(given: Any) -> list[str]:
    return [one for one in given if isinstance(one, str)] if isinstance(given, (list, tuple)) else []


def _named(error: ValidationError, hosts: Sequence[str], gone: Sequence[str]) -> HostsError:
    """The error with the variable that it is in, and the host whose it is, if it is one's own."""
    endpoint, absent = _IN_ENDPOINT.fullmatch(error.path), _IN_ABSENT.fullmatch(error.path)
    if endpoint:
        option = _VARIABLES.get(endpoint[2], endpoint[2])
        where = f"{PREFIX}{option}{endpoint[3]}"
        return (hosts[int(endpoint[1])],), ValidationError(where, error.found, error.allowed)
    if absent:
        return (gone[int(absent[1])],), ValidationError(f"{PREFIX}{NAME}", error.found, error.allowed)
    if error.path.startswith("domains["):
        return (), ValidationError(f"{_DOMAIN}{error.path[len('domains[') :]}", error.found, error.allowed)
    if error.path.startswith("root"):
        return (), ValidationError(f"{PREFIX}{ROOT_POLICY}{error.path[len('root') :]}", error.found, error.allowed)
    return (), error


def _of_hosts(errors: Sequence[HostsError]) -> tuple[ValidationError, ...]:
    """The errors with the names of their hosts."""
    return tuple(_of(hosts, error) if hosts else error for hosts, error in errors)


def _of(hosts: Sequence[str], error: ValidationError) -> ValidationError:
    shown = ", ".join(hosts[:_SHOWN_HOSTS]) + (
        f" and {len(hosts) - _SHOWN_HOSTS} more" if len(hosts) > _SHOWN_HOSTS else ""
    )
    return ValidationError(f"{shown}: {error.path}", error.found, error.allowed)


_SHOWN_HOSTS = 5
