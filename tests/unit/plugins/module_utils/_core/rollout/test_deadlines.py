# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Stored deadlines: none that a clock that was ahead has written down holds longer than one that is asked for now."""

from __future__ import annotations

import pytest
from ansible_collections.epp.autoupdate.plugins.module_utils._core.rollout.delivery import (
    NEVER,
    Delivery,
    DeliveryMode,
    DeliveryStatus,
    clamp_deadlines,
)
from ansible_collections.epp.autoupdate.plugins.module_utils._core.rollout.rate_limit import HOUR, LONGEST, RateLimit
from ansible_collections.epp.autoupdate.plugins.module_utils._core.settings.retries import RetryPolicy
from hypothesis import given
from hypothesis import strategies as st

NOW = 1_800_000_000.0
LATER = NOW + 9 * 365 * 86400
LIMITS = RetryPolicy()


@pytest.mark.parametrize(
    ("notice", "due", "until"),
    [
        (Delivery("n", due=LATER), NOW, None),
        (Delivery("n", status=DeliveryStatus.RETRYING, due=LATER), NOW + LIMITS.retry_delay, None),
        (Delivery("n", status=DeliveryStatus.RETRYING, due=NOW + 60), NOW + 60, None),
        (
            Delivery("n", DeliveryMode.RETAINED, DeliveryStatus.DEFERRED, LATER, LATER),
            NOW + LIMITS.retry_delay,
            NOW + LIMITS.offline_ttl,
        ),
        (Delivery("n", DeliveryMode.NOW, due=LATER, until=LATER), NOW, NOW + LIMITS.offline_ttl),
        (Delivery("n", status=DeliveryStatus.IN_FLIGHT, due=LATER, since=LATER), NOW + LIMITS.lease, None),
        (Delivery("n", status=DeliveryStatus.IN_FLIGHT, due=NEVER, since=LATER), NEVER, None),
        (Delivery("n", DeliveryMode.SLOT, due=LATER, until=LATER + 60), LATER, NOW),
        (Delivery("n", DeliveryMode.SLOT, due=NOW + 300, until=NOW + 7200), NOW + 300, NOW + 7200),
        (Delivery("n", status=DeliveryStatus.FINISHED, due=LATER), LATER, None),
    ],
)
def test_a_notice_waits_no_longer_than_one_that_begins_now(notice: Delivery, due: float, until: float | None) -> None:
    after = clamp_deadlines(notice, NOW, LIMITS)
    assert (after.due, after.until) == (due, until)
    assert after.since is None or after.since <= NOW


@given(
    mode=st.sampled_from(DeliveryMode),
    status=st.sampled_from(DeliveryStatus),
    due=st.floats(0, 1e11),
    until=st.none() | st.floats(0, 1e11),
    since=st.none() | st.floats(0, 1e11),
)
def test_to_bound_twice_is_to_bound_once(
    mode: DeliveryMode, status: DeliveryStatus, due: float, until: float | None, since: float | None
) -> None:
    once = clamp_deadlines(Delivery("n", mode, status, due, until, since), NOW, LIMITS)
    assert clamp_deadlines(once, NOW, LIMITS) == once
    if status.open and mode is not DeliveryMode.SLOT:
        assert once.due <= NOW + max(LIMITS.retry_delay, LIMITS.lease)
    if status.open and mode is DeliveryMode.SLOT and status is not DeliveryStatus.IN_FLIGHT and due > NOW + 3600:
        assert once.expired(NOW)


@pytest.mark.parametrize(
    ("until", "free"),
    [(NOW + 4 * HOUR, NOW + 4 * HOUR), (NOW + LONGEST, NOW + LONGEST), (NOW + LONGEST + 1, NOW), (LATER, NOW)],
)
def test_a_vendor_is_left_alone_for_as_long_as_one_may_ask(until: float, free: float) -> None:
    assert RateLimit(until=until).free_at(NOW, limit=3, cost=1) == free


def test_a_cool_down_replaces_one_of_a_clock_that_was_ahead_and_no_other() -> None:
    assert RateLimit(until=LATER).cooled(NOW + 60, NOW).until == NOW + 60
    assert RateLimit(until=NOW + 120).cooled(NOW + 60, NOW).until == NOW + 120
