# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Update Now: one campaign, waited for until none of its deliveries is open."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Callable, Sequence
from contextlib import closing
from typing import Any

from ..._core.results import Result, Trigger
from ..._core.rollout.delivery import DeliveryStatus, SendResult, immediate_delivery, skipped
from ..._core.rollout.reported import reported
from ..._core.timestamps import iso
from ..._core.values import frozen
from ..._host.local_host import LocalHost
from ..database.database import open_database
from ..fleet.policies import endpoint_policies
from ..terminal.line import Watch
from ..terminal.progress import Progress
from .notify import notify
from .queries import counts, worst_first
from .queries import deliveries as delivery_rows
from .start import NO_ADDRESS
from .store import CampaignKey, CampaignStore

NOW = "now"
"""Stands for the product in campaigns of Update Now: it is of all that an endpoint has."""
_PAUSE_S = 0.5
_FAILED = (Result.FAILED.value, Result.UNREACHABLE.value)
_BARRED = (SendResult.REFUSED.value, SendResult.HOST_KEY_CHANGED.value)


@frozen
class EndpointResult:
    """The result of Update Now on one endpoint; ``before`` and ``after`` are its reported components.

    ``until`` is when its source's cool-down ends (ISO 8601), as the endpoint reported it.
    """

    name: str
    status: DeliveryStatus
    result: str
    reason: str
    before: tuple[dict[str, Any], ...] = ()
    after: tuple[dict[str, Any], ...] = ()
    until: str | None = None

    @property
    def changed(self) -> bool:
        return bool(self.after) and self.before != self.after

    @property
    def failed(self) -> bool:
        """Whether the endpoint reported that its update failed, or that it reached no source."""
        return self.status is DeliveryStatus.FINISHED and self.result in _FAILED

    def to_dict(self) -> dict[str, Any]:
        plain: dict[str, Any] = {
            "name": self.name,
            "status": self.status.value,
            "result": self.result,
            "reason": self.reason,
            "until": self.until,
        }
        return {**plain, "before": list(self.before), "after": list(self.after)}


@frozen
class UpdateNowReport:
    """The result of one Update Now; ``campaign`` is None without any endpoint to notify."""

    campaign: str | None
    results: tuple[EndpointResult, ...] = ()

    @property
    def failed(self) -> tuple[str, ...]:
        return tuple(result.name for result in self.results if result.failed)

    @property
    def refused(self) -> tuple[str, ...]:
        """Who is up and can't be notified: sshd refuses the notify key, or shows another host key than the pinned."""
        gave_up = (result for result in self.results if result.status is DeliveryStatus.FAILED)
        return tuple(result.name for result in gave_up if result.result in _BARRED)

    @property
    def not_reached(self) -> tuple[str, ...]:
        gave_up = (result for result in self.results if result.status is DeliveryStatus.FAILED)
        return tuple(result.name for result in gave_up if result.result not in _BARRED)

    @property
    def pending(self) -> tuple[str, ...]:
        """Who had not answered when the time to wait was over; what they do goes on record when they do."""
        return tuple(result.name for result in self.results if result.status.open)

    def to_dict(self) -> dict[str, Any]:
        lists = {
            "failed_endpoints": list(self.failed),
            "refused": list(self.refused),
            "not_reached": list(self.not_reached),
            "pending": list(self.pending),
        }
        changed = any(result.changed for result in self.results)
        notified = [result.name for result in self.results]
        plain = {"changed": changed, "campaign": self.campaign, "notified": notified, **lists}
        return {**plain, "endpoints": [result.to_dict() for result in self.results]}


def update_now(host: LocalHost, names: Sequence[str], *, timeout: float, watch: Watch | None = None) -> UpdateNowReport:
    """Let these endpoints update, each once and not more at a time than the cap allows, and wait for their answers.

    The records are those of any campaign: a server that is killed meanwhile asks what became of it, and whoever comes
    after ``timeout`` seconds finds the rest there. ``watch`` learns how far it is.
    """
    deadline = time.monotonic() + timeout
    now = host.now()
    until = now + timeout
    if not names:
        return UpdateNowReport(None)
    key = CampaignKey(Trigger.MANUAL, NOW, iso(now), f"{now!r} {time.monotonic_ns()}")
    with closing(open_database(host)) as connection:
        store = CampaignStore(connection)
        silent = {member.name for member in endpoint_policies(connection) if not member.notified}
        deliveries = (immediate_delivery(name, created=now, until=until) for name in names if name not in silent)
        left_out = (skipped(name, NO_ADDRESS) for name in names if name in silent)
        store.join(key, [*deliveries, *left_out], now=now)

        def stop_when(records: CampaignStore) -> bool:
            if watch is not None:
                watch(lambda: _progress(connection, key))
            # By elapsed time, too: the clock may be set back meanwhile.
            return records.is_settled(key) or host.now() >= until or time.monotonic() >= deadline

        _wait(host, store, stop_when)
        return UpdateNowReport(key.id, tuple(_endpoint_result(row) for row in delivery_rows(connection, key.id)))


def _progress(connection: sqlite3.Connection, key: CampaignKey) -> Progress:
    statuses, results = counts(connection, key.id)
    open_ones = [status for status in statuses if DeliveryStatus(status).open]
    left, total = sum(statuses[status] for status in open_ones), sum(statuses.values())
    had = {word: count for word, count in worst_first(results).items() if word not in open_ones}
    return Progress("update-now", total - left, total, had)


def _wait(host: LocalHost, store: CampaignStore, stop_when: Callable[[CampaignStore], bool]) -> None:
    """Until all is settled or the time is over: by an own dispatcher, or beside one that is at work already."""
    while not stop_when(store):
        if notify(host, until_settled=True, stop_when=stop_when) is None:
            time.sleep(_PAUSE_S)


def _endpoint_result(row: dict[str, Any]) -> EndpointResult:
    answer = reported(row["answer"] or {})
    before, after = (tuple(answer.get(side, ())) for side in ("before", "after"))
    status, until = DeliveryStatus(row["status"]), answer.get("until")
    return EndpointResult(row["endpoint"], status, row["result"], row["reason"], before, after, until)
