# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Users' privileges as a sudoers file over single command lines."""

from __future__ import annotations

import re

from ..._core.resources.resources import Absent, File, Resource
from ..paths import AGENT
from .base import GrantedPrivileges, UserAction

SUDOERS = "/etc/sudoers.d/epp-autoupdate"

# The caller's environment and PATH stay outside whatever the host's other sudoers files allow: the agent is Python.
_TEXT = """\
# Managed by the Ansible collection epp.autoupdate; changes are undone by the next converge.
Cmnd_Alias EPP_AUTOUPDATE = {commands}
Defaults!EPP_AUTOUPDATE env_reset, !setenv, secure_path="/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
%{group} ALL = (root) NOPASSWD: EPP_AUTOUPDATE
"""

_SPECIAL = re.compile(r"""([ !"#$%&'()*+,:;<=>?@\[\\\]^`{|}~])""")


class SudoersBackend:
    """Members of the group may run exactly the granted command lines as root, without a password."""

    name = "sudoers"

    def entries(self, privileges: GrantedPrivileges) -> tuple[Resource, ...]:
        granted = privileges.granted()
        if not granted:
            return (Absent(SUDOERS),)
        lists = (arguments for action in granted for arguments in privileges.commands(action))
        commands = ", \\\n    ".join(_command(privileges.agent, arguments) for arguments in lists)
        text = _TEXT.format(commands=commands, group=_escaped(privileges.group))
        return (File(SUDOERS, text.encode(), mode=0o440),)

    def owned(self) -> tuple[str, ...]:
        return (SUDOERS,)

    def user_command(self, action: str, instance: str = "") -> tuple[str, ...]:
        further = ("--product", instance) if instance else ()
        return ("sudo", "-n", AGENT, *UserAction(action).arguments, *further)


def _command(agent: str, arguments: tuple[str, ...]) -> str:
    """The exact argument list: nothing may be left out, changed or added."""
    return " ".join(_escaped(word) for word in (agent, *arguments))


def _escaped(word: str) -> str:
    """The word without a special meaning to sudo; raises ValueError for one that can't be written."""
    if not word or not word.isprintable():
        raise ValueError(f"{word!r} can't stand in a sudoers file")
    return _SPECIAL.sub(r"\\\1", word)
