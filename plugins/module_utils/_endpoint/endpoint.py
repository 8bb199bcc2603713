# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""One enrolled endpoint: its document, its product, its scheduler and its memory, brought together."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .._core.schedule.timetable import Timetable
from .._core.settings.endpoint import EndpointDocument
from .._core.values import frozen, replace
from .._host.host import Host
from .._host.scheduler import select_scheduler
from .._host.scheduler.base import Scheduler
from .._host.timezone import zone_of
from . import paths
from .installed import adopted_for, effective, installed_document
from .jobs import OWNED
from .products import select_product
from .products.base import Product
from .state.store import StateStore

if TYPE_CHECKING:
    from .._core.metadata.trusted import TrustedConfiguration


class NotEnrolled(LookupError):
    """This host has no document: no converge has happened here."""


@frozen
class Endpoint:
    """A host and everything that its document decides.

    ``document`` is the one in force; on a managed endpoint ``adopted`` is what made it so, None before anything was.
    """

    host: Host
    document: EndpointDocument
    product: Product
    scheduler: Scheduler
    store: StateStore
    adopted: TrustedConfiguration | None = None

    @classmethod
    def of(cls, host: Host, document: EndpointDocument, adopted: TrustedConfiguration | None = None) -> Endpoint:
        """The endpoint that a document brought by a converge describes on this host, with what was adopted for it."""
        if document.server is not None:
            document, adopted = effective(host, document, adopted)
        return cls(
            host=host,
            document=document,
            product=select_product(document, host),
            scheduler=select_scheduler(document.scheduler, host, OWNED),
            store=StateStore(host),
            adopted=adopted,
        )

    @classmethod
    def load(cls, host: Host) -> Endpoint:
        """The endpoint as it was last converged; raises NotEnrolled, or InvalidDocument when the file was damaged."""
        document = installed_document(host)
        if document is None:
            raise NotEnrolled(f"{paths.DOCUMENT} does not exist: this host is not enrolled; converge it first")
        return cls.of(host, document, adopted_for(host, document))

    def on(self, host: Host) -> Endpoint:
        """The same endpoint, seen through another view of its host."""
        return replace(
            self,
            host=host,
            product=select_product(self.document, host),
            scheduler=select_scheduler(self.scheduler.name, host, OWNED),
            store=StateStore(host),
        )

    def reloaded(self) -> Endpoint:
        """The endpoint as it is now, after a wait in which a converge may have happened."""
        return Endpoint.load(self.host)

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
        zone = self.document.policy.schedule.timezone
        return f"schedule.timezone: {zone} is not known here any more (tzdata): no scheduled update until it is changed"


def timetable_of(host: Host, document: EndpointDocument) -> Timetable:
    """Raises KeyError where its zone is not known."""
    schedule = document.policy.schedule
    return Timetable.of(
        schedule,
        endpoint=document.endpoint,
        ordinal=document.ordinal,
        zone=zone_of(host, schedule.timezone),
    )
