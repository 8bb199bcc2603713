# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Sizes as people write them."""

from __future__ import annotations

import pytest
from ansible_collections.epp.autoupdate.plugins.module_utils._core.sizes import format_size, parse_size
from hypothesis import given
from hypothesis import strategies as st


@pytest.mark.parametrize(
    ("text", "size"),
    [("0", 0), ("1", 1), ("1023", 1023), ("1K", 1024), ("1536M", 1536 << 20), ("2G", 2 << 30), ("1T", 1 << 40)],
)
def test_both_ways(text: str, size: int) -> None:
    assert parse_size(text) == size
    assert format_size(size) == text


@pytest.mark.parametrize("text", ["", "M", "1.5G", "1g", "1GB", " 1", "-1", "1\n", "1" * 10])
def test_what_is_no_size(text: str) -> None:
    with pytest.raises(ValueError, match="not a size"):
        parse_size(text)


@given(st.integers(0, 1 << 50))
def test_what_is_written_is_read_back(size: int) -> None:
    text = format_size(size)
    assert len(text) > 9 or parse_size(text) == size
