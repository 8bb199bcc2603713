# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The users' privileges on a host, whichever back end grants them."""

from __future__ import annotations

from ..._host.host import Host
from .base import GrantedPrivileges, PrivilegeBackend, UserAction
from .polkit import PolkitBackend
from .sudoers import SudoersBackend

__all__ = ("GrantedPrivileges", "PrivilegeBackend", "UserAction", "all_backends", "select_backend")

_POLKIT_WITH_RULES = ("/usr/lib/polkit-1/polkitd", "/usr/libexec/polkit-1/polkitd")
"""Where polkit has its daemon since it understands rules files; 0.105 of older Debian and Ubuntu does not, and has it
elsewhere."""


def select_backend(scheduler: str, host: Host) -> PrivilegeBackend:
    """Polkit where the scheduler of this name is systemd and users may start units by it, otherwise sudo."""
    by_units = scheduler == "systemd" and any(host.exists(path) for path in _POLKIT_WITH_RULES)
    return PolkitBackend() if by_units else SudoersBackend()


def all_backends() -> tuple[PrivilegeBackend, ...]:
    """Every back end there is, so that what another one left behind can be removed."""
    return (PolkitBackend(), SudoersBackend())
