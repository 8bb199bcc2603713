# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A policy as a value (SPEC 2), read with complete validation and written in one canonical form."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..validation.errors import ValidationErrors
from ..values import field, frozen
from .enums import BlackoutException, Frequency, Initiator, Scope, Spread, Weekday
from .keys import KEYS, read_values
from .rules import SourcedValue, applicable_keys, plain, reconcile

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .blackouts import Blackout, WeeklyBlackout

__all__ = (
    "BlackoutException",
    "Components",
    "Events",
    "Frequency",
    "Initiator",
    "Policy",
    "Privileges",
    "Schedule",
    "Scope",
    "Sources",
    "Spread",
    "Weekday",
    "read_policy",
)


OPTIONAL = ("engine_packages", "engine_windows", "engine_versions")
"""The keys of ``components`` that few policies need."""


@frozen
class Events:
    """What makes an endpoint update besides its schedule (E1, E1a, E2, E3)."""

    update_after_download: bool = True
    include_roaming_and_offline: bool = False
    update_on_reconnect: bool = True
    scan_after_update: bool = False


@frozen
class Schedule:
    """When scheduled updates run. ``start`` is in seconds after midnight, ``window`` in seconds.

    ``interval`` and ``configuration_once_per_day`` mean something with minutes and hours only, ``start`` and
    ``window`` with daily and weekly only, ``day`` with weekly only. ``blackouts`` are the periods in which no update
    starts, whatever its trigger, but for ``blackout_exceptions`` (G7).
    """

    frequency: Frequency = Frequency.DAILY
    interval: int = 1
    configuration_once_per_day: bool = True
    start: int = 12 * 3600
    day: Weekday = Weekday.MONDAY
    window: int = 2 * 3600
    timezone: str = "UTC"
    spread: Spread = Spread.EVEN
    initiator: Initiator = Initiator.ENDPOINT
    blackouts: tuple[Blackout, ...] = ()
    blackout_exceptions: tuple[BlackoutException, ...] = tuple(BlackoutException)

    @property
    def period(self) -> int:
        """Seconds from one scheduled update to the next, clock changes aside."""
        return self.frequency.unit * (1 if self.frequency.windowed else self.interval)


@frozen
class Privileges:
    """What an endpoint's user may do (P1, P3)."""

    toggle_scheduled_update: bool = False
    scheduled_update: bool = True
    update_now: bool = True
    go_roaming: bool = False
    vendor_fallback: bool = False


@frozen
class Components:
    """Which components updates may change.

    ``engine_packages`` lets an engine that is a package of the operating system be upgraded, in one of
    ``engine_windows`` and, where there are any ``engine_versions``, to one of these alone.
    """

    scope: Scope = Scope.PATTERNS
    engine_packages: bool = False
    engine_windows: tuple[WeeklyBlackout, ...] = ()
    engine_versions: tuple[str, ...] = ()


@frozen
class Sources:
    """Where components come from: URLs in order of preference, and the proxy on the way there."""

    urls: tuple[str, ...] = ()
    proxy: str | None = None


@frozen
class Policy:
    """The whole policy of one endpoint."""

    events: Events = field(default_factory=Events)
    schedule: Schedule = field(default_factory=Schedule)
    privileges: Privileges = field(default_factory=Privileges)
    components: Components = field(default_factory=Components)
    sources: Sources = field(default_factory=Sources)

    @classmethod
    def from_dict(cls, raw: object, path: str = "") -> Policy:
        """Read a policy, in which every key may be missing; raises InvalidDocument with all its errors."""
        errors = ValidationErrors()
        policy = read_policy(raw, path=path, errors=errors)
        errors.check()
        return policy

    @classmethod
    def of(cls, values: Mapping[str, Any]) -> Policy:
        """The policy of typed values with flat keys (``schedule.window``); defaults fill what is missing."""
        sections: dict[str, dict[str, Any]] = {name: {} for name in KEYS}
        for flat, one in values.items():
            section, _dot, key = flat.partition(".")
            sections[section][key] = one
        return cls(
            events=Events(**sections["events"]),
            schedule=Schedule(**sections["schedule"]),
            privileges=Privileges(**sections["privileges"]),
            components=Components(**sections["components"]),
            sources=Sources(**sections["sources"]),
        )

    def to_dict(self) -> dict[str, dict[str, Any]]:
        """Every key that has a meaning, in the order and the form in which documents hold it.

        The keys of ``OPTIONAL`` are left out where they have their defaults.
        """
        hidden = {flat for word in Frequency for flat in applicable_keys(word)} - set(
            applicable_keys(self.schedule.frequency)
        )
        hidden.update(f"components.{key}" for key in OPTIONAL if not getattr(self.components, key))
        return {
            section: {
                key: plain(f"{section}.{key}", getattr(getattr(self, section), key))
                for key in keys
                if f"{section}.{key}" not in hidden
            }
            for section, keys in KEYS.items()
        }


def read_policy(raw: object, *, path: str, errors: ValidationErrors, stored: bool = False) -> Policy:
    """Read a policy at this path of a document; what is wrong is added to the errors.

    ``stored``: see ``read_values``.
    """
    values = read_values(raw, path=path, errors=errors, stored=stored)
    kept = reconcile({key: SourcedValue(frozen, prefix=path) for key, frozen in values.items()}, errors)
    return Policy.of({key: setting.value for key, setting in kept.items()})
