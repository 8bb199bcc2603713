# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The product's own updaters, which must not run beside our schedule, whichever scheduler it is kept by."""

from __future__ import annotations

import syslog
from collections.abc import Collection, Iterable

from ..._core.system_files.vendor_updaters import Starters
from ..._core.values import replace
from ..._host.host import Host
from ..._host.systemd.state import UnitState, systemctl, systemd_runs, unit_states
from ..state.store import StateStore
from ..vendor_updaters.notes import RUNNING

_TIMEOUT_S = 60.0
_UNIT_PLACES = ("/etc/systemd/system/", "/run/systemd/system/")


def drift(host: Host, beside: Starters) -> tuple[str, ...]:
    """Which of them run, on a live host."""
    if not host.live:
        return ()
    if systemd_runs(host):
        return drift_of(_states(host, beside), beside)
    return tuple(f"{script} is running" for script in beside.scripts if _runs(host, script))


def drift_of(states: dict[str, UnitState], beside: Starters) -> tuple[str, ...]:
    """The same from states that have been asked for already."""
    running = (f"{name} is running" for name in _active(states, beside))
    return (*running, *(f"{name} has changed since systemd read it" for name in stale_of(states, beside)))


def stale_of(states: dict[str, UnitState], beside: Starters) -> list[str]:
    """Those of which systemd does not know yet that they are switched off."""
    return [name for name, state in states.items() if name in _asked(states, beside) and state.stale]


def reads_again(changed_paths: Collection[str]) -> bool:
    """Whether systemd has to read its units again after these paths have changed."""
    return any(path.startswith(_UNIT_PLACES) for path in changed_paths)


def stop(host: Host, beside: Starters, changed_paths: Collection[str]) -> None:
    """Stop those that run, on a live host; raises OSError when that fails."""
    if not host.live:
        return
    if systemd_runs(host):
        if reads_again(changed_paths):
            systemctl(host, "daemon-reload")
        states = _states(host, beside)
        if stale_of(states, beside):
            systemctl(host, "daemon-reload")
        stop_of(host, states, beside)
        return
    running = [script for script in beside.scripts if _runs(host, script)]
    _remember(host, running)
    for script in running:
        _run(host, ("service", script, "stop"))


def stop_of(host: Host, states: dict[str, UnitState], beside: Starters) -> None:
    """The same from states that have been asked for already; systemd has read its units again, if it had to."""
    running = _active(states, beside)
    if running:
        _remember(host, [name for name in running if name in beside.lasting])
        systemctl(host, "stop", "--", *running)


def start_again(host: Host, names: Iterable[str]) -> None:
    """Start what was stopped; what can't be started any more (it may be gone) is told in the journal."""
    by_unit = systemd_runs(host)
    for name in names:
        start = ("systemctl", "--no-ask-password", "start", "--no-block", "--", name)
        try:
            _run(host, start if by_unit else ("service", name, "start"))
        except OSError as error:
            host.log(syslog.LOG_WARNING, f"an updater that ran before is not started again: {error}")


def _states(host: Host, beside: Starters) -> dict[str, UnitState]:
    return unit_states(host, (), in_memory=beside.units) if beside.units else {}


def _active(states: dict[str, UnitState], beside: Starters) -> list[str]:
    return [name for name in _asked(states, beside) if states[name].active]


def _asked(states: dict[str, UnitState], beside: Starters) -> list[str]:
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
