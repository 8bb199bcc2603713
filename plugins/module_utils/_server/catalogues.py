# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Private: the catalogue as a draft: what every source publishes, by the same key and lifetime as the configuration."""

from __future__ import annotations

from collections.abc import Iterable

from .._core.canonical import digest
from .._core.catalogue import FILE, KIND, MAX_SIZE, NAMESPACE, Catalogue, CatalogueItem
from .._core.faults import InvalidDocument
from .._core.issue import Issue
from .._core.signed import Malformed, TooLarge, unseal
from .._host.host import Host
from .issuing import Draft, public_path


def catalogue_draft(items: Iterable[CatalogueItem]) -> Draft:
    """The catalogue of these items."""
    listed = tuple(items)

    def make(issue: Issue) -> bytes:
        return Catalogue.of(listed, serial=issue.serial, issued=issue.issued, expires=issue.expires).to_bytes()

    content = Catalogue.of(listed, serial=0, issued=0, expires=0)
    return Draft(KIND, FILE, NAMESPACE, digest([item.to_dict() for item in content.components]), make)


def published_catalogue(host: Host) -> Catalogue | None:
    """The catalogue that readers find now; None when there is none that can be read. The server trusts its own file."""
    content = host.read(public_path(FILE))
    try:
        return None if content is None else Catalogue.from_bytes(unseal(content, limit=2 * MAX_SIZE).document)
    except (Malformed, TooLarge, InvalidDocument):
        return None
