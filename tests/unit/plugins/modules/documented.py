# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a module really returns, held against its documentation of that, in both directions."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import yaml

from .instants import instants

Values = Mapping[str, Any]
_TYPES = {"str": str, "int": int, "bool": bool, "float": float, "list": list, "dict": dict, "raw": object}
_OF_EVERY_MODULE = ("changed", "invocation")


class Documented:
    """The return values of one module; ``take`` results, then ask what was ``wrong`` and what was ``unseen``.

    A mapping without ``contains`` has free keys: its sample tells the types of what they lead to. Mappings beside each
    other that share one ``contains`` are the same under several names, so what one shows counts for all. So are those
    that stand in several places by an alias of YAML.
    """

    def __init__(self, module: Any) -> None:
        self._returns: Values = yaml.safe_load(module.RETURN)
        self._seen: set[str] = set()
        self._places: dict[int, str] = {}
        self._find_places(self._returns, "")
        self.wrong: list[str] = []

    def take(self, result: Values) -> None:
        self._mapping({key: one for key, one in result.items() if key not in _OF_EVERY_MODULE}, self._returns, "")

    def unseen(self) -> list[str]:
        """The documented leaves that were never there, or never but null."""
        return sorted(set(self._leaves(self._returns)) - self._seen)

    def names(self, *path: str) -> set[str]:
        """The names that the documentation has at a path."""
        found = self._returns
        for name in path:
            found = found[name]["contains"]
        return set(found)

    def _find_places(self, known: Values, path: str) -> None:
        """Where each description stands first."""
        for key, value in known.items():
            here = path + self._name(key, known)
            self._places.setdefault(id(value), here)
            if "contains" in value:
                self._find_places(value["contains"], f"{here}.")

    def _mapping(self, content: Values, known: Values, path: str) -> None:
        self.wrong += [f"{path}{key}: not documented" for key in content if key not in known]
        for key, value in known.items():
            if key in content:
                self._value(content[key], value, path + self._name(key, known))
            elif value["returned"] == "always":
                self.wrong.append(f"{path}{key}: always there, the documentation says")

    def _value(self, content: Any, value: Values, path: str) -> None:
        path = self._places.get(id(value), path)
        if content is None:
            self.wrong += [] if "V(null)" in str(value["description"]) else [f"{path}: null"]
            return
        if not _is(content, value["type"]):
            self.wrong.append(f"{path}: {content!r} is no {value['type']}")
            return
        inner = content if isinstance(content, list) else [content]
        if "contains" in value:
            for one in inner:
                self._mapping(one, value["contains"], f"{path}.")
            return
        self._seen.add(path)
        if value["type"] == "list":
            kind = value["elements"]
            self.wrong += [f"{path}: {one!r} is no {kind}" for one in inner if not _is(one, kind)]
        if value["type"] == "dict" and content and _shape(content) != _shape(value["sample"]):
            self.wrong.append(f"{path}: {content!r} is not like {value['sample']!r}")
        if list(instants(content)) and not list(instants(value["sample"])):
            self.wrong.append(f"{path}: an instant, the sample is {value['sample']!r}")

    def _leaves(self, known: Values) -> Iterator[str]:
        for value in known.values():
            if "contains" in value:
                yield from self._leaves(value["contains"])
            else:
                yield self._places[id(value)]

    @staticmethod
    def _name(key: str, known: Values) -> str:
        """A name, or that of the first one beside it that has the same content."""
        mine = known[key].get("contains")
        return next(name for name in known if name == key or (mine and known[name].get("contains") == mine))


def _is(content: Any, kind: str) -> bool:
    return isinstance(content, _TYPES[kind]) and (kind == "bool" or not isinstance(content, bool))


def _shape(content: Any) -> set[str]:
    """The types of what a mapping's keys lead to, level by level."""
    if not isinstance(content, Mapping):
        return {type(content).__name__}
    return {f"dict of {kind}" for one in content.values() for kind in _shape(one)}
