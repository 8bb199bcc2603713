# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The cache of the product ``files`` for its sources: validators for conditional requests, and cool-downs.

A validator says: when the source called its manifest this, we held release so-and-so under this scope. It is used
only while that is still so, and losing it costs no more than one whole manifest.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from typing import Any

from ...._core.canonical import readable_json
from ...._core.values import field, frozen
from ...._host.filesystem.atomic_files import write_durably
from ...._host.filesystem.safe_paths import open_file
from ...._host.http.validators import conditional_headers as headers_for
from ...._host.http.validators import validators_in
from ...._host.http.waiting import LONGEST_WAIT_S


@frozen
class SourceCache:
    """The cache in one file; every change is written at once."""

    path: str
    _sources: dict[str, dict[str, Any]] = field(default_factory=dict)

    @classmethod
    def load(cls, directory: str) -> SourceCache:
        """The cache in a (real) directory; a damaged file counts as none."""
        path = os.path.join(directory, "sources.json")
        try:
            with open(open_file(path), "rb") as stream:
                raw = json.load(stream)
        except (OSError, ValueError):
            raw = None
        kept = raw.items() if isinstance(raw, dict) else ()
        return cls(path, {url: values for url, values in kept if isinstance(values, dict)})

    def cooling_until(self, url: str, now: float) -> int | None:
        """Until when this source has limited its rate, None when it may be asked.

        A time beyond the longest one that is granted was stored while the clock was ahead; it does not count.
        """
        until = self._sources.get(url, {}).get("cooling_until")
        return until if isinstance(until, int) and now < until <= now + LONGEST_WAIT_S else None

    def cool_down(self, url: str, until: int) -> None:
        self._sources.setdefault(url, {})["cooling_until"] = until
        self._write()

    def conditional_headers(self, url: str, held: Mapping[str, str]) -> dict[str, str]:
        """Headers that make a request conditional; none when something else is held than was then."""
        values = self._sources.get(url, {})
        if values.get("held") != dict(held):
            return {}
        return headers_for(values)

    def store_validators(self, url: str, headers: Mapping[str, str], held: Mapping[str, str]) -> None:
        """Store the validators of a manifest, from its response headers; ``held`` is what it led to."""
        values = {**validators_in(headers), "held": dict(held)}
        if self._sources.get(url) != values:
            self._sources[url] = values
            self._write()

    def touch(self, url: str, held: Mapping[str, str]) -> None:
        """The manifest has not changed (304), and ``held`` is another release of it, since files were repaired."""
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
        # Its directory is open to everybody, and a URL may hold a customer's key.
        write_durably(self.path, readable_json(self._sources), mode=0o600)
