# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Systemd timers and services."""

from __future__ import annotations

from collections.abc import Collection

from ..._core.resources.resources import Absent, File, Link, Resource
from ..._host.host import Host
from ..._host.systemd.state import UnitState, systemctl, systemd_runs, unit_states
from .job_plan import JobPlan
from .unit_names import (
    CONFIGURE_SERVICE,
    NOTICE_SOCKET,
    RECONNECT_TIMER,
    SCAN_SERVICE,
    SELFTEST_SERVICE,
    SERVICES,
    SOCKETS,
    SYNC_TIMER,
    TIMERS,
    UPDATE_SERVICE,
    UPDATE_TIMER,
    wanted_sockets,
    wanted_timers,
)

UNIT_DIRECTORY = "/etc/systemd/system"
_TIMERS_WANTS = UNIT_DIRECTORY + "/timers.target.wants"
_SOCKETS_WANTS = UNIT_DIRECTORY + "/sockets.target.wants"
_STARTERS = (*TIMERS, *SOCKETS)
"""The units that start others, and that are enabled by a link."""
_LASTING = (UPDATE_TIMER, RECONNECT_TIMER, SYNC_TIMER, NOTICE_SOCKET)
"""Those that run from a converge on. The boot timer is started by a boot alone: on a machine that is up for longer
than its delay it would fire at once."""
_EVERY_UNIT = tuple(name.replace("@", "@*").replace(".", "[.]") for name in (*_STARTERS, *SERVICES))
"""Patterns, all of them: systemctl fails at the name of a unit that is not loaded, not at a pattern without a match."""
_TRIAL_S = 200.0
_NOT_EXECUTED = "203/EXEC"
_LOADED_SERVICES = (SCAN_SERVICE, UPDATE_SERVICE.replace("@", "@schedule"), UPDATE_SERVICE.replace("@", "@reconnect"))
"""Services by which a missed daemon-reload is noticed; a template itself has no state."""


class SystemdScheduler:
    """Jobs as systemd units; the timers are enabled by our own links, so that a directory needs no systemctl."""

    name = "systemd"

    def __init__(self, host: Host) -> None:
        self._host = host

    def entries(self, plan: JobPlan) -> tuple[Resource, ...]:
        from .units import service_texts, socket_texts, timer_texts

        starters = {**timer_texts(plan), **socket_texts(plan)}
        files = {**service_texts(plan), **starters}
        wanted: list[Resource] = [File(_unit_path(name), text.encode()) for name, text in files.items()]
        wanted += [Link(_link_path(name), _unit_path(name)) for name in starters]
        kept = {entry.path for entry in wanted}
        unwanted = (Absent(path) for path in self.owned() if path not in kept)
        return (*wanted, *unwanted)

    def owned(self) -> tuple[str, ...]:
        """Drop-ins of timers and sockets count as ours, to be absent: when an endpoint runs is the policy's affair, who
        may notify it the document's. Those of services (resources, environment) are the administrator's and left alone.
        """
        units = [_unit_path(name) for name in (*SERVICES, *_STARTERS)]
        links = [_link_path(name) for name in _STARTERS]
        return (*units, *links, *(f"{_unit_path(name)}.d" for name in _STARTERS))

    def drift(self, plan: JobPlan) -> tuple[str, ...]:
        from .vendor_updaters import drift_of

        if not systemd_runs(self._host):
            return ()
        states = self._states(plan)
        wanted = _wanted(plan)
        idle = (f"{name} is not active" for name in _idle(states, wanted))
        superfluous = (f"{name} is still active" for name in _superfluous(states, wanted))
        stale = (f"{name} has changed since systemd read it" for name in _stale(states))
        return (*idle, *superfluous, *stale, *drift_of(states, plan.beside))

    def activate(self, plan: JobPlan, changed_paths: Collection[str]) -> None:
        from .vendor_updaters import reads_again, stale_of, stop_of

        if not systemd_runs(self._host):
            return
        states = self._states(plan)
        wanted = _wanted(plan)
        self._tell("stop", _superfluous(states, wanted))
        if reads_again(changed_paths) or _stale(states) or stale_of(states, plan.beside):
            systemctl(self._host, "daemon-reload")
        changed = [name for name in _LASTING if name in wanted and _unit_path(name) in changed_paths]
        self._tell("restart", (*changed, *_idle(states, wanted)))
        stop_of(self._host, states, plan.beside)

    def deactivate(self) -> None:
        """A run under way is ended, too: an instant that it waits for belongs to this scheduler."""
        if systemd_runs(self._host):
            self._tell("stop", _EVERY_UNIT)

    def forget(self) -> None:
        if systemd_runs(self._host):
            systemctl(self._host, "daemon-reload")
            self._tell("reset-failed", _EVERY_UNIT)

    def reckon_anew(self) -> None:
        if systemd_runs(self._host):
            systemctl(self._host, "try-restart", "--no-block", "--", UPDATE_TIMER, SYNC_TIMER)

    def errors(self) -> tuple[str, ...]:
        """None: what systemd does otherwise than planned is drift."""
        return ()

    def try_agent(self) -> str:
        start = ("systemctl", "--no-ask-password", "start", "--", SELFTEST_SERVICE)
        done = self._host.run(start, timeout=_TRIAL_S)
        if done.code == 0:
            return ""
        status = systemctl(self._host, "show", "--property=ExecMainStatus", "--value", "--", SELFTEST_SERVICE)
        number = status.out.strip()
        return _NOT_EXECUTED if number == "203" else f"{done.err.strip()} (exit status {number})"

    def start_scan(self) -> bool:
        return self._start(SCAN_SERVICE)

    def start_configuring(self) -> bool:
        return self._start(CONFIGURE_SERVICE)

    def _start(self, service: str) -> bool:
        if not systemd_runs(self._host):
            return False
        systemctl(self._host, "start", "--no-block", "--", service)
        return True

    def _states(self, plan: JobPlan) -> dict[str, UnitState]:
        # What the product's own updaters would do at boot, files tell; here it matters whether they run now.
        return unit_states(self._host, (), in_memory=(*_STARTERS, *_LOADED_SERVICES, *plan.beside.units))

    def _tell(self, verb: str, units: Collection[str]) -> None:
        if units:
            systemctl(self._host, verb, "--", *dict.fromkeys(units))


def _unit_path(name: str) -> str:
    return f"{UNIT_DIRECTORY}/{name}"


def _link_path(name: str) -> str:
    return f"{_SOCKETS_WANTS if name in SOCKETS else _TIMERS_WANTS}/{name}"


def _wanted(plan: JobPlan) -> tuple[str, ...]:
    return (*wanted_timers(plan), *wanted_sockets(plan))


def _idle(states: dict[str, UnitState], wanted: Collection[str]) -> list[str]:
    return [name for name in _LASTING if name in wanted and not states[name].active]


def _superfluous(states: dict[str, UnitState], wanted: Collection[str]) -> list[str]:
    return [name for name in _STARTERS if name not in wanted and states[name].active]


def _stale(states: dict[str, UnitState]) -> list[str]:
    return [name for name in (*_STARTERS, *_LOADED_SERVICES) if states[name].stale]
