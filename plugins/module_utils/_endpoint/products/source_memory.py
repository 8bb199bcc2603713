# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Private: what the product ``files`` remembers of its sources: validators for conditional requests, and cool-downs.

A validator says: when the source called its manifest this, we held release so-and-so under this scope. It is used
only while that is still so, and losing it costs no more than one whole manifest.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from typing import Any

from ..._core.canonical import readable_json
from ..._core.values import field, value
from ..._host.durable import write_durably

_SETTLED_S = 2
_VALIDATORS = {"etag": "If-None-Match", "last-modified": "If-Modified-Since"}


@value
class SourceMemory:
    """The memory in one file; every change is written at once."""

    path: str
    _sources: dict[str, dict[str, Any]] = field(default_factory=dict)

    @classmethod
    def load(cls, directory: str) -> SourceMemory:
        """What is remembered in a (real) directory; a damaged file counts as none."""
        path = os.path.join(directory, "sources.json")
        try:
            with open(path, "rb") as stream:
                raw = json.load(stream)
        except (OSError, ValueError):
            raw = None
        kept = raw.items() if isinstance(raw, dict) else ()
        return cls(path, {url: values for url, values in kept if isinstance(values, dict)})

    def cooling_until(self, url: str, now: float) -> int | None:
        """Until when this source wants to be left alone, None when it may be asked."""
        until = self._sources.get(url, {}).get("cooling_until")
        return until if isinstance(until, int) and until > now else None

    def cool_down(self, url: str, until: int) -> None:
        self._sources.setdefault(url, {})["cooling_until"] = until
        self._write()

    def condition(self, url: str, held: Mapping[str, str]) -> dict[str, str]:
        """Headers that make a request conditional; none when something else is held than was then."""
        values = self._sources.get(url, {})
        if values.get("held") != dict(held):
            return {}
        return {header: str(values[name]) for name, header in _VALIDATORS.items() if values.get(name)}

    def answered(self, url: str, headers: Mapping[str, str], held: Mapping[str, str]) -> None:
        """The source gave its manifest with these headers, and we now hold what it says."""
        settled = not _just_modified(headers)
        validators = {name: headers[name] for name in _VALIDATORS if name in headers and settled}
        values = {**validators, "held": dict(held)}
        if self._sources.get(url) != values:
            self._sources[url] = values
            self._write()

    def still_said(self, url: str, held: Mapping[str, str]) -> None:
        """The source has nothing new, and we now hold the same in another release, since it was mended."""
        values = self._sources.get(url, {})
        if values.get("held") not in (None, dict(held)):
            self._sources[url] = {**values, "held": dict(held)}
            self._write()

    def keep_only(self, urls: tuple[str, ...]) -> None:
        """Forget the sources that policy no longer names."""
        forgotten = set(self._sources) - set(urls)
        for url in forgotten:
            del self._sources[url]
        if forgotten:
            self._write()

    def _write(self) -> None:
        write_durably(self.path, readable_json(self._sources))


def _just_modified(headers: Mapping[str, str]) -> bool:
    """Whether the source could change once more and still say the same of itself.

    Web servers tell files apart by their size and the second of their change, in entity tags too (nginx, Apache). Two
    versions of one second would look alike for ever, so what is that young is asked for anew (RFC 9110, 8.8.2.2).
    """
    from email.utils import mktime_tz, parsedate_tz

    said, modified = (parsedate_tz(headers.get(name, "")) for name in ("date", "last-modified"))
    return said is not None and modified is not None and mktime_tz(said) - mktime_tz(modified) < _SETTLED_S
