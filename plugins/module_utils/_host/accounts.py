# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the system's account database says."""

from __future__ import annotations


def group_exists(name: str) -> bool:
    """Whether the system has a group of this name."""
    import grp

    try:
        grp.getgrnam(name)
    except KeyError:
        return False
    return True


def comment_of(user: str) -> str | None:
    """What the system's account database says about this user; None when there is no such user."""
    import pwd

    try:
        return pwd.getpwnam(user).pw_gecos
    except KeyError:
        return None


def ids_of(owner: str) -> tuple[int, int] | None:
    """User and group id of ``user`` (with that user's own group) or ``user:group``; None while one does not exist.

    A pair of numbers, ``1000:100``, stands for itself.
    """
    import grp
    import pwd

    user, colon, group = owner.partition(":")
    if user.isdigit() and group.isdigit():
        return int(user), int(group)
    try:
        entry = pwd.getpwnam(user)
        return entry.pw_uid, grp.getgrnam(group).gr_gid if colon else entry.pw_gid
    except KeyError:
        return None
