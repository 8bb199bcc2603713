# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The guard that keeps every fetch within the vendor's limit, across restarts and whoever starts it."""

from __future__ import annotations

import json

from ..._core.results import Outcome, Result
from ..._core.rollout.rate_limit import RateLimit
from ..._core.values import asdict, frozen
from ..._host.host import Host
from .base import Source


@frozen
class Guard:
    """Budgets by product, in one file; to be used under the lock of fetches."""

    host: Host
    path: str

    def fetch(self, source: Source) -> Outcome:
        """Let a source fetch, unless its vendor's limit or cool-down forbids: then no request leaves this host."""
        name, now = source.product.value, self.host.now()
        budget = self._read().get(name, RateLimit())
        free = budget.free_at(now, limit=source.requests_per_hour, cost=source.cost) if source.cost else now
        if free > now:
            why = "rate-limited by the vendor" if budget.cooling(now) else "the vendor's requests per hour are used up"
            return Outcome(Result.COOLING_DOWN, why, int(free) + 1)
        # Before the first request: a fetch that is killed has spent what it might have sent.
        self._write(name, budget.spend(now, source.cost))
        outcome = source.fetch()
        if not outcome.reached:
            self._write(name, budget)
        if outcome.result is Result.COOLING_DOWN and outcome.until is not None:
            self._write(name, self._read().get(name, RateLimit()).cooled(outcome.until, now))
        return outcome

    def _read(self) -> dict[str, RateLimit]:
        try:
            raw = json.loads(self.host.read(self.path) or b"{}")
            return {name: RateLimit(tuple(one["spent"]), float(one["until"])) for name, one in raw.items()}
        except (ValueError, TypeError, KeyError, AttributeError):
            return {}

    def _write(self, name: str, budget: RateLimit) -> None:
        budgets = {**self._read(), name: budget}
        content = json.dumps({key: asdict(one) for key, one in budgets.items()}, sort_keys=True)
        self.host.write(self.path, content.encode(), mode=0o640)
