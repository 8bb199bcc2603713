# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the products publish now, those by rings through their channels; and which channels an endpoint has (G1)."""

from __future__ import annotations

import sqlite3
from collections.abc import Collection, Iterator, Mapping

from ..._core.canonical import digest
from ..._core.metadata.channels import CatalogChannel, CatalogHold
from ..._core.rings.membership import RingMembership
from ..._core.rings.state import RolloutState
from ..._core.settings.components import ClamAVSource, read_components
from ..._core.settings.endpoint_keys import ProductKind
from ..._core.settings.rollout import ProductRollout, RolloutSettings
from ..._core.values import frozen
from ..._host.host import Host
from ..components.base import Published
from ..components.configured import configured_sources, rollout_settings, workplace_of
from ..settings import read_section
from . import store
from .base import Channels


def select_channels(host: Host, product: ProductKind) -> Channels:
    """The channels of a product. Only its own back end is imported."""
    workplace = workplace_of(product, staged=True)
    if product is ProductKind.CLAMAV:
        from .mirror_channels import MirrorChannels

        settings = read_components(read_section(host, "components")).get(product)
        return MirrorChannels(host, workplace, settings if isinstance(settings, ClamAVSource) else ClamAVSource())
    from .folder_channels import FolderChannels

    return FolderChannels(host, product, workplace)


def published_products(host: Host, connection: sqlite3.Connection) -> dict[ProductKind, Published | None]:
    """What each product of the settings publishes now; raises InvalidDocument."""
    staged = rollout_settings(host).products
    return {
        kind: staged_now(host, connection, kind) if kind.value in staged else source.published()
        for kind, source in configured_sources(host).items()
    }


def staged_now(host: Host, connection: sqlite3.Connection, product: ProductKind) -> Published | None:
    """What a product publishes by its rings; None while they are offered nothing."""
    state = store.read_state(connection, product.value)
    rollout = rollout_settings(host).products.get(product.value)
    if state is None or rollout is None or not state.rings:
        return None
    offers = Offers(state, rollout, store.contents(connection, product.value))
    return composed(product, select_channels(host, product), offers)


@frozen
class Offers:
    """What each ring is offered, with the content of the versions."""

    state: RolloutState
    rollout: ProductRollout
    contents: Mapping[str, str]

    def by_ring(self) -> dict[str, str]:
        """The version of each ring that is offered one; with ``dry_run`` all are offered the newest."""
        rings = self.state.rings
        offered = {ring: self.state.newest if self.rollout.dry_run else self.state.offered(ring) for ring in rings}
        return {ring: version for ring, version in offered.items() if version in self.contents}

    @property
    def last(self) -> str:
        """What those find who have no channel: the last ring's version; empty where it has none."""
        return self.by_ring().get(next(reversed(list(self.state.rings)), ""), "")


def fill_channels(channels: Channels, offers: Offers) -> None:
    """Let each channel have what its ring is offered; what is right already is left alone."""
    filled = {ring: offers.contents[version] for ring, version in offers.by_ring().items()}
    channels.write(filled, offers.contents.get(offers.last, ""))


def composed(product: ProductKind, channels: Channels, offers: Offers) -> Published | None:
    """What the catalog says of a product whose channels were filled."""
    common = channels.published(offers.contents[offers.last]) if offers.last else None
    offered = offers.by_ring()
    items = dict.fromkeys(common.items if common else ())
    listed = []
    for ring, version in offered.items():
        content = offers.contents[version]
        mine = channels.items(ring, content)
        items.update(dict.fromkeys(mine))
        listed.append(
            CatalogChannel(
                product=product.value,
                channel=ring,
                version=version,
                components={item.name: item.version for item in mine},
                manifest=channels.manifest(ring, content),
                expedited=offers.state.rings[ring].expedited and offers.state.rings[ring].candidate == version,
            )
        )
    if not listed:
        return None
    holds = () if offers.rollout.dry_run else tuple(_holds(product, channels, offers))
    version = common.version if common else next(iter(offered.values()))
    return Published(version, tuple(items), common.manifest if common else None, tuple(listed), holds)


def _holds(product: ProductKind, channels: Channels, offers: Offers) -> Iterator[CatalogHold]:
    for version, stop in offers.state.stops.items():
        held = dict(stop.components)
        if not held and version in offers.contents:
            held = new_components(channels, offers, version)
        yield CatalogHold(product.value, version, held, stop.restore, stop.reason, int(stop.since))


def new_components(channels: Channels, offers: Offers, version: str) -> dict[str, str]:
    """The component versions that a version brings: those that no ring is offered in another version."""
    mine = channels.published(offers.contents[version]) if version in offers.contents else None
    others = {one for one in offers.by_ring().values() if one != version}
    known = set()
    for other in others:
        theirs = channels.published(offers.contents[other])
        known |= {(item.name, item.version) for item in (theirs.items if theirs else ())}
    found = {item.name: item.version for item in (mine.items if mine else ())}
    return {name: one for name, one in found.items() if (name, one) not in known}


@frozen
class MembershipOf:
    """The channels of endpoints, by product; empty where no rollout is staged."""

    rings: Mapping[str, RingMembership]

    @classmethod
    def now(cls, host: Host) -> MembershipOf:
        """By the settings of the host; raises InvalidDocument."""
        return cls.of(rollout_settings(host))

    @classmethod
    def of(cls, settings: RolloutSettings) -> MembershipOf:
        return cls({name: RingMembership(product) for name, product in settings.products.items()})

    def channels(self, name: str, domain: str, ordinal: int, products: Collection[str] = ()) -> dict[str, str]:
        """The channels of an endpoint: of its ``products``, or where these are not known of all."""
        return {
            one: rings.ring_of(name, domain, ordinal)
            for one, rings in self.rings.items()
            if not products or one in products
        }


def rings_digest(settings: RolloutSettings) -> str:
    """Equal for settings by which every endpoint is in the same rings; empty where there are none."""
    members = {
        name: [[ring.name, sorted(ring.domains), sorted(ring.endpoints), ring.permille] for ring in product.rings]
        for name, product in settings.products.items()
    }
    return digest(members) if members else ""
