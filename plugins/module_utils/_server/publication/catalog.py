# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The catalog as a draft: what every source publishes, by the same key and lifetime as the configuration."""

from __future__ import annotations

from collections.abc import Iterable

from ..._core.metadata.catalog import FILE, KIND, Catalog
from ..._core.metadata.envelope import Malformed, TooLarge, unpack
from ..._core.metadata.header import MAX_SIZE, UNISSUED
from ..._core.validation.errors import InvalidDocument
from ..._host.host import Host
from ..components.base import Published
from .signer import PendingDocument, public_path


def pending_catalog(published: Iterable[Published | None]) -> PendingDocument:
    """The catalog of what the products publish; None is of one that publishes nothing yet."""
    found = [one for one in published if one is not None]
    items = (item for one in found for item in one.items)
    manifests = (one.manifest for one in found if one.manifest is not None)
    channels = (channel for one in found for channel in one.channels)
    holds = (hold for one in found for hold in one.holds)
    engines = (engine for one in found for engine in one.engines)
    catalog = Catalog.of(UNISSUED, items, manifests, channels=channels, holds=holds)
    return PendingDocument(KIND, FILE, catalog.with_engines(engines))


def published_catalog(host: Host) -> Catalog | None:
    """The catalog that readers find now; None when there is none that can be read. The server trusts its own file."""
    content = host.read(public_path(FILE))
    try:
        return None if content is None else Catalog.from_bytes(unpack(content, limit=MAX_SIZE).document)
    except (Malformed, TooLarge, InvalidDocument):
        return None
