# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Instants in the one form: ISO 8601 in UTC, to the second."""

from __future__ import annotations

import math

import pytest
from ansible_collections.epp.autoupdate.plugins.module_utils._core.cvd_header import parse_header
from ansible_collections.epp.autoupdate.plugins.module_utils._core.results import Component
from ansible_collections.epp.autoupdate.plugins.module_utils._core.timestamps import LATEST, iso, iso_or_none, unix
from hypothesis import example, given
from hypothesis import strategies as st

NO_INSTANTS = (
    *("", "now", "1795348800", "1795348800.0", "2026-11-29", "2026-11-29T12:00Z", "2026-11-29 12:00:00Z"),
    *("2026-11-29T12:00:00", "2026-11-29T12:00:00z", "2026-11-29T12:00:00+00:00", "2026-11-29T12:00:00.5Z"),
    *("2026-13-29T12:00:00Z", "2026-02-30T12:00:00Z", "2026-11-29T24:00:00Z", "2026-11-29T12:00:60Z"),
    *("1969-12-31T23:59:59Z", "0001-01-01T00:00:00Z", "12026-11-29T12:00:00Z", "2026-11-29T12:00:00Z\n"),
    *("\u0662026-11-29T12:00:00Z", "2026-11-29T12:00:00Z" * 1000),
)


def test_the_form() -> None:
    assert iso(1795953600) == "2026-11-29T12:00:00Z"
    assert iso(1795953600.999999) == "2026-11-29T12:00:00Z"
    assert (iso_or_none(None), iso_or_none(0)) == (None, "1970-01-01T00:00:00Z")


@given(st.integers(0, LATEST))
@example(0)
@example(LATEST)
def test_what_is_written_is_read_as_the_same_second(instant: int) -> None:
    assert unix(iso(instant)) == instant


@given(st.integers() | st.floats())
@example(math.inf)
@example(-math.inf)
@example(math.nan)
@example(10**500)
def test_whatever_a_products_file_says_has_the_form(instant: float) -> None:
    assert 0 <= unix(iso(instant)) <= LATEST


@pytest.mark.parametrize("text", NO_INSTANTS)
def test_what_is_not_of_the_form_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="not an instant in UTC such as"):
        unix(text)


@pytest.mark.parametrize("built", ["9" * 400, "31 Dec 9999 23-59 -1200"])
def test_a_database_whose_header_is_nonsense_can_be_told(built: str) -> None:
    """R5: the status of an endpoint is not lost to one of its files."""
    fields = f"ClamAV-VDB:{built}:7:1:90:{'0' * 32}:x:b" + (f":{built}" if built.isdigit() else "")
    header = parse_header(fields.encode().ljust(512))
    assert header is not None
    assert Component("x", "7", header.built).to_dict()["built"] == "9999-12-31T23:59:59Z"
