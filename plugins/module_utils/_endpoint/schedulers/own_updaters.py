# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Private: the product's own updaters, which must not run beside our schedule, whichever scheduler it is kept by."""

from __future__ import annotations

from ..._core.entries import Absent, Entry
from ..._host.host import Host
from ..._host.systemd_state import UnitState, systemctl, systemd_runs, unit_states
from ..products.base import ProductNeeds

_WANTS = {"service": "multi-user.target.wants", "timer": "timers.target.wants"}
_TIMEOUT_S = 60.0


def disabled_links(needs: ProductNeeds) -> tuple[Entry, ...]:
    """The links by which systemd would start them at boot: absent, also in an image that has not booted yet."""
    return tuple(Absent(f"/etc/systemd/system/{_wants(unit)}/{unit}") for unit in needs.own_updaters)


def drift(host: Host, needs: ProductNeeds) -> tuple[str, ...]:
    """Which of them run or would run at boot, on a live host."""
    if not host.live or not needs.own_updaters:
        return ()
    if systemd_runs(host):
        return drift_of(unit_states(host, needs.own_updaters), needs)
    return tuple(f"{script} is running" for script in _init_scripts(host, needs) if _runs(host, script))


def drift_of(states: dict[str, UnitState], needs: ProductNeeds) -> tuple[str, ...]:
    """The same from states that have been asked for already."""
    updaters = [states[unit] for unit in needs.own_updaters]
    enabled = [f"{state.name} is enabled" for state in updaters if state.loaded and state.enabled]
    return (*enabled, *(f"{state.name} is running" for state in updaters if state.active))


def stop(host: Host, needs: ProductNeeds) -> None:
    """Stop and disable those that run or would run at boot, on a live host; raises OSError when that fails."""
    if not host.live or not needs.own_updaters:
        return
    if systemd_runs(host):
        stop_of(host, unit_states(host, needs.own_updaters), needs)
        return
    for script in _init_scripts(host, needs):
        if _runs(host, script):
            _run(host, ("service", script, "stop"))
            if host.exists("/usr/sbin/update-rc.d"):
                _run(host, ("update-rc.d", script, "disable"))


def stop_of(host: Host, states: dict[str, UnitState], needs: ProductNeeds) -> None:
    """The same from states that have been asked for already."""
    updaters = [states[unit] for unit in needs.own_updaters]
    enabled = [state.name for state in updaters if state.loaded and state.enabled]
    running = [state.name for state in updaters if state.active and state.name not in enabled]
    if enabled:
        systemctl(host, "disable", "--now", "--", *enabled)
    if running:
        systemctl(host, "stop", "--", *running)


def _wants(unit: str) -> str:
    return _WANTS.get(unit.rpartition(".")[2], _WANTS["service"])


def _init_scripts(host: Host, needs: ProductNeeds) -> tuple[str, ...]:
    """Hosts without systemd know the services by their init scripts."""
    names = [unit[: -len(".service")] for unit in needs.own_updaters if unit.endswith(".service")]
    return tuple(name for name in names if host.exists(f"/etc/init.d/{name}"))


def _runs(host: Host, script: str) -> bool:
    try:
        return host.run(("service", script, "status"), timeout=_TIMEOUT_S).code == 0
    except FileNotFoundError:
        return False


def _run(host: Host, argv: tuple[str, ...]) -> None:
    done = host.run(argv, timeout=_TIMEOUT_S)
    if done.code != 0:
        raise OSError(f"{' '.join(argv)}: {done.err.strip() or f'it {done.ended}'}")
