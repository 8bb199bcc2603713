# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The channels of a product whose set is a folder: each has a manifest of its own, and all share their objects (G2)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from ..._core.metadata.catalog import CatalogItem, CatalogManifest
from ..._core.metadata.channels import ChannelManifest
from ..._core.metadata.manifest import NAME, Manifest, manifest_path
from ..._core.settings.endpoint_keys import ProductKind
from ..._core.settings.update_server import CHANNELS
from ..._core.values import frozen
from ..._host.host import Host
from ..components.base import Published, Workplace
from ..components.folder import newest_manifest, published_as
from ..components.objects import prune, retire
from .base import Content

_PUBLIC_MODE = 0o644


@frozen
class FolderChannels:
    """The channels of ``files`` or ``command``; the content of a version is its manifest."""

    host: Host
    product: ProductKind
    workplace: Workplace

    def newest(self) -> Content | None:
        raw = newest_manifest(self.host, self.workplace)
        found = None if raw is None else published_as(raw, self.product, self.workplace)
        return None if raw is None or found is None else Content(found.version, raw.decode())

    def published(self, content: str) -> Published | None:
        return published_as(content.encode(), self.product, self.workplace)

    def items(self, channel: str, content: str) -> tuple[CatalogItem, ...]:  # noqa: ARG002  the interface's argument
        found = self.published(content)
        return () if found is None else found.items

    def manifest(self, channel: str, content: str) -> ChannelManifest | None:
        found = self.published(content)
        if found is None or found.manifest is None:
            return None
        path = f"{self.workplace.path}/{manifest_path(channel)}"
        return ChannelManifest(found.manifest.size, found.manifest.sha256, path)

    def common(self, content: str) -> CatalogManifest | None:
        found = self.published(content)
        return None if found is None else found.manifest

    def write(self, channels: Mapping[str, str], last: str) -> None:
        root = f"{self.workplace.public}/{CHANNELS}"
        for channel, content in channels.items():
            self.host.mkdir(root, mode=0o755)
            self.host.mkdir(f"{root}/{channel}", mode=0o755)
            self._put(f"{root}/{channel}/{NAME}", content)
        for name in self.host.names(root):
            if name not in channels:
                self.host.remove(f"{root}/{name}")
        if last:
            self._put(f"{self.workplace.public}/{NAME}", last)

    def clean(self, kept: Iterable[str], dropped: Iterable[str]) -> None:
        target = self.host.real(self.workplace.public)
        keep = {file.sha256 for content in kept for file in Manifest.parse(content.encode()).files}
        for content in dropped:
            retire(target, Manifest.parse(content.encode()), keep)
        prune(target, keep)

    def close(self) -> None:
        self.host.remove(f"{self.workplace.public}/{CHANNELS}")
        self.host.remove(f"{self.workplace.work}/newest")

    def _put(self, path: str, content: str) -> None:
        if self.host.read(path) != content.encode():
            self.host.write(path, content.encode(), mode=_PUBLIC_MODE)
