# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The weekly windows in which the packages of an engine may be upgraded, as a policy holds them."""

from __future__ import annotations

from ..validation.parsers import InvalidValue, Parser, listing
from .blackouts import MOST, WeeklyBlackout, read_period

SHORTEST = 3600
"""Seconds: an endpoint is woken once an hour for it, at a second of its own."""


def read_windows(value: object, read_zone: Parser) -> tuple[WeeklyBlackout, ...]:
    """The windows of a policy; InvalidValue with all that is wrong with them."""
    found: tuple[WeeklyBlackout, ...] = listing(lambda raw: _window(raw, read_zone), most=MOST)(value)
    return found


def _window(raw: object, read_zone: Parser) -> WeeklyBlackout:
    period = read_period(raw, read_zone)
    if not isinstance(period, WeeklyBlackout):
        raise InvalidValue("a period of the week (from and to are times HH:MM)")
    if period.end - period.start < SHORTEST:
        raise InvalidValue("an hour long", found=period.words)
    return period
