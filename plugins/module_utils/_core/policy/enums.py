# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The words that a policy may use for its choices (SPEC 2)."""

from __future__ import annotations

from enum import Enum

DAY = 86400


class Frequency(str, Enum):
    """How often scheduled updates run."""

    MINUTES = "minutes"
    HOURS = "hours"
    DAILY = "daily"
    WEEKLY = "weekly"

    @property
    def windowed(self) -> bool:
        """Whether updates are spread in a window (daily, weekly) and not at intervals."""
        return self in (Frequency.DAILY, Frequency.WEEKLY)

    @property
    def unit(self) -> int:
        """Seconds of one minute, hour, day or week."""
        return {"minutes": 60, "hours": 3600, "daily": DAY, "weekly": 7 * DAY}[self.value]


class Weekday(str, Enum):
    """A day of the week."""

    MONDAY = "monday"
    TUESDAY = "tuesday"
    WEDNESDAY = "wednesday"
    THURSDAY = "thursday"
    FRIDAY = "friday"
    SATURDAY = "saturday"
    SUNDAY = "sunday"

    @property
    def number(self) -> int:
        """0 for Monday to 6 for Sunday, as datetime counts."""
        return list(Weekday).index(self)

    def later(self, days: int) -> Weekday:
        """The weekday so many days later."""
        return list(Weekday)[(self.number + days) % 7]


class Spread(str, Enum):
    """How endpoints find their slot (S5)."""

    EVEN = "even"
    RANDOM = "random"


class Initiator(str, Enum):
    """Who starts a scheduled update (S6)."""

    ENDPOINT = "endpoint"
    SERVER = "server"


class BlackoutException(str, Enum):
    """What may start an update in a blackout (G7)."""

    ROLLBACK = "rollback"
    """A bad version is taken back (G5)."""
    EXPEDITE = "expedite"
    """A version is offered to all rings at once (G6)."""
    UPDATE_NOW = "update_now"
    """Update Now, by a user or on the server's word."""


class Scope(str, Enum):
    """Which components an update may change."""

    PATTERNS = "patterns"
    ENGINES = "engines"
    ALL = "all"
