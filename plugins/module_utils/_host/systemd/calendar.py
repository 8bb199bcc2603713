# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Instants in systemd's own notation (systemd.time(7))."""

from __future__ import annotations

from collections.abc import Collection

from ..._core.schedule.calendars import hours_by_minutes

_HOURS, _MINUTES = 24, 60


def intervals(every: int, phase: int) -> tuple[str, ...]:
    """The ``OnCalendar=`` values of instants ``every`` seconds (whole minutes), the first ``phase`` after midnight UTC.

    In UTC a day always has 86400 s. One expression where the interval divides an hour, a few otherwise.
    """
    return tuple(
        f"*-*-* {_listed(hours, _HOURS)}:{_listed(minutes, _MINUTES)}:{phase % 60:02} UTC"
        for minutes, hours in hours_by_minutes(every, phase).items()
    )


def _listed(numbers: Collection[int], whole: int) -> str:
    return "*" if len(numbers) == whole else ",".join(f"{number:02}" for number in numbers)
