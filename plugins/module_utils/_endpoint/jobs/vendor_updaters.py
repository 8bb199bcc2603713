# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The product's own updaters, which must not run beside our schedule, whichever scheduler it is kept by."""

from __future__ import annotations

import syslog
from collections.abc import Collection, Iterable, Iterator

from ..._core.system_files.vendor_updaters import Starters
from ..._core.values import replace
from ..._host.host import Host
from ..._host.scheduler.base import Scheduler, Texts
from ..._host.systemd.state import States, systemctl, systemd_runs
from ..state.store import StateStore
from ..vendor_updaters.notes import RUNNING

_TIMEOUT_S = 60.0


def drift(host: Host, scheduler: Scheduler, jobs: Texts, beside: Starters) -> tuple[str, ...]:
    """What the scheduler does otherwise than planned, and which of the updaters run; systemd is asked once for all."""
    states = scheduler.states(beside.units)
    if states is None:
        return ()
    return (*scheduler.drift(jobs, states), *_drift(host, states, beside))


def activate(
    host: Host, scheduler: Scheduler, jobs: Texts, beside: Starters, *, changed_paths: Collection[str]
) -> None:
    """Bring the scheduler to its jobs and stop the updaters that run; raises OSError when that fails."""
    states = scheduler.states(beside.units)
    if states is None:
        return
    scheduler.activate(jobs, changed_paths, states)
    if systemd_runs(host):
        _stop_units(host, _active(states, beside), beside)
    else:
        _stop_scripts(host, beside)


def start_again(host: Host, names: Iterable[str]) -> None:
    """Start what was stopped; what can't be started any more (it may be gone) is told in the journal."""
    by_unit = systemd_runs(host)
    for name in names:
        start = ("systemctl", "--no-ask-password", "start", "--no-block", "--", name)
        try:
            _run(host, start if by_unit else ("service", name, "start"))
        except OSError as error:
            host.log(syslog.LOG_WARNING, f"an updater that ran before is not started again: {error}")


def _drift(host: Host, states: States, beside: Starters) -> Iterator[str]:
    if not systemd_runs(host):
        yield from (f"{script} is running" for script in beside.scripts if _runs(host, script))
        return
    yield from (f"{name} is running" for name in _active(states, beside))
    yield from (f"{name} has changed since systemd read it" for name in _asked(states, beside) if states[name].stale)


def _stop_units(host: Host, running: Collection[str], beside: Starters) -> None:
    if running:
        _remember(host, [name for name in running if name in beside.lasting])
        systemctl(host, "stop", "--", *running)


def _stop_scripts(host: Host, beside: Starters) -> None:
    running = [script for script in beside.scripts if _runs(host, script)]
    _remember(host, running)
    for script in running:
        _run(host, ("service", script, "stop"))


def _active(states: States, beside: Starters) -> list[str]:
    return [name for name in _asked(states, beside) if states[name].active]


def _asked(states: States, beside: Starters) -> list[str]:
    """Their units, and the instances of those that are templates."""
    from ..._core.system_files.unit_files import template_of

    units = set(beside.units)
    return [name for name in states if name in units or template_of(name) in units]


def _remember(host: Host, names: Collection[str]) -> None:
    if names:
        notes = dict.fromkeys(names, RUNNING)
        StateStore(host).change(lambda state: replace(state, switched_off={**state.switched_off, **notes}))


def _runs(host: Host, script: str) -> bool:
    try:
        return host.run(("service", script, "status"), timeout=_TIMEOUT_S).code == 0
    except FileNotFoundError:
        return False


def _run(host: Host, argv: tuple[str, ...]) -> None:
    done = host.run(argv, timeout=_TIMEOUT_S)
    if done.code != 0:
        raise OSError(f"{' '.join(argv)}: {done.err.strip() or f'it {done.ended}'}")
