# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The account that the update server notifies as: a system account without password or writable files (N5).

The password field is ``*``, which no password matches, and not ``!``: an sshd without PAM takes ``!`` for a locked
account and refuses its keys. The shell is a real one because sshd starts the forced command of a key through it.
"""

from __future__ import annotations

import os

from ..._core.values import frozen
from ..._host.host import Host

HOME = "/var/lib/epp-autoupdate-notify"
"""Owned by root, so that the account can write nothing in it."""
COMMENT = "epp.autoupdate notices"
"""The comment that marks an account as made by the collection."""
SHELL = "/bin/sh"
ROOT = "root"
MAKER = "useradd"
"""The program that creates the account; usermod and userdel come with it."""

_TIMEOUT_S = 30.0
_NOTHING_MATCHES = "*"


class ForeignAccount(OSError):
    """An account of this name exists and was not made by the collection."""


@frozen
class _Entry:
    name: str
    comment: str
    home: str
    shell: str
    password: str

    @property
    def sound(self) -> bool:
        return (self.home, self.shell) == (HOME, SHELL) and not self.password.startswith("!")


def amiss(host: Host, user: str) -> tuple[str, ...]:
    """What has to be corrected, in words: the account is missing, or was locked or changed.

    Empty in a sandbox, whose users are not those of this system. Raises ForeignAccount.
    """
    if not host.live:
        return ()
    found = _find(host, user)
    if found is None:
        return (f"user {user} is created",)
    if found.comment != COMMENT:
        raise ForeignAccount(
            f"the user {user} of this host is none of this collection's, so the update server does not get its key in "
            "there: let the server notify as another one (notify.user of the server, by default epp-notify)"
        )
    return () if found.sound else (f"user {user} gets its home, shell and unlocked keys back",)


def ensure(host: Host, user: str) -> None:
    """Create the account, or restore what was changed of it; raises OSError."""
    if not amiss(host, user):
        return
    kept = ("--home-dir", HOME, "--shell", SHELL, "--password", _NOTHING_MATCHES)
    if _find(host, user) is not None:
        _command(host, "usermod", "--home", *kept[1:], user)
        return
    group = ("--gid", user) if host.group_exists(user) else ("--user-group",)
    never = ("--expiredate", "", "--inactive", "-1")
    _command(host, MAKER, "--system", *group, "--no-create-home", *kept, *never, "--comment", COMMENT, user)


def others(host: Host, user: str) -> tuple[str, ...]:
    """The collection's other accounts, which are to be removed; all of them where ``account`` is empty."""
    if not host.live:
        return ()
    return tuple(name for name, fields in _lines(host, "/etc/passwd") if name != user and fields[4] == COMMENT)


def remove(host: Host, user: str) -> None:
    """Remove an account of the collection and end its processes, such as a connection of the server; raises OSError."""
    from ..._host.accounts import ids_of

    ids = ids_of(user)
    if ids is not None:
        _end_processes(ids[0])
        _command(host, "userdel", "--force", user)


def _find(host: Host, user: str) -> _Entry | None:
    fields = dict(_lines(host, "/etc/passwd")).get(user)
    if fields is None:
        from ..._host.accounts import comment_of

        comment = comment_of(user)  # of a directory service, which the file does not hold
        return None if comment is None else _Entry(user, f"{comment} (elsewhere)", "", "", "")
    secret = dict(_lines(host, "/etc/shadow")).get(user, [user, ""])
    return _Entry(user, fields[4], fields[5], fields[6], secret[1])


def _lines(host: Host, path: str) -> list[tuple[str, list[str]]]:
    text = (host.read(path) or b"").decode("utf-8", "replace")
    rows = (line.split(":") for line in text.splitlines())
    return [(row[0], row) for row in rows if len(row) >= 7]


def _end_processes(uid: int) -> None:
    for name in os.listdir("/proc"):
        try:
            if name.isdecimal() and os.stat(f"/proc/{name}").st_uid == uid:
                os.kill(int(name), 15)
        except (FileNotFoundError, ProcessLookupError):
            pass


def _command(host: Host, *argv: str) -> None:
    done = host.run(argv, timeout=_TIMEOUT_S)
    if done.code != 0:
        raise OSError(f"{' '.join(argv)}: {done.err.strip() or done.out.strip() or f'exit status {done.code}'}")
