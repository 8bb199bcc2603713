# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The service account of the server: created where it is missing; root becomes it before it touches anything.

It is never root, and its umask lets everybody read what is published. Its comment in the account database marks an
account that was created here, and may be removed here.
"""

from __future__ import annotations

import os

from ..._host import accounts
from ..._host.host import Host
from .. import paths

_UMASK = 0o022
_COMMENT = "epp.autoupdate update server"
_SHELLS = ("/usr/sbin/nologin", "/sbin/nologin")
_TIMEOUT_S = 30.0


def missing(host: Host) -> bool:
    """Whether the user has to be created; never in a sandbox, whose users are not those of this system.

    A host without a user of this name may have a group of this name.
    """
    return host.live and accounts.comment_of(paths.USER) is None


def made_here(host: Host) -> bool:
    """Whether the user exists and was created here."""
    return host.live and accounts.comment_of(paths.USER) == _COMMENT


def make(host: Host) -> None:
    """Create a system user that nobody can log in as, with a group of its own; raises OSError."""
    shell = next((shell for shell in _SHELLS if host.exists(shell)), "/bin/false")
    group = ["--gid", paths.USER] if accounts.group_exists(paths.USER) else ["--user-group"]
    home = ["--home-dir", paths.STATE_DIRECTORY, "--no-create-home", "--shell", shell]
    _command(host, "useradd", "--system", *group, *home, "--comment", _COMMENT, paths.USER)


def remove(host: Host) -> None:
    """Remove the user and its group; raises OSError while a process of that user runs."""
    _command(host, "userdel", paths.USER)
    if accounts.group_exists(paths.USER):  # where the system does not remove a user's own group
        _command(host, "groupdel", paths.USER)


def _command(host: Host, *argv: str) -> None:
    done = host.run(argv, timeout=_TIMEOUT_S)
    if done.code != 0:
        raise OSError(f"{argv[0]} {paths.USER}: {done.err.strip() or done.out.strip() or f'it {done.ended}'}")


class NoUser(LookupError):
    """The service account does not exist."""

    def __str__(self) -> str:  # a LookupError would show its message in quotes
        return str(self.args[0])


def become(host: Host, user: str) -> None:
    """On a live host, root becomes this user for good; any other user, and everybody in a sandbox, stays the same."""
    os.umask(_UMASK)
    if not host.live or os.geteuid() != 0:
        return
    import pwd

    try:
        account = pwd.getpwnam(user)
    except KeyError:
        raise NoUser(f"this host has no user {user}: run the role epp.autoupdate.server, which creates it") from None
    os.chdir("/")  # where root stood, the user may not be
    os.initgroups(user, account.pw_gid)
    os.setgid(account.pw_gid)
    os.setuid(account.pw_uid)
    os.environ.update(HOME=account.pw_dir, USER=user, LOGNAME=user)
