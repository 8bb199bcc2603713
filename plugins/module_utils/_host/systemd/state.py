# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What systemd says about units, asked at once, without a process where that can be."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping

from ..._core.values import frozen
from ..host import Completed, Host

UNIT_DIRECTORY = "/etc/systemd/system"
RUNTIME_DIRECTORY = "/run/systemd/system"
"""Where units of this boot lie; the directory exists where systemd is the init."""
_TIMEOUT_S = 90.0
_NOT_FOUND = 5
"""Systemctl's exit status where there is no such unit."""
_LINKS = (".wants", ".requires", ".upholds")
"""What directories of links to units end with."""
_PROPERTIES = "Id,Names,LoadState,ActiveState,UnitFileState,NeedDaemonReload"


@frozen
class UnitState:
    """One unit as systemd sees it."""

    name: str
    loaded: bool
    active: bool
    enabled: bool
    stale: bool
    """Whether its file has changed since systemd read it."""


States = Mapping[str, UnitState]
"""Units by the names that were asked for."""


def systemd_runs(host: Host) -> bool:
    """Whether systemd is the init of this very system, so that it can be asked and told."""
    return host.live and host.exists(RUNTIME_DIRECTORY)


def systemctl(host: Host, *arguments: str) -> Completed:
    """Run systemctl; raises OSError when it does not do what it was asked."""
    return _successful(host.run(("systemctl", "--no-ask-password", *arguments), timeout=_TIMEOUT_S), arguments)


def start(host: Host, *arguments: str) -> Completed:
    """As ``systemctl``, with a verb that starts units (``restart``): they are found though systemd was not reloaded."""
    return _successful(try_start(host, *arguments, timeout=_TIMEOUT_S), arguments)


def try_start(host: Host, *arguments: str, timeout: float) -> Completed:
    """As ``start``, and what became of it is returned. Before version 246 systemd may miss a unit's new file."""
    argv = ("systemctl", "--no-ask-password", *arguments)
    done = host.run(argv, timeout=timeout)
    if done.code == _NOT_FOUND:
        systemctl(host, "daemon-reload")
        done = host.run(argv, timeout=timeout)
    return done


def reload_changed(host: Host, changed_paths: Collection[str], states: States) -> None:
    """Let systemd read its units again where it holds one that has changed: by the paths, or by what it says itself.

    A unit that it does not hold is read when it is started, as after a boot. To read all units again for that is the
    dearest part of a first converge, the more so the more units a host has.
    """
    changed = {unit for path in changed_paths if (unit := _unit_of(path))}
    if any(state.stale for state in states.values()) or (changed and _holds(host, changed)):
        systemctl(host, "daemon-reload")


def _unit_of(path: str) -> str:
    """The unit whose file, drop-in or link this is; empty for a path that is none of systemd's."""
    place = next((place for place in (UNIT_DIRECTORY, RUNTIME_DIRECTORY) if path.startswith(f"{place}/")), "")
    first, _slash, below = path[len(place) + 1 :].partition("/") if place else ("", "", "")
    if below and first.endswith(_LINKS):
        return below
    return first.removesuffix(".d")


def _holds(host: Host, units: Iterable[str]) -> bool:
    """Whether systemd holds one of these in memory, whatever it makes of it; so it is where it does not say."""
    told = host.units_in_memory(tuple(sorted(map(pattern, units))))
    return told is None or bool(told)


def _successful(done: Completed, arguments: tuple[str, ...]) -> Completed:
    if done.timed_out or done.code != 0:
        told = done.err.strip() or f"it {done.ended}"
        raise OSError(f"systemctl {' '.join(arguments)}: {told}")
    return done


def unit_states(host: Host, units: Iterable[str], *, in_memory: Iterable[str] = ()) -> dict[str, UnitState]:
    """The units' states by the names asked for; systemd answers for ``units`` that do not exist, too.

    Those of ``in_memory`` count as not loaded, not active and not stale unless systemd holds them in memory. They are
    asked for as patterns: by its name systemd would read a unit from disk for each answer, which costs it more than
    all else that a converge without changes asks of the host. A pattern alone would stand for the active ones of them
    only; a unit that systemd read once and that rests now is stale all the same. A template among them stands for its
    instances, which are told by their own names.
    """
    names, held = tuple(dict.fromkeys(units)), tuple(dict.fromkeys(in_memory))
    blocks = _in_memory(host, held) if not names else None
    if blocks is None:
        blocks = _shown(host, (*names, *map(pattern, held)))
    found = {name: block for block in blocks for name in (block.get("Id", ""), *block.get("Names", "").split())}
    instances = [name for name in found if f"{name.partition('@')[0]}@.{name.rpartition('.')[2]}" in held]
    return {name: _state(name, found.get(name, {})) for name in (*names, *held, *instances)}


def shown(host: Host, unit: str, *properties: str) -> dict[str, str]:
    """Properties of a unit as systemctl shows them; raises OSError."""
    return _properties(systemctl(host, "show", f"--property={','.join(properties)}", "--", unit).out)


def _in_memory(host: Host, names: Iterable[str]) -> list[dict[str, str]] | None:
    """What systemd itself tells; None where it does not answer."""
    told = host.units_in_memory(tuple(map(pattern, names)))
    if told is None:
        return None
    return [
        {
            "Id": name,
            "Names": " ".join(aliases),
            "LoadState": load,
            "ActiveState": active,
            "NeedDaemonReload": "yes" if stale else "no",
        }
        for name, aliases, load, active, stale in told
    ]


def _shown(host: Host, names: Iterable[str]) -> list[dict[str, str]]:
    """What systemctl shows."""
    answer = systemctl(host, "show", "--all", f"--property={_PROPERTIES}", "--", *names).out
    return [_properties(block) for block in answer.split("\n\n") if block.strip()]


def pattern(name: str) -> str:
    """One that stands for this unit alone, or for the instances of this template. A backslash stands for itself."""
    return name.replace("@.", "@*.").replace(".", "[.]")


def _properties(block: str) -> dict[str, str]:
    return dict(line.split("=", 1) for line in block.splitlines() if "=" in line)


def _state(name: str, properties: dict[str, str]) -> UnitState:
    return UnitState(
        name=name,
        loaded=properties.get("LoadState") == "loaded",
        active=properties.get("ActiveState") in ("active", "activating", "reloading"),
        enabled=properties.get("UnitFileState") in ("enabled", "enabled-runtime"),
        stale=properties.get("NeedDaemonReload") == "yes",
    )
