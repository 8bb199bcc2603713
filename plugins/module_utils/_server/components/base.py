# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What every component source of the server can do."""

from __future__ import annotations

from typing import Protocol

from ..._core.metadata.catalog import CatalogItem, CatalogManifest
from ..._core.metadata.channels import CatalogChannel, CatalogHold
from ..._core.metadata.engine_offers import CatalogEngine
from ..._core.results import Outcome
from ..._core.settings.endpoint_keys import ProductKind
from ..._core.values import frozen


@frozen
class Workplace:
    """Where a source works (``work``) and where it publishes (``public``), both without the host's root prefix.

    ``path`` is where ``public`` lies below the server's base URL. Where the rollout is ``staged``, the newest version
    is kept in ``work`` and shown to nobody: channels are filled from it (G2).
    """

    work: str
    public: str
    path: str
    staged: bool = False

    @property
    def newest(self) -> str:
        """The directory of the manifest of the newest version."""
        return f"{self.work}/newest" if self.staged else self.public

    @property
    def mirror(self) -> str:
        """The directory of a mirror that is filled file by file; beside the channels, which are links to its files."""
        return f"{self.public}/newest" if self.staged else self.public


@frozen
class Published:
    """What readers find now: ``version`` is one word for all of it, and equal words mean equal content.

    ``manifest`` is of a product that has one; the catalog vouches for it as for the components. ``channels`` and
    ``holds`` are of a product whose rollout is staged: then ``items`` are those of all channels together, and version
    and manifest are those of the last ring. ``engines`` are what rings may install of packages of engines.
    """

    version: str
    items: tuple[CatalogItem, ...]
    manifest: CatalogManifest | None = None
    channels: tuple[CatalogChannel, ...] = ()
    holds: tuple[CatalogHold, ...] = ()
    engines: tuple[CatalogEngine, ...] = ()


class Source(Protocol):
    """One product's source. No method raises for what a network or a vendor may do; outcomes carry the reason."""

    @property
    def product(self) -> ProductKind:
        """Whose components these are."""

    @property
    def cost(self) -> int:
        """The most requests for one file that one ``fetch`` may send; 0 if it never asks another's server."""

    @property
    def requests_per_hour(self) -> int:
        """The vendor's limit for one file; 0 is none."""

    def fetch(self) -> Outcome:
        """Bring what is new and publish it; whatever happens, readers keep a whole version (C3).

        ``updated``, ``current``, ``cooling_down`` (until), ``unreachable`` or ``failed``; decided from what is there.
        """

    def published(self) -> Published | None:
        """What is published now, read from the files; None while nothing is."""
