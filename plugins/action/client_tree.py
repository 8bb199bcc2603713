# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Action of the module ``client_tree``: collects the hosts of the play, then asks the server or runs the module."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from ansible.errors import AnsibleConnectionFailure
from ansible_collections.epp.autoupdate.plugins.module_utils._core.canonical import canonical_json, digest
from ansible_collections.epp.autoupdate.plugins.module_utils._core.validation.errors import (
    InvalidDocument,
    ValidationErrors,
    show,
)
from ansible_collections.epp.autoupdate.plugins.module_utils._module import specs
from ansible_collections.epp.autoupdate.plugins.module_utils._server import paths
from ansible_collections.epp.autoupdate.plugins.plugin_utils._direct import DirectAction
from ansible_collections.epp.autoupdate.plugins.plugin_utils._groups import servers_in
from ansible_collections.epp.autoupdate.plugins.plugin_utils._inventory import read_variables
from ansible_collections.epp.autoupdate.plugins.plugin_utils._once import Record, record_of
from ansible_collections.epp.autoupdate.plugins.plugin_utils._play import hosts_of_play, variables_of_target

if TYPE_CHECKING:
    from ansible_collections.epp.autoupdate.plugins.plugin_utils._members import Members

_PARTIAL = (
    "allowed with use_variables: a play may see a part of the inventory only, and all others would go (give endpoints)"
)


class ActionModule(DirectAction):
    """Registers all hosts of the batch for the first of them that comes here, where the task is delegated to."""

    TRANSFERS_FILES = False
    _supports_check_mode = True

    def run(self, tmp: str | None = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        super().run(tmp, task_vars)
        _validation, options = self.validate_argument_spec(argument_spec=specs.client_tree())
        given = {name: value for name, value in options.items() if value is not None}
        try:
            if given.pop("use_variables"):
                return self._of_play(given, task_vars or {})
            return self._registered(_checked(given), task_vars)
        except InvalidDocument as invalid:
            return {"failed": True, "changed": False, "msg": str(invalid)}

    def _of_play(self, given: dict[str, Any], task_vars: dict[str, Any]) -> dict[str, Any]:
        """The result for this host: of its own registration, or of one before in this run that had it already."""
        # Here: Ansible compiles the sources of a collection in each run, and those without an update server go without.
        from ansible_collections.epp.autoupdate.plugins.plugin_utils._members import Members

        _refuse(given)
        keys_from, server = given.pop("host_keys_from", ""), given.pop("server_host", "")
        host, servers = str(task_vars["inventory_hostname"]), servers_in(task_vars["groups"])

        def collected(only: list[str] | None) -> Members:
            target = self._task.delegate_to or ""
            members = Members(host_keys_from=keys_from, server=target, chosen=server, servers=servers)
            for one in hosts_of_play(self._task, self._loader, task_vars, only=only):
                members.add(*one)
            return members

        with record_of(self._task, f"{server} {self._task.check_mode}") as record:
            before = RegisteredHosts(record)
            own = collected([host]).wanted() if before.anything else {}
            result = before.result_for(host, own)
            if result is not None:
                return result
            members = collected([host] if before.anything else None)
            try:
                result = self._registered(self._on_target({**members.options(), **given}, task_vars), task_vars)
            except AnsibleConnectionFailure as failure:
                before.note(members.wanted(), {"unreachable": True, "changed": False, "msg": str(failure)})
                raise
            before.note(members.wanted(), result)
            return result

    def _on_target(self, given: dict[str, Any], task_vars: dict[str, Any]) -> dict[str, Any]:
        """The options with what the variables of the update server say, which the task is delegated to."""
        variables, template = variables_of_target(self._task, self._loader, task_vars)
        root = read_variables(variables, template, names=("server_installroot",)).get("server_installroot")
        options = {**({"installroot": root} if root else {}), **given}
        self.become_where_needed(variables, template, options.get("installroot"))
        return options

    def _registered(self, given: dict[str, Any], task_vars: dict[str, Any] | None) -> dict[str, Any]:
        result = self._ask_server(given) if self.takes_the_short_way() else None
        if result is None:
            result = self.run_module("client_tree", given, task_vars)
        result.pop("invocation", None)  # the whole fleet once more, for each host that registers this result
        return self.readable(result)

    def _ask_server(self, given: dict[str, Any]) -> dict[str, Any] | None:
        """What the installed server answers; None where the module has to look what is wrong, or is the longer way."""
        from ansible_collections.epp.autoupdate.plugins.module_utils._module.registration import request, result_of

        root = str(given.get("installroot") or "").rstrip("/")
        command = [root + paths.SERVER, *(["--root", root] if root else []), "register", "--enrollment"]
        answer = self.ask(
            [*command, *(["--check"] if self._task.check_mode else [])], canonical_json(request(given))
        ).result
        return None if answer is None else result_of(answer, diff=self._task.diff)


class RegisteredHosts:
    """The hosts that this run has registered so far, with what the server answered."""

    def __init__(self, record: Record) -> None:
        self._record = record

    @property
    def anything(self) -> bool:
        return bool(self._record.content)

    def result_for(self, host: str, own: Mapping[str, Any]) -> dict[str, Any] | None:
        """The result for a host of whom the server has been told all; None where it has to be asked."""
        if not self.anything:
            return None
        told = self._record.content["told"].get(host)
        if host in own and (told is None or told["wanted"] != digest(own[host])):
            return None
        # With run_once, Ansible registers the result of each host for all: one of no endpoint of this server is theirs.
        result = self._record.content["results"][told["result"] if host in own else -1]
        if result["by"] == os.getpid() and not _good(result["result"]):
            return None  # one's own failure is no reason not to try again
        return {**result["result"], "changed": False}

    def note(self, wanted: Mapping[str, Any], result: Mapping[str, Any]) -> None:
        """Leave what was told of each host, and what came of it, for the others."""
        told = dict(self._record.content.get("told", {}))
        results = list(self._record.content.get("results", []))
        told.update({host: {"wanted": digest(one), "result": len(results)} for host, one in wanted.items()})
        kept = {name: one for name, one in result.items() if name not in ("diff", "warnings", "exception")}
        self._record.leave({"told": told, "results": [*results, {"by": os.getpid(), "result": kept}]})


def _good(result: Mapping[str, Any]) -> bool:
    return not result.get("failed") and not result.get("unreachable")


def _checked(given: dict[str, Any]) -> dict[str, Any]:
    errors = ValidationErrors()
    for name in ("host_keys_from", "server_host"):
        if name in given:
            errors.add(name, show(given[name]), "allowed without use_variables")
    if not {"policy", "domains", "endpoints", "absent"} & given.keys():
        errors.add("endpoints", "", "a list, unless policy, domains, absent or use_variables is given")
    errors.check()
    return given


def _refuse(given: dict[str, Any]) -> None:
    errors = ValidationErrors()
    if given["purge"]:
        errors.add("purge", "true", _PARTIAL)
    errors.check()
