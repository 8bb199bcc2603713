# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Charts and the line of progress as tables: numbers in, text out."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from ansible_collections.epp.autoupdate.plugins.module_utils._server.terminal.charts import (
    ASCII,
    BLOCKS,
    Glyphs,
    gauge,
    histogram,
    merged,
    scale,
    shares,
    sparkline,
)
from ansible_collections.epp.autoupdate.plugins.module_utils._server.terminal.progress import (
    Progress,
    progress_text,
    span,
)
from hypothesis import given
from hypothesis import strategies as st

COUNTS = st.lists(st.integers(min_value=0, max_value=10**6), max_size=300)


@pytest.mark.parametrize(
    ("values", "columns", "expected"),
    [
        ([], 10, []),
        ([1, 2], 0, []),
        ([1, 2], 2, [1, 2]),
        ([1, 2], 5, [1, 1, 2, 2]),
        ([1, 9, 2, 3], 2, [9, 3]),
        ([1, 9, 2, 3, 4], 2, [9, 4]),
    ],
)
def test_columns_keep_the_peaks(values: list[int], columns: int, expected: list[int]) -> None:
    assert merged(values, columns) == expected


@given(COUNTS, st.integers(min_value=1, max_value=200))
def test_no_chart_is_wider_than_it_may_be_and_none_hides_a_peak(values: list[int], columns: int) -> None:
    found = merged(values, columns)
    assert len(found) <= columns
    assert max(found, default=0) == max(values, default=0)


@pytest.mark.parametrize(
    ("values", "rows", "using", "expected"),
    [
        ([], 2, BLOCKS, ["", ""]),
        ([0, 0], 1, BLOCKS, ["  "]),
        ([0, 1, 2, 4, 8], 1, BLOCKS, [" ▁▂▄█"]),
        ([8, 4, 1000], 2, BLOCKS, ["  █", "▁▁█"]),
        ([4, 8, 6], 2, BLOCKS, [" █▄", "███"]),
        ([4, 8, 6], 2, ASCII, [" #=", "###"]),
    ],
)
def test_histogram(values: list[int], rows: int, using: Glyphs, expected: list[str]) -> None:
    assert histogram(values, rows=rows, using=using) == expected


@pytest.mark.parametrize(
    ("marks", "columns", "expected"),
    [
        ([], 10, ""),
        ([(0, "00:00"), (10, "01:00")], 20, "00:00          01:00"),
        ([(0, "00:00"), (6, "00:30"), (10, "00:45"), (20, "01:00")], 20, "00:00          01:00"),
        ([(0, "00:00"), (7, "00:30"), (14, "00:45"), (20, "01:00")], 20, "00:00  00:30   01:00"),
        ([(0, "00:00"), (2, "01:00")], 3, "01:"),
    ],
)
def test_scale(marks: list[tuple[int, str]], columns: int, expected: str) -> None:
    assert scale(marks, columns) == expected


@pytest.mark.parametrize(
    ("value", "of", "columns", "using", "expected"),
    [
        (0, 10, 10, BLOCKS, ""),
        (10, 10, 4, BLOCKS, "████"),
        (5, 10, 5, BLOCKS, "██▌"),
        (1, 10**6, 5, BLOCKS, "▏"),
        (20, 10, 4, BLOCKS, "████"),
        (3, 0, 4, BLOCKS, "▏"),
        (3, 10, 0, BLOCKS, ""),
        (5, 10, 4, ASCII, "##"),
        (1, 10**6, 5, ASCII, "#"),
    ],
)
def test_bar(value: int, of: int, columns: int, using: Glyphs, expected: str) -> None:
    assert gauge(value, of=of, columns=columns, using=using) == expected


@pytest.mark.parametrize(
    ("values", "columns", "expected"),
    [
        ([0, 0], 10, [0, 0]),
        ([1, 1], 10, [5, 5]),
        ([1, 10**6], 10, [1, 9]),
        ([1, 1, 1], 10, [4, 3, 3]),
        ([0, 3], 10, [0, 10]),
    ],
)
def test_shares(values: list[int], columns: int, expected: list[int]) -> None:
    assert shares(values, columns) == expected


@given(st.lists(st.integers(min_value=0, max_value=10**6), max_size=4), st.integers(min_value=4, max_value=200))
def test_shares_fill_the_bar_and_leave_nobody_out(values: list[int], columns: int) -> None:
    cells = shares(values, columns)
    assert sum(cells) == (columns if any(values) else 0)
    assert [cell > 0 for cell in cells] == [value > 0 for value in values]


@pytest.mark.parametrize(
    ("values", "top", "using", "expected"),
    [
        ([], 5, BLOCKS, ""),
        ([0, 1, None, 8], 8, BLOCKS, "▁▁ █"),
        ([0, 0], 0, BLOCKS, "▁▁"),
        ([1, 4, 8], 8, ASCII, ".=#"),
    ],
)
def test_sparkline(values: Sequence[int | None], top: int, using: Glyphs, expected: str) -> None:
    assert sparkline(values, top=top, using=using) == expected


HALF = Progress("notify", 120, 400, {"failed": 3, "updated": 117, "held": 0})


@pytest.mark.parametrize(
    ("progress", "elapsed", "columns", "expected"),
    [
        (HALF, 50, 80, "notify 120/400 30%  3 failed, 117 updated  2.4/s  ends in 1m57s  [###       ]"),
        (HALF, 50, 62, "notify 120/400 30%  3 failed, 117 updated  ends in 1m57s"),
        (HALF, 50, 45, "notify 120/400 30%  3 failed, 117 updated"),
        (HALF, 50, 9, "notify 1"),
        (HALF, 0.5, 80, "notify 120/400 30%  3 failed, 117 updated  [###       ]"),
        (Progress("notify", 0, 400, {}), 50, 80, "notify 0/400 0%  [          ]"),
        (Progress("notify", 400, 400, {}), 50, 80, "notify 400/400 100%  8.0/s  [##########]"),
        (Progress("notify", 0, 0, {}), 50, 80, "notify 0/0  [          ]"),
        (
            Progress("fetch", 1, 3, {"updated": 1}, step="clamav"),
            *(40, 80, "fetch 1/3 33%  clamav  1 updated  1.5/min  ends in 1m20s  [###       ]"),
        ),
        (Progress("fetch", 1, 3, {}), 1800, 80, "fetch 1/3 33%  2.0/h  ends in 1h00m  [###       ]"),
        (Progress("fetch", 1, 2, {}), 10**8, 80, "fetch 1/2 50%  [#####     ]"),
    ],
)
def test_line_of_progress(progress: Progress, elapsed: float, columns: int, expected: str) -> None:
    assert progress_text(progress, elapsed=elapsed, columns=columns, using=ASCII) == expected


def test_what_was_done_before_is_no_part_of_the_rate() -> None:
    started = Progress("update-now", 300, 400, {})
    told = progress_text(started, elapsed=50, columns=80, using=ASCII, before=200)
    assert told == "update-now 300/400 75%  2.0/s  ends in 50s  [########  ]"
    assert "ends" not in progress_text(started, elapsed=50, columns=80, using=ASCII, before=300)


@given(
    st.integers(min_value=0, max_value=10**6),
    st.integers(min_value=0, max_value=10**6),
    st.dictionaries(st.sampled_from(("failed", "updated", "current")), st.integers(0, 10**6)),
    st.floats(min_value=0, max_value=10**9),
    st.integers(min_value=1, max_value=200),
)
def test_it_leaves_the_last_column_free(
    done: int, left: int, results: dict[str, int], elapsed: float, columns: int
) -> None:
    told = progress_text(Progress("x", done, done + left, results), elapsed=elapsed, columns=columns, using=BLOCKS)
    assert len(told) < columns


@pytest.mark.parametrize(
    ("seconds", "expected"),
    [(0, "0s"), (0.2, "1s"), (59, "59s"), (60, "1m00s"), (3599.5, "1h00m"), (7201, "2h01m"), (90000, "1d01h")],
)
def test_span(seconds: float, expected: str) -> None:
    assert span(seconds) == expected
