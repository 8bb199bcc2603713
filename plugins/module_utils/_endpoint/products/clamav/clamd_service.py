# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Clamd as a service of the host: whether it is to run, whether it does, and why it has ended."""

from __future__ import annotations

import time
from contextlib import suppress

from ...._host.host import Host
from ...._host.systemd.state import shown, systemctl, systemd_runs

_PROCESSES = ("clamd",)
_TIMEOUT_S = 30.0
SERVICES = ("clamav-daemon.service", "clamd@scan.service", "clamd.service")
"""What it is called by Debian; by Red Hat; by SUSE, Arch and others."""
OOM = "oom-kill"
"""Systemd's result of a service of which the kernel has killed a process for want of memory."""
_SETTLE_S, _TICK_S, _JOURNAL_S = 5.0, 0.25, 10.0
_ENABLED = {
    **{name: f"/etc/systemd/system/multi-user.target.wants/{name}" for name in SERVICES},
    "clamd": "/etc/runlevels/default/clamd",
}


def enabled(host: Host) -> str:
    """The service that starts clamd at each boot; empty where there is none, or it is switched off."""
    return next((name for name, link in _ENABLED.items() if host.exists(link)), "")


def start(host: Host) -> str:
    """Start it where systemd does so at each boot, without waiting for it; returns the service, or nothing.

    At boot it was passed over, for it can't run without databases; nobody else starts it when they have come.
    """
    service = enabled(host)
    if service not in SERVICES or not systemd_runs(host):
        return ""
    for unit in (service, service.replace(".service", ".socket")):
        with suppress(OSError):  # one that has ended too often is not started any more; the socket is Debian's
            systemctl(host, "reset-failed", "--", unit)
    try:
        systemctl(host, "start", "--no-block", "--", service)
    except OSError:
        return ""  # which the next look at the host tells
    return service


def process(host: Host) -> str:
    """The main process of the service by its number, where systemd starts it at each boot; empty where none runs."""
    service = enabled(host)
    if service not in SERVICES or not systemd_runs(host):
        return ""
    done = host.run(("systemctl", "show", "--property=MainPID", "--value", "--", service), timeout=_TIMEOUT_S)
    number = done.out.strip()
    return number if number.isdigit() and int(number) else ""


def restart(host: Host) -> None:
    """Start the service anew; raises OSError."""
    systemctl(host, "restart", "--", enabled(host))


def runs(host: Host) -> bool:
    return host.runs(_PROCESSES)


def ended_by(host: Host, since: float) -> str:
    """Systemd's word for the end of clamd since then (Unix seconds): ``oom-kill``, ``signal``, ...; empty without one.

    It takes a moment until systemd knows. A clamd that it has started again, for whoever asked its socket next, has
    that word in the journal alone; there ``oom-kill`` is looked for.
    """
    service = enabled(host)
    if service not in SERVICES or not systemd_runs(host):
        return ""
    settled = time.monotonic() + _SETTLE_S
    while True:
        result = _result(host, service, since)
        if result or time.monotonic() >= settled:
            return result
        time.sleep(_TICK_S)


def killed_for_memory(host: Host, since: float) -> bool:
    """Whether systemd says so of a clamd that works now, or did a moment ago; as ``ended_by``, without a wait."""
    service = enabled(host)
    return service in SERVICES and systemd_runs(host) and _result(host, service, since) == OOM


def _result(host: Host, service: str, since: float) -> str:
    try:
        told = shown(host, service, "Result", "ExecMainStartTimestampMonotonic")
    except OSError:
        return ""
    result = told.get("Result", "")
    if result not in ("", "success"):
        return result
    began = int(told.get("ExecMainStartTimestampMonotonic") or 0) / 1_000_000
    return OOM if began > time.monotonic() - (time.time() - since) and _in_journal(host, service, since) else ""


def _in_journal(host: Host, service: str, since: float) -> bool:
    """Whether systemd has written down such an end of the service since then."""
    match = ("_PID=1", f"UNIT={service}", f"UNIT_RESULT={OOM}")
    argv = ("journalctl", "--quiet", "--no-pager", "--output=short-unix", f"--since=@{int(since)}", *match)
    try:
        told = host.run(argv, timeout=_JOURNAL_S).out.splitlines()
    except OSError:
        return False
    return any(float(line.split(None, 1)[0]) >= since for line in told if line[:1].isdigit())
