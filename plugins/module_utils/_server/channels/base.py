# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the channels of every product can do."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Protocol

from ..._core.metadata.catalog import CatalogItem, CatalogManifest
from ..._core.metadata.channels import ChannelManifest
from ..._core.values import frozen
from ..components.base import Published


@frozen
class Content:
    """A version and what the product publishes as it, as one text by which any channel can be filled with it."""

    version: str
    text: str


class Channels(Protocol):
    """The channels of one product. A ``content`` is that of a version, as ``Content.text`` has it."""

    def newest(self) -> Content | None:
        """The newest version that was fetched, kept so that it can be offered; None before the first one."""

    def published(self, content: str) -> Published | None:
        """What everybody would find if this were published to all; None for content that can't be read."""

    def items(self, channel: str, content: str) -> tuple[CatalogItem, ...]:
        """The files of a channel that is offered this."""

    def manifest(self, channel: str, content: str) -> ChannelManifest | None:
        """The manifest of a channel that is offered this; None for products without manifests."""

    def common(self, content: str) -> CatalogManifest | None:
        """The manifest of those who have no channel; None for products without manifests."""

    def write(self, channels: Mapping[str, str], last: str) -> None:
        """Fill the channels, and what those find who have none with the content ``last``; others are removed.

        Each is replaced as a whole; what is right already is left alone.
        """

    def clean(self, kept: Iterable[str], dropped: Iterable[str]) -> None:
        """Remove what belongs to dropped contents alone, once nobody can be at work with it."""

    def close(self) -> None:
        """Remove the channels: everybody has what those without a channel have."""
