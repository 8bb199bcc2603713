# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""One enrolled endpoint: its document, its product, its scheduler and its memory, brought together."""

from __future__ import annotations

from collections.abc import Collection
from typing import TYPE_CHECKING

from .._core.policy.policy import Schedule
from .._core.schedule.timetable import Timetable
from .._core.settings.endpoint import EndpointDocument, Updates
from .._core.values import frozen, replace
from .._host.host import Host
from .._host.scheduler import select_scheduler
from .._host.scheduler.base import Owned, Scheduler
from .._host.timezone import zone_of
from . import paths
from .installed import adopted_for, effective, installed_document
from .jobs import OWNED, owned_with
from .products import select_product
from .products.base import Product
from .state.store import StateStore

if TYPE_CHECKING:
    from .._core.metadata.trusted import TrustedConfiguration


class NotEnrolled(LookupError):
    """This host has no document: no converge has happened here."""


class NoSuchProduct(NotEnrolled):
    """This endpoint has no product of that name."""


@frozen
class Endpoint:
    """A host and everything that its document decides about one product, the first one unless ``each`` gave another.

    ``document`` is the one in force; on a managed endpoint ``adopted`` is what made it so, None before anything was.
    ``beside`` are the documents of the products whose updates must not run at the same time, ``owned`` is all that its
    scheduler may have of ours.
    """

    host: Host
    document: EndpointDocument
    product: Product
    scheduler: Scheduler
    store: StateStore
    adopted: TrustedConfiguration | None = None
    beside: tuple[EndpointDocument, ...] = ()
    owned: Owned = OWNED

    @classmethod
    def of(cls, host: Host, document: EndpointDocument, adopted: TrustedConfiguration | None = None) -> Endpoint:
        """The endpoint that a document brought by a converge describes on this host, with what was adopted for it."""
        if document.server is not None:
            document, adopted = effective(host, document, adopted)
        owned = owned_with([one.instance for one in document.further])
        return cls(
            host=host,
            document=document,
            product=select_product(document, host),
            scheduler=select_scheduler(document.scheduler, host, owned),
            store=StateStore(host),
            adopted=adopted,
            beside=document.further if document.updates is Updates.ONE_AT_A_TIME else (),
            owned=owned,
        )

    @classmethod
    def load(cls, host: Host, product: str | None = None) -> Endpoint:
        """The endpoint as it was last converged; raises NotEnrolled, or InvalidDocument when the file was damaged.

        ``product``: with this one of its products; NoSuchProduct is raised where it has no such.
        """
        document = installed_document(host)
        if document is None:
            raise NotEnrolled(f"{paths.DOCUMENT} does not exist: this host is not enrolled; converge it first")
        found = cls.of(host, document, adopted_for(host, document))
        return found if product is None else found.with_product(product)

    def each(self) -> tuple[Endpoint, ...]:
        """The endpoint with each of its products, this one first."""
        documents = self.document.further
        return (self, *map(self._with, documents)) if documents else (self,)

    def with_product(self, product: str) -> Endpoint:
        """The endpoint with another one of its products; raises NoSuchProduct."""
        named = self.document.of(product)
        if named is None:
            known = ", ".join(one.product for one in self.document.each())
            raise NoSuchProduct(f"this endpoint has no product {product} (it has {known})")
        return self if named is self.document else self._with(named)

    def _with(self, document: EndpointDocument) -> Endpoint:
        first = replace(self.document, further=())
        others = (one for one in (first, *self.document.further) if one.product != document.product)
        return replace(
            self,
            document=document,
            product=select_product(document, self.host),
            store=StateStore(self.host, document.instance),
            beside=tuple(others) if self.beside else (),
        )

    def at(self, path: str) -> str:
        """Where this product has what an endpoint with one product has at ``path``."""
        return paths.of_product(path, self.document.instance)

    def knowing(self, former: Collection[str]) -> Endpoint:
        """The same endpoint, whose scheduler also knows what these instances of former products had."""
        if not set(former) - {one.instance for one in self.document.further}:
            return self
        owned = owned_with((*(one.instance for one in self.document.further), *former))
        return replace(self, scheduler=select_scheduler(self.scheduler.name, self.host, owned), owned=owned)

    def on(self, host: Host) -> Endpoint:
        """The same endpoint, seen through another view of its host."""
        return replace(
            self,
            host=host,
            product=select_product(self.document, host),
            scheduler=select_scheduler(self.scheduler.name, host, self.owned),
            store=StateStore(host, self.document.instance),
        )

    def reloaded(self) -> Endpoint:
        """The same product as it is now, after a wait in which a converge may have happened; raises NoSuchProduct."""
        return Endpoint.load(self.host, self.document.product)

    @property
    def configured(self) -> bool:
        """Whether anybody has said what this endpoint should do: a managed one has to adopt that first."""
        return self.document.server is None or self.adopted is not None

    def reachable(self, timeout: float) -> bool:
        """Whether the update server, or without one a component source, accepts a connection; sends no request."""
        server = self.document.server
        if server is None:
            return self.product.reachable(timeout)
        from .products.base import tcp_reachable

        return tcp_reachable((server.url,), proxy=None, timeout=timeout)

    def timetable(self) -> Timetable | None:
        """When this endpoint's scheduled updates are; None where its zone is not known here (any more)."""
        try:
            return timetable_of(self.host, self.document)
        except KeyError:
            return None

    def lost_timetable(self) -> str:
        """Why this endpoint has no scheduled updates though its policy wants them; empty where it has a timetable."""
        if self.timetable() is not None:
            return ""
        key, zone = _lost_zone(self.host, self.document.policy.schedule)
        return f"schedule.{key}: {zone} is not known here any more (tzdata): no scheduled update until it is changed"


def listens(document: EndpointDocument) -> bool:
    """Whether the update server tells this endpoint over a message broker (L3)."""
    return document.server is not None and document.server.broker is not None


def timetable_of(host: Host, document: EndpointDocument) -> Timetable:
    """Raises KeyError where its zone, or that of a blackout, is not known."""
    schedule = document.policy.schedule
    return Timetable.of(
        schedule,
        endpoint=document.endpoint,
        ordinal=document.ordinal,
        zone=zone_of(host, schedule.timezone),
        zone_of=lambda name: zone_of(host, name),
    ).of_product(document.place)


def _lost_zone(host: Host, schedule: Schedule) -> tuple[str, str]:
    """The key of a schedule whose zone is not known here, and the zone."""
    for number, one in enumerate(schedule.blackouts):
        try:
            zone_of(host, one.timezone or "UTC")
        except KeyError:
            return f"blackouts[{number}].timezone", str(one.timezone)
    return "timezone", schedule.timezone
