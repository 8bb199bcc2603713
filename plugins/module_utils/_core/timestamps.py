# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Instants as people and programs read them: ISO 8601 in UTC, to the second (``2026-11-29T12:00:00Z``).

Inside, and in the programs' own files and signed documents, instants are Unix seconds.
"""

from __future__ import annotations

import re
from datetime import datetime, timezone

LATEST = 253402300799
"""The last second of the year 9999, which is the last that has four digits."""
_EPOCH = datetime(1970, 1, 1)  # noqa: DTZ001  # both sides of a difference are in UTC
_FORM = re.compile(r"(?:19[7-9]|[2-9][0-9]{2})[0-9]-[0-9]{2}-[0-9]{2}T(?:[01][0-9]|2[0-3]):[0-9]{2}:[0-9]{2}Z")


def iso(instant: float) -> str:
    """Unix seconds in the one form, without their fraction; never an error.

    An instant may be what a product's file says, so anything: one that is not from 1970 to 9999 is told as the nearest
    that is.
    """
    whole = datetime.fromtimestamp(int(min(max(0, instant), LATEST)), timezone.utc)
    return whole.replace(tzinfo=None).isoformat() + "Z"


def iso_or_none(instant: float | None) -> str | None:
    """``iso`` of what may be unknown, or has not been yet."""
    return None if instant is None else iso(instant)


def unix(text: str) -> int:
    """The Unix seconds of what ``iso`` wrote; raises ValueError for anything else."""
    try:
        since = datetime.fromisoformat(text[:-1]) - _EPOCH if _FORM.fullmatch(text) else None
    except ValueError:  # a day or a minute that there is not
        since = None
    if since is None:
        raise ValueError("not an instant in UTC such as 2026-11-29T12:00:00Z")
    return since.days * 86400 + since.seconds
