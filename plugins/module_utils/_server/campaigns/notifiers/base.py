# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What every way of notifying an endpoint provides to the dispatcher."""

from __future__ import annotations

import json
from typing import Any, Protocol

from ...._core.results import Result
from ...._core.rollout.command import UpdateCommand
from ...._core.rollout.delivery import SendOutcome, SendResult
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
class Response:
    """The outcome of one delivery attempt; ``answer`` is the report of the endpoint, kept as evidence."""

    outcome: SendOutcome
    answer: dict[str, Any] | None = None

    @classmethod
    def without_answer(cls, send_result: SendResult, reason: str) -> Response:
        return cls(SendOutcome(send_result, reason=shown(reason)))


class Notifier(Protocol):
    """A way to endpoints. It is used by many threads at once and never raises for what a network may do."""

    def notify(self, target: Target, command: UpdateCommand, *, timeout: float) -> Response:
        """Send a command and wait for its answer, ``timeout`` seconds at most.

        NOT_REACHED only when the command certainly was not delivered; NO_REPLY as soon as it may have been.
        """


def parse_response(command: UpdateCommand, *, out: str, err: str, code: int | None) -> Response:
    """What an agent's output means; ``code`` is its exit status, None when it was cut off or ended by a signal."""
    answer = _answer(out, command)
    if answer is not None and answer["result"] in [result.value for result in Result]:
        return Response(SendOutcome(SendResult.ACKNOWLEDGED, answer["result"], answer.get("reason", "")), answer)
    if answer is not None:
        return Response.without_answer(SendResult.NO_REPLY, answer.get("reason") or answer["result"])
    if code is None:
        return Response.without_answer(SendResult.NO_REPLY, "the connection ended before the endpoint had answered")
    said = (err.strip() or out.strip() or "nothing").splitlines()[-1]
    reason = f"the agent ended with exit code {code} and said: {said}"
    return Response(SendOutcome(SendResult.ACKNOWLEDGED, Result.FAILED.value, shown(reason)))


def _answer(out: str, command: UpdateCommand) -> dict[str, Any] | None:
    """What is understood of the answer to this very order in what an agent printed."""
    try:
        raw = json.loads(out.strip().splitlines()[-1])
    except (ValueError, IndexError, RecursionError):
        return None
    if not isinstance(raw, dict) or not isinstance(raw.get("result"), str):
        return None
    return reported(raw) if raw.get("campaign", command.campaign) == command.campaign else None
