# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Hosts and a calendar for the tests of schedulers and of what is built on them."""

from __future__ import annotations

from collections.abc import Sequence

from ansible_collections.epp.autoupdate.plugins.module_utils._core.policy.policy import Weekday
from ansible_collections.epp.autoupdate.plugins.module_utils._core.schedule.calendars import DailyCalendar, UtcRule
from ansible_collections.epp.autoupdate.plugins.module_utils._host.host import Completed
from ansible_collections.epp.autoupdate.plugins.module_utils._host.local_host import LocalHost

DAILY = DailyCalendar(
    weekday=None,
    hour=12,
    minute=34,
    second=56,
    zone_name="Europe/Berlin",
    extra=(UtcRule((Weekday.SUNDAY,), (3,), tuple(range(25, 32)), 5400),),
    utc_minutes=(34,),
)


class Sandbox(LocalHost):
    """A directory that stands for a host at a fixed time."""

    def __init__(self, root: str, *, now: float = 1_763_800_000.0) -> None:
        super().__init__(root)
        self._now = now

    def now(self) -> float:
        return self._now


class RunningHost(Sandbox):
    """A directory that claims to be the running system and records what it is told; answers come from ``replies``."""

    def __init__(self, root: str, replies: dict[str, Completed] | None = None) -> None:
        super().__init__(root)
        self.replies = replies or {}
        self.commands: list[tuple[str, ...]] = []

    @property
    def live(self) -> bool:
        return True

    def run(
        self, argv: Sequence[str], *, timeout: float, stdin: bytes = b"", env: dict[str, str] | None = None
    ) -> Completed:
        self.commands.append(tuple(argv))
        words = " ".join(argv)
        matching = (reply for part, reply in self.replies.items() if part in words)
        return next(matching, Completed(0, "", ""))
