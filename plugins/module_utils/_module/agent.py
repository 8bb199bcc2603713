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
            module.fail_json(msg="product: an update server updates the first product of an endpoint; leave it out")
        fleet.update_now(module)
        return
    try:
        result = _would_update(module) if module.check_mode else _update(module)
    except NoAnswer as error:
        module.fail_json(msg=str(error))
    if module._diff:
        told = result.get("products", [result])
        result["diff"] = {when: "".join(_lines(one, when) for one in told) for when in ("before", "after")}
    if result["result"] in _FAILURES:
        module.fail_json(msg=result["reason"] or f"the update ended as {result['result']}", **result)
    module.exit_json(**result)


def _would_update(module: AnsibleModule) -> dict[str, Any]:
    """What is there, in the form in which a run would tell it; raises NoAnswer."""
    status, wanted = _status(module), module.params["product"]
    sections = status.get("products", [status])
    chosen = [one for one in sections if wanted in (None, one["product"])]
    if not chosen:
        known = ", ".join(one["product"] for one in sections)
        raise NoAnswer(f"this endpoint has no product {wanted} (it has {known})")
    return _of_all([_untouched(one) for one in chosen])


def _untouched(section: dict[str, Any]) -> dict[str, Any]:
    """A product that check mode leaves alone, as a run's report; the engine's packages have runs of their own."""
    installed = [one for one in section["components"] if "kind" not in one]
    untouched = {"before": installed, "after": installed, "changed": False, "product": section["product"]}
    return {"result": Result.SKIPPED.value, "reason": "check mode starts no update", **untouched}


def _update(module: AnsibleModule) -> dict[str, Any]:
    product = ["--product", module.params["product"]] if module.params["product"] else []
    report = _ask(module, ["update-now", "--json", *product], timeout=seconds(module))
    return _of_all(report["products"], report) if "products" in report else _of_all([report])


def _of_all(reports: Sequence[dict[str, Any]], worst: dict[str, Any] | None = None) -> dict[str, Any]:
    """What the module returns of a run of each product; ``worst`` is that with the worst result, else the first."""
    told = worst or reports[0]
    found = {"changed": any(bool(one["changed"]) for one in reports), **_told(told)}
    if len(reports) == 1:
        return found
    return {**found, "product": told["product"], "products": [{"product": r["product"], **_told(r)} for r in reports]}


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


def _lines(told: dict[str, Any], when: str) -> str:
    """What a diff shows of one product, whose name is there where the endpoint has several."""
    whose = f"{told['product']} " if "product" in told else ""
    return "".join(f"{whose}{component['name']} {component['version']}\n" for component in told[when])
