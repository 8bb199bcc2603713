# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Durations as people write them."""

from __future__ import annotations

import pytest
from ansible_collections.epp.autoupdate.plugins.module_utils._core.durations import format_duration, parse_duration
from hypothesis import given
from hypothesis import strategies as st


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("90m", 5400), ("2h", 7200), ("1h30m", 5400), ("45s", 45), ("1d", 86400), ("1d2h3m4s", 93784), ("0s", 0)],
)
def test_durations(text: str, seconds: int) -> None:
    assert parse_duration(text) == seconds


@pytest.mark.parametrize(
    "text", ["", "2x", "2", "h", "2 h", "-2h", "2h ", "2m1h", "1.5h", "2H", "٢h", "2h\n", "9" * 5000 + "h"]
)
def test_what_is_no_duration(text: str) -> None:
    with pytest.raises(ValueError, match="90m"):
        parse_duration(text)


@given(st.integers(0, 10**9))
def test_a_formatted_duration_reads_back(seconds: int) -> None:
    assert parse_duration(format_duration(seconds)) == seconds


def test_a_negative_duration_has_no_form() -> None:
    with pytest.raises(ValueError, match="negative"):
        format_duration(-1)
