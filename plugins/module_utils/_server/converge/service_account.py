# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Whom the server works as: never root, and with an umask that lets the world read what is published."""

from __future__ import annotations

import os

from ..._host.host import Host

_UMASK = 0o022


class NoUser(LookupError):
    """The user whom the server works as does not exist."""

    def __str__(self) -> str:  # a LookupError would show its message in quotes
        return str(self.args[0])


def become(host: Host, user: str) -> None:
    """Root on a live host becomes this user, for good; anybody else, and everybody in a sandbox, stays who they are."""
    os.umask(_UMASK)
    if not host.live or os.geteuid() != 0:
        return
    import pwd

    try:
        account = pwd.getpwnam(user)
    except KeyError:
        raise NoUser(f"this host has no user {user}; the role server makes it") from None
    os.chdir("/")  # where root stood, the user may not be
    os.initgroups(user, account.pw_gid)
    os.setgid(account.pw_gid)
    os.setuid(account.pw_uid)
    os.environ.update(HOME=account.pw_dir, USER=user, LOGNAME=user)
