# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The update server's own program, as modules use it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Callable

from ansible.module_utils.basic import AnsibleModule

from .._host.local_host import LocalHost
from .._host.superuser import require_root
from .._server import paths
from .programs import NoAnswer, Program

_COMMAND_S = 1800.0
"""Longer than any command but ``update-now`` takes on a large fleet and a slow disk."""
_MISSING = "there is no update server on this host; apply the role epp.autoupdate.server to it first"


class Refused(ValueError):
    """The server refused its input; the message has all its errors."""


class Server:
    """The update server of this host, or of a directory that stands for one."""

    def __init__(self, root: str) -> None:
        self._host = LocalHost(root)
        self._program = Program(self._host, paths.SERVER, name="update server", missing=_MISSING)

    @property
    def installed(self) -> bool:
        return self._host.exists(paths.SERVER)

    def ask(
        self, *arguments: str, given: Mapping[str, Any] | None = None, check: bool = False, timeout: float = _COMMAND_S
    ) -> Any:
        """What a command answers; with ``check`` it only tells what it would change. Raises NoAnswer and Refused."""
        require_root(self._host, "the update server's tree")
        command = [*arguments, *(["--check"] if check else [])]
        answer = self._program.ask(command, timeout=timeout, given=given)
        if isinstance(answer, dict) and answer.get("failed"):
            raise Refused(str(answer.get("msg")))
        return answer


def asked(module: AnsibleModule, work: Callable[[Server], Any]) -> Any:
    """What ``work`` gets out of the server; what the server complains about ends the module in its words."""
    try:
        return work(Server(module.params["installroot"] or ""))
    except (NoAnswer, OSError, ValueError) as error:
        return module.fail_json(msg=str(error) or repr(error), changed=False)
