# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a managed endpoint's document leaves to the update server's tree, and what is in force then (C1)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..validation.errors import ValidationErrors, show
from ..values import replace
from .endpoint import EndpointDocument

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ..metadata.shard import Membership

OF_THE_TREE = ("domain", "ordinal", "policy")
"""What the update server's tree decides, so that the document of a managed endpoint does not."""


def brought(document: EndpointDocument) -> dict[str, Any]:
    """A document as a converge brings it: that of a managed endpoint without what the tree decides."""
    plain = document.to_dict()
    if document.server is None:
        return plain
    return {key: one for key, one in plain.items() if key not in OF_THE_TREE}


def refuse_tree_keys(raw: Mapping[str, Any], errors: ValidationErrors) -> None:
    """Note a policy, domain or ordinal beside ``server``: they would be of no effect, which nobody would expect."""
    if raw.get("server") is None:
        return
    for key in OF_THE_TREE:
        if raw.get(key) not in (None, "", {}):
            errors.add(
                key, f"{show(raw[key])} beside server", "allowed (the update server's tree has it: set it there)"
            )


def in_force(
    document: EndpointDocument, place: Membership | None, policy: Mapping[str, Any] | None, *, stored: bool = False
) -> EndpointDocument:
    """The document that counts on a managed endpoint with this place and policy in the tree.

    Without them (nothing was adopted yet) the policy is the default one. ``stored`` is what was adopted before. Raises
    InvalidDocument.
    """
    if place is not None and policy is not None:
        tree = {"domain": place.domain, "ordinal": place.ordinal, "policy": policy}
        document = EndpointDocument.from_dict({**brought(document), **tree}, stored=stored)
    return _with_sources(document)


def _with_sources(document: EndpointDocument) -> EndpointDocument:
    """The document whose policy names the server's own components where it names no source."""
    policy, server = document.policy, document.server
    if server is None or policy.sources.urls:
        return document
    urls = (server.components(document.product.value),)
    return replace(document, policy=replace(policy, sources=replace(policy.sources, urls=urls)))
