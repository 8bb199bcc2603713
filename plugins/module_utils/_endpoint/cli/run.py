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
from ..endpoint import Endpoint, NoSuchProduct, NotEnrolled
from ..privileges import UserAction, select_backend
from ..runner.report import RunReport
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
from ..status.products import published
from . import exit_codes
from .reporting import report_run, request_report

_USER_COMMAND_S = 2 * 3600.0
_ORDER = (
    *(Result.FAILED, Result.UNREACHABLE, Result.HELD, Result.COOLING_DOWN),
    *(Result.SKIPPED, Result.UPDATED, Result.CURRENT),
)
"""Results, the worst first."""


def prepare(host: LocalHost, _options: argparse.Namespace) -> int:
    """Make the directories that the unit of an update opens to the agent, and that are missing.

    What is there keeps the mode and the owner that its administrator gave it.
    """
    for_root_alone(host, "epp-agent prepare")
    wanted = (directory for one in Endpoint.load(host).each() for directory in one.product.needs().creates)
    for directory in wanted:
        if not host.exists(directory.path):
            host.mkdir(directory.path, mode=directory.mode, owner=directory.owner if host.live else None)
    return exit_codes.DONE


def run(host: LocalHost, options: argparse.Namespace) -> int:
    """The entry of every timer, notice and user."""
    endpoint, trigger = Endpoint.load(host, options.product), Trigger(options.trigger)
    if trigger is Trigger.MANUAL:
        require(host, UserAction.UPDATE_NOW, endpoint.document.policy.to_dict())
    return _run(endpoint, trigger, options)


def update_now(host: LocalHost, options: argparse.Namespace) -> int:
    """Update Now: the administrator's is never refused, a user's needs the privilege."""
    if options.despite_blackout:
        for_root_alone(host, "epp-agent update-now --despite-blackout")
    if _unprivileged(host):
        return _update_as_user(host, options)
    endpoint = Endpoint.load(host)
    if options.as_user:
        require(host, UserAction.UPDATE_NOW, endpoint.document.policy.to_dict())
    forced = options.despite_blackout and not options.as_user
    if options.product is None and endpoint.document.further:
        return _update_all(endpoint, options, forced=forced)
    chosen = endpoint if options.product is None else endpoint.with_product(options.product)
    return _run(chosen, Trigger.MANUAL, options, forced=forced)


def _update_all(endpoint: Endpoint, options: argparse.Namespace, *, forced: bool) -> int:
    """Update Now of each product, one after the other; what is told of all is the worst result of any."""
    done = []
    for one in endpoint.each():
        report = _ran(one, Trigger.MANUAL, forced=forced)
        if report is None:
            return exit_codes.FAILED
        done.append((one.document.product, report))
    lines = [f"{name}: {report.sentence()}" for name, report in done]
    status = _say_of_all(options, [(name, report.to_dict()) for name, report in done], lines, write_logged)
    report_run(endpoint.host)
    return status


def _say_of_all(
    options: argparse.Namespace,
    told: Sequence[tuple[str, dict[str, Any]]],
    lines: Sequence[str],
    write: Callable[[Sequence[str]], None] = write_lines,
) -> int:
    """Tell what became of each product; what is told of all is the worst result of any."""
    name, worst = min(told, key=lambda one: _ORDER.index(Result(one[1]["result"])))
    content = {**worst, "product": name, "products": [{"product": one, **result} for one, result in told]}
    return _say(options, content, lines, exit_codes.of_result(Result(worst["result"])), write)


def scan(host: LocalHost, options: argparse.Namespace) -> int:
    """Scan Now."""
    from ..runner.scan import LOGGED_FINDINGS
    from ..runner.scan import scan as scan_now

    for_root_alone(host, "epp-agent scan")
    record = scan_now(Endpoint.load(host, options.product))
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
        return _ask_as_user(host, UserAction(f"schedule {options.switch}"))
    endpoint = Endpoint.load(host)
    set_switch(endpoint, on=options.switch == "enable")
    request_report(endpoint, "switch")
    return exit_codes.DONE


def roaming(host: LocalHost, options: argparse.Namespace) -> int:
    """The roaming state."""
    if _unprivileged(host):
        return _ask_as_user(host, UserAction(f"roaming {options.switch}"))
    endpoint = Endpoint.load(host)
    set_roaming(endpoint, on=options.switch == "on")
    request_report(endpoint, "roaming")
    return exit_codes.DONE


def _run(endpoint: Endpoint, trigger: Trigger, options: argparse.Namespace, *, forced: bool = False) -> int:
    report = _ran(endpoint, trigger, forced=forced)
    if report is None:
        return exit_codes.FAILED
    write = write_logged if report.recorded else write_lines
    status = _say(options, report.to_dict(), [report.sentence()], exit_codes.of_result(report.result), write)
    if report.recorded:
        report_run(endpoint.host)
    return status


def _ran(endpoint: Endpoint, trigger: Trigger, *, forced: bool) -> RunReport | None:
    """One run; None where it was stopped, which is told."""
    runner = Runner(endpoint, StartGate(time.sleep, random.SystemRandom().random))
    try:
        with reckoning_anew(endpoint):
            return runner.run(trigger, forced=forced)
    except Terminated:
        complain("epp-agent", "stopped while the update was under way")
        return None


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


def _ask_as_user(host: LocalHost, action: UserAction) -> int:
    """Let the host's own door do it, after saying clearly why it would not open."""
    done = _asked_as_user(host, action, _public_status(host))
    if done.code != 0:
        raise denied_by_system(action, _complaint(done))
    return exit_codes.DONE


def _asked_as_user(host: LocalHost, action: UserAction, status: dict[str, Any], instance: str = "") -> Completed:
    require_membership(host, action, status["user_group"])
    require(host, action, status["policy"])
    command = select_backend(status["scheduler"], host).user_command(action.value, instance)
    try:
        return host.run(command, timeout=_USER_COMMAND_S)
    except FileNotFoundError:
        raise missing_program(action, command[0]) from None


def _update_as_user(host: LocalHost, options: argparse.Namespace) -> int:
    """A user's Update Now: of the product that is meant, or of all."""
    status = published(host, _public_status(host))
    names = [one["product"] for one in status.get("products", [status])]
    if options.product not in (None, *names):
        raise NoSuchProduct(f"this endpoint has no product {options.product} (it has {', '.join(names)})")
    meant = names if options.product is None else [options.product]
    told = [(name, _updated_as_user(host, status, "" if name == names[0] else name)) for name in meant]
    if len(told) == 1:
        return _say(options, told[0][1], [_told(told[0][1])], exit_codes.of_result(Result(told[0][1]["result"])))
    return _say_of_all(options, told, [f"{name}: {_told(last)}" for name, last in told])


def _updated_as_user(host: LocalHost, status: dict[str, Any], instance: str) -> dict[str, Any]:
    """The record of the update; two within one second may have left the same."""
    action, before = UserAction.UPDATE_NOW, _last_manual(host, instance)
    done = _asked_as_user(host, action, status, instance)
    last = _last_manual(host, instance)
    if done.code != 0 and before == last:
        raise denied_by_system(action, _complaint(done))
    if last is None:
        raise denied_by_system(action, "it left no result")
    return last


def _complaint(done: Completed) -> str:
    return f"{done.err or done.out}".strip() or f"it {done.ended}"


def _last_manual(host: LocalHost, instance: str) -> dict[str, Any] | None:
    last: dict[str, Any] | None = _public_status(host, instance)["last"].get(Trigger.MANUAL.value)
    return last


def _told(last: dict[str, Any]) -> str:
    until = f"until {last['until']}" if last["until"] else ""
    return "; ".join(part for part in (f"update (manual): {last['result']}", last["reason"], until) if part)


def _public_status(host: LocalHost, instance: str = "") -> dict[str, Any]:
    content = host.read(paths.of_product(paths.STATUS, instance))
    if content is None:
        raise NotEnrolled(f"{paths.STATUS} does not exist: this host is not enrolled")
    return dict(json.loads(content))
