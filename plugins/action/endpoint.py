# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Action of the module ``endpoint``: straight to the agent where the right one is installed, else through the module.

Both ways run the same library with the same document, so they give the same result. What is imported here is loaded
once, in the process that forks the workers, and the digest of the agent is computed there too.
"""

from __future__ import annotations

import zoneinfo as _zoneinfo  # noqa: F401 - loaded here once, and not in each worker when it checks a time zone
from collections.abc import Mapping
from typing import Any

from ansible.module_utils.parsing.convert_bool import boolean
from ansible_collections.epp.autoupdate.plugins.module_utils._core.canonical import canonical_json
from ansible_collections.epp.autoupdate.plugins.module_utils._core.metadata.sync_result import SyncResult
from ansible_collections.epp.autoupdate.plugins.module_utils._core.products import products_of
from ansible_collections.epp.autoupdate.plugins.module_utils._core.settings.managed import brought
from ansible_collections.epp.autoupdate.plugins.module_utils._core.validation.errors import InvalidDocument
from ansible_collections.epp.autoupdate.plugins.module_utils._endpoint import paths, payload
from ansible_collections.epp.autoupdate.plugins.module_utils._host.paths import SYSTEM_PYTHON
from ansible_collections.epp.autoupdate.plugins.module_utils._host.program.sources import START, packed
from ansible_collections.epp.autoupdate.plugins.module_utils._module import specs
from ansible_collections.epp.autoupdate.plugins.module_utils._module.documents import Wanted, is_false, plain
from ansible_collections.epp.autoupdate.plugins.plugin_utils._definitions import with_definition
from ansible_collections.epp.autoupdate.plugins.plugin_utils._direct import DirectAction
from ansible_collections.epp.autoupdate.plugins.plugin_utils._groups import SERVER_HOST, server_of, servers_in
from ansible_collections.epp.autoupdate.plugins.plugin_utils._inventory import (
    OF_CONVERGE,
    READ,
    REGISTERED,
    endpoint_options,
    read_variables,
)

_SOURCES = payload.sources()
_DIGEST = payload.digest(_SOURCES)


class ActionModule(DirectAction):
    """Checks the options on the control node, then converges the endpoint in one command where that is possible."""

    TRANSFERS_FILES = False
    _supports_async = True

    def run(self, tmp: str | None = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        super().run(tmp, task_vars)
        variables = task_vars or {}
        self._values: dict[str, Any] = {}
        try:
            options = self._options(variables)
            if options is None:
                return self._without_server(_answer(variables.get(REGISTERED), self._values[SERVER_HOST]))
            wanted = Wanted.from_options(options)
        except InvalidDocument as invalid:
            return {"failed": True, "changed": False, "msg": str(invalid)}
        if self._values:
            self.become_where_needed(variables, self._templar.template, wanted.root)
        packages = self._packages(wanted, variables)
        if packages.get("failed"):
            return self.readable(packages)
        result = self._ask_agent(wanted) if self.takes_the_short_way() else None
        if result is None:
            result = self.run_module("endpoint", options, task_vars)
        refusal = result.get("refusal")
        if refusal:
            why = f"{refusal.get('result')}: {refusal.get('reason')}"
            name = variables.get("inventory_hostname")
            words = f"{name} does not take what its update server publishes; what it took last is in force ({why})"
            if refusal.get("result") == SyncResult.UNREACHABLE.value:
                words = f"{name} has not reached its update server for a day; what it took last is in force ({why})"
            result.setdefault("warnings", []).append(words)
        result = _with_others(result, takes_over=boolean(options.get("takeover", False), strict=False))
        return self.readable(_beside(packages, self._notified(self._protected(result, options))))

    def _protected(self, result: dict[str, Any], options: dict[str, Any]) -> dict[str, Any]:
        """The result, which fails where the product can't be updated: green means protected."""
        words = _unprotected(result, ", ".join(products_of(options)) or "the product")
        if not words or result.get("failed") or is_false(options.get("require")):
            return result
        if self._task.check_mode:
            return {**result, "warnings": [*result.get("warnings", ()), words]}
        return {**result, "failed": True, "msg": words}

    def _notified(self, result: dict[str, Any]) -> dict[str, Any]:
        """The result, which fails where the update server could not notify: green means that the way in was proved."""
        words = "\n".join(result.get("obstacles") or ())
        if not words:
            return result
        if self._task.check_mode:
            return {**result, "warnings": [*result.get("warnings", ()), words]}
        return {**result, "failed": True, "msg": "\n".join(filter(None, (result.get("msg"), words)))}

    def _options(self, task_vars: dict[str, Any]) -> dict[str, Any] | None:
        """The options that are given; with ``use_variables`` the host's variables stand in for those that are not.

        None for a host that is to have an update server of which nothing is known.
        """
        given = plain(specs.endpoint(), self._task.args)
        if not given.pop("use_variables", False):
            return with_definition(given)
        values = self._values = read_variables(task_vars, self._templar.template, names=(*READ, *OF_CONVERGE))
        values[SERVER_HOST] = server_of(values, servers_in(task_vars["groups"]))
        enrollment = _answer(task_vars.get(REGISTERED), values[SERVER_HOST]).get("enrollment") or None
        server = given.get("server", enrollment)
        if server is not None:  # decides which of the variables are the server's affair
            values["server"] = server
        if values[SERVER_HOST] and not values.get("server") and values.get("state") != "absent":
            return None
        return with_definition({**endpoint_options(task_vars["inventory_hostname"], values), **given})

    def _packages(self, wanted: Wanted, task_vars: dict[str, Any]) -> dict[str, Any]:
        """The result of installing the product's packages where the variables ask for that; empty where they do not."""
        asked = boolean(self._values.get("install", False), strict=False)
        if not asked or wanted.document is None or wanted.root:
            return {}
        # Here: Ansible compiles the sources of a collection in each run, and few hosts need this.
        from ansible_collections.epp.autoupdate.plugins.plugin_utils._packages import install

        return install(self, self._values, task_vars)

    def _without_server(self, registered: Mapping[str, Any]) -> dict[str, Any]:
        """Never a standalone endpoint instead. In check mode the server that is to tell may not be there yet."""
        if registered.get("unreachable"):
            why = "the update server was not reached, and it alone says what this endpoint is to have of it"
            return {"failed": True, "changed": False, "msg": f"not compared: {why}", "server_unreachable": True}
        if self._task.check_mode:
            return {"changed": True, "changes": [], "drift": [], "next_run": None, "host_key": None}
        words = (
            "but this run has not asked it about this endpoint: use the role epp.autoupdate.endpoint or the playbook "
            "epp.autoupdate.site (import_playbook takes it into one of your own), or set autoupdate_server"
        )
        return {"failed": True, "changed": False, "msg": f"the update server is {self._values[SERVER_HOST]}, {words}"}

    def _ask_agent(self, wanted: Wanted) -> dict[str, Any] | None:
        """The agent's result, which is brought to the host where that is needed; None where neither can be had."""
        command = [wanted.root + paths.AGENT]
        command += ["--root", wanted.root] if wanted.root else []
        command += ["apply", "--digest", _DIGEST, *self._flags(wanted)]
        answer = self.ask(command, _given(wanted), otherwise=["readlink", "-f", SYSTEM_PYTHON])
        if answer.result is None and not wanted.root:
            return self._bring_agent(wanted, answer.errors.strip().rpartition("\n")[2])
        return answer.result

    def _bring_agent(self, wanted: Wanted, python: str) -> dict[str, Any] | None:
        """The result of a converge that brings the agent, to a host itself; None where its Python can't do that.

        The module compiles all that it imports, Ansible's part too, and once more what it puts into the agent. Here
        that is done once, which halves what a first converge costs the host; or not at all, where its Python is of
        the same version as the control node's (``python`` is its file, ``/usr/bin/python3.13``).
        """
        # Here: Ansible compiles the sources of a collection in each run, and most runs bring no agent.
        from ansible_collections.epp.autoupdate.plugins.plugin_utils._agent_archive import archive_for

        command = [SYSTEM_PYTHON, payload.AGENT.flags, "-c", START, "apply", *self._flags(wanted)]
        archive = archive_for(python, _SOURCES, _DIGEST)
        return self.ask(command, packed("_endpoint.bring", _SOURCES, _given(wanted), archive)).result

    def _flags(self, wanted: Wanted) -> list[str]:
        command = ["--check"] if self._task.check_mode else []
        command += ["--diff"] if self._task.diff else []
        command += ["--absent"] if wanted.document is None else []
        return command


def _with_others(result: dict[str, Any], *, takes_over: bool) -> dict[str, Any]:
    """The result with a warning where something else updates the product, and was left as it is."""
    told = result.get("other_updaters") or ()
    if not told:
        return result
    words = "beside this policy the product is updated by what somebody wrote: " + "; ".join(told)
    if not takes_over:
        words += ". To let a converge switch it off, and give it back later, set autoupdate_takeover to true"
    return {**result, "warnings": [*result.get("warnings", ()), words]}


def _given(wanted: Wanted) -> bytes:
    return canonical_json({} if wanted.document is None else brought(wanted.document))


def _unprotected(result: dict[str, Any], product: str) -> str:
    """Why a host that was converged is not protected all the same, and what to do; empty where it is."""
    found = []
    if result.get("missing"):
        found.append(
            f"{product} can't be updated, for this host lacks {', '.join(result['missing'])}: install it, or let the "
            "playbook do so (autoupdate_install: true)"
        )
    if result.get("errors"):
        found.append(f"what was converged can't work: {'; '.join(result['errors'])}")
    return f"{'; '.join(found)}. To let it pass set autoupdate_require to false" if found else ""


def _answer(registered: Any, server: Any) -> Mapping[str, Any]:
    """What a server answered, in the result of one registration or of a loop over servers; empty where none is."""
    results = registered.get("results", [registered]) if isinstance(registered, Mapping) else []
    return next((one for one in results if one.get(one.get("ansible_loop_var"), server) == server), {})


def _beside(packages: dict[str, Any], result: dict[str, Any]) -> dict[str, Any]:
    """The result of the converge with that of its packages, if there were any to install."""
    if not packages:
        return result
    found = [one["diff"] for one in (packages, result) if one.get("diff")]
    diff = [item for one in found for item in (one if isinstance(one, list) else [one])]
    changed = bool(packages.get("changed") or result.get("changed"))
    more = {"changed": changed, "packages": packages["packages"], **({"diff": diff} if diff else {})}
    return {**result, **more}
