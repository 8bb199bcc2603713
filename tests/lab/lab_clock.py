# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A clock for each machine of its own, as Python on it reads it.

A container has the clock of its host, which no test may set. Agent, server and modules all ask Python for the time, so
Python itself is changed on the machine: in a file of its library that every program imports. systemd, cron and sshd
keep the host's clock, so a shift by whole days leaves them at the same time of day.
"""

from __future__ import annotations

from lab_nodes import Node

DAY = 86400
_SHIFT = "/etc/lab-clock"
"""How many seconds the clock of this machine is ahead of its host's; it is read anew each time."""
_READ_SHIFT = f'''

def _lab_clock():
    import time

    real = time.time

    def shifted():
        try:
            with open("{_SHIFT}", "rb") as file:
                return real() + float(file.read())
        except (OSError, ValueError):
            return real()

    time.time = shifted


_lab_clock()
'''
_INSTALL = """
import collections, sys
with open(collections.__file__, "a") as library:
    library.write(sys.stdin.read())
"""


def install(node: Node) -> None:
    """Let a machine have a clock of its own, which is right at first."""
    node.run(["python3", "-c", _INSTALL], stdin=_READ_SHIFT)
    set_ahead(node, 0)


def set_ahead(node: Node, seconds: float) -> None:
    """Set the clock of a machine so far ahead of its host's; behind it where that is negative."""
    node.run(f"echo {seconds} >{_SHIFT}.new && mv {_SHIFT}.new {_SHIFT}")
