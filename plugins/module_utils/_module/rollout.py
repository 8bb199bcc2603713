# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the modules ``rollout``, ``rollout_info`` and ``rollout_state`` do on an update server."""

from __future__ import annotations

import json
from typing import Any

from ansible.module_utils.basic import AnsibleModule

from .._core.settings.server import ServerSettings
from .._core.untrusted_text import data
from .._host.local_host import LocalHost
from .._host.superuser import require_root
from .._server import paths
from .._server.converge.converge import Converged, converge
from . import server_specs
from .documents import plain
from .endpoint import guarded
from .installed_server import asked

_ACTIONS = {"resumed": "resume", "aborted": "abort", "held": "hold", "released": "release", "expedited": "expedite"}
_OWN = ("product", "state", "installroot")


def rollout(module: AnsibleModule) -> None:
    """Set the rings of a product in the server's settings, and end the module."""

    def work() -> Converged:
        host = LocalHost(module.params["installroot"] or "", program="epp-server")
        require_root(host, "a converge of the update server")
        settings = ServerSettings.from_dict(_changed(host, module))
        return converge(settings, host, program=host.read(paths.SERVER), check=module.check_mode)

    result = guarded(module, work).to_result()
    if not module._diff:
        del result["diff"]
    module.exit_json(**{key: result[key] for key in ("changed", "diff", "drift") if key in result})


def rollout_info(module: AnsibleModule) -> None:
    """Return where the rollouts stand, and end the module."""
    arguments = ["rollout", "status", "--json", "--events", str(module.params["events"])]
    found = asked(module, lambda server: server.ask(*arguments))
    module.exit_json(changed=False, rollouts=data(found))


def rollout_state(module: AnsibleModule) -> None:
    """Carry out a decision, and end the module."""
    given = module.params
    arguments = ["rollout", _ACTIONS[given["state"]], *([given["version"]] if given["version"] else [])]
    for name in ("product", "reason", "by"):
        arguments += [f"--{name}={given[name]}"] if given[name] is not None else []
    result = dict(data(asked(module, lambda server: server.ask(*arguments, "--json", check=module.check_mode))))
    if module._diff:
        sides = {side: json.dumps(result[side], indent=2, sort_keys=True) + "\n" for side in ("before", "after")}
        result["diff"] = {**sides, "before_header": "rollout", "after_header": "rollout"}
    module.exit_json(**result)


def _changed(host: LocalHost, module: AnsibleModule) -> dict[str, Any]:
    """The settings as they are to be; raises OSError where there is no server."""
    content = host.read(paths.SETTINGS)
    if content is None:
        raise OSError("there is no update server on this host; apply the role epp.autoupdate.server to it first")
    settings: dict[str, Any] = json.loads(content)
    product = module.params["product"]
    rings = {name: one for name, one in settings.get("rollout", {}).items() if name != product}
    if module.params["state"] == "present":
        given = plain(server_specs.rollout(), module.params)
        rings[product] = {key: one for key, one in given.items() if key not in _OWN}
    return {**settings, "rollout": rings}


def _brings() -> None:
    """Never called: Ansible brings what is named here, and a run does not pay for importing what it does not use."""
    from . import server_manifest  # noqa: F401
