# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Action ``preflight``: checks the variables of all hosts of the play at once, on the control node."""

from __future__ import annotations

import os
import socket
import sys
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from ansible.errors import AnsibleActionFail
from ansible.plugins.action import ActionBase
from ansible_collections.epp.autoupdate.plugins.module_utils._core.durations import parse_duration
from ansible_collections.epp.autoupdate.plugins.module_utils._core.untrusted_text import LONGEST_LINE, data, shown
from ansible_collections.epp.autoupdate.plugins.module_utils._core.validation.errors import ValidationError
from ansible_collections.epp.autoupdate.plugins.module_utils._module import specs
from ansible_collections.epp.autoupdate.plugins.module_utils._server.terminal.capabilities import terminal_of
from ansible_collections.epp.autoupdate.plugins.plugin_utils._findings import Finding, Findings
from ansible_collections.epp.autoupdate.plugins.plugin_utils._findings import names as _names
from ansible_collections.epp.autoupdate.plugins.plugin_utils._groups import (
    ENDPOINTS,
    NO_HOSTS,
    NOBODY,
    SERVER_HOST,
    SERVERS,
    of_group,
    servers_in,
)
from ansible_collections.epp.autoupdate.plugins.plugin_utils._inventory import (
    STRICT,
    FailedTemplate,
    HostCheck,
    InventoryCheck,
    idle_domains,
    undeclared_domain,
    unknown_server,
    unknown_variables,
)
from ansible_collections.epp.autoupdate.plugins.plugin_utils._names import NAME, VARIABLE, name_of, shared
from ansible_collections.epp.autoupdate.plugins.plugin_utils._once import record_of
from ansible_collections.epp.autoupdate.plugins.plugin_utils._play import HostOfPlay, Template, hosts_of_play
from ansible_collections.epp.autoupdate.plugins.plugin_utils._policy_layers import PREFIX

_TERMINAL = terminal_of(sys.stdout, os.environ)
"""Known to the process that loads the action; the one that runs it has no terminal from ansible-core 2.19 on."""
_OF_EVERY_HOST = ("all", "ungrouped")
HostsError = tuple[Sequence[str], ValidationError]
"""An error, and the hosts that have it; none for what is nobody's own."""


class ActionModule(ActionBase):
    """Checks all hosts of the batch for the first of them that comes here, and contacts none of them."""

    TRANSFERS_FILES = False
    _requires_connection = False

    def run(self, tmp: str | None = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        super().run(tmp, task_vars)
        _validation, options = self.validate_argument_spec(argument_spec=specs.preflight())
        variables = task_vars or {}
        host = str(variables["inventory_hostname"])
        with record_of(self._task) as record:
            known = record.content
            if host not in known.get("hosts", ()):
                result = self._result(options, variables)
                told = {"hosts": variables["ansible_play_batch"], "by": host, "refused": bool(result.get("failed"))}
                record.leave({**told, **{name: result[name] for name in ("checked", "servers")}})
                return result
        return _told_before(known)

    def _result(self, options: Mapping[str, Any], task_vars: dict[str, Any]) -> dict[str, Any]:
        part = _Part.of_groups(task_vars) if options["groups"] else _Part.of_play(task_vars)
        self._servers: dict[str, None] = {}
        if not part.endpoints and not part.servers:
            refused = {"failed": True, "errors": [NO_HOSTS], "msg": NO_HOSTS, "faults": [Finding(NOBODY).to_dict()]}
            return {"changed": False, "checked": 0, "servers": [], **refused}
        self._lint = bool(options["lint"])
        self._variables: dict[str, Mapping[str, Any]] = {}
        self._values: dict[str, Mapping[str, Any]] = {}
        checks, warnings, managed = self._check_all(part, task_vars)
        result: dict[str, Any] = {"changed": False, "checked": len(checks), "warnings": warnings}
        result["servers"] = list(self._servers)
        errors: list[HostsError] = [((host,), error) for host, check in checks.items() for error in check.errors]
        plans, unfit = _plans(checks, options) if options["plan"] or options["lint"] else ({}, {})
        if options["plan"]:
            result.update(plans)
            self._draw(plans["plans"])
            warnings.extend(_by_chance(self._unnumbered))
            errors += [] if options["lint"] else [((host,), error) for host, error in unfit.items()]
        errors += _registration_errors(managed, servers_in(task_vars["groups"]))
        faults = _findings(errors, self._variables)
        if options["lint"]:
            return self._linted(result, faults, self._doubts(checks, unfit), strict=options["strict"])
        if not errors:
            return result
        lines = _lines(errors)
        told = data([fault.to_dict() for fault in faults])
        return {**result, "failed": True, "errors": lines, "faults": told, "msg": "\n".join(lines)}

    def _draw(self, plans: Sequence[Mapping[str, Any]]) -> None:
        """Show the load to whoever sits at a terminal; the result is the same for everybody."""
        if _TERMINAL is not None:
            from ansible_collections.epp.autoupdate.plugins.plugin_utils._load_chart import load_charts

            for line in load_charts(plans, _TERMINAL):
                self._display.display(line)

    def _doubts(self, checks: Mapping[str, HostCheck], unfit: Mapping[str, ValidationError]) -> list[Finding]:
        from ansible_collections.epp.autoupdate.plugins.plugin_utils._lint import doubtful

        documents = {host: check.document for host, check in checks.items() if check.document and not check.errors}
        return doubtful(documents, self._values, unfit, self._variables)

    def _linted(
        self, result: dict[str, Any], faults: list[Finding], doubts: list[Finding], *, strict: bool
    ) -> dict[str, Any]:
        """The result with one line printed for each thing, all of it printable (R5)."""
        doubts += [Finding(text) for text in result.pop("warnings")]
        for word, found in (("fault", faults), ("warning", doubts)):
            for one in found:
                self._display.display(shown(f"{word}: {one.sentence}", LONGEST_LINE))
        told = {"faults": [one.to_dict() for one in faults], "doubts": [one.to_dict() for one in doubts]}
        result.update(data(told))
        refused = [*faults, *(doubts if strict else ())]
        if not refused:
            return result
        lines = [one.sentence for one in refused]
        return {**result, "failed": True, "errors": lines, "msg": f"faults: {len(faults)}, warnings: {len(doubts)}"}

    def _check_all(
        self, part: _Part, task_vars: Mapping[str, Any]
    ) -> tuple[dict[str, HostCheck], list[str], list[HostOfPlay]]:
        """Check each host; the last of what it returns are those that are to be registered with an update server."""
        inventory, servers = InventoryCheck(), _Servers(task_vars["groups"], part.group)
        loose: dict[str, None] = {}
        checks = self._check_servers(part, task_vars, loose)
        read: list[dict[str, Any]] = []
        ordinals: dict[Any, list[str]] = {}
        unnumbered: list[str] = []
        names: dict[str, Any] = {}
        managed: list[HostOfPlay] = []
        both = frozenset(servers_in(task_vars["groups"])) if self._lint else frozenset()
        for host, raw, template in hosts_of_play(self._task, self._loader, task_vars, only=part.endpoints):
            self._keep(host, raw)
            checks[host], values = _check(inventory, host, raw, template, servers_in(task_vars["groups"]))
            self._values[host] = values
            if host in both:
                checks[host] = replace(checks[host], errors=(*checks[host].errors, *_server_errors(raw, template)))
            strange = servers.error(values.get(SERVER_HOST))
            typos = [*unknown_variables(iter(raw)), *filter(None, [strange, undeclared_domain(values)])]
            if typos and _strict(raw, template):
                checks[host] = replace(checks[host], errors=(*checks[host].errors, *typos))
            else:
                loose.update(dict.fromkeys(map(str, typos)))
            read.append(values)
            names[host] = name_of(host, values.get(NAME))
            if values.get(SERVER_HOST):
                self._servers[str(values[SERVER_HOST])] = None
            document = checks[host].document
            if document is not None and document.ordinal is not None:
                ordinals.setdefault((document.ordinal, document.policy.schedule), []).append(host)
            elif document is not None and document.server is None:
                unnumbered.append(host)
            if values.get(SERVER_HOST) and not checks[host].errors:
                managed.append((host, raw, template))
        self._unnumbered = unnumbered
        for error, sharing in shared(names, _others(names, task_vars)):
            checks.update({host: replace(checks[host], errors=(*checks[host].errors, error)) for host in sharing})
        idle = idle_domains(read) if part.whole else ()
        managed = [one for one in managed if not checks[one[0]].errors]
        return checks, [*loose, *_shared(ordinals), *idle, *_left_out(part.others, task_vars)], managed

    def _check_servers(self, part: _Part, task_vars: Mapping[str, Any], loose: dict[str, None]) -> dict[str, HostCheck]:
        """Check the hosts that are no endpoints; what looks like a typo and is no error is added to ``loose``."""
        checks: dict[str, HostCheck] = {}
        for host, raw, template in hosts_of_play(self._task, self._loader, task_vars, only=part.servers):
            self._keep(host, raw)
            checks[host] = HostCheck(_server_errors(raw, template) if self._lint else ())
            typos = list(unknown_variables(iter(raw)))
            if typos and _strict(raw, template):
                checks[host] = HostCheck((*checks[host].errors, *typos))
            else:
                loose.update(dict.fromkeys(map(str, typos)))
        return checks

    def _keep(self, host: str, raw: Mapping[str, Any]) -> None:
        """Keep the host's variables of ours as the inventory gives them, which know where they stand."""
        self._variables[host] = {name: one for name, one in raw.items() if name.startswith(PREFIX)}


def _told_before(known: Mapping[str, Any]) -> dict[str, Any]:
    """The result for a host that was checked when another one came here."""
    result = {"changed": False, "checked": known["checked"], "servers": known["servers"]}
    if not known["refused"]:
        return result
    words = f"the variables of this run are refused; the result of {known['by']} tells what is wrong"
    return {**result, "failed": True, "errors": [], "faults": [], "msg": words}


@dataclass(frozen=True)
class _Part:
    """The hosts to look at, and whether these endpoints are all that the inventory has.

    ``servers`` are no endpoints. ``group`` is where update servers are found, empty for the whole inventory. ``others``
    are hosts of the play that are not looked at.
    """

    endpoints: tuple[str, ...]
    whole: bool
    servers: tuple[str, ...] = ()
    others: tuple[str, ...] = ()
    group: str = ""

    @classmethod
    def of_play(cls, task_vars: Mapping[str, Any]) -> _Part:
        whole = len(task_vars["ansible_play_hosts_all"]) == len(task_vars["groups"]["all"])
        return cls(tuple(task_vars["ansible_play_batch"]), whole)

    @classmethod
    def of_groups(cls, task_vars: Mapping[str, Any]) -> _Part:
        batch, groups = task_vars["ansible_play_batch"], task_vars["groups"]
        endpoints = dict.fromkeys(of_group(batch, groups, ENDPOINTS))
        servers = dict.fromkeys(host for host in of_group(batch, groups, SERVERS) if host not in endpoints)
        others = tuple(host for host in batch if host not in endpoints and host not in servers)
        whole = len(endpoints) == len(groups.get(ENDPOINTS, ()))
        return cls(tuple(endpoints), whole, tuple(servers), others, SERVERS)


class _Servers:
    """The hosts that are named as update servers; each is looked at once."""

    def __init__(self, groups: Mapping[str, Any], group: str) -> None:
        self._inventory = frozenset(groups["all"])
        self._hosts = frozenset(groups.get(group, ())) if group else self._inventory
        self._group = group
        self._known: dict[str, ValidationError | None] = {}

    def error(self, server: Any) -> ValidationError | None:
        if str(server) not in self._known:
            self._known[str(server)] = unknown_server(server, self._hosts, self._is_elsewhere, group=self._group)
        return self._known[str(server)]

    def _is_elsewhere(self, name: str) -> bool:
        return name not in self._inventory and _can_be_looked_up(name)


def _can_be_looked_up(name: str) -> bool:
    try:
        return bool(socket.getaddrinfo(name, None))
    except (OSError, UnicodeError):
        return False


def _others(names: Mapping[str, Any], task_vars: Mapping[str, Any]) -> set[str]:
    """The hosts outside the play whose names hosts of it have: those that set no other name for themselves."""
    outside = {str(name) for host, name in names.items() if name != host} & set(task_vars["groups"]["all"])
    hostvars = task_vars["hostvars"]
    return {name for name in outside if name not in names and not hostvars.raw_get(name).get(VARIABLE)}


def _check(
    inventory: InventoryCheck, host: str, raw: Mapping[str, Any], template: Template, servers: Sequence[str]
) -> tuple[HostCheck, dict[str, Any]]:
    try:
        values, ambiguous = inventory.with_server(inventory.read(raw, template), servers)
    except FailedTemplate as failed:
        return HostCheck((failed.error,)), {}
    check = inventory.host(host, values)
    return (replace(check, errors=(*ambiguous, *check.errors)) if ambiguous else check), values


def _left_out(hosts: Iterable[str], task_vars: Mapping[str, Any]) -> Iterator[str]:
    """A sentence for hosts that are in neither group and have variables of endpoints all the same.

    Only what the inventory itself says of a host and its groups is looked at: that costs next to nothing.
    """
    known = task_vars["hostvars"]._inventory
    of_groups: dict[str, set[str]] = {}
    left_out: dict[str, list[str]] = {}
    for name in hosts:
        host = known.get_host(name)
        found = _ours(host.vars)
        for group in host.get_groups():
            if group.name not in _OF_EVERY_HOST:
                found |= of_groups.setdefault(group.name, _ours(group.vars))
        if found:
            left_out.setdefault(", ".join(sorted(found)), []).append(name)
    for variables, names in left_out.items():
        yield f"{_names(names)}: set {variables}, but are in neither of the groups {ENDPOINTS} and {SERVERS}"


def _ours(variables: Mapping[str, Any]) -> set[str]:
    return {name for name in variables if name.startswith(PREFIX)}


def _strict(raw: Mapping[str, Any], template: Template) -> bool:
    """Whether what looks like a typo is refused on this host, and not only warned about."""
    return _true(template(raw.get(PREFIX + STRICT, True)))


def _true(value: Any) -> bool:
    return str(value).strip().lower() not in ("false", "no", "off", "0", "f", "n")


def _server_errors(raw: Mapping[str, Any], template: Template) -> tuple[ValidationError, ...]:
    from ansible_collections.epp.autoupdate.plugins.plugin_utils._lint import server_errors

    return server_errors(raw, template)


def _registration_errors(managed: list[HostOfPlay], servers: Sequence[str]) -> tuple[HostsError, ...]:
    """What an update server would refuse about the endpoints that are to be registered with it."""
    if not managed:
        return ()
    # Here and in _plans: Ansible compiles the sources of a collection in each run, and few runs need these.
    from ansible_collections.epp.autoupdate.plugins.plugin_utils._members import Members

    members = Members(servers=servers)
    for host, raw, template in managed:
        members.add(host, raw, template)
    return members.errors()


def _plans(
    checks: Mapping[str, HostCheck], options: Mapping[str, Any]
) -> tuple[dict[str, Any], dict[str, ValidationError]]:
    """The results about the load, and the error of each host whose schedule can't be kept."""
    from ansible_collections.epp.autoupdate.plugins.plugin_utils._plans import Budget, fleet_plans, sentences

    try:
        run = parse_duration(options["run_time"])
    except ValueError as error:
        raise AnsibleActionFail(f'run_time: "{options["run_time"]}" is {error}') from error
    budget = Budget(size=options["component_size"], link=options["link"] // 8, run=run)
    documents = {host: check.document for host, check in checks.items() if check.document is not None}
    plans, unfit = fleet_plans(documents, budget, now=time.time())
    return {"plans": plans, "summary": sentences(plans)}, unfit


def _findings(errors: Iterable[HostsError], variables: Mapping[str, Mapping[str, Any]]) -> list[Finding]:
    """The errors with the files and lines in which they stand."""
    found = Findings(variables)
    for hosts, error in errors:
        found.add(hosts, error.path, str(error))
    return list(found)


def _lines(errors: Iterable[HostsError]) -> list[str]:
    """One line for each error, with the hosts that have it."""
    hosts_with: dict[str, dict[str, None]] = {}
    for hosts, error in errors:
        hosts_with.setdefault(str(error), {}).update(dict.fromkeys(hosts))
    return [f"{_names(list(hosts))}: {error}" if hosts else error for error, hosts in hosts_with.items()]


def _shared(ordinals: Mapping[Any, list[str]]) -> Iterable[str]:
    for (ordinal, _schedule), hosts in ordinals.items():
        if len(hosts) > 1:
            yield f"{_names(hosts)} share the ordinal {ordinal} and a schedule, so they update at the same instant"


def _by_chance(hosts: list[str]) -> Iterable[str]:
    if len(hosts) > 1:
        yield (
            f"{_names(hosts)} have neither autoupdate_ordinal nor an update server, so their names place them in the "
            "window, as by chance and not evenly"
        )
