# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the module ``audit_info`` does: ask the server for its audit, and whether it is as it was written."""

from __future__ import annotations

from typing import Any

from ansible.module_utils.basic import AnsibleModule

from .._core.untrusted_text import data
from .installed_server import Server, asked


def audit_info(module: AnsibleModule) -> None:
    """Return entries and problems, and end the module."""
    version, last = module.params["version"], module.params["last"]
    which = ["explain", version] if version else ["show", "--last", str(last)]

    def work(server: Server) -> dict[str, Any]:
        verified = server.ask("audit", "verify", "--json")
        told = {"count": verified["entries"], "digest": verified["last"], "problems": verified["problems"]}
        return {**told, "entries": server.ask("audit", *which, "--json")["entries"]}

    module.exit_json(changed=False, **data(asked(module, work)))
