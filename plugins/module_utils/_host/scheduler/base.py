# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a program's jobs are to a scheduler, as values, and what every scheduler can do with them."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import TYPE_CHECKING, Protocol

from ..._core.resources.resources import Resource
from ..._core.values import frozen

if TYPE_CHECKING:
    from ..systemd.state import States

Texts = Mapping[str, str]
"""What a scheduler reads, by file name: the texts of unit files, or of a table."""


@frozen
class Units:
    """The names of all systemd units that a program may ever have on a host."""

    services: tuple[str, ...]
    timers: tuple[str, ...]
    sockets: tuple[str, ...] = ()
    paths: tuple[str, ...] = ()
    lasting: tuple[str, ...] = ()
    """Services that are active from a converge on, as timers are."""
    boot_only: tuple[str, ...] = ()
    """Timers that a boot alone starts: on a machine that is up for longer than their delay they would fire at once."""
    realtime: tuple[str, ...] = ()
    """Timers that are started again when the clock was set back (``reckon_anew``)."""
    loaded: tuple[str, ...] = ()
    """Services by which a missed daemon-reload is noticed; a template has no state, its instances have."""


@frozen
class Owned:
    """What one program may ever have on a host: its systemd units, or its table in ``/etc/cron.d``."""

    units: Units
    table: str


@frozen
class Job:
    """Work that is started on demand: by its service, or without systemd by its command."""

    name: str
    service: str
    command: tuple[str, ...]
    successes: tuple[int, ...] = (0,)
    """The exit statuses with which the command has done its work; the service has them in its unit."""
    idle: bool = False
    """Whether the command runs at the lowest priority; the service has its priority in its unit."""


class Scheduler(Protocol):
    """One way in which a host starts a program's jobs. Only ``entries`` decides what is on disk.

    On a directory that stands for a host, and on a live host where this scheduler does not run, ``states`` is None,
    ``drift`` is empty, nothing is started, and the other calls do nothing.
    """

    name: str

    def entries(self, texts: Texts) -> tuple[Resource, ...]:
        """What the file system should hold, including ``Absent`` for each owned path that has no text."""

    def owned(self) -> tuple[str, ...]:
        """Every path that the program may ever have had; all of them go with ``state: absent`` or a switch."""

    def states(self, others: Collection[str] = ()) -> States | None:
        """What systemd says of its own units, and of those of ``others``: one question at most."""

    def drift(self, texts: Texts, states: States | None = None) -> tuple[str, ...]:
        """What the running scheduler does otherwise than the texts say, in words.

        ``states`` are those that were asked for already; without them the scheduler is asked.
        """

    def activate(self, texts: Texts, changed_paths: Collection[str], states: States | None = None) -> None:
        """Bring the running scheduler to the texts, once they are on disk; raises OSError when it refuses.

        Where ``states`` are given, systemd reads others' units again, too, if one has changed.
        """

    def deactivate(self) -> None:
        """Stop everything of the program's that runs or waits, before its files are removed; nothing there is fine."""

    def forget(self) -> None:
        """Let the running scheduler forget what it knew, once its files are removed."""

    def reckon_anew(self) -> None:
        """Find the next instants by the clock as it is now, whatever it was; raises OSError when it refuses."""

    def errors(self) -> tuple[str, ...]:
        """Why no job would be started at all, in words; a look at the host, for which nothing runs."""

    def start(self, job: Job) -> bool:
        """Start a job, outside the sandbox of the caller, and return at once; False where nothing can be started.

        Raises OSError when the scheduler refuses.
        """

    def trial(self, job: Job, *, timeout: float) -> str:
        """Start a job on a live host as its scheduled jobs are started, and wait for its end.

        Returns why it did not start; empty where it did, whatever it found.
        """
