# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Campaigns on a virtual clock: the server is killed, endpoints are off, and every endpoint still hears it once."""

from __future__ import annotations

import heapq
from collections import Counter
from datetime import timezone

import pytest
from ansible_collections.epp.autoupdate.plugins.module_utils._core.rollout.delivery import (
    Delivery,
    DeliveryMode,
    DeliveryStatus,
    SendOutcome,
    SendResult,
    apply_response,
    event_delivery,
    mark_reachable,
    mark_sent,
    plan,
    resume_after_restart,
    send_timeout,
    skipped,
    slot_delivery,
    superseded,
)
from ansible_collections.epp.autoupdate.plugins.module_utils._core.settings.concurrency import (
    ConcurrencyLimits,
    HourClass,
    HourRange,
)
from ansible_collections.epp.autoupdate.plugins.module_utils._core.settings.retries import RetryPolicy
from ansible_collections.epp.autoupdate.plugins.module_utils._core.values import frozen, replace
from hypothesis import given
from hypothesis import strategies as st

LIMITS = RetryPolicy()
MINUTE, HOUR, DAY = 60.0, 3600.0, 86400.0


@frozen
class Behavior:
    """An endpoint of a test: off in [off, on), ``takes`` seconds to update, its answer is lost ``cut`` times."""

    off: float = 0.0
    on: float = 0.0
    takes: float = 30.0
    cut: int = 0
    stranger: bool = False

    def reachable(self, now: float) -> bool:
        return not self.off <= now < self.on


class World:
    """A server and its endpoints. The records are all that survives a kill of the server."""

    def __init__(self, behaviors: dict[str, Behavior], *, cap: int = 250, kept: bool = False) -> None:
        self.behaviors = behaviors
        self.cap = cap
        self.now = 0.0
        self.records = {name: event_delivery(name, created=0.0, kept=kept, limits=LIMITS) for name in behaviors}
        self.begun: dict[str, float] = {}
        """By endpoint: when it first took the notice; only there an update runs."""
        self.taken: Counter[str] = Counter()
        self.sent: dict[str, list[float]] = {name: [] for name in behaviors}
        self.cuts = {name: behavior.cut for name, behavior in behaviors.items()}
        self.most = 0
        self.listening: list[tuple[float, str, SendOutcome]] = []

    def run(self, kills: tuple[float, ...] = (), until: float = 9 * DAY) -> None:
        """Go from event to event until nothing is open."""
        left = sorted(kills)
        while self.now < until:
            wake = self._step()
            if not any(record.status.open for record in self.records.values()):
                return
            coming = [self.listening[0][0]] if self.listening else []
            coming += [wake] if wake is not None else []
            assert coming, "the campaign is open, but nothing will ever happen"
            if left and left[0] <= min(coming):
                self.now = max(self.now, left.pop(0))
                self._kill()
                continue
            self.now = max(self.now, min(coming))
            while self.listening and self.listening[0][0] <= self.now:
                _at, name, reply = heapq.heappop(self.listening)
                self.records[name] = apply_response(self.records[name], reply, now=self.now, limits=LIMITS)

    def _step(self) -> float | None:
        in_flight = sum(record.status is DeliveryStatus.IN_FLIGHT for record in self.records.values())
        busy = {name for _at, name, _reply in self.listening}
        done = plan(self.records.values(), now=self.now, cap=self.cap, in_flight=in_flight, busy=busy)
        for notice in (*done.expired, *done.send):
            self.records[notice.endpoint] = notice
        for notice in done.send:
            self._send(notice)
        self.most = max(self.most, sum(record.status is DeliveryStatus.IN_FLIGHT for record in self.records.values()))
        return done.wake

    def _send(self, notice: Delivery) -> None:
        name, behavior = notice.endpoint, self.behaviors[notice.endpoint]
        self.sent[name].append(self.now)
        if behavior.stranger:
            return self._will_hear(name, 1.0, SendOutcome(SendResult.HOST_KEY_CHANGED))
        if not behavior.reachable(self.now):
            return self._will_hear(name, 10.0, SendOutcome(SendResult.NOT_REACHED))
        if name not in self.begun:
            self.begun[name] = self.now
            self.taken[name] += 1
        takes = max(self.begun[name] + behavior.takes - self.now, 0.1)
        deadline = send_timeout(notice, self.now, LIMITS)
        if takes > deadline:
            return self._will_hear(name, deadline, SendOutcome(SendResult.NO_REPLY))
        if self.cuts[name]:
            self.cuts[name] -= 1
            return self._will_hear(name, takes / 2, SendOutcome(SendResult.NO_REPLY))
        return self._will_hear(name, takes, SendOutcome(SendResult.ACKNOWLEDGED, "updated"))

    def _will_hear(self, name: str, after: float, reply: SendOutcome) -> None:
        heapq.heappush(self.listening, (self.now + after, name, reply))

    def _kill(self) -> None:
        self.listening.clear()
        self.records = {name: resume_after_restart(record, self.now) for name, record in self.records.items()}


behaviors = st.builds(
    Behavior,
    off=st.floats(0, HOUR),
    on=st.floats(0, 3 * HOUR),
    takes=st.floats(0.5, 25 * MINUTE),
    cut=st.integers(0, 1),
)


@given(
    fleet=st.lists(behaviors, min_size=1, max_size=12),
    kills=st.lists(st.floats(0, 2 * HOUR), max_size=8),
    cap=st.integers(1, 5),
    kept=st.booleans(),
)
def test_however_often_the_server_is_killed_each_endpoint_is_notified_once(
    fleet: list[Behavior], kills: list[float], cap: int, kept: bool
) -> None:
    world = World({f"n{index}": one for index, one in enumerate(fleet)}, cap=cap, kept=kept)
    world.run(tuple(kills))
    assert not [record for record in world.records.values() if record.status.open], "nobody is forgotten"
    assert set(world.taken.values()) <= {1}, "nobody is notified twice"
    assert world.most <= cap
    for name, record in world.records.items():
        assert (record.status is DeliveryStatus.FINISHED) <= (name in world.taken)
        if kept:
            assert record.status is DeliveryStatus.FINISHED, "who is back within 7 days hears it"


@given(dead=st.integers(1, 30), alive=st.integers(1, 30), cap=st.integers(1, 10))
def test_dead_endpoints_delay_nobody(dead: int, alive: int, cap: int) -> None:
    fleet = {f"dead{index}": Behavior(off=0, on=30 * DAY) for index in range(dead)}
    fleet.update({f"live{index}": Behavior(takes=30) for index in range(alive)})
    world = World(fleet, cap=cap)
    world.run()
    rounds = -(-(dead + alive) // cap)
    assert all(world.begun[name] <= rounds * 30 for name in fleet if name.startswith("live"))
    assert all(world.records[name].status is DeliveryStatus.FAILED for name in fleet if name.startswith("dead"))


def test_an_endpoint_that_is_off_is_tried_five_more_times_at_15_minutes() -> None:
    world = World({"n1": Behavior(on=30 * DAY)})
    world.run()
    tries = world.sent["n1"]
    assert len(tries) == 6
    assert [later - earlier for earlier, later in zip(tries, tries[1:])] == [15 * MINUTE + 10] * 5
    assert world.records["n1"].status is DeliveryStatus.FAILED
    assert world.records["n1"].result == "not_reached"


def test_who_is_not_let_in_is_tried_again_and_told_as_refused() -> None:
    sent = mark_sent(event_delivery("n1", created=100.0, kept=False, limits=LIMITS), 100.0)
    after = apply_response(sent, SendOutcome(SendResult.REFUSED, reason="no"), now=110.0, limits=LIMITS)
    assert (after.status, after.result, after.reason) == (DeliveryStatus.RETRYING, "refused", "no")
    last = apply_response(
        replace(sent, tries=LIMITS.retries + 1), SendOutcome(SendResult.REFUSED), now=110.0, limits=LIMITS
    )
    assert (last.status, last.result) == (DeliveryStatus.FAILED, "refused")


def test_with_e1a_an_offline_endpoint_is_notified_when_it_is_back() -> None:
    world = World({"n1": Behavior(on=3 * DAY)}, kept=True)
    world.run()
    assert world.records["n1"].status is DeliveryStatus.FINISHED
    assert 3 * DAY <= world.begun["n1"] <= 3 * DAY + 15 * MINUTE + 10


def test_after_seven_days_a_kept_notice_is_gone() -> None:
    world = World({"n1": Behavior(on=30 * DAY)}, kept=True)
    world.run()
    assert (world.records["n1"].status, world.records["n1"].result) == (DeliveryStatus.FAILED, "expired")
    assert max(world.sent["n1"]) < 7 * DAY <= world.now < 7 * DAY + MINUTE


def test_a_sign_of_life_makes_a_kept_notice_due_at_once() -> None:
    pending = Delivery("n1", DeliveryMode.RETAINED, DeliveryStatus.DEFERRED, due=900.0, until=7 * DAY, tries=6)
    assert mark_reachable(pending, 5.0).ready(5.0)
    assert mark_reachable(replace(pending, status=DeliveryStatus.FINISHED), 5.0).due == 900.0


def test_an_endpoint_holds_its_place_for_30_minutes_at_most() -> None:
    world = World({"n1": Behavior(takes=50 * MINUTE), "n2": Behavior()}, cap=1)
    world.run()
    assert world.begun["n2"] == 30 * MINUTE
    assert world.records["n1"].status is DeliveryStatus.FINISHED, "asked later, it tells what became of it"
    assert world.taken["n1"] == 1


def test_an_answer_that_was_lost_is_asked_for_and_the_place_kept_meanwhile() -> None:
    world = World({"n1": Behavior(takes=60, cut=1), "n2": Behavior()}, cap=1)
    world.run()
    assert world.taken == {"n1": 1, "n2": 1}
    assert world.sent["n1"] == [0.0, 30 + 15 * MINUTE]
    assert world.begun["n2"] > 15 * MINUTE


def test_a_changed_host_key_stops_that_endpoint_only() -> None:
    world = World({"n1": Behavior(stranger=True), "n2": Behavior()})
    world.run()
    assert (world.records["n1"].status, world.records["n1"].result) == (DeliveryStatus.FAILED, "host_key_changed")
    assert len(world.sent["n1"]) == 1
    assert world.records["n2"].status is DeliveryStatus.FINISHED


def test_an_endpoint_that_has_no_business_with_it_is_on_record_as_skipped() -> None:
    sent = replace(
        event_delivery("n1", created=0.0, kept=False, limits=LIMITS), status=DeliveryStatus.IN_FLIGHT, since=0.0
    )
    told = apply_response(
        sent, SendOutcome(SendResult.ACKNOWLEDGED, "skipped", "this endpoint is roaming"), now=1.0, limits=LIMITS
    )
    assert (told.status, told.reason) == (DeliveryStatus.SKIPPED, "this endpoint is roaming")
    assert not skipped("n2", "events.update_after_download is off").status.open


def test_at_its_slot_an_endpoint_is_notified_once_and_never_after_its_window() -> None:
    notice = slot_delivery("n1", at=100.0, end=200.0)
    assert plan([notice], now=99.0, cap=1, in_flight=0).send == ()
    assert plan([notice], now=99.0, cap=1, in_flight=0).wake == 100.0
    (sent,) = plan([notice], now=100.0, cap=1, in_flight=0).send
    assert (
        apply_response(sent, SendOutcome(SendResult.NOT_REACHED), now=110.0, limits=LIMITS).status
        is DeliveryStatus.SKIPPED
    )
    full = plan([notice], now=150.0, cap=1, in_flight=1)
    assert (full.send, full.wake) == ((), 200.0)
    (over,) = plan([notice], now=200.0, cap=1, in_flight=0).expired
    assert (over.status, over.result) == (DeliveryStatus.SKIPPED, "expired")


def test_a_newer_version_takes_over_whom_the_old_one_has_not_reached() -> None:
    waiting = event_delivery("n1", created=0.0, kept=False, limits=LIMITS)
    assert superseded(waiting, "3").result == "superseded"
    in_flight = replace(waiting, status=DeliveryStatus.IN_FLIGHT, since=0.0)
    assert superseded(in_flight, "3") == in_flight


def test_busy_endpoints_are_left_alone() -> None:
    notices = [event_delivery(name, created=0.0, kept=False, limits=LIMITS) for name in ("n1", "n2")]
    assert [one.endpoint for one in plan(notices, now=0.0, cap=9, in_flight=0, busy={"n1"}).send] == ["n2"]


@pytest.mark.parametrize(
    ("clock", "expected"),
    [
        (0, HourClass.OFF_PEAK),
        (6 * 3600 - 1, HourClass.OFF_PEAK),
        (6 * 3600, HourClass.NORMAL),
        (8 * 3600, HourClass.PEAK),
        (18 * 3600, HourClass.NORMAL),
        (22 * 3600, HourClass.OFF_PEAK),
    ],
)
def test_the_cap_follows_the_class_of_the_hour(clock: int, expected: HourClass) -> None:
    spans = {"peak_hours": (HourRange.parse("08:00-18:00"),), "off_peak_hours": (HourRange.parse("22:00-06:00"),)}
    caps = ConcurrencyLimits(normal=250, peak=50, off_peak=1000, **spans)
    assert caps.class_at(clock, timezone.utc) is expected
    assert caps.at(clock, timezone.utc) == {"normal": 250, "peak": 50, "off_peak": 1000}[expected.value]


@pytest.mark.parametrize("text", ["", "8-18", "08:00", "08:00-08:00", "25:00-26:00", "08:60-09:00", "24:00-08:00"])
def test_what_is_no_span_of_hours_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="not hours of the day"):
        HourRange.parse(text)
