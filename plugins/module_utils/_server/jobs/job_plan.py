# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a server's scheduler is asked to do, and how it is asked."""

from __future__ import annotations

from collections.abc import Collection
from typing import Protocol

from ..._core.resources.resources import Resource
from ..._core.values import frozen


@frozen
class Interval:
    """Every so many seconds (whole minutes), the first ``phase`` seconds after midnight UTC."""

    every: int
    phase: int


@frozen
class JobPlan:
    """The jobs of one server, the same for every scheduler: it fetches, it notifies every minute, it publishes.

    Two that overlap are no harm: whoever comes second ends at once.
    """

    program: str
    """The path of ``epp-server``."""
    user: str
    """Whom all jobs work as."""
    state_directory: str
    public: str
    """What the web server serves; written by what fetches and what publishes."""
    fetch: Interval | None
    """When components are looked for; None: no product is set up."""
    publish: Interval
    """When what is published is signed anew, if it has to be."""
    fetch_limit: int
    """How long a fetch may take, seconds."""
    reads: tuple[str, ...] = ()
    """Paths, programs among them, that a fetch has to reach."""
    any_program: bool = False
    """Whether a fetch runs a program of which nothing is known."""
    key: str = ""
    """The private key by which the server notifies, where it is not its own."""


class Jobs(Protocol):
    """One way in which a host starts the server's jobs; the contract is that of an endpoint's scheduler.

    On a directory that stands for a host, and on a live host where this scheduler does not run, ``drift`` is empty
    and the other calls do nothing.
    """

    name: str

    def entries(self, plan: JobPlan) -> tuple[Resource, ...]:
        """What the file system should hold for the plan, including ``Absent`` for each owned path it does not need."""

    def owned(self) -> tuple[str, ...]:
        """Every path that this scheduler may ever have written."""

    def drift(self, plan: JobPlan) -> tuple[str, ...]:
        """What the running scheduler does otherwise than planned, in words."""

    def activate(self, plan: JobPlan, changed_paths: Collection[str]) -> None:
        """Bring the running scheduler to the plan, once its entries are on disk; raises OSError when it refuses."""

    def deactivate(self) -> None:
        """Stop everything of the server's that runs or waits, before its files are removed; nothing there is fine."""

    def forget(self) -> None:
        """Let the running scheduler forget what it knew, once its files are removed."""
