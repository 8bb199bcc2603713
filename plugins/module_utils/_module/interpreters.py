# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Private: which Python starts our programs on a host."""

from __future__ import annotations

import sys

from .._host.host import Host

SYSTEM_PYTHON = "/usr/bin/python3"


def interpreter_of(host: Host) -> str:
    """The Python for a program's first line: the one that runs this, or an image's own, where it has one.

    An image runs later, and elsewhere: the control node's Python need not be there. A sandbox has none of its own.
    """
    return SYSTEM_PYTHON if not host.live and host.exists(SYSTEM_PYTHON) else sys.executable
