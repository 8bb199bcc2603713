# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Action of the module ``client_tree``: collects the hosts of the play, then runs the module once."""

from __future__ import annotations

from typing import Any

from ansible_collections.epp.autoupdate.plugins.module_utils._core.canonical import canonical_json
from ansible_collections.epp.autoupdate.plugins.module_utils._core.faults import Faults, InvalidDocument, show
from ansible_collections.epp.autoupdate.plugins.module_utils._module import specs
from ansible_collections.epp.autoupdate.plugins.module_utils._module.client_tree import request, result_of
from ansible_collections.epp.autoupdate.plugins.module_utils._server import places
from ansible_collections.epp.autoupdate.plugins.plugin_utils._direct import DirectAction
from ansible_collections.epp.autoupdate.plugins.plugin_utils._members import Members
from ansible_collections.epp.autoupdate.plugins.plugin_utils._play import hosts_of_play

_PARTIAL = (
    "allowed with use_variables: a play may see a part of the inventory only, and all others would go (give endpoints)"
)


class ActionModule(DirectAction):
    """Runs once for all hosts of the batch, on the host that the task is delegated to."""

    BYPASS_HOST_LOOP = True
    TRANSFERS_FILES = False
    _supports_check_mode = True

    def run(self, tmp: str | None = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        super().run(tmp, task_vars)
        _validation, options = self.validate_argument_spec(argument_spec=specs.client_tree())
        given = {name: value for name, value in options.items() if value is not None}
        try:
            given = self._with_variables(given, task_vars or {})
        except InvalidDocument as invalid:
            return {"failed": True, "changed": False, "msg": str(invalid)}
        result = self._ask_server(given) if self.takes_the_short_way() else None
        if result is None:
            result = self.run_module("client_tree", given, task_vars)
        result.pop("invocation", None)  # the whole fleet once more, for each host that registers this result
        return self.readable(result)

    def _ask_server(self, given: dict[str, Any]) -> dict[str, Any] | None:
        """What the installed server answers; None where the module has to look what is wrong, or is the longer way."""
        root = str(given.get("root") or "").rstrip("/")
        command = [root + places.SERVER, *(["--root", root] if root else []), "register", "--enrolment"]
        answer = self.ask([*command, *(["--check"] if self._task.check_mode else [])], canonical_json(request(given)))
        return None if answer is None else result_of(answer, diff=self._task.diff)

    def _with_variables(self, given: dict[str, Any], task_vars: dict[str, Any]) -> dict[str, Any]:
        """The options for the module, in which variables stand in for what is not given."""
        if not given.pop("use_variables"):
            return _checked(given)
        _refuse(given)
        server = self._task.delegate_to or ""
        members = Members(host_keys_from=given.pop("host_keys_from", ""), server=server)
        for host, variables, template in hosts_of_play(self._task, self._loader, task_vars):
            members.add(host, variables, template)
        return {**members.options(), **given}


def _checked(given: dict[str, Any]) -> dict[str, Any]:
    faults = Faults()
    if "host_keys_from" in given:
        faults.add("host_keys_from", show(given["host_keys_from"]), "allowed without use_variables")
    if not {"policy", "domains", "endpoints", "absent"} & given.keys():
        faults.add("endpoints", "", "a list, unless policy, domains, absent or use_variables is given")
    faults.check()
    return given


def _refuse(given: dict[str, Any]) -> None:
    faults = Faults()
    if given["purge"]:
        faults.add("purge", "true", _PARTIAL)
    faults.check()
