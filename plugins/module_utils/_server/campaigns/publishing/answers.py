# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What reports of endpoints tell about the campaigns that they have taken (R4): the answers to what was published."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping, Sequence
from typing import Any

from ...._core.results import Result
from ...._core.rollout import delivery
from ...._core.rollout.delivery import SendOutcome, SendResult
from ...._core.settings.retries import RetryPolicy
from ...._core.timestamps import unix
from ..store import OPEN, UP_TO_DATE, CampaignStore, read_delivery


def record_answers(connection: sqlite3.Connection, told: Mapping[str, Sequence[Mapping[str, Any]]], now: float) -> int:
    """Record the answers of endpoints, by name, in the caller's transaction; returns how many closed a delivery.

    An answer counts for a delivery that is open; what is on record of one that is closed stays.
    """
    store = AnswerStore(connection)
    return sum(store.record(name, answer, now) for name, answers in told.items() for answer in answers)


class AnswerStore(CampaignStore):
    """The campaigns of one server's database, for the intake of reports."""

    def record(self, endpoint: str, answer: Mapping[str, Any], now: float) -> bool:
        """Record one answer, if it is one to an open delivery."""
        campaign, outcome = str(answer.get("campaign", "")), _outcome(answer)
        found = self._select(f"campaign = ? AND endpoint = ? AND {OPEN}", (campaign, endpoint))
        if not found or outcome is None:
            return False
        before = read_delivery(found[0])
        if delivery.answers_earlier_telling(before, outcome):
            return False
        after = delivery.apply_response(before, outcome, now=now, limits=RetryPolicy())
        self._update(campaign, after, now, answer=dict(answer))
        if outcome.result in UP_TO_DATE:
            self._connection.execute(
                "UPDATE holdings SET version = (SELECT version FROM campaigns WHERE id = ?) WHERE endpoint = ?"
                " AND product = (SELECT product FROM campaigns WHERE id = ? AND trigger = 'download')",
                (campaign, endpoint, campaign),
            )
        return True


def answers_in(report_status: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The answers in the status of a report."""
    listed = report_status.get("notices")
    return [dict(one) for one in listed] if isinstance(listed, list) else []


def _outcome(answer: Mapping[str, Any]) -> SendOutcome | None:
    result = answer.get("result")
    if result not in [one.value for one in Result]:
        return None
    until = answer.get("until") if result == Result.SKIPPED.value else None
    end = None if until is None else float(unix(until))
    return SendOutcome(SendResult.ACKNOWLEDGED, str(result), str(answer.get("reason", "")), end)
