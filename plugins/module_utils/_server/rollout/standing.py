# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Where one rollout stands, endpoint by endpoint: who is in each ring, and what became of each with what it tries."""

from __future__ import annotations

import sqlite3
from collections import Counter
from collections.abc import Iterator, Mapping

from ..._core.rings.outcome import MemberOutcome, Tally
from ..._core.rings.state import Phase, RolloutState
from ..._core.values import frozen
from ..._host.host import Host
from .members import RingFleet, recorded
from .product_job import ProductJob
from .promote import all_jobs

NOT_COUNTED = "not counted"
"""Of a member that was off, roaming or silent when the version was offered, or has joined the ring since."""


@frozen
class Standing:
    """The rollout of one product.

    ``counts`` has what each ring was decided by, and ``outcomes`` the words for each endpoint of a ring that tries a
    version: an outcome, or that it does not count. A failure stays one in the ring that the endpoint has left.
    """

    job: ProductJob
    state: RolloutState
    fleet: RingFleet
    counts: Mapping[str, Tally]
    outcomes: Mapping[str, Mapping[str, str]]

    @property
    def product(self) -> str:
        return self.job.name

    def not_counted(self, ring: str) -> int:
        """How many members do not count for what their ring tries."""
        return Counter(self.outcomes.get(ring, {}).values())[NOT_COUNTED]

    def rings_of(self) -> dict[str, str]:
        """The ring of each endpoint that has the product."""
        return {member.name: ring for ring, members in self.fleet.rings.items() for member in members}

    def words_of(self) -> dict[str, str]:
        """What became of each endpoint, with the ring in which it did: ``in canary: failed``."""
        found: dict[str, list[str]] = {}
        for ring, outcomes in self.outcomes.items():
            for name, outcome in outcomes.items():
                found.setdefault(name, []).append(words(ring, outcome))
        return {name: "; ".join(some) for name, some in found.items()}


def words(ring: str, outcome: str) -> str:
    """One outcome in a ring. As names of rings have no spaces, no such text is a part of another one."""
    return f"in {ring}: {outcome}"


def standings(host: Host, connection: sqlite3.Connection) -> list[Standing]:
    """The rollout of each product that has rings, and of the packages of its engine."""
    return [_standing(connection, job) for job in all_jobs(host, connection).values()]


def _standing(connection: sqlite3.Connection, job: ProductJob) -> Standing:
    state, fleet = job.state(), job.fleet()
    counts, outcomes = {}, {}
    for name, members in fleet.rings.items():
        counts[name] = recorded(connection, job.name, name, members=len(members))
        if state.phase(name) is not Phase.IDLE:
            outcomes[name] = dict(_outcomes(connection, fleet, name))
    return Standing(job, state, fleet, counts, outcomes)


def _outcomes(connection: sqlite3.Connection, fleet: RingFleet, ring: str) -> Iterator[tuple[str, str]]:
    select = "SELECT endpoint, outcome FROM rollout_members WHERE product = ? AND ring = ? AND outcome <> ?"
    rows = connection.execute(select, (fleet.name, ring, MemberOutcome.GONE.value))
    counted = {row["endpoint"]: row["outcome"] for row in rows}
    yield from counted.items()
    for member in fleet.rings[ring]:
        if member.name not in counted:
            yield member.name, NOT_COUNTED
