# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""How long a source is left alone: what it asks for, within limits, and some chance, so that not all return at once."""

from __future__ import annotations

from .headers import whole_number

LONGEST_WAIT_S = 24 * 3600
"""No answer can silence whoever asks for longer."""
LONGEST_PAUSE_S = 300
"""A busy server that asks for a longer pause is not waited for: it counts as rate-limited."""


def retry_after(value: str, now: float) -> int | None:
    """Seconds that a Retry-After header asks for (a number or an HTTP date), at most a day; None if unreadable."""
    number = whole_number(value)
    if number is not None:
        return min(number, LONGEST_WAIT_S)
    from email.utils import parsedate_to_datetime

    try:
        until = parsedate_to_datetime(value)
    except (TypeError, ValueError, IndexError, OverflowError):
        return None
    if until.tzinfo is None:
        return None
    return max(0, min(int(until.timestamp() - now), LONGEST_WAIT_S))


def random_fraction() -> float:
    """A number in [0, 1) by chance."""
    import random

    return random.SystemRandom().random()


def with_jitter(seconds: float, draw: float) -> float:
    """A pause of half to one and a half times these seconds, at least half a second."""
    return max(1.0, seconds) * (0.5 + draw)
