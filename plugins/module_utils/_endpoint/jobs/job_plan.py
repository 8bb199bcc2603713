# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the scheduler of an endpoint is asked to do."""

from __future__ import annotations

from ..._core.schedule.calendars import Calendar, IntervalCalendar
from ..._core.system_files.vendor_updaters import Starters
from ..._core.values import frozen
from ..products.base import ProductNeeds


@frozen
class JobPlan:
    """The jobs of one endpoint, the same for every scheduler. Times are seconds.

    A timer or a cron line only wakes the agent, whose timetable has the last word on whether a run is due. So a
    scheduler that is coarser than a second starts the agent early (up to 60 s: the agent waits for its second), and
    one that knows no zones starts it too often, never too seldom.
    """

    agent: str
    """The agent's path, ``/usr/local/bin/epp-agent``."""
    calendar: Calendar | None
    """When scheduled updates are; None: there are none."""
    reconnect_probe: int | None
    """How often to look whether the server is back (E2); None: E2 is off."""
    update_limit: int
    """How long an update may run."""
    max_start_delay: int
    """How long the agent may wait inside one run before it updates: a late instant in the window, a slot drawn inside
    it, the server's return and the jitter after it, another run's lock; the largest that can happen."""
    scan_limit: int
    needs: ProductNeeds
    textfile_directory: str | None = None
    """Where the Prometheus textfile goes when the directory exists."""
    needs_homes: bool = False
    """Whether something of the product lies where users have their homes."""
    keys_in_homes: bool = False
    """Whether the update server logs in as a user with a home of its own, whose keys a converge looks at."""
    configuration: IntervalCalendar | None = None
    """When the agent is woken to ask the update server for its configuration (S2); None: there is no server."""
    beside: Starters = Starters()
    """What must not run beside these jobs."""
    notices: str | None = None
    """Whose group may hand over the update server's notices; None: nobody, or root itself takes them."""
    listens: bool = False
    """Whether the update server tells this endpoint over a message broker, to which it listens (L3)."""
    engine: IntervalCalendar | None = None
    """When the agent is woken to look whether the engine's packages are to be upgraded; None: they never are."""
    engine_limit: int = 0
    """How long that may take."""
    instance: str = ""
    """That of the product; empty for an endpoint's first one."""
    further: tuple[JobPlan, ...] = ()
    """The plans of an endpoint's further products."""

    @property
    def options(self) -> tuple[str, ...]:
        """What the agent's commands are given so that they mean this product."""
        return ("--product", self.instance) if self.instance else ()
