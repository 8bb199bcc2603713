# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Stored deadlines: none that a clock that was ahead has written down holds longer than one that is asked for now."""

from __future__ import annotations

import pytest
from ansible_collections.epp.autoupdate.plugins.module_utils._core.rollout.delivery import (
    NEVER,
    Mode,
    Notice,
    Stage,
    bounded,
)
from ansible_collections.epp.autoupdate.plugins.module_utils._core.rollout.rate_limit import HOUR, LONGEST, RateLimit
from ansible_collections.epp.autoupdate.plugins.module_utils._core.settings.retries import Limits
from hypothesis import given
from hypothesis import strategies as st

NOW = 1_800_000_000.0
LATER = NOW + 9 * 365 * 86400
LIMITS = Limits()


@pytest.mark.parametrize(
    ("notice", "due", "until"),
    [
        (Notice("n", due=LATER), NOW, None),
        (Notice("n", stage=Stage.RETRY, due=LATER), NOW + LIMITS.retry_delay, None),
        (Notice("n", stage=Stage.RETRY, due=NOW + 60), NOW + 60, None),
        (Notice("n", Mode.KEPT, Stage.PENDING, LATER, LATER), NOW + LIMITS.retry_delay, NOW + LIMITS.offline_ttl),
        (Notice("n", Mode.NOW, due=LATER, until=LATER), NOW, NOW + LIMITS.offline_ttl),
        (Notice("n", stage=Stage.IN_FLIGHT, due=LATER, since=LATER), NOW + LIMITS.lease, None),
        (Notice("n", stage=Stage.IN_FLIGHT, due=NEVER, since=LATER), NEVER, None),
        (Notice("n", Mode.SLOT, due=LATER, until=LATER + 60), LATER, NOW),
        (Notice("n", Mode.SLOT, due=NOW + 300, until=NOW + 7200), NOW + 300, NOW + 7200),
        (Notice("n", stage=Stage.DONE, due=LATER), LATER, None),
    ],
)
def test_a_notice_waits_no_longer_than_one_that_begins_now(notice: Notice, due: float, until: float | None) -> None:
    after = bounded(notice, NOW, LIMITS)
    assert (after.due, after.until) == (due, until)
    assert after.since is None or after.since <= NOW


@given(
    mode=st.sampled_from(Mode),
    stage=st.sampled_from(Stage),
    due=st.floats(0, 1e11),
    until=st.none() | st.floats(0, 1e11),
    since=st.none() | st.floats(0, 1e11),
)
def test_to_bound_twice_is_to_bound_once(
    mode: Mode, stage: Stage, due: float, until: float | None, since: float | None
) -> None:
    once = bounded(Notice("n", mode, stage, due, until, since), NOW, LIMITS)
    assert bounded(once, NOW, LIMITS) == once
    if stage.open and mode is not Mode.SLOT:
        assert once.due <= NOW + max(LIMITS.retry_delay, LIMITS.lease)
    if stage.open and mode is Mode.SLOT and stage is not Stage.IN_FLIGHT and due > NOW + 3600:
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
