# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Private: one enrolled endpoint: its document, its product, its scheduler and its memory, brought together."""

from __future__ import annotations

import json
from typing import Callable

from .._core.document import EndpointDocument
from .._core.timetable import Timetable
from .._core.values import value
from .._host.host import Host
from . import places
from .products import select_product
from .products.base import Product
from .schedulers import select_scheduler
from .schedulers.base import Scheduler
from .state import State, StateStore
from .zones import zone_of


class NotEnrolled(LookupError):
    """This host has no document: no converge has happened here."""


@value
class Endpoint:
    """A host and everything that its document decides."""

    host: Host
    document: EndpointDocument
    product: Product
    scheduler: Scheduler
    store: StateStore

    @classmethod
    def of(cls, host: Host, document: EndpointDocument) -> Endpoint:
        """The endpoint that ``document`` describes on this host."""
        return cls(
            host=host,
            document=document,
            product=select_product(document, host),
            scheduler=select_scheduler(document.scheduler, host),
            store=StateStore(host),
        )

    @classmethod
    def load(cls, host: Host) -> Endpoint:
        """The endpoint as it was last converged; raises NotEnrolled, or InvalidDocument when the file was damaged."""
        document = load_document(host)
        if document is None:
            raise NotEnrolled(f"{places.DOCUMENT} does not exist: this host is not enrolled; converge it first")
        return cls.of(host, document)

    def reloaded(self) -> Endpoint:
        """The endpoint as it is now, after a wait in which a converge may have happened."""
        return Endpoint.load(self.host)

    def timetable(self) -> Timetable:
        """When this endpoint's scheduled updates are."""
        return timetable_of(self.host, self.document)

    def remember(self, transform: Callable[[State], State]) -> State:
        """Change the state and let the status follow; on a host that is no longer enrolled nothing is left behind."""
        from .status import publish

        if not self.host.exists(places.DOCUMENT):
            return transform(self.store.read())
        state = self.store.change(transform)
        publish(self, state)
        return state


def load_document(host: Host) -> EndpointDocument | None:
    """The document that is on the host, None where there is none; raises InvalidDocument or ValueError if damaged."""
    content = host.read(places.DOCUMENT)
    return None if content is None else EndpointDocument.from_dict(json.loads(content))


def timetable_of(host: Host, document: EndpointDocument) -> Timetable:
    schedule = document.policy.schedule
    return Timetable.of(
        schedule,
        endpoint=document.endpoint,
        ordinal=document.ordinal,
        zone=zone_of(host, schedule.timezone),
    )
