# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Private: what a converge by Ansible does about the configuration: an enrolment adopts one in the same converge."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from ..._core.document import EndpointDocument
from ..._core.values import value
from ..._host.host import Host
from ..._host.lock import locked
from .. import places
from ..endpoint import Endpoint, adopted_for, installed_document
from ..patience import SYNC_S
from ..state import SyncRecord

if TYPE_CHECKING:
    from ..._core.adopted import Adopted
    from ..._core.update_server import UpdateServer
    from .inquiry import Candidate


class NotConfigured(OSError):
    """The update server gave no configuration that can be adopted, so that nothing was changed."""


@value
class Enrolment:
    """An endpoint to be converged to.

    ``words`` tell what has to be fetched and adopted, or was; ``candidate`` is what to put in force.
    """

    endpoint: Endpoint
    words: tuple[str, ...] = ()
    candidate: Candidate | None = None

    @property
    def record(self) -> SyncRecord | None:
        """What the status is to tell of it; None where nothing was asked for."""
        if self.candidate is None:
            return None
        from ..._core.configuration_results import ConfigurationResult

        at = self.candidate.adopted.at
        return SyncRecord(ConfigurationResult.ADOPTED.value, "", at, at)

    @contextmanager
    def adopting(self) -> Iterator[None]:
        """While the document is replaced, its configuration lies beside that of the document before; then alone."""
        if self.candidate is None:
            yield
            return
        from .store import ConfigurationStore

        host, store = self.endpoint.host, ConfigurationStore(self.endpoint.host)
        with locked(host, places.SYNC_LOCK, wait=SYNC_S) as held:
            if not held:
                raise NotConfigured(f"another synchronisation still runs after {SYNC_S} s")
            self.candidate.adopt(store, beside=store.all())
            yield
            self.candidate.adopt(store)


def enrol(document: EndpointDocument, host: Host, *, check: bool) -> Enrolment:
    """The endpoint that a document describes; what a managed one lacks is fetched, unless in check mode.

    Where a configuration was adopted for this document, or there is no server, no request is sent. Raises
    NotConfigured.
    """
    adopted = adopted_for(host, document)
    endpoint = Endpoint.of(host, document, adopted)
    if document.server is None or endpoint.configured:
        return Enrolment(endpoint)
    if check:
        return Enrolment(endpoint, (f"the configuration is fetched from {document.server.url} and adopted",))
    candidate = _fetched(document, document.server, host)
    from .sync import adopted_words

    words = (f"the configuration is adopted: {adopted_words(candidate)}",)
    return Enrolment(Endpoint.of(host, document, candidate.adopted), words, candidate)


def _fetched(document: EndpointDocument, server: UpdateServer, host: Host) -> Candidate:
    from ..._core.configuration_results import Refused
    from .sync import ask, trusted

    try:
        candidate = ask(host, document, server, trust=trusted(server, _previously_adopted(host)), held=None)
    except Refused as refused:
        raise NotConfigured(f"the update server's configuration can't be adopted: {refused}") from None
    if candidate is None:
        raise NotConfigured("the update server says that nothing has changed, though nothing is held")
    return candidate


def _previously_adopted(host: Host) -> Adopted | None:
    try:
        document = installed_document(host)
    except ValueError:
        return None  # damaged by hand: it is about to be replaced
    return None if document is None else adopted_for(host, document)
