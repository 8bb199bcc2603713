# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Filter ``update_results``: see ``update_results.yml``."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from ansible.errors import AnsibleFilterError
from ansible_collections.epp.autoupdate.plugins.module_utils._core.untrusted_text import LONGEST_LINE, shown

_GOOD = ("updated", "current")
_FAILED = ("failed", "refused", "host_key_changed", "unreachable", "no answer")


def update_results(results: Any, failed: bool = False, hosts: Mapping[str, str] | None = None) -> list[str]:
    """One line for each endpoint, the bad ones first; with ``failed`` the names of those that failed.

    ``hosts`` has the hosts of the inventory by the names that a server knows them by.
    """
    if not isinstance(results, Mapping):
        raise AnsibleFilterError("update_results takes a mapping from a host to its result of update_now")
    names = dict(hosts or {})
    parts = sorted(
        (part for host, result in results.items() for part in _parts(str(host), result, names)),
        key=lambda part: (_rank(part["result"]), part["name"]),
    )
    if failed:
        return [part["name"] for part in parts if part["result"] in _FAILED]
    return (
        [shown(line, LONGEST_LINE) for line in (_counts(parts), *map(_line, parts))] if parts else ["nobody is meant"]
    )


def _parts(host: str, result: Any, names: Mapping[str, str]) -> Iterator[dict[str, Any]]:
    """What came of each endpoint in the result of one task, or of a loop of tasks."""
    if not isinstance(result, Mapping) or result.get("skipped"):
        return
    if "results" in result:
        for one in result["results"]:
            yield from _parts(str(one.get("item", host)), one, names)
    elif "endpoints" in result:
        yield from (_of_server(one, names) for one in result["endpoints"])
        if not result["endpoints"]:  # check mode
            yield from (
                {"name": names.get(name, name), "result": "would be notified", "reason": ""}
                for name in result.get("notified", ())
            )
    else:
        word = "unreachable" if result.get("unreachable") else "failed"
        lost = {"name": host, "result": word, "reason": result.get("msg") or "the task gave no result"}
        yield {**result, "name": host} if "result" in result else lost


def _of_server(one: Mapping[str, Any], names: Mapping[str, str]) -> dict[str, Any]:
    words = {"failed": "not reached", "skipped": "skipped"}
    status = str(one.get("status", ""))
    return {
        **one,
        "name": names.get(one["name"], one["name"]),
        "result": one.get("result") or words.get(status, "no answer"),
    }


def _rank(result: str) -> int:
    return 0 if result in _FAILED else 2 if result in _GOOD else 1


def _counts(parts: list[dict[str, Any]]) -> str:
    results = [str(part["result"]) for part in parts]
    words = (f"{results.count(result)} {result}" for result in dict.fromkeys(results))
    return f"{len(parts)} {'endpoint' if len(parts) == 1 else 'endpoints'}: {', '.join(words)}"


def _line(part: Mapping[str, Any]) -> str:
    before, after = ({one["name"]: one["version"] for one in part.get(side) or ()} for side in ("before", "after"))
    changed = sorted(name for name in before.keys() | after.keys() if before.get(name) != after.get(name))
    versions = ", ".join(f"{name} {before.get(name, 'absent')} to {after.get(name, 'absent')}" for name in changed)
    words = (
        f"{part['name']}: {part['result']}",
        versions if after else "",
        str(part.get("reason") or ""),
        _until(part),
    )
    return "; ".join(word for word in words if word)


def _until(part: Mapping[str, Any]) -> str:
    """When a cool-down ends, as an endpoint itself has told it."""
    return f"until {part['until']}" if part["result"] == "cooling_down" and part.get("until") else ""


class FilterModule:
    """The filter."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        return {"update_results": update_results}
