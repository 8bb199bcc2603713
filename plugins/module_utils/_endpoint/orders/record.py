# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What an endpoint remembers of orders: those whose instant is still to come, the campaigns that it has begun, and what
it did not take (L3)."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from ..._core.results import Trigger
from ..._core.rollout.command import UpdateCommand
from ..._core.rollout.order import LONGEST_AHEAD
from ..._core.timestamps import iso_or_none
from ..._core.values import asdict, field, frozen, replace
from ..._host.host import Host
from .. import paths

FORMAT = 1
_KEPT = 50
_REMEMBERED = 500
"""Campaigns that are known by name; of those before them it is known that they were before."""


@frozen
class PendingOrder:
    """An order that was taken; ``at`` is when it begins, ``until`` from when on it does not, and ``created`` when its
    campaign was, in Unix seconds."""

    campaign: str
    version: str
    trigger: str
    at: float
    until: float
    created: int = 0

    @property
    def command(self) -> UpdateCommand:
        return UpdateCommand(self.campaign, self.version, Trigger(self.trigger))


@frozen
class OrderRecord:
    """``pending`` by the order of arrival; ``issued`` is the newest issue that was seen of each campaign. ``begun`` are
    the campaigns that were carried out, with the instants at which they were created; those that were created until
    ``forgotten`` may have been, too. ``postponed`` are answers in blackouts, after which the server tells again (G7).

    ``taken`` counts orders, ``refused`` those that were not taken, by code; ``refused_at`` is when that was last.
    ``connected`` is since when the broker lets this endpoint listen, None while it does not, and ``fault`` why not.
    ``validators`` are those of the files with the last orders to groups.
    """

    pending: tuple[PendingOrder, ...] = ()
    issued: Mapping[str, int] = field(default_factory=dict)
    begun: Mapping[str, int] = field(default_factory=dict)
    forgotten: int = -1
    postponed: tuple[Mapping[str, Any], ...] = ()
    taken: int = 0
    refused: Mapping[str, int] = field(default_factory=dict)
    refused_at: float | None = None
    connected: float | None = None
    fault: str = ""
    validators: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)

    def awaits(self, campaign: str) -> bool:
        """Whether an order of this campaign is to be carried out still."""
        return any(one.campaign == campaign for one in self.pending)

    def may_have_begun(self, created: int, now: float) -> bool:
        """Whether a campaign that was created then may be one that was forgotten; what a clock has said that was ahead
        counts for nothing."""
        return created <= self.forgotten <= now + LONGEST_AHEAD

    def with_order(self, one: PendingOrder, issued: int) -> OrderRecord:
        """After an order was taken."""
        others = {name: at for name, at in self.issued.items() if name != one.campaign}
        return replace(
            self,
            pending=(*self.pending, one),
            issued=dict([*list(others.items())[1 - _KEPT :], (one.campaign, issued)]),
            postponed=_without(self.postponed, one.campaign),
            taken=self.taken + 1,
        )

    def without(self, campaign: str) -> OrderRecord:
        """Without the pending order of a campaign."""
        return replace(self, pending=tuple(one for one in self.pending if one.campaign != campaign))

    def with_begun(self, one: PendingOrder) -> OrderRecord:
        """After an order was carried out."""
        known = sorted({**self.begun, one.campaign: one.created}.items(), key=lambda item: item[1])
        over, begun = known[:-_REMEMBERED], known[-_REMEMBERED:]
        forgotten = max([self.forgotten, *(created for _name, created in over)])
        return replace(self.without(one.campaign), begun=dict(begun), forgotten=forgotten)

    def with_postponed(self, one: PendingOrder, answer: Mapping[str, Any]) -> OrderRecord:
        """After a blackout has put an order off."""
        others = _without(self.postponed, one.campaign)
        return replace(
            self.without(one.campaign), postponed=(*others[1 - _KEPT :], {**answer, "campaign": one.campaign})
        )

    def to_result(self) -> dict[str, Any]:
        """What people and programs are told of it."""
        return {
            "connected": iso_or_none(self.connected),
            "reason": self.fault,
            "taken": self.taken,
            "waiting": [{"campaign": one.campaign, "at": iso_or_none(one.at)} for one in self.pending],
            "refused": dict(sorted(self.refused.items())),
            "refused_at": iso_or_none(self.refused_at),
        }


class OrderStore:
    """The record of one host, which the listener alone writes."""

    def __init__(self, host: Host) -> None:
        self._host = host

    def read(self) -> OrderRecord:
        """The record; an empty one where there is none, or none that can be understood."""
        try:
            raw = json.loads(self._host.read(paths.ORDERS) or b"{}")
            raw.pop("format", None)
            pending = tuple(PendingOrder(**one) for one in raw.pop("pending", ()))
            return OrderRecord(pending=pending, postponed=tuple(raw.pop("postponed", ())), **raw)
        except (ValueError, TypeError, AttributeError):
            return OrderRecord()

    def write(self, record: OrderRecord) -> None:
        """Replace the record; raises OSError."""
        plain = {"format": FORMAT, **asdict(record)}
        plain["pending"] = plain["pending"][-_KEPT:]
        self._host.write(paths.ORDERS, json.dumps(plain, sort_keys=True).encode(), mode=0o600)


def _without(answers: tuple[Mapping[str, Any], ...], campaign: str) -> tuple[Mapping[str, Any], ...]:
    return tuple(one for one in answers if one.get("campaign") != campaign)
