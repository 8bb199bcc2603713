# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What every way of notifying an endpoint can do for the engine."""

from __future__ import annotations

import json
from typing import Any, Protocol

from ...._core.results import Result
from ...._core.rollout.command import Order
from ...._core.rollout.delivery import Heard, Reply
from ...._core.rollout.reported import reported
from ...._core.untrusted_text import shown
from ...._core.values import frozen


@frozen
class Target:
    """An endpoint and the way to it. What ``address`` and ``host_key`` look like is the notifier's affair."""

    endpoint: str
    address: str
    host_key: str = ""


@frozen
class Told:
    """What one sending came to; ``answer`` is the endpoint's own report, the evidence that it reported."""

    reply: Reply
    answer: dict[str, Any] | None = None

    @classmethod
    def silence(cls, heard: Heard, why: str) -> Told:
        return cls(Reply(heard, why=shown(why)))


class Notifier(Protocol):
    """A way to endpoints. It is used by many threads at once and never raises for what a network may do."""

    def notify(self, target: Target, order: Order, *, patience: float) -> Told:
        """Send an order and wait for its answer, ``patience`` seconds at most.

        NOT_REACHED only when the order certainly was not delivered; LOST as soon as it may have been.
        """


def understood(order: Order, *, out: str, err: str, code: int | None) -> Told:
    """What an agent's output means; ``code`` is its exit status, None when it was cut off or ended by a signal."""
    answer = _answer(out, order)
    if answer is not None and answer["result"] in [result.value for result in Result]:
        return Told(Reply(Heard.REPORTED, answer["result"], answer.get("reason", "")), answer)
    if answer is not None:
        return Told.silence(Heard.LOST, answer.get("reason") or answer["result"])
    if code is None:
        return Told.silence(Heard.LOST, "the connection ended before the endpoint had answered")
    said = (err.strip() or out.strip() or "nothing").splitlines()[-1]
    why = f"the agent ended with exit code {code} and said: {said}"
    return Told(Reply(Heard.REPORTED, Result.FAILED.value, shown(why)))


def _answer(out: str, order: Order) -> dict[str, Any] | None:
    """What is understood of the answer to this very order in what an agent printed."""
    try:
        raw = json.loads(out.strip().splitlines()[-1])
    except (ValueError, IndexError, RecursionError):
        return None
    if not isinstance(raw, dict) or not isinstance(raw.get("result"), str):
        return None
    return reported(raw) if raw.get("campaign", order.campaign) == order.campaign else None
