# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Each endpoint is in exactly one ring, and shares are stable: whoever is in a smaller one is in the larger (G1)."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest
from ansible_collections.epp.autoupdate.plugins.module_utils._core.rings.membership import RingMembership
from ansible_collections.epp.autoupdate.plugins.module_utils._core.settings.rollout import RolloutSettings
from hypothesis import given
from hypothesis import strategies as st

PERMILLE = st.integers(1, 400)


def membership(*rings: dict[str, Any]) -> RingMembership:
    return RingMembership(RolloutSettings.from_dict({"files": {"rings": [*rings]}}).products["files"])


def members(rings: RingMembership, count: int) -> Counter[str]:
    return Counter(rings.ring_of(f"n{ordinal}", "", ordinal) for ordinal in range(count))


@pytest.mark.parametrize(
    ("name", "domain", "expected"),
    [
        ("web-1", "", "canary"),
        ("web-1", "emea/finance", "canary"),
        ("other", "emea/finance", "early"),
        ("other", "emea/finance/berlin", "early"),
        ("other", "emea/finance/berlin/lab", "canary"),
        ("other", "emea/financial", "broad"),
        ("other", "emea", "broad"),
        ("other", "", "broad"),
    ],
)
def test_an_endpoint_is_in_the_ring_that_names_it_best(name: str, domain: str, expected: str) -> None:
    rings = membership(
        {"name": "canary", "endpoints": ["web-1"], "domains": ["emea/finance/berlin/lab"]},
        {"name": "early", "domains": ["emea/finance"]},
        {"name": "broad"},
    )
    assert rings.ring_of(name, domain, 7) == expected


@pytest.mark.parametrize(
    ("percent", "count", "least", "most"),
    [
        *((10, 1, 1, 1), (10, 2, 1, 1), (10, 3, 1, 1), (10, 10, 1, 2), (1, 1, 1, 1), (50, 2, 1, 1), (50, 10, 5, 5)),
        *((0.1, 1000, 1, 1), (0.1, 10_000, 10, 10), (33.3, 1000, 333, 333), (100, 10, 10, 10)),
    ],
)
def test_a_share_of_few_endpoints_is_never_nobody(percent: float, count: int, least: int, most: int) -> None:
    found = members(membership({"name": "canary", "percent": percent}, {"name": "broad"}), count)["canary"]
    assert least <= found <= most


@given(PERMILLE, PERMILLE)
def test_of_a_thousand_in_a_row_exactly_its_share_is_in_a_ring(first: int, second: int) -> None:
    rings = membership({"name": "a", "percent": first / 10}, {"name": "b", "percent": second / 10}, {"name": "c"})
    assert members(rings, 1000) == Counter({"a": first, "b": second, "c": 1000 - first - second})


@given(PERMILLE, PERMILLE, st.integers(0, 10**6))
def test_whoever_is_in_a_smaller_share_is_in_the_larger_one(one: int, other: int, ordinal: int) -> None:
    small, large = sorted((one, other))
    rings = [membership({"name": "a", "percent": share / 10}, {"name": "b"}) for share in (small, large)]
    found = [each.ring_of("n", "", ordinal) for each in rings]
    assert found != ["a", "b"]
