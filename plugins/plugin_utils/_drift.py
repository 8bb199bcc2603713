# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Drift in words: what a comparison in check mode found, one sentence for each thing, and its difference."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Any

_KINDS: tuple[tuple[str, str], ...] = (
    (r"/usr/local/bin/epp-\w+", "program"),
    (r".*\.timer", "timer"),
    (r".*\.service", "service"),
    (r"/etc/systemd/.*", "unit"),
    (r"/etc/cron\.d/.*", "cron table"),
    (r".*/polkit-1/.*", "polkit rule"),
    (r"/etc/sudoers\.d/.*", "sudo rule"),
    (r".*/authorized_keys\S*", "notify key"),
    (r"/var/lib/epp-autoupdate-notify(/.*)?", "notify account"),
    (r".*\.socket", "socket"),
    (r"/etc/nginx/.*", "web server"),
    (r"/etc/epp-autoupdate(/.*)?", "configuration"),
    (r"/var/lib/.*", "state"),
)
"""What lies at a path, by the first pattern that fits it whole; anything else is a file."""
ADOPTED = "adopted configuration"
"""The kind of what an endpoint has adopted that is not what its update server publishes."""
_BESIDE_FILES = ("file", "requirement", "self-test", "way in", "running state", ADOPTED, "client tree")
COMPARISON = "comparison"
"""The kind of what could not be compared at all."""
KINDS = tuple(dict.fromkeys((COMPARISON, *(kind for _pattern, kind in _KINDS), *_BESIDE_FILES)))
"""Every kind of drift that there is."""
_ACTIONS = {"create": "missing", "modify": "differs", "remove": "not wanted"}
_VERSION = re.compile(r"\(version ([^:()\s]+):")


class Outcome(Enum):
    """What came of comparing one thing: it differs, it could not be compared, or whoever knows it was not reached."""

    DRIFT = "drift"
    FAULT = "fault"
    UNREACHABLE = "unreachable"


@dataclass(frozen=True)
class Drift:
    """One thing that is not as it should be. ``path`` is empty for what is no file; ``diff`` are lines to show."""

    kind: str
    path: str
    text: str
    diff: tuple[str, ...] = ()
    outcome: Outcome = Outcome.DRIFT

    @property
    def sentence(self) -> str:
        return f"{self.kind} {self.path}: {self.text}" if self.path else f"{self.kind}: {self.text}"

    def to_dict(self) -> dict[str, Any]:
        return {"kind": self.kind, "path": self.path, "text": self.text, "outcome": self.outcome.value}


def of_host(result: Mapping[str, Any]) -> Iterator[Drift]:
    """The drift in a result of the modules ``endpoint`` or ``server``; a comparison that failed is drift, too."""
    for name in result.get("missing") or ():
        yield Drift("requirement", "", f"{name} is missing")
    for error in result.get("errors") or ():
        yield Drift("self-test", "", str(error))
    for text in result.get("obstacles") or ():
        yield Drift("way in", "", str(text))
    changes = result.get("changes")
    if changes is None:
        outcome = Outcome.UNREACHABLE if result.get("server_unreachable") else Outcome.FAULT
        yield Drift(COMPARISON, "", str(result.get("msg") or "it gave no result"), outcome=outcome)
        return
    diffs = {_path_of(one): one for one in _items(result.get("diff")) if "prepared" not in one}
    for change in changes:
        diff = diffs.get(change["path"], {})
        yield Drift(kind_of(change["path"]), change["path"], _words(change, diff), tuple(_lines(diff)))
    refusal = result.get("refusal")
    if refusal:
        yield Drift(ADOPTED, "", f"not taken, {refusal.get('result')}: {refusal.get('reason')}")
    adoption = result.get("adoption") or ()
    for text in result.get("drift") or ():
        yield Drift(ADOPTED if text in adoption else "running state", "", str(text))


def of_tree(result: Mapping[str, Any], endpoint: str, *, speaks_for_all: bool) -> Iterator[Drift]:
    """The drift in a result of ``client_tree`` that is about one endpoint; of one host, also all that is about none.

    ``speaks_for_all`` is True for the one host that tells what is about root, domains and endpoints outside the play.
    """
    diff = next(iter(_items(result.get("diff"))), None)
    if diff is None:
        if speaks_for_all:
            outcome = Outcome.UNREACHABLE if result.get("unreachable") else Outcome.FAULT
            yield Drift("client tree", "", f"not compared: {result.get('msg') or 'it gave no result'}", outcome=outcome)
        return
    before, after = diff.get("before", "").splitlines(), diff.get("after", "").splitlines()
    for name, lines in _by_node(difflib.ndiff(before, after)):
        if name == f"endpoint {endpoint}" or (speaks_for_all and not name.startswith("endpoint ")):
            yield Drift("client tree", name, _node_words(lines, name), tuple(lines))


def kind_of(path: str) -> str:
    """What lies at a path, in one word or two."""
    return next((kind for pattern, kind in _KINDS if re.fullmatch(pattern, path)), "file")


def counted(found: Sequence[Drift]) -> str:
    """How much drift there is, by kind: ``3 (program 1, timer 2)``."""
    kinds = [one.kind for one in found]
    return f"{len(found)} ({', '.join(f'{kind} {kinds.count(kind)}' for kind in sorted(set(kinds)))})"


def _items(diff: Any) -> list[Mapping[str, Any]]:
    """Ansible's ``diff`` is a mapping or a list of them."""
    return [diff] if isinstance(diff, Mapping) else list(diff or ())


def _path_of(diff: Mapping[str, Any]) -> str:
    return str(diff.get("after_header", "")).partition(" (")[0]


def _words(change: Mapping[str, Any], diff: Mapping[str, Any]) -> str:
    before, after = (_VERSION.match(str(diff.get(side, ""))) for side in ("before", "after"))
    if before and after and before[1] != after[1]:
        program = "server" if change["path"].endswith("server") else "agent"
        return f"{program} {before[1]}, collection {after[1]}"
    if change["action"] == "modify" and diff and diff.get("before") == diff.get("after"):
        return f"{_between_brackets(diff['before_header'])} instead of {_between_brackets(diff['after_header'])}"
    return _ACTIONS.get(change["action"], str(change["action"]))


def _between_brackets(header: str) -> str:
    return header.partition(" (")[2].rstrip(")")


def _lines(diff: Mapping[str, Any]) -> Iterator[str]:
    before, after = (str(diff.get(side, "")).splitlines() for side in ("before", "after"))
    was, will_be = (str(diff.get(f"{side}_header", "")) for side in ("before", "after"))
    yield from difflib.unified_diff(before, after, was, will_be, lineterm="", n=1)


def _by_node(lines: Iterator[str]) -> Iterator[tuple[str, list[str]]]:
    """The lines that differ, by the node of the tree that they are about."""
    nodes: dict[str, list[str]] = {}
    for line in lines:
        if line[:2] in ("+ ", "- "):
            nodes.setdefault(line[2:].partition(": ")[0], []).append(line)  # a colon alone may be a name's
    yield from nodes.items()


def _node_words(lines: Sequence[str], name: str) -> str:
    if f"+ {name}" in lines:
        return "not registered" if name.startswith("endpoint ") else "missing"
    if f"- {name}" in lines:
        return "not wanted"
    return "differs"
