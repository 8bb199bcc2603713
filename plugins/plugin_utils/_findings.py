# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What is wrong or doubtful in an inventory: each once, with the hosts that have it, and its file and line."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ansible_collections.epp.autoupdate.plugins.plugin_utils._places import Place, place_of

_SHOWN_HOSTS = 5
_RETURNED_HOSTS = 20


@dataclass(frozen=True)
class Finding:
    """One sentence about a variable. ``file`` and ``line`` are None where Ansible does not know them."""

    text: str
    hosts: tuple[str, ...] = ()
    variable: str = ""
    file: str | None = None
    line: int | None = None

    def to_dict(self) -> dict[str, Any]:
        return {
            "text": self.text,
            "hosts": list(self.hosts[:_RETURNED_HOSTS]),
            "host_count": len(self.hosts),
            "variable": self.variable or None,
            "file": self.file,
            "line": self.line,
        }

    @property
    def sentence(self) -> str:
        """One line, which editors and CI systems take for a place in a file where it begins with one."""
        place = f"{self.file}:{self.line}" if self.file and self.line else self.file or ""
        return ": ".join(filter(None, (place, names(self.hosts), self.text)))


class Findings:
    """Collects findings host by host. ``variables`` has those of each host as the inventory gives them."""

    def __init__(self, variables: Mapping[str, Mapping[str, Any]]) -> None:
        self._variables = variables
        self._hosts: dict[tuple[str, str, Place | None], dict[str, None]] = {}

    def add(self, hosts: Sequence[str], variable: str, text: str) -> None:
        """Note a sentence about a variable of hosts; without hosts it is about one that all of them share."""
        for host in hosts:
            key = (text, variable, place_of(self._variables.get(host, {}), variable))
            self._hosts.setdefault(key, {})[host] = None
        if not hosts:
            places = (place_of(one, variable) for one in self._variables.values())
            self._hosts.setdefault((text, variable, next(places, None)), {})

    def __iter__(self) -> Iterator[Finding]:
        for (text, variable, place), hosts in self._hosts.items():
            file, line = place or (None, None)
            yield Finding(text, tuple(hosts), variable, file, line)


def names(hosts: Sequence[str]) -> str:
    """A few of the hosts, and how many more there are."""
    more = len(hosts) - _SHOWN_HOSTS
    return ", ".join(hosts[:_SHOWN_HOSTS]) + (f" and {more} more" if more > 0 else "")
