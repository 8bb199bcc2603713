# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""How long a source is left alone that says so."""

from __future__ import annotations

import pytest
from ansible_collections.epp.autoupdate.plugins.module_utils._host.http.waiting import retry_after, with_jitter


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("120", 120),
        (" 120 ", 120),
        ("0", 0),
        ("999999999", 86400),
        ("-5", None),
        ("soon", None),
        ("\u00b2", None),
        ("9" * 5000, None),
        ("Sun, 22 Nov 99999999999 12:00:30 GMT", None),
        ("Sun, 22 Nov 2026 12:00:30 +99999999999", None),
        ("", None),
        ("Sun, 22 Nov 2026 12:00:30 GMT", 30),
        ("Sun, 22 Nov 2026 11:00:00 GMT", 0),
    ],
)
def test_retry_after(value: str, seconds: int | None) -> None:
    noon = 1795348800.0  # 2026-11-22T12:00:00Z
    assert retry_after(value, noon) == seconds


@pytest.mark.parametrize(("seconds", "draw", "pause"), [(60, 0.0, 30), (60, 1.0, 90), (0, 0.0, 0.5)])
def test_who_was_turned_away_returns_after_half_to_one_and_a_half_times_as_long(
    seconds: float, draw: float, pause: float
) -> None:
    assert with_jitter(seconds, draw) == pause
