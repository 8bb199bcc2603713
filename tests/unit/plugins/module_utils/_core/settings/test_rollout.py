# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The section ``rollout`` of a server's settings: rings, and what each ring takes from its product."""

from __future__ import annotations

import json
from typing import Any

import pytest
from ansible_collections.epp.autoupdate.plugins.module_utils._core.settings.rollout import (
    FailureThreshold,
    RolloutSettings,
    Thresholds,
)
from ansible_collections.epp.autoupdate.plugins.module_utils._core.settings.server import ServerSettings

FULL: dict[str, Any] = {
    "files": {
        "rings": [
            {"name": "canary", "endpoints": ["web-1"], "bake_time": "1h", "failure_threshold": 0},
            {"name": "early", "domains": ["emea/finance"], "percent": 2.5},
            {"name": "broad"},
        ],
        "bake_time": "6h",
        "success_threshold": 90,
        "failure_threshold": "10%",
        "promotion": {"days": ["monday"], "hours": ["22:00-04:00"], "timezone": "Europe/Berlin"},
        "dry_run": True,
    },
    "clamav": {"rings": [{"name": "everybody"}]},
}


def test_the_canonical_form_reads_back_as_the_same_settings() -> None:
    settings = RolloutSettings.from_dict(FULL)
    plain = json.loads(json.dumps(settings.to_dict()))
    assert RolloutSettings.from_dict(plain) == settings
    assert RolloutSettings.from_dict(plain).to_dict() == plain


def test_a_ring_takes_from_its_product_what_it_does_not_set_itself() -> None:
    product = RolloutSettings.from_dict(FULL).products["files"]
    canary, early = product.ring("canary").thresholds, product.ring("early").thresholds
    assert (canary.bake_time, canary.failure_threshold) == (3600, FailureThreshold(count=0))
    assert (early.bake_time, early.failure_threshold) == (6 * 3600, FailureThreshold(percent=10))
    assert canary.success_threshold == early.success_threshold == 90
    assert product.to_dict()["rings"][1] == {"name": "early", "domains": ["emea/finance"], "percent": 2.5}


def test_without_any_there_are_the_defaults_that_the_documentation_names() -> None:
    product = RolloutSettings.from_dict({"files": {"rings": [{"name": "all"}]}}).products["files"]
    assert product.thresholds == Thresholds() == product.ring("all").thresholds
    assert product.to_dict() == {
        "rings": [{"name": "all"}],
        "bake_time": "4h",
        "success_threshold": 95,
        "failure_threshold": "5%",
        "minimum_finished": 1,
        "silence": "1d2h",
        "deadline": "7d",
        "promotion": {"days": [], "hours": [], "timezone": "UTC"},
        "dry_run": False,
    }


def test_settings_without_rings_are_written_as_if_there_were_no_such_section() -> None:
    given = {"format": 1, "web": {"url": "http://updates.example.com"}}
    assert "rollout" not in ServerSettings.from_dict(given).to_dict()
    assert ServerSettings.from_dict({**given, "rollout": {}}).to_dict() == ServerSettings.from_dict(given).to_dict()
    whole = ServerSettings.from_dict({**given, "rollout": FULL})
    assert ServerSettings.from_dict(json.loads(json.dumps(whole.to_dict()))) == whole


@pytest.mark.parametrize(
    ("threshold", "eligible", "most"),
    [
        *((FailureThreshold(count=count), 100, count) for count in (0, 1, 3)),
        *(
            (FailureThreshold(percent=10), eligible, most)
            for eligible, most in ((1, 0), (2, 0), (3, 0), (10, 1), (20, 2))
        ),
        *((FailureThreshold(percent=50), eligible, most) for eligible, most in ((1, 0), (2, 1), (3, 1), (10, 5))),
        *((FailureThreshold(percent=0), eligible, 0) for eligible in (1, 2, 3, 10)),
        *((FailureThreshold(percent=100), eligible, eligible) for eligible in (1, 2, 3, 10)),
    ],
)
def test_a_threshold_takes_exactly_so_many_failures(threshold: FailureThreshold, eligible: int, most: int) -> None:
    assert not threshold.exceeded(most, eligible)
    assert threshold.exceeded(most + 1, eligible)
