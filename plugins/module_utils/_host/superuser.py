# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Whether this process may do what only root may, asked before anything is begun."""

from __future__ import annotations

import os

from .host import Host


class NotRoot(PermissionError):
    """This process is not root's, and its work needs root."""


def require_root(host: Host, what: str) -> None:
    """Raise NotRoot unless this process is root's, or the host is only a directory; ``what`` is who needs it."""
    if not host.live or os.geteuid() == 0:
        return
    raise NotRoot(
        f"{what} needs root, and runs as {_own_name()}: connect as root, or let Ansible become root "
        "(the collection's playbooks: autoupdate_become: true; a task or play of one's own: become: true)"
    )


def _own_name() -> str:
    import pwd

    try:
        return pwd.getpwuid(os.geteuid()).pw_name
    except KeyError:
        return f"uid {os.geteuid()}"
