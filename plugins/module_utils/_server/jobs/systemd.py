# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Systemd timers and services of the server."""

from __future__ import annotations

from collections.abc import Collection

from ..._core.resources.resources import Absent, File, Link, Resource
from ..._host.host import Host
from ..._host.systemd.state import UnitState, systemctl, systemd_runs, unit_states
from .job_plan import JobPlan
from .units import NAMES, unit_texts

UNIT_DIRECTORY = "/etc/systemd/system"
_TIMERS_WANTS = UNIT_DIRECTORY + "/timers.target.wants"
_TIMERS = tuple(f"{name}.timer" for name in NAMES)
_SERVICES = tuple(f"{name}.service" for name in NAMES)
_EVERY_UNIT = tuple(name.replace(".", "[.]") for name in (*_TIMERS, *_SERVICES))
"""Patterns, all of them: systemctl fails at the name of a unit that is not loaded, not at a pattern without a match."""


class SystemdJobs:
    """Jobs as systemd units; the timers are enabled by our own links, so that a directory needs no systemctl."""

    name = "systemd"

    def __init__(self, host: Host) -> None:
        self._host = host

    def entries(self, plan: JobPlan) -> tuple[Resource, ...]:
        texts = unit_texts(plan)
        wanted: list[Resource] = [File(_unit_path(name), text.encode()) for name, text in texts.items()]
        wanted += [Link(_link_path(name), _unit_path(name)) for name in texts if name.endswith(".timer")]
        kept = {entry.path for entry in wanted}
        return (*wanted, *(Absent(path) for path in self.owned() if path not in kept))

    def owned(self) -> tuple[str, ...]:
        """Drop-ins of timers count as ours, to be absent; those of services are the administrator's."""
        units = [_unit_path(name) for name in (*_SERVICES, *_TIMERS)]
        links = [_link_path(name) for name in _TIMERS]
        return (*units, *links, *(f"{_unit_path(name)}.d" for name in _TIMERS))

    def drift(self, plan: JobPlan) -> tuple[str, ...]:
        if not systemd_runs(self._host):
            return ()
        states, wanted = self._states(), _wanted(plan)
        idle = (f"{name} is not active" for name in wanted if not states[name].active)
        superfluous = (f"{name} is still active" for name in _superfluous(states, wanted))
        stale = (f"{name} has changed since systemd read it" for name in _stale(states))
        return (*idle, *superfluous, *stale)

    def activate(self, plan: JobPlan, changed_paths: Collection[str]) -> None:
        if not systemd_runs(self._host):
            return
        states, wanted = self._states(), _wanted(plan)
        self._tell("stop", _superfluous(states, wanted))
        if any(path in changed_paths for path in self.owned()) or _stale(states):
            systemctl(self._host, "daemon-reload")
        changed = [name for name in wanted if _unit_path(name) in changed_paths]
        self._tell("restart", (*changed, *(name for name in wanted if not states[name].active)))

    def deactivate(self) -> None:
        """A job under way is ended, too; campaigns and fetches that are cut off go on where they were."""
        if systemd_runs(self._host):
            self._tell("stop", _EVERY_UNIT)

    def forget(self) -> None:
        if systemd_runs(self._host):
            systemctl(self._host, "daemon-reload")
            self._tell("reset-failed", _EVERY_UNIT)

    def _states(self) -> dict[str, UnitState]:
        return unit_states(self._host, (), in_memory=(*_TIMERS, *_SERVICES))

    def _tell(self, verb: str, units: Collection[str]) -> None:
        if units:
            systemctl(self._host, verb, "--", *dict.fromkeys(units))


def _wanted(plan: JobPlan) -> tuple[str, ...]:
    return tuple(name for name in unit_texts(plan) if name.endswith(".timer"))


def _unit_path(name: str) -> str:
    return f"{UNIT_DIRECTORY}/{name}"


def _link_path(name: str) -> str:
    return f"{_TIMERS_WANTS}/{name}"


def _superfluous(states: dict[str, UnitState], wanted: Collection[str]) -> list[str]:
    return [name for name in _TIMERS if name not in wanted and states[name].active]


def _stale(states: dict[str, UnitState]) -> list[str]:
    return [name for name in (*_TIMERS, *_SERVICES) if states[name].stale]
