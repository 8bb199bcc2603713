# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What becomes of one endpoint of a ring, on the exact second (G2)."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.epp.autoupdate.plugins.module_utils._core.rings.outcome import (
    Evidence,
    MemberOutcome,
    outcome_of,
    tally,
)

SINCE, SILENCE = 1000.0, 100.0
PENDING, HEALTHY, FAILED, GONE = MemberOutcome


@pytest.mark.parametrize(
    ("what", "known", "now", "expected"),
    [
        ("nothing was heard", {}, 1100, PENDING),
        ("nothing was heard for too long", {}, 1101, FAILED),
        ("it was heard before the offer only", {"heard": 990}, 1100, PENDING),
        ("it has it", {"heard": 1000, "has": True, "told": 1000}, 1100, HEALTHY),
        ("it said so before it was offered it", {"heard": 999, "has": True, "told": 999}, 1050, PENDING),
        ("it is lost after the update", {"heard": 1010, "has": True, "told": 1010}, 1111, FAILED),
        ("it is heard of again", {"heard": 1111, "has": True, "told": 1010}, 1111, HEALTHY),
        ("its probe failed", {"heard": 1010, "probed": 1000}, 1020, FAILED),
        ("a probe failed before the offer", {"heard": 1010, "probed": 999}, 1020, PENDING),
        ("it has it, and its probe failed", {"heard": 1010, "has": True, "told": 1010, "probed": 1010}, 1020, FAILED),
        ("its update failed", {"heard": 1010, "failed": 1000}, 1020, FAILED),
        ("an update failed before the offer", {"heard": 1010, "failed": 999}, 1020, PENDING),
        ("it is away", {"away": True}, 1020, GONE),
        ("it is away, and silent", {"away": True}, 9999, GONE),
        ("it is away after a failure", {"away": True, "failed": 1010}, 1020, FAILED),
    ],
)
def test_the_outcome_follows_from_the_evidence(
    what: str, known: dict[str, Any], now: float, expected: MemberOutcome
) -> None:
    assert outcome_of(Evidence(**known), since=SINCE, now=now, silence=SILENCE)[0] is expected, what


def test_who_is_lost_after_the_update_is_told_from_who_never_answered() -> None:
    lost = outcome_of(Evidence(heard=1010, has=True, told=1010), since=SINCE, now=2000, silence=SILENCE)
    never = outcome_of(Evidence(), since=SINCE, now=2000, silence=SILENCE)
    assert lost[1].startswith("lost after the update")
    assert never[1].startswith("not heard of")


def test_a_tally_counts_who_is_there_and_names_the_most_frequent_failure() -> None:
    some = [(HEALTHY, "")] * 3 + [(FAILED, "probe: b")] * 2 + [(FAILED, "probe: a"), (PENDING, ""), (GONE, "")]
    count = tally(some, members=9)
    assert (count.members, count.eligible, count.healthy, count.failed, count.pending) == (9, 7, 3, 3, 1)
    assert count.reason == "probe: b"
