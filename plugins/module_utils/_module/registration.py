# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the module ``client_tree`` asks of the update server, and the result that it makes of the answer.

The control node does both where it asks the server's program itself, so nothing of a host is needed here.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from . import specs
from .documents import plain

_SHOWN_NAMES = 20
_ROOT = re.compile("^root(?=[.:])", re.MULTILINE)
"""The root's policy in an error's path: the option of this module has another name."""
_LISTS = ("added", "modified", "removed")


def request(options: Mapping[str, Any]) -> dict[str, Any]:
    """The document that ``epp-server register`` takes: what was not given is not in it, and stays as it is there."""
    given: dict[str, Any] = {"purge": bool(options.get("purge"))}
    policy, domains, endpoints, absent = (options.get(name) for name in ("policy", "domains", "endpoints", "absent"))
    if policy is not None:
        given["root"] = plain(specs.policy(), policy)
    if domains is not None:
        given["domains"] = {path: _policy(values) for path, values in domains.items()}
    if endpoints is not None:
        given["endpoints"] = [plain(specs.member(), endpoint) for endpoint in endpoints]
    if absent:
        given["absent"] = absent
    return given


def result_of(answer: Mapping[str, Any], *, diff: bool) -> dict[str, Any]:
    """The module's result from the answer of ``epp-server register``; a refusal has ``failed`` and ``msg``."""
    if answer.get("failed"):
        return {**answer, "msg": in_options(str(answer.get("msg")))}
    result = {**_summary(answer), "enrollment": answer["enrollment"]}
    if diff:
        sides = {side: "".join(f"{line}\n" for line in _lines(answer[side])) for side in ("before", "after")}
        result["diff"] = {**sides, "before_header": "client tree", "after_header": "client tree"}
    return result


def in_options(refusal: str) -> str:
    """What the server refuses, with the names of this module's options."""
    return _ROOT.sub("policy", refusal)


def _policy(values: Any) -> Any:
    return plain(specs.policy(), values) if isinstance(values, Mapping) else values


def _summary(answer: Mapping[str, Any]) -> dict[str, Any]:
    """Counts, and the first names: a result for ten thousand endpoints has to be one that can be read."""
    before, after = (answer[side].get("endpoints") or {} for side in ("before", "after"))
    names = {
        "added": sorted(after.keys() - before.keys()),
        "modified": sorted(after.keys() & before.keys()),
        "removed": sorted(before.keys() - after.keys()),
    }
    nodes = {*(answer["before"].get("domains") or {}), *(answer["after"].get("domains") or {})}
    counts = {"registered": answer["registered"], "domains": len(nodes), **{name: len(names[name]) for name in _LISTS}}
    shown = {name: names[name][:_SHOWN_NAMES] for name in _LISTS}
    return {"changed": answer["changed"], "counts": counts, "domains": sorted(nodes)[:_SHOWN_NAMES], **shown}


def _lines(side: Mapping[str, Any]) -> Iterator[str]:
    """One side of the difference, one line for each value: of a node its own keys, of an endpoint what is on record."""
    yield from _values("root", side.get("root") or {})
    for path, values in sorted((side.get("domains") or {}).items()):
        yield f"domain {path}"
        yield from _values(f"domain {path}", values or {})
    for name, one in sorted((side.get("endpoints") or {}).items()):
        yield f"endpoint {name}"
        told = {key: value for key, value in one.items() if key != "policy" and value not in (None, "", [])}
        texts = {key: ", ".join(value) if isinstance(value, list) else value for key, value in told.items()}
        yield from (f"endpoint {name}: {key} {value}" for key, value in sorted(texts.items()))
        yield from _values(f"endpoint {name}", one.get("policy") or {})


def _values(node: str, policy: Mapping[str, Mapping[str, Any]]) -> Iterator[str]:
    for section, keys in policy.items():
        for key, value in keys.items():
            yield f"{node}: {section}.{key} {str(value).lower() if isinstance(value, bool) else value}"
