# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which programs run, by the names that the kernel shows. This module imports next to nothing, for the short
way through a converge asks it, too."""

from __future__ import annotations

import posix  # the module os would be a tenth of a start

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Collection
    from typing import Optional

    Pid = Optional[int]

NONE = 0
_INIT = 1


def process_of(names: Collection[str]) -> Pid:
    """The number of a process that is called by one of these names; NONE where there is none.

    None where it can't be told: without ``/proc``, or where other processes are hidden from this one.
    """
    if not name_of(_INIT):
        return None
    pids = (int(entry) for entry in posix.listdir("/proc") if entry.isdigit())
    return next((pid for pid in pids if name_of(pid) in names), NONE)


def name_of(pid: int) -> str:
    """What a process is called (``comm``, at most 15 bytes); empty where there is none to be seen."""
    try:
        with open(f"/proc/{pid}/comm", encoding="utf-8", errors="replace") as file:
            return file.read().rstrip("\n")
    except OSError:
        return ""


def same(names: Collection[str], before: Pid) -> bool:
    """Whether ``process_of`` would answer the same question in the same way as it did before."""
    return name_of(before) in names if before else process_of(names) == before
