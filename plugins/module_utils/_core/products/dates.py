# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The dates that products tell, as Unix seconds; what can't be one is none."""

from __future__ import annotations

import re
from collections.abc import Mapping

from ..validation.parsers import InvalidValue
from ..validation.strings import line

UNIX, UNIX_MS, ISO = "unix", "unix_ms", "iso"
_WORDS = (UNIX, UNIX_MS, ISO)
_DIRECTIVES = frozenset("aAbBdHIjmMpSyYzZf%")
_EARLIEST = 946684800
"""2000-01-01: no pattern in use is older, and what is, is mostly a number of something else."""
_AHEAD_S = 2 * 86400
_SCALES: Mapping[str, int] = {UNIX: 1, UNIX_MS: 1000}
_NUMBER = re.compile(r"[0-9]{1,17}")


def date_format(raw: object) -> str:
    """``unix``, ``unix_ms``, ``iso``, or directives of strptime(3) (``%d %b %Y``)."""
    text = line(raw, f"a format of dates: {', '.join(_WORDS)}, or one such as %d.%m.%Y")
    directives = re.findall(r"%(.)", text)
    if text not in _WORDS and (not directives or set(directives) - _DIRECTIVES or len(text) > 60):
        raise InvalidValue(f"a format of dates: {', '.join(_WORDS)}, or one such as %d.%m.%Y")
    return text


def read_date(text: str, form: str, now: float, *, future: bool = False) -> int | None:
    """Unix seconds of a date; None for what is none, is before 2000 or, without ``future``, lies ahead.

    A date without a zone is taken for UTC.
    """
    at = _seconds(text.strip(), form)
    if at is None or at < _EARLIEST:
        return None
    return at if future or at <= now + _AHEAD_S else None


def _seconds(text: str, form: str) -> int | None:
    if form in _SCALES:
        return int(text) // _SCALES[form] if _NUMBER.fullmatch(text) else None
    from datetime import datetime, timezone

    try:
        if form == ISO:
            found = datetime.fromisoformat(re.sub(r"(?i)z$", "+00:00", text))
        else:
            found = datetime.strptime(text, form)  # noqa: DTZ007  # the zone follows
        return int((found if found.tzinfo else found.replace(tzinfo=timezone.utc)).timestamp())
    except (ValueError, OverflowError):
        return None
