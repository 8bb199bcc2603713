# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""``epp-agent notice``, all that an update server can make an endpoint do (N5).

One line of JSON comes on standard input (``_core/rollout/command.py``) and one goes out. Neither arguments nor
environment are looked at; what an SSH client asked for (SSH_ORIGINAL_COMMAND) means nothing here.
"""

from __future__ import annotations

import argparse
import os
import random
import select
import signal
import sys
import time
from typing import Any

from ..._core.policy.policy import Initiator
from ..._core.results import Result, Trigger
from ..._core.rollout.command import MAX_SIZE, REPORT, InvalidCommand, ReportCommand, UpdateCommand, parse_command
from ..._host.local_host import LocalHost
from ..._host.lock import locked
from ..._host.output import complain, flush, write_document
from .. import paths
from ..endpoint import Endpoint
from ..runner.runner import Runner, Terminated
from ..runner.start_gate import StartDecision, StartGate
from ..state.command_log import CommandLog, HandledCommand
from ..state.store import RunRecord, State
from ..time_limits import JOIN_MARGIN_S, longest_update
from . import exit_codes
from .reporting import request_report

BUSY = "busy"
"""The answer while another notice is being carried out for longer than this one may wait."""

_ROAMING = "this endpoint is roaming, so it takes no commands"
_LINE_S = 10.0
"""How long the server may take to say its line; it says it at once."""


class _ImmediateStart(StartGate):
    """The server keeps the slots (S6): its notice starts the run at once."""

    def wait(
        self,
        trigger: Trigger,  # noqa: ARG002  the interface's argument
        endpoint: Endpoint,
        state: State,  # noqa: ARG002  the interface's argument
    ) -> tuple[StartDecision, Endpoint]:
        return StartDecision.now(), endpoint


def notice(host: LocalHost, options: argparse.Namespace) -> int:
    """Take a notice, or repeat what became of it."""
    if host.live and os.geteuid() != 0:
        return _hand_over(options)
    line = _given(options)
    try:
        order = parse_command(line)
    except InvalidCommand as error:
        complain("epp-agent", error)
        return exit_codes.USAGE
    endpoint = Endpoint.load(host)
    if isinstance(order, ReportCommand):
        return _report(endpoint)
    _ignore_sighup()
    with locked(host, paths.NOTICE_LOCK, wait=longest_update(endpoint.document) + JOIN_MARGIN_S) as held:
        answer = _answer(endpoint, order) if held else {"result": BUSY, "reason": "another notice is being carried out"}
    write_document(answer, sort_keys=True)
    if answer.get("repeated") is False:
        request_report(endpoint, "run")  # by a job: the server waits for the end of this process
    return exit_codes.DONE if answer["result"] in [result.value for result in Result] else exit_codes.FAILED


def _report(endpoint: Endpoint) -> int:
    """Answer with a report, also while an update is carried out."""
    from ..reporting import on_request

    if endpoint.store.read().roaming:
        write_document({"result": Result.SKIPPED.value, "reason": _ROAMING}, sort_keys=True)
        return exit_codes.DONE
    answer = on_request.make_answer(endpoint)
    write_document(answer.to_dict(), sort_keys=True)
    flush()
    on_request.handed_over(endpoint, answer)
    return exit_codes.DONE if answer.result == REPORT else exit_codes.FAILED


def _hand_over(options: argparse.Namespace) -> int:
    """What the update server's account does, which may not do the work itself."""
    from . import notice_client

    if not notice_client.has_socket():
        notice_client.through_sudo()
    return notice_client.through_socket(_given(options))


def _given(options: argparse.Namespace) -> bytes:
    return options.given if options.given is not None else _line(sys.stdin.fileno())


def _line(descriptor: int) -> bytes:
    """The line, or what came of it: a client that says nothing, or goes on for ever, must not keep an agent busy."""
    deadline, line = time.monotonic() + _LINE_S, b""
    while b"\n" not in line and len(line) <= MAX_SIZE:
        ready = select.select([descriptor], [], [], max(0.0, deadline - time.monotonic()))[0]
        came = os.read(descriptor, MAX_SIZE) if ready else b""
        if not came:
            break
        line += came
    return line


def _answer(endpoint: Endpoint, order: UpdateCommand) -> dict[str, Any]:
    store, host = CommandLog(endpoint.host), endpoint.host
    taken = store.find(order)
    if taken is not None and taken.answer is not None:
        host.log(6, f"notice {order.campaign} came again: the answer is repeated")
        return {**taken.answer, "repeated": True}
    if taken is None:
        taken = store.begin(order, at=host.now(), runs=endpoint.store.read().runs)
        host.log(6, f"notice {order.campaign} taken: version {order.version}")
        answer = _carry_out(endpoint, order)
    else:
        host.log(6, f"notice {order.campaign} came again: it had been cut off")
        answer = _result_after_crash(taken, endpoint.store.read(), order) or _carry_out(endpoint, order)
    answer.update(campaign=order.campaign, version=order.version)
    answer.update(endpoint=endpoint.document.endpoint, product=endpoint.document.product)
    if answer["result"] == Result.SKIPPED.value and answer.get("until"):
        store.withdraw(taken)
    else:
        store.finish(taken, answer)
    return {**answer, "repeated": False}


def _carry_out(endpoint: Endpoint, order: UpdateCommand) -> dict[str, Any]:
    if order.trigger is Trigger.SCHEDULE and endpoint.document.policy.schedule.initiator is not Initiator.SERVER:
        return {
            "result": Result.SKIPPED.value,
            "reason": "this endpoint keeps its schedule itself (schedule.initiator)",
        }
    if order.trigger is Trigger.MANUAL and endpoint.store.read().roaming:
        return {"result": Result.SKIPPED.value, "reason": _ROAMING}
    gate = _ImmediateStart if order.trigger is Trigger.SCHEDULE else StartGate
    runner = Runner(endpoint, gate(time.sleep, random.SystemRandom().random))
    try:
        return runner.run(order.trigger).to_dict()
    except Terminated:
        return {"result": Result.FAILED.value, "reason": "the run was stopped"}


def _result_after_crash(taken: HandledCommand, state: State, order: UpdateCommand) -> dict[str, Any] | None:
    """The result of a run that ended, though the agent was killed before it could write the answer."""
    record: RunRecord | None = state.last.get(order.trigger.value)
    if record is None or state.runs <= taken.runs or record.started < taken.at:
        return None
    return record.to_result()


def _ignore_sighup() -> None:
    """The update goes on when the server's connection ends; its answer is asked for later."""
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
