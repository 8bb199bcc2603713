# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Private: where policy is set: one interface, one class for each place, one door.

Today the only place is the endpoint itself. The tree of an update server becomes another class here.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Callable, Protocol

from .._core.document import EndpointDocument
from .._core.policy import Policy
from .._endpoint.converge import Converged, converge
from .._endpoint.endpoint import NotEnrolled, installed_document
from .._host.host import Host


class PolicyStore(Protocol):
    """A place that holds policy values and can change them."""

    def policy(self) -> Policy:
        """The policy as it is set here; raises LookupError when there is none."""

    def save(self, policy: Policy, *, check: bool) -> Converged:
        """Make the policy the one that is set here; with ``check`` only tell what would change."""


@dataclass(frozen=True)
class EndpointStore:
    """The policy in the document of one enrolled endpoint; to save it is to converge the endpoint again."""

    host: Host
    agent: Callable[[Host], bytes]

    def policy(self) -> Policy:
        document = self._document()
        if document.server is not None:
            raise ValueError(f"the policy of this endpoint is set on its update server, {document.server.url}")
        return document.policy

    def save(self, policy: Policy, *, check: bool) -> Converged:
        document = {**self._document().to_dict(), "policy": policy.to_dict()}
        return converge(EndpointDocument.from_dict(document), self.host, agent=self.agent(self.host), check=check)

    def _document(self) -> EndpointDocument:
        document = installed_document(self.host)
        if document is None:
            raise NotEnrolled("this host is not enrolled as an endpoint; run epp.autoupdate.endpoint on it first")
        return document


_STORES: Mapping[str, Callable[..., PolicyStore]] = {"endpoint": EndpointStore}


def select_store(scope: str, **place: Any) -> PolicyStore:
    """The store of a scope; ``place`` is what its class needs."""
    return _STORES[scope](**place)
