# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Action ``preflight``: checks the variables of all hosts of the play at once, on the control node."""

from __future__ import annotations

import socket
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from typing import Any

from ansible.errors import AnsibleActionFail
from ansible.plugins.action import ActionBase
from ansible_collections.epp.autoupdate.plugins.module_utils._core.durations import parse_duration
from ansible_collections.epp.autoupdate.plugins.module_utils._core.validation.errors import ValidationError
from ansible_collections.epp.autoupdate.plugins.module_utils._module import specs
from ansible_collections.epp.autoupdate.plugins.plugin_utils._inventory import (
    PREFIX,
    SERVER_HOST,
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

_SHOWN_HOSTS = 5
_SERVER = PREFIX + SERVER_HOST
_LATER = {"__autoupdate_installs": f"{PREFIX}install", "__autoupdate_manages": _SERVER}
"""Groups that are there when some host has such a variable: a play that asks for one need not look at every host."""


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
        checks, warnings, managed = self._check_all(task_vars)
        found: dict[str, tuple[ValidationError, ...]] = {host: check.errors for host, check in checks.items()}
        result: dict[str, Any] = {"changed": False, "checked": len(checks), "warnings": warnings}
        result["servers"] = list(self._servers)
        result.update(self._tell_later_plays(task_vars))
        if options["plan"]:
            plans, unfit = _plans(checks, options)
            found.update({host: (*found[host], error) for host, error in unfit.items()})
            result.update(plans)
            warnings.extend(_by_chance(self._unnumbered))
        errors = [*_lines(found), *map(str, _registration_errors(managed))]
        return {**result, "failed": True, "errors": errors, "msg": "\n".join(errors)} if errors else result

    def _check_all(self, task_vars: Mapping[str, Any]) -> tuple[dict[str, HostCheck], list[str], list[HostOfPlay]]:
        """Check each host; the last of what it returns are those that are to be registered with an update server."""
        hosts = list(hosts_of_play(self._task, self._loader, task_vars))
        self._later = [group for group, name in _LATER.items() if any(raw.get(name) for _host, raw, _t in hosts)]
        inventory, servers = InventoryCheck(), _Servers(frozenset(task_vars["groups"]["all"]))
        self._servers: dict[str, None] = {}
        checks: dict[str, HostCheck] = {}
        loose: dict[str, None] = {}
        read: list[dict[str, Any]] = []
        ordinals: dict[Any, list[str]] = {}
        unnumbered: list[str] = []
        names: dict[str, Any] = {}
        managed: list[HostOfPlay] = []
        named = f"{PREFIX}hosts" in task_vars or self._task._role is not None
        for host, raw, template in hosts if named else _endpoints(hosts):
            checks[host], values = _check(inventory, host, raw, template)
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
        whole = len(task_vars["ansible_play_hosts_all"]) == len(task_vars["groups"]["all"])
        idle = idle_domains(read) if whole else ()
        managed = [one for one in managed if not checks[one[0]].errors]
        return checks, [*loose, *_shared(ordinals), *idle], managed

    def _tell_later_plays(self, task_vars: dict[str, Any]) -> dict[str, Any]:
        """Make a group for each kind of work that some host wants, whoever is in it; what group_by returns."""
        if not self._later:
            return {}
        task = self._task.copy()
        task.args = {"key": self._later[0], "parents": [*self._later[1:], "all"]}
        loaders = self._shared_loader_obj
        group_by = loaders.action_loader.get(
            "ansible.builtin.group_by",
            task=task,
            connection=self._connection,
            play_context=self._play_context,
            loader=self._loader,
            templar=self._templar,
            shared_loader_obj=loaders,
        )
        made = group_by.run(task_vars=task_vars)
        return {name: made[name] for name in ("add_group", "parent_groups") if name in made}


def _told_before(known: Mapping[str, Any]) -> dict[str, Any]:
    """The result for a host that was checked when another one came here."""
    result = {"changed": False, "checked": known["checked"], "servers": known["servers"]}
    if not known["refused"]:
        return result
    words = f"the variables of this run are refused; the result of {known['by']} tells what is wrong"
    return {**result, "failed": True, "errors": [], "msg": words}


class _Servers:
    """The hosts that are named as update servers; each is looked at once."""

    def __init__(self, hosts: frozenset[str]) -> None:
        self._hosts = hosts
        self._known: dict[str, ValidationError | None] = {}

    def error(self, server: Any) -> ValidationError | None:
        if str(server) not in self._known:
            self._known[str(server)] = unknown_server(server, self._hosts, _can_be_looked_up)
        return self._known[str(server)]


def _can_be_looked_up(name: str) -> bool:
    try:
        return bool(socket.getaddrinfo(name, None))
    except (OSError, UnicodeError):
        return False


def _endpoints(hosts: list[HostOfPlay]) -> Iterator[HostOfPlay]:
    """The hosts that are to be endpoints: an update server is one too only where somebody names it, by
    ``autoupdate_hosts`` or by the role."""
    servers = {template(raw[_SERVER]) for _host, raw, template in hosts if raw.get(_SERVER)}
    yield from (one for one in hosts if one[0] not in servers)


def _others(names: Mapping[str, Any], task_vars: Mapping[str, Any]) -> set[str]:
    """The hosts outside the play whose names hosts of it have: those that set no other name for themselves."""
    outside = {str(name) for host, name in names.items() if name != host} & set(task_vars["groups"]["all"])
    hostvars = task_vars["hostvars"]
    return {name for name in outside if name not in names and not hostvars.raw_get(name).get(VARIABLE)}


def _check(
    inventory: InventoryCheck, host: str, raw: Mapping[str, Any], template: Template
) -> tuple[HostCheck, dict[str, Any]]:
    try:
        values = inventory.read(raw, template)
    except FailedTemplate as failed:
        return HostCheck((failed.error,)), {}
    return inventory.host(host, values), values


def _strict(raw: Mapping[str, Any], template: Template) -> bool:
    """Whether what looks like a typo is refused on this host, and not only warned about."""
    return _true(template(raw.get(PREFIX + STRICT, True)))


def _true(value: Any) -> bool:
    return str(value).strip().lower() not in ("false", "no", "off", "0", "f", "n")


def _registration_errors(managed: list[HostOfPlay]) -> tuple[ValidationError, ...]:
    """What an update server would refuse about the endpoints that are to be registered with it."""
    if not managed:
        return ()
    # Here and in _plans: Ansible compiles the sources of a collection in each run, and few runs need these.
    from ansible_collections.epp.autoupdate.plugins.plugin_utils._members import Members

    members = Members()
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
    plans, unfit = fleet_plans(documents, budget)
    return {"plans": plans, "summary": sentences(plans)}, unfit


def _lines(found: Mapping[str, tuple[ValidationError, ...]]) -> list[str]:
    """One line for each error, with the hosts that have it."""
    hosts_with: dict[str, list[str]] = {}
    for host, errors in found.items():
        for error in errors:
            hosts_with.setdefault(str(error), []).append(host)
    return [f"{_names(hosts)}: {error}" for error, hosts in hosts_with.items()]


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


def _names(hosts: list[str]) -> str:
    more = len(hosts) - _SHOWN_HOSTS
    return ", ".join(hosts[:_SHOWN_HOSTS]) + (f" and {more} more" if more > 0 else "")
