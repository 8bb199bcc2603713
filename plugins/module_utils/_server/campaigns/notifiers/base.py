# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What every way of notifying an endpoint provides."""

from __future__ import annotations

import json
from abc import ABC, abstractmethod
from typing import Any, Protocol

from ...._core.reports.report import MAX_SIZE
from ...._core.results import Result
from ...._core.rollout.command import REPORT, ReportCommand, UpdateCommand
from ...._core.rollout.delivery import SendOutcome, SendResult
from ...._core.rollout.reported import reported
from ...._core.timestamps import unix
from ...._core.untrusted_text import shown
from ...._core.values import field, frozen

OUTPUT_LIMIT = 4 * 1024 * 1024
"""Bytes of an answer or of its errors; more is no answer."""
REPORT_LIMIT = 4 * MAX_SIZE
"""As a text in JSON, a report takes up to three times its bytes."""


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


@frozen
class ReportAnswer:
    """What came of asking for a report. ``result`` is ``report``, with the file as the endpoint sealed it, or a word of
    ``Result`` or ``SendResult`` with a sentence."""

    result: str
    reason: str = ""
    content: bytes = field(default=b"", repr=False)


class Undelivered(Exception):
    """A line got no answer; the message says why."""

    def __init__(self, send_result: SendResult, why: str) -> None:
        super().__init__(why)
        self.send_result = send_result


@frozen
class Printed:
    """What an agent printed; ``code`` is its exit status, None when it was cut off or ended by a signal."""

    out: str
    err: str
    code: int | None


class Notifier(Protocol):
    """A way to endpoints. It is used by many threads at once and never raises for what a network may do."""

    def notify(self, target: Target, command: UpdateCommand, *, timeout: float) -> Response:
        """Send a command and wait for its answer, ``timeout`` seconds at most.

        NOT_REACHED only when the command certainly was not delivered; NO_REPLY as soon as it may have been.
        """

    def ask_report(self, target: Target, *, timeout: float) -> ReportAnswer:
        """Ask for a report and wait for it, ``timeout`` seconds at most."""


class LineNotifier(ABC):
    """A notifier that has one line delivered and an agent's output brought back."""

    @abstractmethod
    def exchange(self, target: Target, line: bytes, *, timeout: float, limit: int = OUTPUT_LIMIT) -> Printed:
        """Hand the agent a line, and take ``limit`` bytes of what it prints at most; raises Undelivered."""

    def notify(self, target: Target, command: UpdateCommand, *, timeout: float) -> Response:
        try:
            printed = self.exchange(target, command.to_line(), timeout=timeout)
        except Undelivered as error:
            return Response.without_answer(error.send_result, str(error))
        return parse_response(command, out=printed.out, err=printed.err, code=printed.code)

    def ask_report(self, target: Target, *, timeout: float) -> ReportAnswer:
        try:
            printed = self.exchange(target, ReportCommand().to_line(), timeout=timeout, limit=REPORT_LIMIT)
        except Undelivered as error:
            return ReportAnswer(error.send_result.value, shown(str(error)))
        return parse_report(printed)


def parse_response(command: UpdateCommand, *, out: str, err: str, code: int | None) -> Response:
    """What an agent's output means; ``code`` is its exit status, None when it was cut off or ended by a signal."""
    answer = _answer(out, command)
    if answer is not None and answer["result"] in [result.value for result in Result]:
        told = SendOutcome(SendResult.ACKNOWLEDGED, answer["result"], answer.get("reason", ""), _blackout_end(answer))
        return Response(told, answer)
    if answer is not None:
        return Response.without_answer(SendResult.NO_REPLY, answer.get("reason") or answer["result"])
    if code is None:
        return Response.without_answer(SendResult.NO_REPLY, "the connection ended before the endpoint had answered")
    reason = _last_words(Printed(out, err, code))
    return Response(SendOutcome(SendResult.ACKNOWLEDGED, Result.FAILED.value, reason))


def _blackout_end(answer: dict[str, Any]) -> float | None:
    """Until when the endpoint starts no update; other results may have such an instant for other reasons."""
    until = answer.get("until") if answer["result"] == Result.SKIPPED.value else None
    return None if until is None else float(unix(until))


def parse_report(printed: Printed) -> ReportAnswer:
    """What an agent that was asked for a report printed; whether the report is good is for its intake to find out."""
    raw = _document(printed.out)
    if raw is None and printed.code is None:
        return ReportAnswer(SendResult.NO_REPLY.value, "the connection ended before the endpoint had answered")
    if raw is None:
        return ReportAnswer(Result.FAILED.value, _last_words(printed))
    envelope = raw.get("envelope")
    if raw["result"] == REPORT and isinstance(envelope, str):
        content = envelope.encode("utf-8", "replace")
        if len(content) <= MAX_SIZE:
            return ReportAnswer(REPORT, content=content)
        return ReportAnswer(Result.FAILED.value, f"the answer has more than the {MAX_SIZE} bytes of a report")
    said = reported(raw)
    skipped = said.get("result") == Result.SKIPPED.value
    result = Result.SKIPPED if skipped else Result.FAILED
    return ReportAnswer(result.value, said.get("reason") or "the answer is no report")


def _answer(out: str, command: UpdateCommand) -> dict[str, Any] | None:
    """What is understood of the answer to this very order in what an agent printed."""
    raw = _document(out)
    if raw is None:
        return None
    return reported(raw) if raw.get("campaign", command.campaign) == command.campaign else None


def _document(out: str) -> dict[str, Any] | None:
    """The last line of what an agent printed, where it is an answer."""
    try:
        raw = json.loads(out.strip().splitlines()[-1])
    except (ValueError, IndexError, RecursionError):
        return None
    return raw if isinstance(raw, dict) and isinstance(raw.get("result"), str) else None


def _last_words(printed: Printed) -> str:
    said = (printed.err.strip() or printed.out.strip() or "nothing").splitlines()[-1]
    return shown(f"the agent ended with exit code {printed.code} and said: {said}")
