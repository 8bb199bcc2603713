# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Local times as instants, through both changes of daylight saving time (SPEC S7).

A local time that a change skips is read with the offset before the change: 02:30 becomes 03:30, and lies a whole day
after 02:30 of the day before. A local time that comes twice means its first pass. Instants are Unix seconds.
"""

from __future__ import annotations

from datetime import date, datetime, timedelta, timezone, tzinfo
from typing import NamedTuple

# Less than lies between two changes of any zone since 2000 (a week, in Brazil); a test looks at our own years.
_STRIDE = 6 * 86400


class Local(NamedTuple):
    """A local time as an instant; ``plain`` when the local time comes exactly once."""

    instant: int
    plain: bool


def zone_of(name: str) -> tzinfo:
    """The zone of an IANA name; UTC without any time zone database.

    Which zone ``local`` is, only the host knows: KeyError, as for a name that is not known.
    """
    if name == "UTC":
        return timezone.utc
    if name == "local":
        raise KeyError("the zone of the host is for the host to tell")
    from zoneinfo import ZoneInfo

    try:
        return ZoneInfo(name)
    except (ValueError, OSError) as error:
        raise KeyError(str(error)) from error


def local_date(instant: float, zone: tzinfo) -> date:
    """The date that a local calendar shows at an instant."""
    return datetime.fromtimestamp(instant, zone).date()


def year_of(instant: float) -> int:
    """The year in UTC, as ``Timetable.calendar`` wants it."""
    return datetime.fromtimestamp(instant, timezone.utc).year


def instant_of(day: date, seconds: int, zone: tzinfo, *, second_pass: bool = False) -> Local:
    """The instant of a local time, given as seconds after midnight (86400 and more: on a later day).

    ``second_pass``: of a time that comes twice the second one; a skipped one is read with the offset after the change.
    """
    ahead, second = divmod(seconds, 86400)
    naive = datetime(day.year, day.month, day.day) + timedelta(days=ahead, seconds=second)  # noqa: DTZ001
    first = naive.replace(tzinfo=zone, fold=0)
    # The two folds differ exactly where a local time is skipped or doubled (PEP 495).
    plain = first.utcoffset() == naive.replace(tzinfo=zone, fold=1).utcoffset()
    return Local(int((first.replace(fold=1) if second_pass else first).timestamp()), plain)


def boundary(day: date, seconds: int, zone: tzinfo, *, last: bool) -> int:
    """The instant of a local time as the end of a period (``last``) or as its begin.

    A begin that comes twice is its first pass, an end its second, and either in the skipped hour is the change itself.
    So the period is every instant whose local time lies in it.
    """
    first = instant_of(day, seconds, zone)
    if first.plain:
        return first.instant
    second = instant_of(day, seconds, zone, second_pass=True).instant
    if second < first.instant:
        return offset_changes(second, first.instant + 1, zone)[0]
    return second if last else first.instant


def date_exists(day: date, zone: tzinfo) -> bool:
    """Whether the zone has this date at all (Samoa left out 30 December 2011)."""
    midnight = instant_of(day, 0, zone)
    return midnight.plain or local_date(midnight.instant, zone) == day


def offset_changes(first: float, last: float, zone: tzinfo) -> list[int]:
    """The instants in [first, last) at which the zone's offset from UTC changes."""
    if isinstance(zone, timezone):
        return []
    changes = []
    left = int(first)
    before = _offset(left, zone)
    while left < last:
        right = min(left + _STRIDE, int(last))
        after = _offset(right, zone)
        if after != before:
            changes.append(_change_between(left, right, zone))
        left, before = (right, after) if right > left else (int(last) + 1, after)
    return changes


def _change_between(left: int, right: int, zone: tzinfo) -> int:
    """By halves: the first instant with another offset than ``left`` has."""
    before = _offset(left, zone)
    while right - left > 1:
        middle = (left + right) // 2
        if _offset(middle, zone) == before:
            left = middle
        else:
            right = middle
    return right


def _offset(instant: int, zone: tzinfo) -> timedelta | None:
    return datetime.fromtimestamp(instant, zone).utcoffset()
