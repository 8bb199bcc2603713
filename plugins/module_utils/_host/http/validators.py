# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What makes a request conditional, so that a file that has not changed costs one 304."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

_SETTLED_S = 2
_VALIDATORS = {"etag": "If-None-Match", "last-modified": "If-Modified-Since"}


def validators_in(headers: Mapping[str, str]) -> dict[str, str]:
    """What to remember of an answer (header names in lower case); nothing where it could not be relied on."""
    return {} if _just_modified(headers) else {name: headers[name] for name in _VALIDATORS if name in headers}


def conditional_headers(validators: Mapping[str, Any]) -> dict[str, str]:
    """The headers of the request that asks whether something is otherwise than it was then."""
    return {header: str(validators[name]) for name, header in _VALIDATORS.items() if validators.get(name)}


def _just_modified(headers: Mapping[str, str]) -> bool:
    """Whether the source could change once more and still say the same of itself.

    Web servers tell files apart by their size and the second of their change, in entity tags too (nginx, Apache). Two
    versions of one second would look alike for ever, so what is that young is asked for anew (RFC 9110, 8.8.2.2).
    """
    from email.utils import mktime_tz, parsedate_tz

    said, modified = (parsedate_tz(headers.get(name, "")) for name in ("date", "last-modified"))
    return said is not None and modified is not None and mktime_tz(said) - mktime_tz(modified) < _SETTLED_S
