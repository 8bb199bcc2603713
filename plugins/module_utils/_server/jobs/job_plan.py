# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the scheduler of a server is asked to do."""

from __future__ import annotations

from ..._core.values import frozen


@frozen
class Interval:
    """Every so many seconds (whole minutes), the first ``phase`` seconds after midnight UTC."""

    every: int
    phase: int


@frozen
class JobPlan:
    """The jobs of one server, the same for every scheduler: it fetches, it notifies every minute, it publishes, it
    takes in reports as they arrive or asks for them, decides about staged rollouts, and writes its metrics.

    Two that overlap are no harm: whoever comes second ends at once.
    """

    program: str
    """The path of ``epp-server``."""
    user: str
    """Whom all jobs work as."""
    state_directory: str
    public: str
    """What the web server serves; written by what fetches and what publishes."""
    reports: str
    """The directory with the reports of endpoints and their places."""
    inbox: str
    """The directory in which reports arrive."""
    rollout_news: str
    """The file that is written when reports were taken in on which a rollout may depend."""
    fetch: Interval | None
    """When components are looked for; None: no product is set up."""
    metrics: Interval
    """When the metrics are written."""
    metrics_directory: str
    """Where the metrics are written; the directory need not exist, and then nobody reads them."""
    publish: Interval
    """When what is published is signed anew, if it has to be."""
    fetch_limit: int
    """How long a fetch may take, seconds."""
    ask: Interval | None = None
    """When endpoints are asked for reports; None: they send them."""
    promote: Interval | None = None
    """When staged rollouts are decided about; None: no product has rings."""
    reads: tuple[str, ...] = ()
    """Paths, programs among them, that a fetch has to reach."""
    samples: str = ""
    """The directory of the samples that are published; empty: none are."""
    any_program: bool = False
    """Whether a fetch runs a program of which nothing is known."""
    key: str = ""
    """The private key by which the server notifies, where it is not its own."""
    orders: str = ""
    """Where orders to groups of endpoints are published; empty without a message broker."""
