# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the modules ``update_now`` and ``endpoint_info`` do: ask the agent that is installed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ansible.module_utils.basic import AnsibleModule

from .._core.results import Result
from .._core.untrusted_text import data
from .._endpoint import paths
from .._host.local_host import LocalHost
from . import fleet
from .programs import NoAnswer, Program
from .timeouts import seconds

_STATUS_S = 60.0
_FAILURES = (Result.FAILED.value, Result.UNREACHABLE.value)
_NOT_INSTALLED = "there is no agent on this host; run epp.autoupdate.endpoint on it first"


def endpoint_info(module: AnsibleModule) -> None:
    """Return the status document, and end the module."""
    try:
        module.exit_json(changed=False, status=_status(module))
    except NoAnswer as error:
        module.fail_json(msg=str(error))


def update_now(module: AnsibleModule) -> None:
    """Update this host, or through the update server whom the options name; return what came of it, end the module."""
    if fleet.selected(module.params):
        if module.params["product"]:
            module.fail_json(msg="product: an update server updates all of an endpoint; leave it out")
        fleet.update_now(module)
        return
    try:
        result = _would_update(module) if module.check_mode else _update(module)
    except NoAnswer as error:
        module.fail_json(msg=str(error))
    if module._diff:
        result["diff"] = {"before": _lines(result["before"]), "after": _lines(result["after"])}
    if result["result"] in _FAILURES:
        module.fail_json(msg=result["reason"] or f"the update ended as {result['result']}", **result)
    module.exit_json(**result)


def _would_update(module: AnsibleModule) -> dict[str, Any]:
    status = _status(module)
    installed = [
        component
        for section in status.get("products", [status])
        if module.params["product"] in (None, section["product"])
        for component in _components(section["components"])
    ]
    why = "check mode starts no update"
    return {"changed": False, "result": Result.SKIPPED.value, "reason": why, "before": installed, "after": installed}


def _update(module: AnsibleModule) -> dict[str, Any]:
    product = ["--product", module.params["product"]] if module.params["product"] else []
    report = _ask(module, ["update-now", "--json", *product], timeout=seconds(module))
    sections = report.get("products", [])
    told = {"products": [{"product": one["product"], **_told(one)} for one in sections]} if sections else {}
    told.update({"product": report["product"]} if sections else {})
    return {"changed": any(bool(one["changed"]) for one in (report, *sections)), **_told(report), **told}


def _told(report: dict[str, Any]) -> dict[str, Any]:
    """What a run came to."""
    known = {key: report[key] for key in ("until", "joined") if report.get(key) is not None}
    return {
        "result": report["result"],
        "reason": report["reason"],
        "before": _components(report["before"]),
        "after": _components(report["after"]),
        **known,
    }


def _status(module: AnsibleModule) -> dict[str, Any]:
    return _ask(module, ["status", "--json"], timeout=_STATUS_S)


def _ask(module: AnsibleModule, arguments: Sequence[str], *, timeout: float) -> dict[str, Any]:
    """The agent's answer; raises NoAnswer."""
    agent = Program(LocalHost(module.params["installroot"] or ""), paths.AGENT, name="agent", missing=_NOT_INSTALLED)
    return dict(data(agent.ask(arguments, timeout=timeout)))


def _components(components: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    return [{"name": component["name"], "version": component["version"]} for component in components]


def _lines(components: Sequence[dict[str, Any]]) -> str:
    return "".join(f"{component['name']} {component['version']}\n" for component in components)
