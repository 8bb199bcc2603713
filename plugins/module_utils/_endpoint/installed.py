# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a host holds of its last converge: the document, the configurations that were adopted, the state."""

from __future__ import annotations

import json
import syslog
from typing import TYPE_CHECKING

from .._core.settings.endpoint import EndpointDocument
from .._core.validation.errors import InvalidDocument
from .._core.values import frozen
from .._host.host import Host
from . import paths
from .state.store import State, StateStore

if TYPE_CHECKING:
    from .._core.metadata.trusted import TrustedConfiguration


@frozen
class Installed:
    """What was read of a host at once, to be handed on.

    ``document`` is the one that the last converge brought, None where there is none; ``damaged`` tells that there is
    one which can't be parsed. ``configurations`` are all that are kept of the update server's. ``instances`` are those
    of further products, of the document and of any converge before it that left something.
    """

    document: EndpointDocument | None = None
    damaged: bool = False
    configurations: tuple[TrustedConfiguration, ...] = ()
    state: State = State()
    instances: tuple[str, ...] = ()

    @classmethod
    def load(cls, host: Host, *, managed: bool = False, given: EndpointDocument | None = None) -> Installed:
        """Read it; configurations only for a managed endpoint, or for one that becomes it (``managed``).

        ``given`` is the document that may well be the same.
        """
        document, damaged = None, False
        try:
            document = installed_document(host, given)
        except ValueError:
            damaged = True
        with_server = managed or (document is not None and document.server is not None)
        kept = _configurations(host) if with_server else ()
        further = () if document is None else tuple(one.instance for one in document.further)
        instances = dict.fromkeys((*further, *instances_left(host, with_units=damaged)))
        return cls(document, damaged, kept, StateStore(host).read(), tuple(instances))

    @property
    def first(self) -> str:
        """The product that had the first place; empty where that is not known."""
        return self.state.product or ("" if self.document is None else self.document.product)

    @property
    def is_nothing(self) -> bool:
        """Whether no converge has been here."""
        return self.document is None and not self.damaged

    def adopted_for(self, document: EndpointDocument | None) -> TrustedConfiguration | None:
        """What was adopted for a document that a converge brought."""
        return None if document is None else _adopted_for(document, self.configurations)

    def effective_document(self, host: Host) -> EndpointDocument | None:
        """The document that was in force, with what was adopted for it."""
        document = self.document
        if document is None or document.server is None:
            return document
        return effective(host, document, self.adopted_for(document))[0]


def instances_left(host: Host, *, with_units: bool = True) -> tuple[str, ...]:
    """The instances of which there is something, whatever the document says."""
    listed = paths.listed_instances(host.names(paths.PRODUCTS_DIRECTORY))
    if not with_units:
        return listed
    from .._host.systemd.state import UNIT_DIRECTORY

    return (*listed, *paths.instances_in(host.names(UNIT_DIRECTORY)))


def installed_document(host: Host, given: EndpointDocument | None = None) -> EndpointDocument | None:
    """The document that the last converge brought, None where there is none; raises ValueError if it is damaged.

    One that is ``given`` has been read already, which takes a quarter of a converge that has nothing to do.
    """
    content = host.read(paths.DOCUMENT)
    if content is None:
        return None
    raw = json.loads(content)
    if given is not None and given.server is None and raw == given.to_dict():
        return given
    return EndpointDocument.from_dict(raw, stored=True)


def load_document(host: Host, product: str) -> EndpointDocument | None:
    """The document that is in force on the host for one of its products; None where there is none.

    Raises ValueError if it is damaged.
    """
    document = installed_document(host)
    if document is not None and document.server is not None:
        document = effective(host, document, adopted_for(host, document))[0]
    return None if document is None else document.of(product)


def adopted_for(host: Host, document: EndpointDocument) -> TrustedConfiguration | None:
    """What was adopted for a document that a converge brought."""
    return None if document.server is None else _adopted_for(document, _configurations(host))


def effective(
    host: Host, document: EndpointDocument, adopted: TrustedConfiguration | None
) -> tuple[EndpointDocument, TrustedConfiguration | None]:
    """The document with what was adopted; what this agent does not understand (any more) counts as not adopted."""
    from .._core.metadata.shard import Membership
    from .._core.settings.managed import in_force

    if adopted is None:
        return in_force(document, None, None), None
    try:
        place = Membership(adopted.domain, adopted.ordinal, channels=adopted.channels)
        return in_force(document, place, adopted.policy, adopted.products, stored=True), adopted
    except InvalidDocument as error:
        host.log(syslog.LOG_WARNING, f"the adopted configuration is not understood and asked for anew: {error}")
        return in_force(document, None, None), None


def _adopted_for(
    document: EndpointDocument, configurations: tuple[TrustedConfiguration, ...]
) -> TrustedConfiguration | None:
    if document.server is None:
        return None
    from .._core.metadata.trusted import Enrollment

    enrollment = Enrollment.of(document, document.server)
    return next((one for one in configurations if one.basis == enrollment), None)


def _configurations(host: Host) -> tuple[TrustedConfiguration, ...]:
    from .trust.store import ConfigurationStore

    return ConfigurationStore(host).all()
