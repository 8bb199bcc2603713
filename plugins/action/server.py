# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Action of the module ``server``: straight to the server's program where the right one is installed, else the module.

Both ways run the same library with the same settings, so they give the same result.
"""

from __future__ import annotations

from typing import Any

from ansible_collections.epp.autoupdate.plugins.module_utils._core.canonical import canonical_json
from ansible_collections.epp.autoupdate.plugins.module_utils._core.validation.errors import InvalidDocument
from ansible_collections.epp.autoupdate.plugins.module_utils._module import server_specs
from ansible_collections.epp.autoupdate.plugins.module_utils._module.documents import plain
from ansible_collections.epp.autoupdate.plugins.module_utils._module.server_documents import WantedServer
from ansible_collections.epp.autoupdate.plugins.module_utils._server import paths, payload
from ansible_collections.epp.autoupdate.plugins.plugin_utils._direct import DirectAction
from ansible_collections.epp.autoupdate.plugins.plugin_utils._server_inventory import named, server_options

_DIGEST = payload.digest(payload.sources())
_STAYS = (
    "autoupdate_state: absent removes endpoints. The update server stays; autoupdate_server_state: absent removes it, "
    "with its keys, the client tree and all that it has published."
)


class ActionModule(DirectAction):
    """Checks the settings on the control node, then converges the server in one command where that is possible."""

    TRANSFERS_FILES = False
    _supports_async = True

    def run(self, tmp: str | None = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        super().run(tmp, task_vars)
        given, variables = plain(server_specs.server(), self._task.args), task_vars or {}
        from_variables = bool(given.pop("use_variables", False))
        try:
            options = {**server_options(variables, self._templar.template), **given} if from_variables else given
            wanted = WantedServer.from_options(options)
            if from_variables:
                self.become_where_needed(variables, self._templar.template, wanted.root)
        except InvalidDocument as invalid:
            errors = tuple(map(named, invalid.errors)) if from_variables else invalid.errors
            return {"failed": True, "changed": False, "msg": str(InvalidDocument(errors))}
        result = self._ask_server(wanted, options) if self.takes_the_short_way() else None
        if result is None:
            result = self.run_module("server", options, task_vars)
        if from_variables and wanted.settings is not None and variables.get("autoupdate_state") == "absent":
            result.setdefault("warnings", []).append(_STAYS)
        return self.readable(result)

    def _ask_server(self, wanted: WantedServer, options: dict[str, Any]) -> dict[str, Any] | None:
        document = {} if wanted.settings is None else wanted.settings.to_dict()
        command = [wanted.root + paths.SERVER]
        command += ["--root", wanted.root] if wanted.root else []
        command += ["apply", "--digest", _DIGEST]
        command += ["--check"] if self._task.check_mode else []
        command += ["--diff"] if self._task.diff else []
        command += ["--absent"] if wanted.settings is None else []
        command += [] if options.get("require", True) else ["--incomplete"]
        return self.ask(command, canonical_json(document)).result
