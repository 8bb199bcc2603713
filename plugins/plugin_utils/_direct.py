# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Actions that ask a program of this collection on the host directly, in one command, where possible.

Where it is not, the module does the same through the same library, at the cost of bringing itself to the host.

With ``use_variables`` they become root where that is needed, and not wherever their tasks say ``become: true``: a task
decides for all of its hosts, and an expression in each playbook would decide for one.
"""

from __future__ import annotations

import json
import os
import pwd
import shlex
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from ansible.plugins.action import ActionBase
from ansible_collections.epp.autoupdate.plugins.module_utils._core.untrusted_text import data
from ansible_collections.epp.autoupdate.plugins.module_utils._module.documents import is_false
from ansible_collections.epp.autoupdate.plugins.plugin_utils._inventory import read_variables
from ansible_collections.epp.autoupdate.plugins.plugin_utils._play import Template
from ansible_collections.epp.autoupdate.plugins.plugin_utils._short_diff import shortened


class Answer(NamedTuple):
    """What a program on the host said."""

    result: dict[str, Any] | None
    """None when it gives none: it is not there, not the right one, or can't do its work."""
    errors: str
    """What was printed to standard error."""


class DirectAction(ActionBase):
    """Base of actions with a short way."""

    def takes_the_short_way(self) -> bool:
        """Whether the connection passes standard input on, to a POSIX shell and in this very task."""
        connection = self._connection
        become = connection.become
        return bool(
            connection.has_pipelining
            and (become is None or getattr(become, "pipelining", become.name != "su"))
            and not getattr(connection._shell, "_IS_WINDOWS", False)
            and not self._task.async_val
        )

    def become_where_needed(self, variables: Mapping[str, Any], template: Template, installroot: Any) -> None:
        """Take the task's ``become`` off where nobody has to become root; ``variables`` are those of the task's target.

        That is where ``autoupdate_become`` is false, where the file system begins at an ``installroot``, and
        where the login is root's already, whose host may have no sudo. ``ansible_become`` decides in any case.
        """
        if self._connection.become is None or variables.get("ansible_become") is not None:
            return
        user = self._get_remote_user() or pwd.getpwuid(os.getuid()).pw_name
        wanted = read_variables(variables, template, names=("become",)).get("become", True)
        if installroot or is_false(wanted) or user == self.get_become_option("become_user"):
            self._connection.set_become_plugin(None)

    def readable(self, result: dict[str, Any]) -> dict[str, Any]:
        """The result as data (R5); its diff lists many new files instead of showing each, unless the run is verbose."""
        if isinstance(result.get("diff"), list) and not self._display.verbosity:
            result["diff"] = shortened(result["diff"])
        told: dict[str, Any] = data(result)
        return told

    def ask(self, argv: Sequence[str], document: bytes, *, otherwise: Sequence[str] = ()) -> Answer:
        """The result that a program prints for a document; ``otherwise`` runs where the program fails."""
        command = f"{self._compute_environment_string()} {shlex.join(argv)}".strip()
        if otherwise:
            command += f" || {{ code=$?; {shlex.join(otherwise)} >&2; exit $code; }}"
        answer = self._low_level_execute_command(command, in_data=document)
        result = _result_in(answer["stdout"])
        if result is None:
            self._display.vvv(f"No answer from {argv[0]} (exit code {answer['rc']}): {answer['stderr']}")
        return Answer(result, answer["stderr"])

    def run_module(self, name: str, options: dict[str, Any], task_vars: dict[str, Any] | None) -> dict[str, Any]:
        """The result of the module, in the background where the task asks for that.

        URLs and command lines among its options may hold secrets: neither Ansible's output has them, nor the host's
        log, in which modules write how they were called.
        """
        in_background = bool(self._task.async_val and not self._connection.has_native_async)
        result: dict[str, Any] = self._execute_module(
            module_name=f"epp.autoupdate.{name}",
            module_args=options,
            task_vars={**(task_vars or {}), "ansible_no_target_syslog": True},
            wrap_async=in_background,
        )
        result.pop("invocation", None)
        return result


def _result_in(output: str) -> dict[str, Any] | None:
    """The result in what a program printed, which is the last line; None when it is none."""
    line = output.strip().rpartition("\n")[2]
    try:
        result = json.loads(line)
    except ValueError:
        return None
    return result if isinstance(result, dict) and "changed" in result else None
