# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""How a notice becomes root without systemd: one line of sudoers for the notice entry alone (N5)."""

from __future__ import annotations

from ..._core.resources.resources import File
from ..._host.host import Host
from ..._host.process import SEARCHED
from .. import paths

PATH = "/etc/sudoers.d/epp-autoupdate-notice"

_TEXT = """\
# Managed by the Ansible collection epp.autoupdate; changes are undone by the next converge.
Cmnd_Alias EPP_AUTOUPDATE_NOTICE = {agent} notice
Defaults!EPP_AUTOUPDATE_NOTICE env_reset, !setenv, !requiretty
Defaults!EPP_AUTOUPDATE_NOTICE secure_path="/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
{user} ALL = (root) NOPASSWD: EPP_AUTOUPDATE_NOTICE
"""


def rule(user: str) -> File:
    """The file that lets this account start the notice entry, without further arguments, and nothing else."""
    return File(PATH, _TEXT.format(agent=paths.AGENT, user=user).encode(), mode=0o440)


def command() -> tuple[str, ...]:
    """The command by which the account starts it."""
    return ("sudo", "-n", paths.AGENT, "notice")


def missing(host: Host) -> str:
    """Why the rule would not work; empty where it does, or where that is unknown (a sandbox)."""
    if not host.live or any(host.exists(f"{place}/sudo") for place in SEARCHED):
        return ""
    return "this host has neither systemd nor sudo, by which a notice gets to root (install sudo)"
