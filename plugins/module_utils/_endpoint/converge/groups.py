# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The group whose members hold the privileges; made when a privilege is granted and it does not exist."""

from __future__ import annotations

from collections.abc import Sequence

from ..._host.host import Host
from ..._host.lookup import first_there
from ..privileges.base import GrantedPrivileges

MAKERS = (("groupadd", "--system"), ("addgroup", "-S"))
"""By which command a system group is made: shadow's, busybox's."""
_REMOVERS = (("groupdel",), ("delgroup",))
_TIMEOUT_S = 30.0


def missing(host: Host, privileges: GrantedPrivileges) -> tuple[str, ...]:
    """What is to be corrected, in words; nothing in a sandbox, whose users are not this system's."""
    wanted = host.live and bool(privileges.granted()) and not host.group_exists(privileges.group)
    return (f"group {privileges.group} is created",) if wanted else ()


def create(host: Host, privileges: GrantedPrivileges) -> str | None:
    """Create the group if it is missing; returns its name when it was created."""
    if not missing(host, privileges):
        return None
    _command(host, MAKERS, privileges.group)
    return privileges.group


def remove(host: Host, group: str) -> None:
    """Remove a group that ``create`` had made."""
    if host.live and host.group_exists(group):
        _command(host, _REMOVERS, group)


def _command(host: Host, commands: Sequence[tuple[str, ...]], group: str) -> None:
    argv = (*(first_there(host, commands) or commands[0]), group)
    done = host.run(argv, timeout=_TIMEOUT_S)
    if done.code != 0:
        raise OSError(f"{' '.join(argv)}: {done.err.strip() or done.out.strip() or f'it {done.ended}'}")
