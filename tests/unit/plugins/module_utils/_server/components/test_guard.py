# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""How many requests a vendor may still be sent, and what the guard lets through."""

from __future__ import annotations

from pathlib import Path

from ansible_collections.epp.autoupdate.plugins.module_utils._core.results import Outcome, Result
from ansible_collections.epp.autoupdate.plugins.module_utils._core.rollout.rate_limit import HOUR, RateLimit
from ansible_collections.epp.autoupdate.plugins.module_utils._core.settings.endpoint_keys import ProductKind
from ansible_collections.epp.autoupdate.plugins.module_utils._host.local_host import LocalHost
from ansible_collections.epp.autoupdate.plugins.module_utils._server.components.base import Published
from ansible_collections.epp.autoupdate.plugins.module_utils._server.components.guard import Guard
from hypothesis import given
from hypothesis import strategies as st


class MovedHost(LocalHost):
    """A host whose clock a test moves."""

    clock = 1_800_000_000.0

    def now(self) -> float:
        return self.clock


class CountedSource:
    """A source that counts how often it was let."""

    product = ProductKind.CLAMAV
    requests_per_hour = 10

    def __init__(self, *outcomes: Outcome, cost: int = 3) -> None:
        self.cost = cost
        self.outcomes = list(outcomes)
        self.fetches = 0

    def fetch(self) -> Outcome:
        self.fetches += 1
        return self.outcomes.pop(0) if self.outcomes else Outcome(Result.CURRENT)

    def published(self) -> Published | None:
        return None


@given(gaps=st.lists(st.floats(0, 2 * HOUR), max_size=60), limit=st.integers(1, 20), cost=st.integers(1, 5))
def test_no_hour_ever_sees_more_than_the_limit(gaps: list[float], limit: int, cost: int) -> None:
    budget, now, sent = RateLimit(), 1e9, []
    for gap in gaps:
        now += gap
        if budget.free_at(now, limit=limit, cost=cost) <= now:
            budget = budget.spend(now, cost)
            sent += [now] * cost
    for start in sent:
        within = [instant for instant in sent if start <= instant < start + HOUR]
        assert len(within) <= max(limit, cost)


@given(spent=st.lists(st.floats(1e9 - HOUR, 1e9), max_size=30), limit=st.integers(1, 20), cost=st.integers(1, 20))
def test_the_instant_that_is_told_is_right(spent: list[float], limit: int, cost: int) -> None:
    budget = RateLimit(tuple(spent))
    free = budget.free_at(1e9, limit=limit, cost=cost)
    assert budget.free_at(free, limit=limit, cost=cost) == free


def test_a_clock_that_went_wrong_does_not_silence_the_server() -> None:
    assert RateLimit((5e9,) * 100).free_at(1e9, limit=1, cost=1) == 1e9


def test_the_guard_holds_over_restarts(tmp_path: Path) -> None:
    host, source = MovedHost(str(tmp_path)), CountedSource()
    results = [Guard(host, "/state/guard.json").fetch(source).result for _time in range(5)]
    assert results == [Result.CURRENT] * 3 + [Result.COOLING_DOWN] * 2
    assert source.fetches == 3
    refused = Guard(host, "/state/guard.json").fetch(source)
    assert refused.until == int(host.clock + HOUR) + 1
    host.clock += HOUR + 1
    assert Guard(host, "/state/guard.json").fetch(source).result is Result.CURRENT


def test_a_fetch_that_asked_nobody_costs_nothing(tmp_path: Path) -> None:
    """Three failures of DNS must not use up the vendor's hour."""
    host = MovedHost(str(tmp_path))
    unheard = Outcome(Result.FAILED, "no DNS record", reached=False)
    source = CountedSource(*[unheard] * 5)
    results = [Guard(host, "/state/guard.json").fetch(source).result for _time in range(9)]
    assert results == [Result.FAILED] * 5 + [Result.CURRENT] * 3 + [Result.COOLING_DOWN]


def test_a_vendor_that_asked_to_be_left_alone_is(tmp_path: Path) -> None:
    host = MovedHost(str(tmp_path))
    until = int(host.clock) + 5 * int(HOUR)
    source = CountedSource(Outcome(Result.COOLING_DOWN, "429", until))
    guard = Guard(host, "/state/guard.json")
    guard.fetch(source)
    host.clock = until - 1.0
    assert guard.fetch(source).result is Result.COOLING_DOWN
    assert source.fetches == 1
    host.clock = until + 1.0
    assert guard.fetch(source).result is Result.CURRENT


def test_a_source_that_asks_nobody_is_never_kept_waiting(tmp_path: Path) -> None:
    source, guard = CountedSource(cost=0), Guard(MovedHost(str(tmp_path)), "/state/guard.json")
    assert {guard.fetch(source).result for _time in range(30)} == {Result.CURRENT}


def test_a_damaged_record_is_no_reason_to_stop(tmp_path: Path) -> None:
    host = MovedHost(str(tmp_path))
    host.write("/state/guard.json", b'{"clamav": []}')
    assert Guard(host, "/state/guard.json").fetch(CountedSource()).result is Result.CURRENT
