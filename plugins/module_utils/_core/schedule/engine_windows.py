# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""When the packages of an engine may be upgraded: in windows of the week, and each endpoint at a minute of its own."""

from __future__ import annotations

from collections.abc import Callable
from datetime import tzinfo

from ..policy.enums import DAY
from ..policy.policy import Policy
from ..values import frozen
from .blackouts import BlackoutCalendar, Span
from .calendars import IntervalCalendar
from .slots import even_slot, hashed_ordinal

TICK = 3600
"""Seconds between two wakings: no window is shorter."""
_AHEAD_S = 8 * DAY


@frozen
class EngineWindows:
    """The windows of one policy; instants are Unix seconds."""

    periods: BlackoutCalendar

    @classmethod
    def of(cls, policy: Policy, zone: tzinfo, zone_of: Callable[[str], tzinfo]) -> EngineWindows:
        """The windows in their zones, by default ``zone``; raises KeyError for a zone that is not known."""
        windows = policy.components.engine_windows
        zones = (zone if one.timezone is None else zone_of(one.timezone) for one in windows)
        return cls(BlackoutCalendar(tuple(zip(windows, zones))))

    def at(self, now: float) -> Span | None:
        """The window that is open at an instant."""
        instant = int(now // 1)
        return next((one for one in self.periods.spans(instant, instant + 1) if one.start <= instant < one.end), None)

    def after(self, now: float) -> Span | None:
        """The next one that opens."""
        instant = int(now // 1)
        return next((one for one in self.periods.spans(instant, instant + _AHEAD_S) if one.start > instant), None)

    def swallowed_by(self, blackouts: BlackoutCalendar, now: float) -> bool:
        """Whether blackouts leave nothing of any window of the coming week."""
        instant = int(now // 1)
        coming = self.periods.spans(instant, instant + _AHEAD_S)
        return not any(blackouts.free(one.start, one.end) for one in coming)


def wakings(endpoint: str, ordinal: int | None) -> IntervalCalendar:
    """When an endpoint looks whether a window is open: once an hour, spread over the fleet as slots are (S5)."""
    return IntervalCalendar(TICK, even_slot(hashed_ordinal(endpoint) if ordinal is None else ordinal, TICK))
