# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a managed endpoint's document leaves to the update server's tree, and what is in force then (C1)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..policy.enums import Initiator
from ..validation.errors import ValidationErrors, show
from ..values import replace
from .endpoint import EndpointDocument
from .endpoint_keys import ProductKind
from .further_products import PRODUCTS
from .update_server import CHANNELS

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ..metadata.shard import Membership

OF_THE_TREE = ("domain", "ordinal", "policy", "channel")
"""What the update server's tree decides, so that the document of a managed endpoint does not."""


def brought(document: EndpointDocument) -> dict[str, Any]:
    """A document as a converge brings it: that of a managed endpoint without what the tree decides."""
    plain = document.to_dict()
    if document.server is None:
        return plain
    left = {key: one for key, one in plain.items() if key not in OF_THE_TREE}
    further = [{key: one for key, one in entry.items() if key != "policy"} for entry in plain.get(PRODUCTS, ())]
    return {**left, PRODUCTS: further} if further else left


def refuse_tree_keys(raw: Mapping[str, Any], errors: ValidationErrors) -> None:
    """Note a policy, domain or ordinal beside ``server``: they would be of no effect, which nobody would expect."""
    if raw.get("server") is None:
        return
    for key in OF_THE_TREE:
        if raw.get(key) not in (None, "", {}):
            errors.add(
                key, f"{show(raw[key])} beside server", "allowed (the update server's tree has it: set it there)"
            )
    further = raw.get(PRODUCTS)
    for index, entry in enumerate(further if isinstance(further, list) else ()):
        if isinstance(entry, Mapping) and entry.get("policy"):
            where, allowed = f"{PRODUCTS}[{index}].policy", "allowed (the update server's tree has it: set it there)"
            errors.add(where, f"{show(entry['policy'])} beside server", allowed)


def in_force(
    document: EndpointDocument,
    place: Membership | None,
    policy: Mapping[str, Any] | None,
    products: Mapping[str, Mapping[str, Any]] | None = None,
    *,
    stored: bool = False,
) -> EndpointDocument:
    """The document that counts on a managed endpoint with this place and policy in the tree.

    ``products`` are the policies of those for which the tree sets something. Without a place and a policy (nothing was
    adopted yet) the policy is the default one. ``stored`` is what was adopted before. Raises InvalidDocument.
    """
    channels: Mapping[str, str] = {}
    if place is not None and policy is not None:
        channels = place.channels or {}
        tree = {"domain": place.domain, "ordinal": place.ordinal, "channel": channels.get(document.product, "")}
        document = with_tree(document, tree, policy, products or {}, stored=stored)
    further = tuple(_further_in_force(one, channels) for one in document.further)
    return _with_sources(replace(document, further=further) if further else document)


def _further_in_force(further: EndpointDocument, channels: Mapping[str, str]) -> EndpointDocument:
    """A further product, with the channel and the sources of its own."""
    return _with_sources(_with_own_schedule(replace(further, channel=channels.get(further.product, ""))))


def with_tree(
    document: EndpointDocument,
    place: Mapping[str, Any],
    policy: Mapping[str, Any],
    products: Mapping[str, Mapping[str, Any]],
    *,
    stored: bool = False,
) -> EndpointDocument:
    """The document with what the tree decides: the policy of each product is its own or that of all."""
    raw = {**brought(document), **place, "policy": products.get(document.product, policy)}
    for entry in raw.get(PRODUCTS, ()):
        own = products.get(entry["product"], policy)
        entry["policy"] = {section: one for section, one in own.items() if section != "privileges"}
    return EndpointDocument.from_dict(raw, stored=stored)


def _with_own_schedule(further: EndpointDocument) -> EndpointDocument:
    """A further product, which keeps its slots itself: the update server notifies of the first one's alone."""
    policy = further.policy
    schedule = replace(policy.schedule, initiator=Initiator.ENDPOINT)
    return replace(further, policy=replace(policy, schedule=schedule))


def channel_url(document: EndpointDocument) -> str:
    """The mirror of the channel of an endpoint's ClamAV; empty where its rollout is not staged."""
    if document.server is None or not document.channel or document.product != ProductKind.CLAMAV.value:
        return ""
    return f"{document.server.components(document.product)}/{CHANNELS}/{document.channel}"


def _with_sources(document: EndpointDocument) -> EndpointDocument:
    """The document whose policy names the server's own components where it names no source.

    A channel of ClamAV is a mirror of its own; those of other products share their content, and have a manifest each. A
    product that is data knows its own sources.
    """
    policy, server = document.policy, document.server
    if server is None or document.definition is not None:
        return document
    own = server.components(document.product)
    mirror = document.channel if document.product == ProductKind.CLAMAV.value else ""
    urls = policy.sources.urls or (own,)
    document = replace(document, policy=replace(policy, sources=replace(policy.sources, urls=urls)))
    return _in_channel(document, own, f"{own}/{CHANNELS}/{mirror}") if mirror else document


def _in_channel(document: EndpointDocument, mirror: str, channel: str) -> EndpointDocument:
    """The document in which each URL of the server's mirror is one of the endpoint's channel.

    So a database of ``extra`` goes through the rings, too, though every endpoint is told the same URL (G1).
    """
    policy, clamav = document.policy, document.clamav
    sources = tuple(channel if url == mirror else url for url in policy.sources.urls)
    custom = tuple(_below(url, mirror, channel) for url in clamav.custom_urls)
    policy = replace(policy, sources=replace(policy.sources, urls=sources))
    return replace(document, policy=policy, clamav=replace(clamav, custom_urls=custom))


def _below(url: str, mirror: str, channel: str) -> str:
    """A file right below the mirror as one of the channel; any other URL as it is."""
    base, _slash, name = url.rpartition("/")
    return f"{channel}/{name}" if base == mirror else url
