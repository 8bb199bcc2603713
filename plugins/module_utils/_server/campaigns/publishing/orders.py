# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Publications as signed orders: over the broker, and those to groups as a file that whoever missed one asks for."""

from __future__ import annotations

from collections.abc import Sequence

from ...._core.metadata.envelope import pack
from ...._core.metadata.header import Header
from ...._core.rollout.order import NAMESPACE, CampaignOrder
from ...._core.rollout.topics import endpoint_topic, group_file, group_topic
from ...._core.settings.retries import RetryPolicy
from ...._core.values import frozen
from ...._host.host import Host
from ...._host.ssh_signatures import sign_all
from ... import paths
from ...publication.keys import ensure_keyring, path_of
from .plan import Publication


@frozen
class SealedOrder:
    """An order as it is published. ``file`` is where it lies below the public directory; empty: nowhere."""

    topic: str
    content: bytes
    file: str = ""


def signed_orders(
    host: Host, made: Sequence[Publication], *, prefix: str, limits: RetryPolicy, now: int
) -> list[SealedOrder]:
    """The orders of publications, signed by the key that signs the configuration; raises OSError."""
    orders = [_order(one, limits, now) for one in made]
    documents = [one.to_bytes() for one in orders]
    signatures = sign_all(host, documents, path_of(ensure_keyring(host).current), NAMESPACE)
    sealed = (pack(document, signature, NAMESPACE) for document, signature in zip(documents, signatures))
    return [_addressed(order, content, prefix) for order, content in zip(orders, sealed)]


def keep_for_late_ones(host: Host, orders: Sequence[SealedOrder]) -> None:
    """Publish the orders to groups as files, too."""
    for one in orders:
        if one.file:
            host.write(f"{paths.PUBLIC}/{one.file}", one.content, mode=0o644)


def _order(one: Publication, limits: RetryPolicy, now: int) -> CampaignOrder:
    """An order to a group lasts as long as endpoints are told again (N2), or are kept (E1a); one to an endpoint until
    it would be told again."""
    last, lease = one.start + one.spread, int(limits.lease)
    if not one.spread:
        end = last + lease if one.until is None else min(last + lease, int(one.until))
        return CampaignOrder(Header(1, now, end), one.command, one.audience, one.start, created=one.created)
    end = last + lease + int(limits.retries * limits.retry_delay)
    kept = now + int(limits.offline_ttl) if one.retained else 0
    return CampaignOrder(Header(1, now, end), one.command, one.audience, one.start, one.spread, kept, one.created)


def _addressed(order: CampaignOrder, content: bytes, prefix: str) -> SealedOrder:
    audience = order.audience
    if audience.endpoint:
        return SealedOrder(endpoint_topic(prefix, audience.endpoint), content)
    topic = group_topic(prefix, audience.product, audience.ring)
    return SealedOrder(topic, content, group_file(audience.product, audience.ring))
