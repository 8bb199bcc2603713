# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Who asked for what is decided now: as far as the system knows, and for no other purpose than to be written down."""

from __future__ import annotations

import os
import pwd

SERVER = "the server itself"
_NOBODY = 2**32 - 1
"""The login user of what no login has started (proc(5))."""
_LONGEST = 100


def who() -> dict[str, str]:
    """``user`` is the account that logged in or called sudo, ``on_behalf_of`` what the caller says of itself.

    A job of the scheduler is the server itself. What a caller says is a word, and nothing is granted by it.
    """
    user = os.environ.get("SUDO_USER") or _login_user() or _caller()
    told = os.environ.get("EPP_REQUESTED_BY", "")[:_LONGEST]
    return {"user": user, **({"on_behalf_of": told} if told else {})}


def _login_user() -> str:
    """The account of the login to which this process belongs, whatever it has become since; empty without one."""
    try:
        with open("/proc/self/loginuid", encoding="ascii") as file:
            number = int(file.read())
    except (OSError, ValueError):
        return ""
    return "" if number == _NOBODY else _name(number)


def _caller() -> str:
    """Whoever runs this without a login: a job of the scheduler, where a job was started by it."""
    return SERVER if "INVOCATION_ID" in os.environ else _name(os.getuid())


def _name(number: int) -> str:
    try:
        return pwd.getpwuid(number).pw_name
    except KeyError:
        return f"uid {number}"
