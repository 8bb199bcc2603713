# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which programs a host has, where programs are looked for."""

from __future__ import annotations

from collections.abc import Sequence

from .host import Host
from .process import SEARCHED


def places_of(name: str) -> tuple[str, ...]:
    """The paths at which a program may be; one that is named by its path is nowhere else."""
    return (name,) if name.startswith("/") else tuple(f"{directory}/{name}" for directory in SEARCHED)


def is_there(host: Host, name: str) -> bool:
    return any(host.exists(path) for path in places_of(name))


def first_there(host: Host, commands: Sequence[tuple[str, ...]]) -> tuple[str, ...] | None:
    """The first of these commands whose program the host has."""
    return next((command for command in commands if is_there(host, command[0])), None)
