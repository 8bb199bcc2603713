# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a host's scheduler is asked to do, and how it is asked."""

from __future__ import annotations

from collections.abc import Collection
from typing import Protocol

from ..._core.resources.resources import Resource
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
    configuration: IntervalCalendar | None = None
    """When the agent is woken to ask the update server for its configuration (S2); None: there is no server."""
    beside: Starters = Starters()
    """What must not run beside these jobs."""
    notices: str | None = None
    """Whose group may hand over the update server's notices; None: nobody, or root itself takes them."""


class Scheduler(Protocol):
    """One way in which a host starts jobs. Nothing but ``entries`` and the owner of files decides what is on disk.

    On a directory that stands for a host, and on a live host where this scheduler does not run, ``drift`` is empty
    and the other calls do nothing.
    """

    name: str

    def entries(self, plan: JobPlan) -> tuple[Resource, ...]:
        """What the file system should hold for the plan, including ``Absent`` for each owned path it does not need."""

    def owned(self) -> tuple[str, ...]:
        """Every path that this scheduler may ever have written; all of them go with ``state: absent`` or a switch."""

    def drift(self, plan: JobPlan) -> tuple[str, ...]:
        """What the running scheduler does otherwise than planned, in words; at most one short process."""

    def activate(self, plan: JobPlan, changed_paths: Collection[str]) -> None:
        """Bring the running scheduler to the plan, once its entries are on disk; raises OSError when it refuses."""

    def deactivate(self) -> None:
        """Stop everything of ours that runs or waits, before its files are removed; nothing there is fine."""

    def forget(self) -> None:
        """Let the running scheduler forget what it knew, once its files are removed."""

    def reckon_anew(self) -> None:
        """Find the next instants by the clock as it is now, whatever it was; raises OSError when it refuses."""

    def errors(self) -> tuple[str, ...]:
        """Why the planned jobs would not be started at all, in words; a look at the host, for which nothing runs."""

    def try_agent(self) -> str:
        """Start the agent's self-test as the jobs are started, and wait for its end; returns why it did not start.

        Empty where it did, whatever it found.
        """

    def start_scan(self) -> bool:
        """Start the low-priority scan and return at once; False where nothing could be started (a mere directory)."""

    def start_configuring(self) -> bool:
        """Start the converge to what was adopted, outside the walls of the caller, and return at once.

        False where nothing could be started; raises OSError when the scheduler refuses.
        """
