# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Where policy is set: one interface, one class for each place, one door.

A standalone endpoint has its policy in its document, an update server has that of a fleet in its tree.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Callable, Protocol

from .._core.policy.change import TreeScope
from .._core.policy.inheritance import Layer, resolve
from .._core.policy.policy import Policy
from .._core.settings.endpoint import EndpointDocument
from .._endpoint.converge.converge import converge
from .._endpoint.endpoint import NotEnrolled
from .._endpoint.installed import installed_document
from .._host.host import Host
from .installed_server import Server
from .scopes import Assignment, PolicyScope

Sections = Mapping[str, Mapping[str, Any]]


@dataclass(frozen=True)
class SaveResult:
    """What an assignment did, or would do: the node's sections before and after it.

    ``more`` are further results, ``diff`` further items of Ansible's diff: what else changed with it.
    """

    changed: bool
    before: Sections
    after: Sections
    more: Mapping[str, Any] = field(default_factory=dict)
    diff: tuple[dict[str, str], ...] = ()


class PolicyStore(Protocol):
    """A place that holds policy values and can change them."""

    def save(self, assignment: Assignment, *, check: bool) -> SaveResult:
        """Set what is assigned; with ``check`` only tell what would change. Raises InvalidDocument, LookupError."""


@dataclass(frozen=True)
class EndpointStore:
    """The policy in the document of one enrolled endpoint; to save it is to converge the endpoint again."""

    host: Host
    agent: Callable[[Host], bytes]

    def save(self, assignment: Assignment, *, check: bool) -> SaveResult:
        document = self._document()
        before = document.policy
        after = changed_policy(before, assignment.values)
        wanted = EndpointDocument.from_dict({**document.to_dict(), "policy": after.to_dict()})
        result = converge(wanted, self.host, agent=self.agent(self.host), check=check).to_result()
        diff, changed = tuple(result.pop("diff")), result.pop("changed")
        return SaveResult(changed, before.to_dict(), after.to_dict(), result, diff)

    def _document(self) -> EndpointDocument:
        document = installed_document(self.host)
        if document is None:
            raise NotEnrolled("this host is not enrolled as an endpoint; run epp.autoupdate.endpoint on it first")
        if document.server is not None:
            where = f"on the update server {document.server.url}"
            raise LookupError(f"this endpoint is managed: its policy is set {where}, with the name {document.endpoint}")
        return document


@dataclass(frozen=True)
class ServerStore:
    """A node of the update server's client tree, which holds the keys that it sets itself and no others."""

    server: Server

    def save(self, assignment: Assignment, *, check: bool) -> SaveResult:
        place = assignment.place
        wanted: dict[str, Any] = {"scope": place.scope.value, "name": place.name, "apply_to": place.apply_to.value}
        wanted.update(values=assignment.values, inherit=list(assignment.inherit))
        answer = self.server.ask("tree", "set", given=wanted, check=check)
        return SaveResult(answer["changed"], answer["before"], answer["after"], self._effective(place, check=check))

    def _effective(self, place: PolicyScope, *, check: bool) -> dict[str, Any]:
        """What an endpoint gets now, and from which node; of root and domains no endpoint may get all."""
        if check or place.scope is not TreeScope.ENDPOINT:
            return {}
        explained = self.server.ask("tree", "explain", place.name, "--json")
        return {"effective": explained["policy"], "provenance": explained["provenance"]}


def changed_policy(before: Policy, given: Sections) -> Policy:
    """The policy with some keys set; keys that this makes meaningless fall away. Raises InvalidDocument."""
    return resolve([Layer("before", before.to_dict()), Layer("task", given)]).policy


def select_store(*, on_server: bool, host: Host, agent: Callable[[Host], bytes]) -> PolicyStore:
    """The store of a node: of an update server's tree, or of this very host, whose ``agent`` builds its program."""
    return ServerStore(Server(host.root)) if on_server else EndpointStore(host, agent)
