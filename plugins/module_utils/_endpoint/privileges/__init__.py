# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The users' rights on a host, behind one door."""

from __future__ import annotations

from ..._host.host import Host
from .base import Rights, RightsKeeper, UserAction
from .polkit import PolkitRights
from .sudoers import SudoersRights

__all__ = ("Rights", "RightsKeeper", "UserAction", "all_rights", "select_rights")

_POLKIT_WITH_RULES = ("/usr/lib/polkit-1/polkitd", "/usr/libexec/polkit-1/polkitd")
"""Where polkit has its daemon since it understands rules files; 0.105 of older Debian and Ubuntu does not, and has it
elsewhere."""


def select_rights(scheduler: str, host: Host) -> RightsKeeper:
    """Polkit where the scheduler of this name is systemd and users may start units by it, otherwise sudo."""
    by_units = scheduler == "systemd" and any(host.exists(path) for path in _POLKIT_WITH_RULES)
    return PolkitRights() if by_units else SudoersRights()


def all_rights() -> tuple[RightsKeeper, ...]:
    """Every keeper there is, so that what another one left behind can be removed."""
    return (PolkitRights(), SudoersRights())
