# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Update Now for many: one campaign of its own, waited for until every endpoint's part in it is settled."""

from __future__ import annotations

import time
from collections.abc import Sequence
from contextlib import closing
from typing import Any

from ..._core.results import Result, Trigger
from ..._core.rollout.delivery import Heard, Stage, now_notice, skipped
from ..._core.rollout.reported import reported
from ..._core.timestamps import iso
from ..._core.values import frozen
from ..._host.local_host import LocalHost
from ..database.database import open_database
from ..fleet.policies import members
from .notify import notify
from .queries import notices as told
from .start import NO_ADDRESS
from .store import CampaignStore, Subject

NOW = "now"
"""Stands for the product in campaigns of Update Now: it is of all that an endpoint has."""
_PAUSE_S = 0.5
_BROKEN = (Result.FAILED.value, Result.UNREACHABLE.value)
_BARRED = (Heard.REFUSED.value, Heard.HOST_KEY.value)


@frozen
class Part:
    """What Update Now came to on one endpoint; ``before`` and ``after`` are its components, as it reported them."""

    name: str
    stage: Stage
    result: str
    why: str
    before: tuple[dict[str, Any], ...] = ()
    after: tuple[dict[str, Any], ...] = ()

    @property
    def changed(self) -> bool:
        return bool(self.after) and self.before != self.after

    @property
    def broken(self) -> bool:
        """Whether the endpoint reported that its update failed, or that it reached no source."""
        return self.stage is Stage.DONE and self.result in _BROKEN

    def to_dict(self) -> dict[str, Any]:
        plain: dict[str, Any] = {
            "name": self.name,
            "status": self.stage.value,
            "result": self.result,
            "reason": self.why,
        }
        return {**plain, "before": list(self.before), "after": list(self.after)}


@frozen
class NowReport:
    """What one Update Now came to; ``campaign`` is None where there was nobody to notify."""

    campaign: str | None
    parts: tuple[Part, ...] = ()

    @property
    def broken(self) -> tuple[str, ...]:
        return tuple(part.name for part in self.parts if part.broken)

    @property
    def refused(self) -> tuple[str, ...]:
        """Who is up and can't be notified: sshd refuses the notify key, or shows another host key than the pinned."""
        gave_up = (part for part in self.parts if part.stage is Stage.GAVE_UP)
        return tuple(part.name for part in gave_up if part.result in _BARRED)

    @property
    def not_reached(self) -> tuple[str, ...]:
        gave_up = (part for part in self.parts if part.stage is Stage.GAVE_UP)
        return tuple(part.name for part in gave_up if part.result not in _BARRED)

    @property
    def unfinished(self) -> tuple[str, ...]:
        """Who had not answered when the time to wait was over; what they do goes on record when they do."""
        return tuple(part.name for part in self.parts if part.stage.open)

    def to_dict(self) -> dict[str, Any]:
        lists = {
            "failed_endpoints": list(self.broken),
            "refused": list(self.refused),
            "not_reached": list(self.not_reached),
            "pending": list(self.unfinished),
        }
        changed = any(part.changed for part in self.parts)
        notified = [part.name for part in self.parts]
        plain = {"changed": changed, "campaign": self.campaign, "notified": notified, **lists}
        return {**plain, "endpoints": [part.to_dict() for part in self.parts]}


def update_now(host: LocalHost, names: Sequence[str], *, timeout: float) -> NowReport:
    """Let these endpoints update, each once and not more at a time than the cap allows, and wait for their answers.

    The records are those of any campaign: a server that is killed meanwhile asks what became of it, and whoever comes
    after ``timeout`` seconds finds the rest there.
    """
    deadline = time.monotonic() + timeout
    now = host.now()
    until = now + timeout
    if not names:
        return NowReport(None)
    subject = Subject(Trigger.MANUAL, NOW, iso(now), f"{now!r} {time.monotonic_ns()}")
    with closing(open_database(host)) as connection:
        store = CampaignStore(connection)
        silent = {member.name for member in members(connection) if not member.notified}
        notices = (now_notice(name, created=now, until=until) for name in names if name not in silent)
        left_out = (skipped(name, NO_ADDRESS) for name in names if name in silent)
        store.join(subject, [*notices, *left_out], now=now)
        _wait(host, store, subject, until, deadline)
        return NowReport(subject.id, tuple(_part(row) for row in told(connection, subject.id)))


def _wait(host: LocalHost, store: CampaignStore, subject: Subject, until: float, deadline: float) -> None:
    """Until all is settled or the time is over: by an engine of our own, or beside one that is at work already."""

    def enough(records: CampaignStore) -> bool:
        # By elapsed time, too: the clock may be set back meanwhile.
        return records.settled(subject) or host.now() >= until or time.monotonic() >= deadline

    while not enough(store):
        if notify(host, until_settled=True, enough=enough) is None:
            time.sleep(_PAUSE_S)


def _part(row: dict[str, Any]) -> Part:
    answer = row["answer"] or {}
    lists = (_components(answer.get(side)) for side in ("before", "after"))
    return Part(row["endpoint"], Stage(row["status"]), row["result"], row["reason"], *lists)


def _components(raw: object) -> tuple[dict[str, Any], ...]:
    """Names and versions in what an endpoint said, which may be anything."""
    return tuple(reported({"after": raw}).get("after", ()))
