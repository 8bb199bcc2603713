# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Systemd timers, sockets, paths and services."""

from __future__ import annotations

import os
from collections.abc import Collection

from ..._core.resources.resources import Absent, File, Link, Resource
from ..host import Host
from ..systemd.state import (
    UNIT_DIRECTORY,
    States,
    pattern,
    reload_changed,
    start,
    systemctl,
    systemd_runs,
    try_start,
    unit_states,
)
from .base import Job, Texts, Units

_NOT_EXECUTED = "203/EXEC"


class SystemdScheduler:
    """Jobs as units; what starts them is enabled by links of our own, so that a directory needs no systemctl."""

    name = "systemd"

    def __init__(self, host: Host, units: Units) -> None:
        self._host = host
        self._units = units
        self._started = (*units.timers, *units.sockets, *units.paths)
        self._enabled = (*self._started, *units.lasting)

    def entries(self, texts: Texts) -> tuple[Resource, ...]:
        wanted: list[Resource] = [File(_unit_path(name), text.encode()) for name, text in texts.items()]
        wanted += [Link(self._link_path(name), _unit_path(name)) for name in texts if name in self._enabled]
        kept = {entry.path for entry in wanted}
        return (*wanted, *(Absent(path) for path in self.owned() if path not in kept))

    def owned(self) -> tuple[str, ...]:
        """Drop-ins of timers, sockets and paths count as ours, to be absent: when a job starts, and who may start it,
        is not the host's affair. Those of services (resources, environment) are the administrator's and left alone.
        """
        units = [_unit_path(name) for name in (*self._units.services, *self._started)]
        links = [self._link_path(name) for name in self._enabled]
        return (*units, *links, *(f"{_unit_path(name)}.d" for name in self._started))

    def states(self, others: Collection[str] = ()) -> States | None:
        if not systemd_runs(self._host):
            return None
        return unit_states(self._host, (), in_memory=(*self._asked(), *others))

    def drift(self, texts: Texts, states: States | None = None) -> tuple[str, ...]:
        states = self.states() if states is None else states
        if states is None:
            return ()
        idle = (f"{name} is not active" for name in self._idle(texts, states))
        superfluous = (f"{name} is still active" for name in self._superfluous(texts, states))
        stale = (f"{name} has changed since systemd read it" for name in self._asked() if states[name].stale)
        return (*idle, *superfluous, *stale)

    def activate(self, texts: Texts, changed_paths: Collection[str], states: States | None = None) -> None:
        states = self.states() if states is None else states
        if states is None:
            return
        self._tell("stop", self._superfluous(texts, states))
        reload_changed(self._host, changed_paths, states)
        changed = [name for name in self._lasting(texts) if _unit_path(name) in changed_paths]
        begin = (*changed, *self._idle(texts, states))
        if begin:
            start(self._host, "restart", "--", *dict.fromkeys(begin))

    def deactivate(self) -> None:
        """A job under way is ended, too: an instant that it waits for belongs to this scheduler."""
        if systemd_runs(self._host):
            self._tell("stop", self._every_unit())

    def forget(self) -> None:
        if systemd_runs(self._host):
            systemctl(self._host, "daemon-reload")
            self._tell("reset-failed", self._every_unit())
            for directory in {self._link_path(name).rpartition("/")[0] for name in self._enabled}:
                try:
                    os.rmdir(self._host.real(directory))
                except OSError:  # it holds the links of others, and stays, as with systemctl
                    pass

    def reckon_anew(self) -> None:
        if systemd_runs(self._host):
            systemctl(self._host, "try-restart", "--no-block", "--", *self._units.realtime)

    def errors(self) -> tuple[str, ...]:
        """None: what systemd does otherwise than planned is drift."""
        return ()

    def start(self, job: Job) -> bool:
        if not systemd_runs(self._host):
            return False
        start(self._host, "start", "--no-block", "--", job.service)
        return True

    def trial(self, job: Job, *, timeout: float) -> str:
        done = try_start(self._host, "start", "--", job.service, timeout=timeout)
        if done.code == 0:
            return ""
        status = systemctl(self._host, "show", "--property=ExecMainStatus", "--value", "--", job.service)
        number = status.out.strip()
        return _NOT_EXECUTED if number == "203" else f"{done.err.strip()} (exit status {number})"

    def _asked(self) -> tuple[str, ...]:
        return (*self._enabled, *self._units.loaded)

    def _lasting(self, texts: Texts) -> list[str]:
        """The timers, sockets, paths and services that are active from a converge on."""
        return [name for name in texts if name in self._enabled and name not in self._units.boot_only]

    def _idle(self, texts: Texts, states: States) -> list[str]:
        return [name for name in self._lasting(texts) if not states[name].active]

    def _superfluous(self, texts: Texts, states: States) -> list[str]:
        return [name for name in self._enabled if name not in texts and states[name].active]

    def _every_unit(self) -> tuple[str, ...]:
        """As patterns: systemctl fails at the name of a unit that is not loaded, not at a pattern without a match."""
        return tuple(map(pattern, (*self._enabled, *self._units.services)))

    def _link_path(self, name: str) -> str:
        kind = name.rpartition(".")[2]
        target = "multi-user" if name in self._units.lasting else f"{kind}s"
        return f"{UNIT_DIRECTORY}/{target}.target.wants/{name}"

    def _tell(self, verb: str, units: Collection[str]) -> None:
        if units:
            systemctl(self._host, verb, "--", *dict.fromkeys(units))


def _unit_path(name: str) -> str:
    return f"{UNIT_DIRECTORY}/{name}"
