# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which orders an endpoint believes: signed by a key that it trusts, meant for it, and not over (C2, L3)."""

from __future__ import annotations

from enum import Enum

from ..._core.metadata.envelope import Malformed, TooLarge
from ..._core.rollout.order import LONGEST_AHEAD, MAX_SIZE, Audience, CampaignOrder
from ..._core.schedule.slots import hashed_ordinal
from ..._core.settings.endpoint import EndpointDocument
from ..._core.validation.errors import InvalidDocument
from ..._host.signed_documents import verify_envelope
from ..._host.ssh_signatures import BadSignature, UnknownKey
from ..endpoint import Endpoint


class OrderRefusal(str, Enum):
    """Why an order is not taken."""

    TOO_LARGE = "too_large"
    MALFORMED = "malformed"
    UNKNOWN_KEY = "unknown_key"
    BAD_SIGNATURE = "bad_signature"
    NOT_ADDRESSED = "not_addressed"
    EXPIRED = "expired"
    TOO_FAR_AHEAD = "too_far_ahead"
    REPEATED = "repeated"
    FORGOTTEN = "forgotten"
    TOO_MANY = "too_many"


NOTHING_NEW = frozenset(
    (OrderRefusal.EXPIRED, OrderRefusal.REPEATED, OrderRefusal.FORGOTTEN, OrderRefusal.NOT_ADDRESSED)
)
"""How the file of a group is refused that has nothing for this endpoint: no sign of anything wrong."""
PASSING = frozenset((OrderRefusal.TOO_MANY, OrderRefusal.UNKNOWN_KEY, OrderRefusal.TOO_FAR_AHEAD))
"""What may be otherwise in a while: a load, keys that are still to be adopted, a clock."""


class RefusedOrder(ValueError):
    """An order is not taken; the message says why."""

    def __init__(self, code: OrderRefusal, why: str) -> None:
        super().__init__(why)
        self.code = code


def judge(endpoint: Endpoint, content: bytes) -> CampaignOrder:
    """The order in what came; raises RefusedOrder, and OSError where this host can't verify."""
    order = _verified(endpoint, content)
    document, now = endpoint.document, endpoint.host.now()
    if not _is_meant(order.audience, document):
        raise RefusedOrder(OrderRefusal.NOT_ADDRESSED, f"campaign {order.command.campaign} is not for this endpoint")
    if order.end(keeps=document.policy.events.include_roaming_and_offline) <= now:
        raise RefusedOrder(OrderRefusal.EXPIRED, f"the order of campaign {order.command.campaign} is over")
    if order.start > now + LONGEST_AHEAD:
        raise RefusedOrder(OrderRefusal.TOO_FAR_AHEAD, f"campaign {order.command.campaign} begins after days")
    return order


def ordinal_of(endpoint: Endpoint) -> int:
    """The endpoint's ordinal, or its stand-in before the server has given it one (S5)."""
    ordinal = endpoint.document.ordinal
    return hashed_ordinal(endpoint.document.endpoint) if ordinal is None else ordinal


def _is_meant(audience: Audience, document: EndpointDocument) -> bool:
    """Whether it is one of those whom the server counts as told: a group has no member that is to be left alone."""
    scope, policy = document.policy.components.scope, document.policy
    if not audience.endpoint and not policy.events.update_after_download:
        return False
    return audience.has(endpoint=document.endpoint, product=document.product, ring=document.channel, scope=scope)


def _verified(endpoint: Endpoint, content: bytes) -> CampaignOrder:
    if len(content) > MAX_SIZE:
        raise RefusedOrder(OrderRefusal.TOO_LARGE, f"it has {len(content)} bytes, {MAX_SIZE} are allowed")
    try:
        return CampaignOrder.from_bytes(verify_envelope(endpoint.host, content, signers_of(endpoint), CampaignOrder))
    except (TooLarge, Malformed, InvalidDocument, UnicodeDecodeError) as error:
        raise RefusedOrder(OrderRefusal.MALFORMED, str(error)) from None
    except UnknownKey as error:
        raise RefusedOrder(OrderRefusal.UNKNOWN_KEY, str(error)) from None
    except BadSignature as error:
        raise RefusedOrder(OrderRefusal.BAD_SIGNATURE, str(error)) from None


def signers_of(endpoint: Endpoint) -> tuple[str, ...]:
    """The keys that sign for this endpoint: those that the adopted tree names."""
    if endpoint.adopted is not None:
        return endpoint.adopted.signers
    server = endpoint.document.server
    return () if server is None else server.signers
