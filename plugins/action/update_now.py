# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Action of the module ``update_now``: adds what the variables of the host say about the way to it, then runs it."""

from __future__ import annotations

from typing import Any

from ansible.module_utils.parsing.convert_bool import boolean
from ansible_collections.epp.autoupdate.plugins.module_utils._module import specs
from ansible_collections.epp.autoupdate.plugins.plugin_utils._direct import DirectAction
from ansible_collections.epp.autoupdate.plugins.plugin_utils._inventory import read_variables
from ansible_collections.epp.autoupdate.plugins.plugin_utils._play import variables_of_target


class ActionModule(DirectAction):
    """Runs the module on the endpoint, or on the update server that the task is delegated to."""

    TRANSFERS_FILES = False
    _supports_async = True

    def run(self, tmp: str | None = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        super().run(tmp, task_vars)
        given, variables = dict(self._task.args), task_vars or {}
        if boolean(given.pop("use_variables", False), strict=False):
            given = self._on_target(given, variables)
        return self.run_module("update_now", given, variables)

    def _on_target(self, given: dict[str, Any], task_vars: dict[str, Any]) -> dict[str, Any]:
        """The options with what the variables of the target say, which is an update server if endpoints are chosen."""
        name = "server_installroot" if given.keys() & specs.selection().keys() else "installroot"
        variables, template = variables_of_target(self._task, self._loader, task_vars)
        root = read_variables(variables, template, names=(name,)).get(name)
        options = {**({"installroot": root} if root else {}), **given}
        self.become_where_needed(variables, template, options.get("installroot"))
        return options
