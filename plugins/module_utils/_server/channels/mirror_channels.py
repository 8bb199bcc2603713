# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The channels of ClamAV: each is a mirror directory of its own, whose files are hard links (G2).

::

    newest/daily.cvd                   what was fetched last; no endpoint is led there
    versions/<digest>/daily.cvd        the databases of one version
    channels/<ring>/daily.cvd          what a ring is offered
    channels/<ring>/daily-27500.cdiff  the incremental files up to that version, so that nobody loads whole databases

Incremental files come first and databases after them, each by one rename, as a mirror is filled.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Mapping
from typing import Any

from ..._core.canonical import digest, readable_json
from ..._core.metadata.catalog import CatalogItem, CatalogManifest
from ..._core.metadata.channels import ChannelManifest
from ..._core.metadata.manifest import Kind
from ..._core.settings.components import ClamAVSource
from ..._core.settings.update_server import CHANNELS
from ..._core.values import frozen, replace
from ..._host.filesystem.open_directory import temporary_name
from ..._host.filesystem.safe_paths import open_directory
from ..._host.host import Host
from ..components.base import Published, Workplace
from ..components.clamav import INCREMENTAL, ClamAV
from .base import Content

_VERSIONS = "versions"
_DIGITS = 16


@frozen
class MirrorChannels:
    """The channels of ``clamav``; the content of a version lists its databases with their digests."""

    host: Host
    workplace: Workplace
    settings: ClamAVSource

    def newest(self) -> Content | None:
        self._seed()
        names = self.host.names(self.workplace.mirror)
        stats = {name: self._stat(name) for name in sorted(names) if not INCREMENTAL.fullmatch(name)}
        known = self._remembered()
        if known is not None and known.get("stats") == stats:
            return Content(known["version"], known["text"])
        found = ClamAV(self.host, self.settings, self.workplace).published()
        if found is None:
            return None
        text = json.dumps({"version": found.version, "items": [item.to_dict() for item in found.items]}, sort_keys=True)
        self._keep(found, text)
        if stats != {name: self._stat(name) for name in stats}:
            return None  # a fetch is at work; the next look finds what it has brought
        self.host.mkdir(self.workplace.work, mode=0o750)
        told = {"stats": stats, "version": found.version, "text": text}
        self.host.write(self._memory, readable_json(told), mode=0o640)
        return Content(found.version, text)

    def published(self, content: str) -> Published | None:
        raw = json.loads(content)
        items = tuple(_placed(CatalogItem(**_read(one)), self.workplace.path) for one in raw["items"])
        return Published(raw["version"], items)

    def items(self, channel: str, content: str) -> tuple[CatalogItem, ...]:
        found = self.published(content)
        where = f"{self.workplace.path}/{CHANNELS}/{channel}"
        return tuple(_placed(item, where) for item in (found.items if found else ()))

    def manifest(self, channel: str, content: str) -> ChannelManifest | None:  # noqa: ARG002  the interface's arguments
        return None

    def common(self, content: str) -> CatalogManifest | None:  # noqa: ARG002  the interface's argument
        return None

    def write(self, channels: Mapping[str, str], last: str) -> None:
        root = f"{self.workplace.public}/{CHANNELS}"
        for channel, content in channels.items():
            self.host.mkdir(root, mode=0o755)
            self._fill(f"{root}/{channel}", content)
        for name in self.host.names(root):
            if name not in channels:
                self.host.remove(f"{root}/{name}")
        if last:
            self._fill(self.workplace.public, last)

    def clean(self, kept: Iterable[str], dropped: Iterable[str]) -> None:
        versions, wanted = f"{self.workplace.public}/{_VERSIONS}", {_name(content) for content in kept}
        for name in {_name(content) for content in dropped} - wanted:
            self.host.remove(f"{versions}/{name}")

    def close(self) -> None:
        for name in (CHANNELS, _VERSIONS, "newest"):
            self.host.remove(f"{self.workplace.public}/{name}")
        self.host.remove(self._memory)

    @property
    def _memory(self) -> str:
        return f"{self.workplace.work}/newest.json"

    def _remembered(self) -> dict[str, Any] | None:
        try:
            raw = json.loads(self.host.read(self._memory) or b"null")
        except ValueError:
            return None
        return raw if isinstance(raw, dict) else None

    def _stat(self, name: str) -> list[int] | None:
        status = self.host.status(f"{self.workplace.mirror}/{name}")
        return None if status is None else [status.st_ino, status.st_size, status.st_mtime_ns]

    def _seed(self) -> None:
        """Where a rollout has just become staged, what everybody has is the newest version."""
        if self.host.exists(self.workplace.mirror):
            return
        self.host.mkdir(self.workplace.mirror, mode=0o755)
        names = [name for name in self.host.names(self.workplace.public) if "." in name]
        self._link(dict.fromkeys(names, self.workplace.public), self.workplace.mirror)

    def _keep(self, found: Published, text: str) -> None:
        """Keep the databases of the newest version under a name of their own."""
        place = f"{self.workplace.public}/{_VERSIONS}/{_name(text)}"
        self.host.mkdir(f"{self.workplace.public}/{_VERSIONS}", mode=0o755)
        self._link({_file(item): self.workplace.mirror for item in found.items}, place)

    def _fill(self, directory: str, content: str) -> None:
        found = self.published(content)
        if found is None:
            return
        source = f"{self.workplace.public}/{_VERSIONS}/{_name(content)}"
        steps = self._incremental(directory, found)
        self._link(steps, directory)
        self._link({_file(item): source for item in found.items}, directory)
        wanted = {*steps, *map(_file, found.items)}
        for name in self.host.names(directory):
            if name not in wanted and "." in name:
                self.host.remove(f"{directory}/{name}")

    def _incremental(self, directory: str, found: Published) -> dict[str, str]:
        """Where the incremental files are that lead to a version, the newest ones of each database."""
        versions = {item.name: int(item.version) for item in found.items if item.version.isdigit()}
        places = {name: where for where in (directory, self.workplace.mirror) for name in self.host.names(where)}
        steps: dict[str, dict[int, list[str]]] = {}
        for name in places:
            match = INCREMENTAL.fullmatch(name)
            if match is not None and int(match["number"]) <= versions.get(match["name"], -1):
                steps.setdefault(match["name"], {}).setdefault(int(match["number"]), []).append(name)
        kept = [numbers[one] for numbers in steps.values() for one in sorted(numbers)[-self.settings.keep_cdiffs :]]
        return {name: places[name] for names in kept for name in names}

    def _link(self, wanted: Mapping[str, str], directory: str) -> None:
        """Let each name of a directory be a hard link to the file of that name in another one."""
        self.host.mkdir(directory, mode=0o755)
        with open_directory(self.host.real(directory)) as target:
            for name, where in wanted.items():
                if where == directory:
                    continue
                with open_directory(self.host.real(where)) as origin:
                    before, now = target.status(name), origin.status(name)
                    if now is None or (before is not None and before.st_ino == now.st_ino):
                        continue
                    temporary = temporary_name(name)
                    if target.status(temporary) is not None:
                        target.unlink(temporary)
                    origin.hard_link(name, target, temporary)
                    target.rename(temporary, target, name)


def _name(content: str) -> str:
    return digest(json.loads(content))[:_DIGITS]


def _file(item: CatalogItem) -> str:
    return os.path.basename(item.path)


def _placed(item: CatalogItem, where: str) -> CatalogItem:
    return replace(item, path=f"{where}/{_file(item)}")


def _read(raw: Mapping[str, Any]) -> dict[str, Any]:
    return {**raw, "kind": Kind(raw["kind"])}
