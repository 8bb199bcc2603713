# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Action of the module ``endpoint``: straight to the agent where the right one is installed, else through the module.

Both ways run the same library with the same document, so they give the same result. What is imported here is loaded
once, in the process that forks the workers, and the digest of the agent is computed there too. What is loaded by then
is used to the end, so no worker's garbage collector needs to look at it: looking would copy pages that workers share.
"""

from __future__ import annotations

import gc
import json
import shlex
import zoneinfo as _zoneinfo  # noqa: F401 - loaded here once, and not in each worker when it checks a time zone
from typing import Any

from ansible.plugins.action import ActionBase
from ansible_collections.epp.autoupdate.plugins.module_utils._core.canonical import canonical_json
from ansible_collections.epp.autoupdate.plugins.module_utils._core.faults import InvalidDocument
from ansible_collections.epp.autoupdate.plugins.module_utils._core.managed import brought
from ansible_collections.epp.autoupdate.plugins.module_utils._endpoint import payload, places
from ansible_collections.epp.autoupdate.plugins.module_utils._module import specs
from ansible_collections.epp.autoupdate.plugins.module_utils._module.documents import Wanted, plain
from ansible_collections.epp.autoupdate.plugins.plugin_utils._inventory import (
    REGISTERED,
    SERVER_HOST,
    endpoint_options,
    read_variables,
)

_DIGEST = payload.digest(payload.sources())
gc.freeze()


class ActionModule(ActionBase):
    """Checks the options on the control node, then converges the endpoint in one command where that is possible."""

    TRANSFERS_FILES = False
    _supports_async = True

    def run(self, tmp: str | None = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        super().run(tmp, task_vars)
        try:
            options = self._options(task_vars or {})
            if options is None:
                return self._without_server()
            wanted = Wanted.from_options(options)
        except InvalidDocument as invalid:
            return {"failed": True, "changed": False, "msg": str(invalid)}
        result = self._ask_agent(wanted) if self._takes_the_fast_way() else None
        return result if result is not None else self._run_module(options, task_vars)

    def _options(self, task_vars: dict[str, Any]) -> dict[str, Any] | None:
        """The options that are given; with ``use_variables`` the host's variables stand in for those that are not.

        None for a host that is to have an update server of which nothing is known.
        """
        given = plain(specs.endpoint(), self._task.args)
        if not given.pop("use_variables", False):
            return given
        values = read_variables(task_vars, self._templar.template)
        server = given.get("server", (task_vars.get(REGISTERED) or {}).get("enrolment"))
        if server is not None:  # decides which of the variables are the server's affair
            values["server"] = server
        if values.get(SERVER_HOST) and not values.get("server") and values.get("state") != "absent":
            return None
        return {**endpoint_options(task_vars["inventory_hostname"], values), **given}

    def _without_server(self) -> dict[str, Any]:
        """Never a standalone endpoint instead. In check mode the server that is to tell may not be there yet."""
        if self._task.check_mode:
            return {"changed": True, "changes": [], "corrections": [], "next_run": None, "host_key": None}
        why = (
            "is set, but the server has not registered this endpoint: run epp.autoupdate.site, or set autoupdate_server"
        )
        return {"failed": True, "changed": False, "msg": f"autoupdate_server_host {why}"}

    def _takes_the_fast_way(self) -> bool:
        """Whether the connection passes standard input on, to a POSIX shell and in this very task."""
        connection = self._connection
        become = connection.become
        return bool(
            connection.has_pipelining
            and (become is None or getattr(become, "pipelining", become.name != "su"))
            and not getattr(connection._shell, "_IS_WINDOWS", False)
            and not self._task.async_val
        )

    def _ask_agent(self, wanted: Wanted) -> dict[str, Any] | None:
        """The agent's result; None when there is no agent, or not the right one, or it can't do its work."""
        document = {} if wanted.document is None else brought(wanted.document)
        answer = self._low_level_execute_command(self._command(wanted), in_data=canonical_json(document))
        result = _result_in(answer["stdout"])
        if result is None:
            self._display.vvv(f"No answer from the agent (exit code {answer['rc']}): {answer['stderr']}")
        return result

    def _command(self, wanted: Wanted) -> str:
        command = [wanted.root + places.AGENT]
        command += ["--root", wanted.root] if wanted.root else []
        command += ["apply", "--digest", _DIGEST]
        command += ["--check"] if self._task.check_mode else []
        command += ["--diff"] if self._task.diff else []
        command += ["--absent"] if wanted.document is None else []
        return f"{self._compute_environment_string()} {shlex.join(command)}".strip()

    def _run_module(self, options: dict[str, Any], task_vars: dict[str, Any] | None) -> dict[str, Any]:
        in_background = bool(self._task.async_val and not self._connection.has_native_async)
        result: dict[str, Any] = self._execute_module(
            module_name="epp.autoupdate.endpoint", module_args=options, task_vars=task_vars, wrap_async=in_background
        )
        return result


def _result_in(output: str) -> dict[str, Any] | None:
    """The result in what the agent printed, which is the last line; None when it is no result for this digest."""
    line = output.strip().rpartition("\n")[2]
    try:
        result = json.loads(line)
    except ValueError:
        return None
    return result if isinstance(result, dict) and "changed" in result else None
