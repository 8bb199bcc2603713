# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""How many hosts of a play are through with a task, and what became of them."""

from __future__ import annotations

from ansible_collections.epp.autoupdate.plugins.module_utils._core.untrusted_text import shown
from ansible_collections.epp.autoupdate.plugins.module_utils._server.terminal.progress import Progress

_LONGEST_NAME = 40


class PlayCounts:
    """The counts of one play, or of one batch of it. Tasks are told apart by an identity of any kind of text.

    What is shown is the task that began last. With the strategy ``free``, whose hosts are at different tasks, that is
    the one that the fastest of them has reached.
    """

    def __init__(self, hosts: int) -> None:
        self._hosts = hosts
        self._through: dict[str, int] = {}
        self._task, self._name, self._once = "", "", False
        self._changed: set[str] = set()
        self._failed: set[str] = set()
        self._unreachable: set[str] = set()

    def begin(self, task: str, name: str, *, once: bool = False) -> bool:
        """A task begins; returns whether it is one that has not begun before. ``once``: for one of all hosts."""
        if task in self._through:
            return False
        self._through[task] = 0
        self._task, self._name, self._once = task, shown(name, _LONGEST_NAME), once
        return True

    def through(self, task: str, host: str, *, changed: bool = False) -> None:
        """A host is through with a task; not one that ends with it."""
        if host not in self._failed and host not in self._unreachable:
            self._through[task] = self._through.get(task, 0) + 1
        if changed:
            self._changed.add(host)

    def failed(self, host: str) -> None:
        """A task failed, so that the host takes part in no later one."""
        self._failed.add(host)

    def unreachable(self, host: str) -> None:
        """A host was not reached, so that it takes part in no later task."""
        self._unreachable.add(host)

    def progress(self) -> Progress:
        """The hosts that are through with the last task, of all; those that have left before are, too."""
        out = len(self._failed | self._unreachable)
        here, total = self._through.get(self._task, 0), 1 if self._once else self._hosts
        results = {"failed": len(self._failed), "unreachable": len(self._unreachable), "changed": len(self._changed)}
        return Progress(self._name, min(total, here + (0 if self._once else out)), total, results)
