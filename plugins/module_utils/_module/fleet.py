# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the modules ``update_now`` and ``fleet_info`` do on an update server."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from ansible.module_utils.basic import AnsibleModule

from .._core.untrusted_text import data
from .._core.validation.errors import InvalidDocument, ValidationError, show
from .installed_server import Server, asked
from .timeouts import seconds

_MARGIN_S = 120.0
"""How much longer than its endpoints the server itself may take."""
_SHOWN_NAMES = 5


def selected(options: Mapping[str, Any]) -> dict[str, Any]:
    """The endpoints that a task means, as ``epp-server update-now`` reads them; empty where it says nothing."""
    lists = {name: options[name] for name in ("endpoints", "domains") if options[name] is not None}
    return {**lists, **({"outdated": True} if options["outdated"] else {})}


def update_now(module: AnsibleModule) -> None:
    """Let the server notify the endpoints that are meant, and end the module with what came of each."""
    timeout = seconds(module)
    arguments = ["update-now", "--read", "--json", "--timeout", module.params["timeout"]]

    def work(server: Server) -> Any:
        given, limit = selected(module.params), timeout + _MARGIN_S
        return server.ask(*arguments, given=given, check=module.check_mode, timeout=limit)

    result = dict(data(asked(module, work)))
    if module._diff:
        result["diff"] = {side: "".join(_lines(result["endpoints"], side)) for side in ("before", "after")}
    trouble = _trouble(result, module.params["timeout"])
    if trouble:
        module.fail_json(msg=trouble, **result)
    module.exit_json(**result)


def _trouble(result: Mapping[str, Any], timeout: str) -> str:
    """Why the task fails: an endpoint that is off is no reason, one whose update broke is."""
    parts = []
    if result.get("failed_endpoints"):
        parts.append(f"could not update: {_names(result['failed_endpoints'])}")
    if result.get("refused"):
        parts.append(f"do not let the server in (see reason in endpoints): {_names(result['refused'])}")
    if result.get("pending"):
        parts.append(f"had not answered after {timeout}: {_names(result['pending'])}")
    return "; ".join(parts)


def _lines(endpoints: Iterable[Mapping[str, Any]], side: str) -> list[str]:
    changed = [one for one in endpoints if one["after"] and one["before"] != one["after"]]
    return [f"{one['name']}: {each['name']} {each['version']}\n" for one in changed for each in one[side]]


def _names(names: Sequence[str]) -> str:
    more = len(names) - _SHOWN_NAMES
    return ", ".join(names[:_SHOWN_NAMES]) + (f" and {more} more" if more > 0 else "")


def fleet_info(module: AnsibleModule) -> None:
    """Return what the server knows of its fleet, and end the module."""
    wanted = module.params["gather"]

    def work(server: Server) -> dict[str, Any]:
        found: dict[str, Any] = {}
        if "endpoints" in wanted:
            found["endpoints"] = _endpoints(server, module.params)
        if "campaigns" in wanted:
            found["campaigns"] = server.ask("campaigns", "--json")[: module.params["recent_campaigns"]]
        if "status" in wanted:
            status = server.ask("status", "--json")
            found.update(published=status.pop("published"), status=status)
        return found

    module.exit_json(changed=False, **data(asked(module, work)))


def _endpoints(server: Server, options: Mapping[str, Any]) -> list[dict[str, Any]]:
    only = ["--outdated"] if options["outdated"] else []
    only += [word for state in options["states"] or () for word in ("--state", state)]
    found: list[dict[str, Any]] = server.ask("endpoints", "--json", *only)
    names, domains = options["endpoints"], options["domains"]
    if names is None and domains is None:
        return found
    known = found if not only else server.ask("endpoints", "--json")
    errors = _unknown("endpoints", names, {one["name"] for one in known}, "a registered endpoint")
    if domains:
        tree = {"", *server.ask("tree", "show", "--json")["domains"]}
        errors += _unknown("domains", domains, tree, "a domain of the client tree")
    if errors:
        raise InvalidDocument(tuple(errors))
    return [one for one in found if one["name"] in (names or ()) or _inside(one["domain"], domains or ())]


def _unknown(option: str, names: Sequence[str] | None, known: set[str], allowed: str) -> list[ValidationError]:
    """A name with a typo must not look like an endpoint without data."""
    numbered = enumerate(names or ())
    return [ValidationError(f"{option}[{index}]", show(name), allowed) for index, name in numbered if name not in known]


def _inside(domain: str, domains: Sequence[str]) -> bool:
    return any(not one or domain == one or domain.startswith(f"{one}/") for one in domains)
