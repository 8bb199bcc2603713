# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the module ``endpoint`` does on the host."""

from __future__ import annotations

from typing import Any, Callable

from ansible.module_utils.basic import AnsibleModule

from .._endpoint import paths, payload
from .._endpoint.converge.converge import Busy, converge
from .._endpoint.converge.remove import remove
from .._endpoint.converge.result import Converged
from .._host.host import Host
from .._host.local_host import LocalHost
from .._host.program.interpreters import interpreter_of
from .._host.superuser import require_root
from . import specs
from .documents import Wanted, plain
from .programs import NoAnswer


def run(module: AnsibleModule) -> None:
    """Converge or remove the endpoint, and end the module."""

    def work() -> Converged:
        wanted = Wanted.from_options(plain(specs.endpoint(), module.params))
        host = LocalHost(wanted.root)
        require_root(host, "a converge of the endpoint")
        if wanted.document is None:
            return remove(host, check=module.check_mode)
        return converge(wanted.document, host, agent=agent_file(host), check=module.check_mode)

    converged = guarded(module, work)
    module.exit_json(**result_of(converged, diff=module._diff))


def _brings() -> None:
    """Never called: Ansible brings what is named here, and a run does not pay for importing what it does not use."""
    from . import agent_manifest  # noqa: F401


def agent_file(host: Host) -> bytes:
    """The agent's executable file, for the Python that the host has; the installed one where it is the same."""
    python = interpreter_of(host)
    return payload.renewed(host.read(paths.AGENT), payload.sources(), interpreter=python.path, tag=python.tag)


def result_of(converged: Converged, *, diff: bool) -> dict[str, Any]:
    """The result as a module returns it, the difference only if it is asked for."""
    result = converged.to_result()
    if not diff:
        del result["diff"]
    return result


def guarded(module: AnsibleModule, work: Callable[[], Any]) -> Any:
    """The value of ``work``; what can go wrong in it ends the module with the words that the agent would use."""
    try:
        return work()
    except (OSError, Busy, NoAnswer, LookupError, ValueError) as error:
        return module.fail_json(msg=str(error) or repr(error), changed=False)
