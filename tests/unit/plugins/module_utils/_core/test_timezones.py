# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""S7's rules for single instants, in zones with every kind of change."""

from __future__ import annotations

from datetime import date, datetime, timezone
from pathlib import Path
from zoneinfo import TZPATH, ZoneInfo, available_timezones

import pytest
from ansible_collections.epp.autoupdate.plugins.module_utils._core.timezones import (
    date_exists,
    instant_of,
    offset_changes,
    zone_of,
)


@pytest.mark.parametrize(
    ("zone", "day", "clock", "utc", "plain"),
    [
        ("UTC", "2026-03-29", "02:30", "2026-03-29T02:30", True),
        ("Europe/Berlin", "2026-03-28", "02:30", "2026-03-28T01:30", True),
        # Skipped: read with the offset before, 24 hours after the day before.
        ("Europe/Berlin", "2026-03-29", "02:30", "2026-03-29T01:30", False),
        ("Europe/Berlin", "2026-03-29", "03:00", "2026-03-29T01:00", True),
        # Doubled: the first pass.
        ("Europe/Berlin", "2026-10-25", "02:30", "2026-10-25T00:30", False),
        ("Europe/Berlin", "2026-10-25", "03:00", "2026-10-25T02:00", True),
        ("America/New_York", "2026-03-08", "02:00", "2026-03-08T07:00", False),
        ("America/New_York", "2026-11-01", "01:59", "2026-11-01T05:59", False),
        # Half an hour, in the southern spring.
        ("Australia/Lord_Howe", "2026-10-04", "02:15", "2026-10-03T15:45", False),
        # At midnight: the day begins at 01:00.
        ("Africa/Cairo", "2026-04-24", "00:30", "2026-04-23T22:30", False),
        # Midnight comes twice.
        ("America/Havana", "2026-11-01", "00:30", "2026-11-01T04:30", False),
        # Winter time as the change, clock going back in spring of the calendar (Ramadan).
        ("Africa/Casablanca", "2026-02-15", "02:30", "2026-02-15T01:30", False),
    ],
)
def test_local_times_as_instants(zone: str, day: str, clock: str, utc: str, plain: bool) -> None:
    hours, _colon, minutes = clock.partition(":")
    found = instant_of(date.fromisoformat(day), int(hours) * 3600 + int(minutes) * 60, zone_of(zone))
    assert datetime.fromtimestamp(found.instant, timezone.utc).strftime("%Y-%m-%dT%H:%M") == utc
    assert found.plain is plain


def test_a_date_that_a_zone_left_out_does_not_exist() -> None:
    samoa = ZoneInfo("Pacific/Apia")
    assert [date_exists(date(2011, 12, day), samoa) for day in (29, 30, 31)] == [True, False, True]
    assert date_exists(date(2026, 4, 24), ZoneInfo("Africa/Cairo"))


def test_utc_and_local_need_no_database() -> None:
    assert zone_of("UTC") is timezone.utc
    with pytest.raises(KeyError):
        zone_of("local")


def different_zones() -> dict[bytes, str]:
    """One name for each set of rules in the time zone database."""
    files = ((name, Path(root, name)) for name in sorted(available_timezones()) for root in TZPATH)
    return {path.read_bytes(): name for name, path in files if path.is_file()}


@pytest.mark.heavy
def test_no_zone_changes_twice_within_a_stride() -> None:
    """Looking at every day of 2022 to 2033 finds no change that looking once in a stride has missed."""
    first = int(datetime(2022, 1, 1, tzinfo=timezone.utc).timestamp())
    days = [first + number * 86400 for number in range(12 * 365)]
    for name in different_zones().values() or available_timezones():
        zone = ZoneInfo(name)
        offsets = [datetime.fromtimestamp(day, zone).utcoffset() for day in days]
        changes = sum(before != after for before, after in zip(offsets, offsets[1:]))
        assert len(offset_changes(days[0], days[-1], zone)) == changes, name
