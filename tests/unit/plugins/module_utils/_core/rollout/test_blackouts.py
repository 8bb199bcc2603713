# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A notice that comes in a blackout is kept until that is over (G7)."""

from __future__ import annotations

import pytest
from ansible_collections.epp.autoupdate.plugins.module_utils._core.rollout.delivery import (
    AFTER_BLACKOUT,
    LONGEST_BLACKOUT,
    Delivery,
    DeliveryMode,
    DeliveryStatus,
    SendOutcome,
    SendResult,
    apply_response,
    clamp_deadlines,
    event_delivery,
    immediate_delivery,
    mark_reachable,
    mark_sent,
    plan,
    slot_delivery,
    superseded,
)
from ansible_collections.epp.autoupdate.plugins.module_utils._core.settings.retries import RetryPolicy
from ansible_collections.epp.autoupdate.plugins.module_utils._core.values import replace

LIMITS = RetryPolicy()
NOW = 1_000_000.0
SKIPPED = SendOutcome(SendResult.ACKNOWLEDGED, "skipped", "blackout freeze", NOW + 3600)


def refused(delivery: Delivery, until: float = NOW + 3600) -> Delivery:
    return apply_response(mark_sent(delivery, NOW), replace(SKIPPED, until=until), now=NOW, limits=LIMITS)


@pytest.mark.parametrize("kept", [False, True])
def test_it_is_sent_again_after_the_blackout_and_its_tries_do_not_count(kept: bool) -> None:
    after = refused(event_delivery("n1", created=NOW, kept=kept, limits=LIMITS))
    assert (after.status, after.result, after.tries) == (DeliveryStatus.DEFERRED, "skipped", 0)
    assert NOW + 3600 <= after.due < NOW + 3600 + AFTER_BLACKOUT
    assert not after.ready(NOW + 3599)
    done = apply_response(
        mark_sent(after, after.due), SendOutcome(SendResult.ACKNOWLEDGED, "updated"), now=after.due, limits=LIMITS
    )
    assert (done.status, done.result) == (DeliveryStatus.FINISHED, "updated")


def test_a_fleet_is_spread_after_the_blackout() -> None:
    """No herd at its end, and the cap holds beside that (N1)."""
    fleet = [refused(event_delivery(f"n{number}", created=NOW, kept=False, limits=LIMITS)) for number in range(1800)]
    minutes = [
        sum(int(one.due - NOW - 3600) // 60 == minute for one in fleet) for minute in range(AFTER_BLACKOUT // 60)
    ]
    assert sum(minutes) == 1800
    assert max(minutes) < 2 * min(minutes)
    sent = plan(fleet, now=NOW + 3600 + AFTER_BLACKOUT, cap=250, in_flight=0).send
    assert len(sent) == 250


def test_a_long_blackout_is_asked_about_again() -> None:
    """Policy may have changed meanwhile; and what an endpoint says of its clock is bounded."""
    after = refused(event_delivery("n1", created=NOW, kept=False, limits=LIMITS), until=4e9)
    assert after.due == NOW + LONGEST_BLACKOUT
    assert clamp_deadlines(after, NOW, LIMITS) == after
    assert clamp_deadlines(after, NOW - 100 * 86400, LIMITS).due == NOW - 100 * 86400 + LONGEST_BLACKOUT


def test_an_end_that_is_past_is_no_reason_to_ask_without_end() -> None:
    after = refused(event_delivery("n1", created=NOW, kept=False, limits=LIMITS), until=NOW - 5000)
    assert after.due >= NOW


def test_contact_does_not_end_a_blackout() -> None:
    after = refused(event_delivery("n1", created=NOW, kept=False, limits=LIMITS))
    assert mark_reachable(after, NOW + 10) == after
    lost = replace(after, status=DeliveryStatus.RETRYING, result="not_reached")
    assert mark_reachable(lost, NOW + 10).due == NOW + 10


def test_a_newer_version_supersedes_it() -> None:
    after = refused(event_delivery("n1", created=NOW, kept=False, limits=LIMITS))
    assert superseded(after, "9").status is DeliveryStatus.SKIPPED


@pytest.mark.parametrize(
    "delivery",
    [slot_delivery("n1", at=NOW, end=NOW + 60), immediate_delivery("n1", created=NOW, until=NOW + 60)],
)
def test_a_slot_and_an_update_now_are_over(delivery: Delivery) -> None:
    after = refused(delivery)
    assert after.mode in (DeliveryMode.SLOT, DeliveryMode.NOW)
    assert (after.status, after.reason) == (DeliveryStatus.SKIPPED, "blackout freeze")
