# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What an endpoint remembers of orders: those whose instant is still to come, and what it did not take (L3)."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from ..._core.results import Trigger
from ..._core.rollout.command import UpdateCommand
from ..._core.timestamps import iso_or_none
from ..._core.values import asdict, field, frozen
from ..._host.host import Host
from .. import paths

FORMAT = 1
_KEPT = 50


@frozen
class PendingOrder:
    """An order that was taken; ``at`` is when it begins and ``until`` from when on it does not, in Unix seconds.

    ``answer`` is the last one where a blackout has put it off (G7).
    """

    campaign: str
    version: str
    trigger: str
    at: float
    until: float
    answer: Mapping[str, Any] | None = None

    @property
    def command(self) -> UpdateCommand:
        return UpdateCommand(self.campaign, self.version, Trigger(self.trigger))


@frozen
class OrderRecord:
    """``pending`` by the order of arrival; ``issued`` is the newest issue that was seen of each campaign.

    ``taken`` counts orders, ``refused`` those that were not taken, by code; ``refused_at`` is when that was last.
    ``connected`` is since when the broker lets this endpoint listen, None while it does not, and ``fault`` why not.
    ``validators`` are those of the files with the last orders to groups.
    """

    pending: tuple[PendingOrder, ...] = ()
    issued: Mapping[str, int] = field(default_factory=dict)
    taken: int = 0
    refused: Mapping[str, int] = field(default_factory=dict)
    refused_at: float | None = None
    connected: float | None = None
    fault: str = ""
    validators: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)

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
            return OrderRecord(pending=pending, **raw)
        except (ValueError, TypeError, AttributeError):
            return OrderRecord()

    def write(self, record: OrderRecord) -> None:
        """Replace the record; raises OSError."""
        plain = {"format": FORMAT, **asdict(record)}
        plain["issued"] = dict(list(record.issued.items())[-_KEPT:])
        plain["pending"] = plain["pending"][-_KEPT:]
        self._host.write(paths.ORDERS, json.dumps(plain, sort_keys=True).encode(), mode=0o600)
