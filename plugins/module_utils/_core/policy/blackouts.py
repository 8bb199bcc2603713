# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Blackouts (G7), as a policy holds them: periods of every week, and periods with a date."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, Union

from ..timestamps import iso
from ..validation.errors import ValidationErrors, show
from ..validation.parsers import InvalidValue, Parser, choice, listing, read_mapping
from ..validation.strings import line
from ..values import frozen
from .clocks import clock, clock_text
from .enums import DAY, Weekday

MOST = 64
"""How many a policy may have."""
_LONGEST_NAME = 60
_EPOCH = datetime(1970, 1, 1)  # noqa: DTZ001  # a local calendar's
_MOMENT = re.compile(r"([2-9][0-9]{3}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2})(:[0-9]{2})?(Z?)")
_FORMS = 'a time "HH:MM" of the week, a local time "2026-12-20T00:00" or an instant "2026-12-20T00:00:00Z" (in quotes)'


@frozen
class WeeklyBlackout:
    """From ``start`` to ``end`` on ``days``; both are seconds after midnight, and ``end`` is later than ``start``: on
    the next day where it is 86400 or more. ``timezone`` is None for the one of the schedule."""

    days: tuple[Weekday, ...]
    start: int
    end: int
    name: str = ""
    timezone: str | None = None

    @property
    def words(self) -> str:
        """What people call it."""
        days = "daily" if len(self.days) == len(Weekday) else ", ".join(day.value for day in self.days)
        return self.name or f"{days} from {clock_text(self.start)} to {clock_text(self.end)}"

    def to_dict(self) -> dict[str, Any]:
        """As documents hold it; days are left out where it is all of them."""
        days = {} if len(self.days) == len(Weekday) else {"days": [day.value for day in self.days]}
        return {**_name(self), **days, "from": clock_text(self.start), "to": clock_text(self.end), **_zone(self)}


@frozen
class Moment:
    """Seconds since 1970 by a local calendar, or Unix seconds (``utc``)."""

    seconds: int
    utc: bool = False

    def __str__(self) -> str:
        if self.utc:
            return iso(self.seconds)
        text = (_EPOCH + timedelta(seconds=self.seconds)).isoformat()
        return text.removesuffix(":00") if self.seconds % 60 == 0 else text


@frozen
class DatedBlackout:
    """From ``start`` to ``end``, both local times or both instants."""

    start: Moment
    end: Moment
    name: str = ""
    timezone: str | None = None

    @property
    def words(self) -> str:
        """What people call it."""
        return self.name or f"from {self.start} to {self.end}"

    def to_dict(self) -> dict[str, Any]:
        """As documents hold it."""
        return {**_name(self), "from": str(self.start), "to": str(self.end), **_zone(self)}


Blackout = Union[WeeklyBlackout, DatedBlackout]


def read_blackouts(value: object, read_zone: Parser) -> tuple[Blackout, ...]:
    """The blackouts of a policy; InvalidValue with all that is wrong with them."""
    found: tuple[Blackout, ...] = listing(lambda raw: read_period(raw, read_zone), most=MOST)(value)
    for zone in {one.timezone for one in found}:
        if _whole_week([one for one in found if isinstance(one, WeeklyBlackout) and one.timezone == zone]):
            raise InvalidValue("allowed: they leave no time of the week, and nothing would ever be updated")
    return found


def read_period(raw: object, read_zone: Parser) -> Blackout:
    """One period; InvalidValue with all that is wrong with it."""
    keys: Mapping[str, Parser] = {
        "name": _label,
        "days": listing(choice(Weekday), least=1, most=len(Weekday)),
        "from": _end,
        "to": _end,
        "timezone": read_zone,
    }
    if not isinstance(raw, dict):
        raise InvalidValue(f"a mapping (keys: {', '.join(keys)})")
    errors = ValidationErrors()
    given = read_mapping(raw, path="", known=keys, errors=errors)
    for key in (key for key in ("from", "to") if key not in raw):
        errors.add(key, "", _FORMS)
    if "from" in given and "to" in given:
        _check_together(given, errors)
    if errors.found:
        raise InvalidValue("a period", below=errors.found)
    about = {"name": given.get("name", ""), "timezone": given.get("timezone")}
    start, end = given["from"], given["to"]
    if isinstance(start, Moment):
        return DatedBlackout(start, end, **about)
    days = given.get("days", tuple(Weekday))
    return WeeklyBlackout(tuple(sorted(days, key=lambda day: day.number)), start, _after(start, end), **about)


def _check_together(given: Mapping[str, Any], errors: ValidationErrors) -> None:
    start, end = given["from"], given["to"]
    if _kind(start) != _kind(end):
        errors.add("to", show(_text(end)), f"{_kind(start)}, as from is")
    elif isinstance(start, Moment) and end.seconds <= start.seconds:
        errors.add("to", show(str(end)), f"later than from ({start})")
    if isinstance(start, Moment) and "days" in given:
        errors.add(
            "days", show([day.value for day in given["days"]]), "allowed with a date (only with times of the week)"
        )
    if isinstance(start, Moment) and start.utc and given.get("timezone"):
        errors.add("timezone", show(given["timezone"]), "allowed with instants in UTC")


def _kind(one: Any) -> str:
    if not isinstance(one, Moment):
        return 'a time of the week ("HH:MM")'
    return "an instant in UTC" if one.utc else "a local time with its date"


def _text(one: Any) -> str:
    return str(one) if isinstance(one, Moment) else clock_text(one)


def _label(value: object) -> str:
    text = line(value, "a name")
    if len(text) > _LONGEST_NAME:
        raise InvalidValue(f"a name of at most {_LONGEST_NAME} characters")
    return text


def _end(value: object) -> int | Moment:
    """A time of the week as seconds after midnight, or a moment with a date."""
    match = _MOMENT.fullmatch(value) if isinstance(value, str) else None
    if match is not None:
        try:
            when = datetime.fromisoformat(match[1] + (match[2] or ":00"))
        except ValueError:  # a day or an hour that there is not
            raise InvalidValue(_FORMS) from None
        since = when - _EPOCH
        return Moment(since.days * DAY + since.seconds, utc=bool(match[3]))
    try:
        return clock(value)
    except InvalidValue:
        raise InvalidValue(_FORMS) from None


def _after(start: int, end: int) -> int:
    """An end that is not later than the start is on the next day."""
    return end if end > start else end + DAY


def _whole_week(periods: list[WeeklyBlackout]) -> bool:
    """Whether nothing of the week is left."""
    starts = [(day.number * DAY + one.start, one.end - one.start) for one in periods for day in one.days]
    spans = sorted((at + turn, at + turn + length) for at, length in starts for turn in (-7 * DAY, 0))
    reached = 0
    for start, end in spans:
        if start > reached:
            return False
        reached = max(reached, end)
    return reached >= 7 * DAY


def _name(one: Blackout) -> dict[str, str]:
    return {"name": one.name} if one.name else {}


def _zone(one: Blackout) -> dict[str, str]:
    return {} if one.timezone is None else {"timezone": one.timezone}
