# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The commands that work or switch: prepare, run, update-now, scan, schedule, roaming.

An unprivileged user's request goes through the host's own door (systemd and polkit, or sudo), which starts the same
agent as root; both sides check the privilege (P3).
"""

from __future__ import annotations

import argparse
import json
import os
import random
import time
from collections.abc import Sequence
from typing import Any, Callable

from ..._core.results import Result, Trigger
from ..._host.local_host import LocalHost
from ..._host.output import complain, write_document, write_lines, write_logged
from ..._host.process import Completed
from .. import paths
from ..clock import reckoning_anew
from ..endpoint import Endpoint, NotEnrolled
from ..privileges import UserAction, select_backend
from ..runner.runner import Runner, Terminated
from ..runner.start_gate import StartGate
from ..runner.user_actions import (
    denied_by_system,
    for_root_alone,
    missing_program,
    require,
    require_membership,
    set_roaming,
    set_switch,
)
from . import exit_codes
from .reporting import report_run, request_report

_USER_COMMAND_S = 2 * 3600.0


def prepare(host: LocalHost, _options: argparse.Namespace) -> int:
    """Make the directories that the unit of an update opens to the agent, and that are missing.

    What is there keeps the mode and the owner that its administrator gave it.
    """
    for_root_alone(host, "epp-agent prepare")
    for directory in Endpoint.load(host).product.needs().creates:
        if not host.exists(directory.path):
            host.mkdir(directory.path, mode=directory.mode, owner=directory.owner if host.live else None)
    return exit_codes.DONE


def run(host: LocalHost, options: argparse.Namespace) -> int:
    """The entry of every timer, notice and user."""
    endpoint, trigger = Endpoint.load(host), Trigger(options.trigger)
    if trigger is Trigger.MANUAL:
        require(host, UserAction.UPDATE_NOW, endpoint.document.policy.to_dict())
    return _run(endpoint, trigger, options)


def update_now(host: LocalHost, options: argparse.Namespace) -> int:
    """Update Now: the administrator's is never refused, a user's needs the privilege."""
    if _unprivileged(host):
        return _ask_as_user(host, UserAction.UPDATE_NOW, options)
    endpoint = Endpoint.load(host)
    if options.as_user:
        require(host, UserAction.UPDATE_NOW, endpoint.document.policy.to_dict())
    return _run(endpoint, Trigger.MANUAL, options)


def scan(host: LocalHost, options: argparse.Namespace) -> int:
    """Scan Now."""
    from ..runner.scan import LOGGED_FINDINGS
    from ..runner.scan import scan as scan_now

    for_root_alone(host, "epp-agent scan")
    record = scan_now(Endpoint.load(host))
    if record is None:
        return _say(options, {"running": True}, ["scan: another scan is under way"], exit_codes.DONE)
    findings = [{"path": path, "signature": signature} for path, signature in record.findings]
    content = {"ok": record.ok, "reason": record.why, "found": record.found, "findings": findings}
    if options.json:
        write_document(content)
    else:
        lines = [f"scan: found {signature} in {path}" for path, signature in record.findings]
        write_logged(lines[:LOGGED_FINDINGS])
        write_lines(lines[LOGGED_FINDINGS:])
        write_logged([f"scan: finished, {record.found} found" if record.ok else f"scan: failed; {record.why}"])
    return exit_codes.DONE if record.ok else exit_codes.FAILED


def schedule(host: LocalHost, options: argparse.Namespace) -> int:
    """The user's own switch (P1)."""
    if _unprivileged(host):
        return _ask_as_user(host, UserAction(f"schedule {options.switch}"), options)
    endpoint = Endpoint.load(host)
    set_switch(endpoint, on=options.switch == "enable")
    request_report(endpoint, "switch")
    return exit_codes.DONE


def roaming(host: LocalHost, options: argparse.Namespace) -> int:
    """The roaming state."""
    if _unprivileged(host):
        return _ask_as_user(host, UserAction(f"roaming {options.switch}"), options)
    endpoint = Endpoint.load(host)
    set_roaming(endpoint, on=options.switch == "on")
    request_report(endpoint, "roaming")
    return exit_codes.DONE


def _run(endpoint: Endpoint, trigger: Trigger, options: argparse.Namespace) -> int:
    runner = Runner(endpoint, StartGate(time.sleep, random.SystemRandom().random))
    try:
        with reckoning_anew(endpoint):
            report = runner.run(trigger)
    except Terminated:
        complain("epp-agent", "stopped while the update was under way")
        return exit_codes.FAILED
    write = write_logged if report.recorded else write_lines
    status = _say(options, report.to_dict(), [report.sentence()], exit_codes.of_result(report.result), write)
    if report.recorded:
        report_run(endpoint.host)
    return status


def _say(
    options: argparse.Namespace,
    content: dict[str, Any],
    lines: Sequence[str],
    status: int,
    write: Callable[[Sequence[str]], None] = write_lines,
) -> int:
    if getattr(options, "json", False):
        write_document(content)
    else:
        write(lines)
    return status


def _unprivileged(host: LocalHost) -> bool:
    return host.live and os.geteuid() != 0


def _ask_as_user(host: LocalHost, action: UserAction, options: argparse.Namespace) -> int:
    """Let the host's own door do it, after saying clearly why it would not open."""
    before = _public_status(host)
    require_membership(host, action, before["user_group"])
    require(host, action, before["policy"])
    command = select_backend(before["scheduler"], host).user_command(action.value)
    try:
        done = host.run(command, timeout=_USER_COMMAND_S)
    except FileNotFoundError:
        raise missing_program(action, command[0]) from None
    if action is UserAction.UPDATE_NOW:
        if done.code != 0 and _last_manual(before) == _last_manual(_public_status(host)):
            raise denied_by_system(action, _complaint(done))
        return _tell_update(_last_manual(_public_status(host)), options)
    if done.code != 0:
        raise denied_by_system(action, _complaint(done))
    return exit_codes.DONE


def _complaint(done: Completed) -> str:
    return f"{done.err or done.out}".strip() or f"it {done.ended}"


def _last_manual(status: dict[str, Any]) -> dict[str, Any] | None:
    last: dict[str, Any] | None = status["last"].get(Trigger.MANUAL.value)
    return last


def _tell_update(last: dict[str, Any] | None, options: argparse.Namespace) -> int:
    """The result of a user's Update Now; two within one second may have left the same record."""
    if last is None:
        raise denied_by_system(UserAction.UPDATE_NOW, "it left no result")
    until = f"until {last['until']}" if last["until"] else ""
    text = "; ".join(part for part in (f"update (manual): {last['result']}", last["reason"], until) if part)
    return _say(options, last, [text], exit_codes.of_result(Result(last["result"])))


def _public_status(host: LocalHost) -> dict[str, Any]:
    content = host.read(paths.STATUS)
    if content is None:
        raise NotEnrolled(f"{paths.STATUS} does not exist: this host is not enrolled")
    return dict(json.loads(content))
