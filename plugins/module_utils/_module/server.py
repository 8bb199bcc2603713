# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the module ``server`` does on the host."""

from __future__ import annotations

from ansible.module_utils.basic import AnsibleModule

from .._host.host import Host
from .._host.local_host import LocalHost
from .._host.program.interpreters import interpreter_of
from .._host.superuser import require_root
from .._server import paths, payload
from .._server.converge.converge import Converged, converge, remove
from . import server_specs
from .documents import plain
from .endpoint import guarded
from .server_documents import WantedServer


def run(module: AnsibleModule) -> None:
    """Converge or remove the server, and end the module."""

    def work() -> Converged:
        wanted = WantedServer.from_options(plain(server_specs.server(), module.params))
        complete = bool(module.params["require"])
        host = LocalHost(wanted.root, program="epp-server")
        require_root(host, "a converge of the update server")
        if wanted.settings is None:
            return remove(host, check=module.check_mode)
        program = _program_file(host)
        return converge(wanted.settings, host, program=program, check=module.check_mode, complete=complete)

    result = guarded(module, work).to_result()
    if not module._diff:
        del result["diff"]
    module.exit_json(**result)


def _brings() -> None:
    """Never called: Ansible brings what is named here, and a run does not pay for importing what it does not use."""
    from . import server_manifest  # noqa: F401


def _program_file(host: Host) -> bytes:
    """The server's executable, for the Python that the host has; the installed one where it is the same."""
    python = interpreter_of(host, libraries=True)
    return payload.renewed(host.read(paths.SERVER), payload.sources(), interpreter=python.path, tag=python.tag)
