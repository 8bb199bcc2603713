# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What each endpoint is offered: what is published to all, or where the rollout is staged, to its ring (E1, G2)."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Mapping

from ..._core.metadata.catalog import Catalog
from ..._core.metadata.channels import CatalogChannel
from ..._core.rings.membership import RingMembership
from ..._core.rollout.outdated import Offer
from ..._core.settings.endpoint_keys import ProductKind
from ..._core.settings.rollout import RolloutSettings
from ..._core.values import field, frozen
from .holdings import offers
from .policies import EndpointPolicy


@frozen
class FleetOffers:
    """``common`` is by product what those are offered who have no ring; ``staged`` by product what each ring is."""

    common: Mapping[str, Offer] = field(default_factory=dict)
    staged: Mapping[str, Mapping[str, Offer]] = field(default_factory=dict)
    rings: Mapping[str, RingMembership] = field(default_factory=dict, repr=False)

    @classmethod
    def of(cls, connection: sqlite3.Connection, catalog: Catalog | None, rollout: RolloutSettings) -> FleetOffers:
        """By the published catalog; without one nothing is offered."""
        if catalog is None:
            return cls()
        common, staged = offers(connection, catalog.components), {}
        for name, product in rollout.products.items():
            mine = {one.channel: _offer(catalog, one) for one in catalog.channels if one.product == name}
            if mine:
                staged[name] = mine
                common[name] = mine.get(product.rings[-1].name) or next(iter(mine.values()))
        return cls(common, staged, {name: RingMembership(rollout.products[name]) for name in staged})

    def to(self, member: EndpointPolicy) -> Iterator[tuple[str, Offer]]:
        """What one endpoint is offered, by product."""
        for name, offer in self.common.items():
            if name not in self.staged:
                yield name, offer
                continue
            ring = self.rings[name].ring_of(member.name, member.domain, member.ordinal)
            mine = self.staged[name].get(ring)
            if mine is not None:
                yield name, mine


def _offer(catalog: Catalog, channel: CatalogChannel) -> Offer:
    wanted = channel.components
    mine = (item for item in catalog.components if item.product == channel.product)
    items = tuple(item for item in mine if wanted.get(item.name) == item.version)
    return Offer(ProductKind(channel.product), channel.version, items)
