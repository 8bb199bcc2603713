# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The unit files of a host as systemd would find them (systemd.unit(5)), whether it runs or not."""

from __future__ import annotations

import re
from collections.abc import Iterator

from ..host import Host
from .state import RUNTIME_DIRECTORY, UNIT_DIRECTORY

_DIRECTORIES = (
    UNIT_DIRECTORY,
    RUNTIME_DIRECTORY,
    "/usr/local/lib/systemd/system",
    "/usr/lib/systemd/system",
    "/lib/systemd/system",
)
"""Where units lie, the first place of a name first."""
OF_PACKAGES = _DIRECTORIES[3:]
_NAME = re.compile(r"[A-Za-z0-9:_.\\@-]{1,255}")
_LINKED = (".wants", ".requires", ".upholds")
_LIMIT = 256 * 1024
_MOST = 10_000


class UnitFiles:
    """The names of all units, and their texts where they are asked for; what can't be read is as if it were empty."""

    def __init__(self, host: Host) -> None:
        self._host = host
        self._directories = tuple(path for path in _DIRECTORIES if path[:5] != "/lib/" or host.target("/lib") is None)
        self._listed = {path: tuple(filter(_NAME.fullmatch, host.names(path)[:_MOST])) for path in self._directories}
        self._places: dict[str, str] = {}
        for directory in reversed(self._directories):
            self._places.update((name, directory) for name in self._listed[directory])

    def names(self, kind: str) -> tuple[str, ...]:
        """The units of a kind (``service``), sorted."""
        suffix = f".{kind}"
        return tuple(sorted(name for name in self._places if name.endswith(suffix)))

    def packaged(self, name: str) -> tuple[bytes, ...]:
        """The unit's own text and those of its drop-ins as packages brought them, whatever stands before them."""
        found = []
        for directory in self._directories:
            if directory in OF_PACKAGES:
                found += [f"{directory}/{name}"] if name in self._listed[directory] else []
                found += self._drop_ins(directory, name).values()
        return tuple(map(self._read, found))

    def written(self, name: str) -> tuple[str, ...]:
        """The paths of the unit's own file and of its drop-ins, as far as no package brought them there."""
        found = []
        for directory in self._directories:
            if directory not in OF_PACKAGES:
                found += [f"{directory}/{name}"] if name in self._listed[directory] else []
                found += self._drop_ins(directory, name).values()
        return tuple(found)

    def texts(self, name: str, *, but: str = "") -> tuple[bytes, ...]:
        """A unit's own text and those of its drop-ins (but for one) in the order in which systemd reads them."""
        own = self._read(f"{self._places[name]}/{name}")
        drop_ins: dict[str, str] = {}
        if f"{name}.d" in self._places:
            for directory in reversed(self._directories):
                drop_ins.update(self._drop_ins(directory, name))
        kept = (path for drop_in, path in sorted(drop_ins.items()) if drop_in != but)
        return (own, *map(self._read, kept))

    def links(self) -> Iterator[str]:
        """The links by which units are started with others, but for those of packages (they are not ours to remove)."""
        for directory in self._directories[:2]:
            for folder in self._listed[directory]:
                if folder.endswith(_LINKED):
                    names = filter(_NAME.fullmatch, self._host.names(f"{directory}/{folder}"))
                    yield from (f"{directory}/{folder}/{name}" for name in names)

    def _drop_ins(self, directory: str, name: str) -> dict[str, str]:
        folder = f"{directory}/{name}.d"
        found = self._host.names(folder) if f"{name}.d" in self._listed[directory] else ()
        return {drop_in: f"{folder}/{drop_in}" for drop_in in found if drop_in.endswith(".conf")}

    def _read(self, path: str) -> bytes:
        return self._host.peek(path, _LIMIT) or b""
