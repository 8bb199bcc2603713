# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the module ``client_tree`` does on the update server: register domains and endpoints in bulk."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ansible.module_utils.basic import AnsibleModule

from .installed_server import Refused, Server, asked
from .registration import in_options, request, result_of

_WANTED = ("root", "domains", "endpoints")


def run(module: AnsibleModule) -> None:
    """Bring the server's tree and registry to what is wanted, and end the module."""
    wanted = request(module.params)
    if module.params["use_variables"]:
        module.fail_json(msg="use_variables: only the control node knows the variables of all hosts", changed=False)
    answer = asked(module, lambda server: _register(server, wanted, check=module.check_mode))
    module.exit_json(**result_of(answer, diff=module._diff))


def _register(server: Server, wanted: Mapping[str, Any], *, check: bool) -> dict[str, Any]:
    if not server.installed and wanted.get("absent") and not any(wanted.get(part) for part in _WANTED):
        nobody = {"changed": False, "before": {}, "after": {}, "registered": 0}
        return {**nobody, "enrollment": None}
    if check and not server.installed:
        return _first(wanted)
    try:
        return dict(server.ask("register", "--enrollment", given=wanted, check=check))
    except Refused as refused:
        raise Refused(in_options(str(refused))) from None


def _first(wanted: Mapping[str, Any]) -> dict[str, Any]:
    """What check mode can tell before there is a server: all would be new."""
    endpoints = {one.get("name"): {**one, "name": None} for one in wanted.get("endpoints", ())}
    after = {"root": wanted.get("root") or {}, "domains": wanted.get("domains") or {}, "endpoints": endpoints}
    return {"changed": True, "before": {}, "after": after, "registered": len(endpoints), "enrollment": None}
