# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Inventory ``fleet``: the endpoints of an update server, with their states as groups."""

from __future__ import annotations

DOCUMENTATION = r"""
name: fleet
short_description: Endpoints of an update server, with groups by state and by domain
version_added: 1.0.0
description:
  - Asks an update server for its endpoints and puts each into the group of its state, such as
    C(autoupdate_failing). A play for that group concerns the endpoints that fail now.
  - The configuration is a YAML file whose name ends in C(autoupdate.yml) or C(autoupdate.yaml).
  - The list comes from the command C(epp-server endpoints --json) on the update server. With O(server), OpenSSH runs
    the command there, as the user's own configuration of OpenSSH says. Without it, the control node is the update
    server. With O(file), no server is asked. No endpoint is contacted in any case.
  - The groups of states are C(autoupdate_failing), C(autoupdate_refusing), C(autoupdate_silent), C(autoupdate_behind),
    C(autoupdate_never_seen), C(autoupdate_switched_off), C(autoupdate_roaming) and C(autoupdate_current). All of them
    exist even if they are empty. The return value C(state) of M(epp.autoupdate.fleet_info) explains them.
  - All endpoints are in C(autoupdate_fleet). An endpoint of the domain V(emea/finance) is in
    C(autoupdate_domain_emea_finance), which is a child of C(autoupdate_domain_emea). Characters that names of groups
    can't have become C(_). If two domains would share a group, each gets a part of its digest as a suffix.
  - The plugin puts no host into C(autoupdate_endpoints) or C(autoupdate_servers). Who is converged stays the decision
    of the inventory. The option O(groups) can do it.
  - Each endpoint gets the variables C(epp_name), C(epp_domain), C(epp_state), C(epp_reason), C(epp_since),
    C(epp_reported), C(epp_outdated), C(epp_versions), C(epp_address), C(epp_pinned), C(epp_ordinal), C(epp_source) and
    C(epp_notice). They are the return values of M(epp.autoupdate.fleet_info) of the same names.
  - A host of the inventory is an endpoint if its name, or its variable C(autoupdate_endpoint_name), is that of the
    endpoint. It keeps all of its variables. The plugin knows the hosts of the sources before its own, so its file comes
    last. See O(add_hosts) for endpoints without a host.
  - Everything that the server tells is data. It is checked and bounded, control characters are escaped, and Ansible
    never takes it for a template.
notes:
  - By default, Ansible only warns about a source that fails, and a play for hosts that do not exist succeeds. Set
    C(ANSIBLE_INVENTORY_ANY_UNPARSED_IS_FAILED=true) wherever nobody reads the output.
  - With O(keyed_groups), give each group a prefix. The key may be something that an endpoint has reported.
extends_documentation_fragment:
  - ansible.builtin.constructed
  - ansible.builtin.inventory_cache
options:
  plugin:
    description:
      - The name of this plugin.
    type: str
    required: true
    choices:
      - epp.autoupdate.fleet
  server:
    description:
      - The update server, as C(ssh) takes it. A name, V(user@name), or an alias of C(ssh_config).
      - The login has to work without a prompt. The default is the control node itself, without SSH.
    type: str
  ssh_arguments:
    description:
      - Arguments for C(ssh) before the name of the server, such as V(-p) and V(2222), or V(-J) and a jump host.
    type: list
    elements: str
    default: []
  become:
    description:
      - Run the command with C(sudo) as the user O(become_user). Root and the user C(epp-server) do not need it.
    type: bool
    default: false
  become_user:
    description:
      - The user that may read the server's records.
    type: str
    default: epp-server
  installroot:
    description:
      - A directory on the update server that stands for its V(/), as in M(epp.autoupdate.server).
    type: path
  file:
    description:
      - A file with the output of C(epp-server endpoints --json), or with the result of M(epp.autoupdate.fleet_info). A
        relative path starts at the directory of the configuration. Mutually exclusive with O(server).
    type: str
  timeout:
    description:
      - The time after which the command is ended, such as V(30s) or V(5m).
    type: str
    default: 1m
  domains:
    description:
      - Only the endpoints in these domains and below them.
    type: list
    elements: str
    default: []
  states:
    description:
      - Only the endpoints in these states. For large fleets, this makes the inventory small.
    type: list
    elements: str
    default: []
    choices:
      - failing
      - refusing
      - silent
      - behind
      - never_seen
      - switched_off
      - roaming
      - current
  add_hosts:
    description:
      - Add a host for each endpoint that the inventory has no host for. Its name is that of the endpoint, and
        C(ansible_host) and C(ansible_port) are where the server reaches it, if it does.
      - With V(false), these endpoints are left out.
    type: bool
    default: true
seealso:
  - module: epp.autoupdate.fleet_info
  - module: epp.autoupdate.update_now
author:
  - epp.autoupdate contributors (@epp-autoupdate)
"""

EXAMPLES = r"""
# fleet.autoupdate.yml, as in
# ansible-playbook -i inventory.yml -i fleet.autoupdate.yml fix.yml
plugin: epp.autoupdate.fleet
server: root@updates.example.com

---
# By an account that may run one command with sudo, and known hosts only
plugin: epp.autoupdate.fleet
server: reader@updates.example.com
become: true
add_hosts: false

---
# Groups by version and by reason, and how to reach hosts that only the server
# knows
plugin: epp.autoupdate.fleet
server: updates.example.com
strict: true
keyed_groups:
  - key: epp_versions.clamav.daily | default('none')
    prefix: daily
groups:
  disk_full: "'no space left' in epp_reason"
  autoupdate_endpoints: true
compose:
  ansible_user: "'admin'"
  autoupdate_domain: epp_domain

---
# From a file, for a pipeline that does not reach the server
plugin: epp.autoupdate.fleet
file: fleet.json
states:
  - failing
  - refusing
"""

import os
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from ansible.errors import AnsibleParserError
from ansible.inventory.helpers import get_group_vars
from ansible.plugins.inventory import BaseInventoryPlugin, Cacheable, Constructable
from ansible.utils.unsafe_proxy import wrap_var
from ansible.utils.vars import combine_vars
from ansible.vars.plugins import get_vars_from_inventory_sources
from ansible_collections.epp.autoupdate.plugins.module_utils._core.durations import parse_duration
from ansible_collections.epp.autoupdate.plugins.plugin_utils._fleet import groups, hosts, records, source
from ansible_collections.epp.autoupdate.plugins.plugin_utils._inventory import FailedTemplate

_PREFIX = "epp_"


class InventoryModule(BaseInventoryPlugin, Constructable, Cacheable):
    """Adds groups and variables to the hosts of an inventory, and hosts that it does not have."""

    NAME = "epp.autoupdate.fleet"

    def verify_file(self, path: str) -> bool:
        return bool(super().verify_file(path)) and path.endswith(("autoupdate.yml", "autoupdate.yaml"))

    def parse(self, inventory: Any, loader: Any, path: str, cache: bool = True) -> None:
        super().parse(inventory, loader, path, cache=cache)
        self._read_config_data(path)
        self.load_cache_plugin()
        try:
            fleet = self._fleet(path, cache=cache)
            self._fill(records.chosen(fleet, self.get_option("domains"), self.get_option("states")))
        except (source.NoFleet, records.NoList, hosts.SharedName, FailedTemplate) as error:
            raise AnsibleParserError(str(error)) from None  # else Ansible would say it twice
        if fleet.unfit:
            self.display.warning(f"{path}: {fleet.unfit} entries are no endpoints and were left out")

    def _fleet(self, path: str, *, cache: bool) -> records.Fleet:
        """The list of endpoints, out of the cache where that is wanted and has one."""
        key, cached = self.get_cache_key(path), bool(self.get_option("cache"))
        if cached and cache:
            try:
                return records.checked(self._cache[key])
            except (KeyError, records.NoList):
                pass
        fleet = self._asked(path)
        if cached:
            self._cache[key] = [dict(one) for one in fleet.endpoints]
        return fleet

    def _asked(self, path: str) -> records.Fleet:
        given, server = self.get_option("file"), self.get_option("server") or ""
        if given and server:
            raise source.NoFleet("server, file: they are mutually exclusive, so keep one of them")
        if given:
            where = os.path.join(os.path.dirname(os.path.abspath(path)), os.path.expanduser(given))
            text = source.read(where)
        else:
            command = self._command(server)
            where, text = command.place, source.asked(command)
        try:
            return records.parse(text)
        except records.NoList as error:
            raise records.NoList(f"{where}: this is no list of endpoints: {error}") from error

    def _command(self, server: str) -> source.Command:
        try:
            timeout = parse_duration(self.get_option("timeout"))
        except ValueError as error:
            raise source.NoFleet(f"timeout: {self.get_option('timeout')!r} is {error}") from None
        return source.Command(
            server=str(server),
            ssh_arguments=[str(one) for one in self.get_option("ssh_arguments")],
            become=self.get_option("become"),
            become_user=str(self.get_option("become_user")),
            root=str(self.get_option("installroot") or ""),
            timeout=timeout,
        )

    def _fill(self, endpoints: tuple[Mapping[str, Any], ...]) -> None:
        """Put endpoints into the inventory."""
        found = hosts.by_endpoint(self._known_hosts(), {one["name"] for one in endpoints})
        if not self.get_option("add_hosts"):
            endpoints = tuple(one for one in endpoints if one["name"] in found)
        domains = self._add_groups({one["domain"] for one in endpoints})
        for one in endpoints:
            host = found.get(one["name"], one["name"])
            if host in self.inventory.groups:  # what is meant for the host would go to all hosts of the group
                self.display.warning(f"{host}: left out, for a group has this name, too; give the host another one")
                continue
            if one["name"] not in found:
                self.inventory.add_host(host)
                self._set(host, hosts.connection(one["address"]))
            self._set(host, {_PREFIX + key: value for key, value in one.items()})
            for group in groups.of_endpoint(one, domains):
                self.inventory.add_child(group, host)
            self._construct(host)

    def _add_groups(self, paths: set[str]) -> groups.Domains:
        domains = groups.of_domains(paths)
        for name in (groups.FLEET, *groups.STATES.values(), *domains.names.values()):
            self.inventory.add_group(name)
        for path, name in domains.names.items():
            self.inventory.add_child(domains.parents[path], name)
        if domains.shared:
            told = ", ".join(domains.shared)
            self.display.warning(f"these domains would share a group, so the names of theirs have a suffix: {told}")
        return domains

    def _construct(self, host: str) -> None:
        """What the constructed features make of a host and its variables."""
        strict, known = self.get_option("strict"), self.inventory.get_host(host)
        self._set_composite_vars(self.get_option("compose"), known.get_vars(), host, strict=strict)
        variables = known.get_vars()
        self._add_host_to_composed_groups(self.get_option("groups"), variables, host, strict=strict)
        self._add_host_to_keyed_groups(self.get_option("keyed_groups"), variables, host, strict=strict)

    def _set(self, host: str, values: Mapping[str, Any]) -> None:
        """Set variables to data that is never a template."""
        for name, value in values.items():
            self.inventory.set_variable(host, name, wrap_var(value))

    def _known_hosts(self) -> Iterator[hosts.Host]:
        """The hosts of the sources before this one, with the variables of their groups and files."""
        sources = self.inventory.processed_sources
        for name, host in self.inventory.hosts.items():
            above = host.get_groups()
            variables = get_group_vars(above)
            for entities in (above, [host]):
                more = get_vars_from_inventory_sources(self.loader, sources, entities, "all")
                variables = combine_vars(variables, more)
            yield name, combine_vars(variables, host.get_vars()), self._template(variables, host)

    def _template(self, variables: Mapping[str, Any], host: Any) -> Callable[[Any], Any]:
        def template(value: Any) -> Any:
            self.templar.available_variables = combine_vars(variables, host.get_vars())
            return self.templar.template(value)

        return template
