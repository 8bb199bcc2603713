# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The versions of engine packages that each channel may install, as the signed catalog says it (G1).

An update server publishes no packages. It allows versions that endpoints of the ring before have reported. A version
belongs to a *stream*, which is one distribution on one architecture: each has versions of its own.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from ..validation.errors import ValidationErrors
from ..validation.parsers import InvalidValue, Parser, listing, nullable
from ..validation.strings import package_version, ring_name, stream_name
from ..values import frozen
from .catalog_fields import FIELDS, each

_MOST_VERSIONS = 10
_MOST_CHANNELS = 20
_versions = nullable(listing(package_version, most=_MOST_VERSIONS))


@frozen
class CatalogEngine:
    """One stream of a product's engine: what each channel may install. None are all versions: the endpoints of that
    ring are the first to have what their package sources offer. A channel that is not named may install none."""

    product: str
    stream: str
    channels: Mapping[str, tuple[str, ...] | None]

    def to_dict(self) -> dict[str, Any]:
        allowed = {name: None if some is None else list(some) for name, some in self.channels.items()}
        return {"product": self.product, "stream": self.stream, "channels": allowed}

    def allowed(self, channel: str) -> tuple[str, ...] | None:
        """The versions that a channel may install; None for all."""
        return self.channels.get(channel, ())


def read_engines(raw: Iterable[object], path: str, errors: ValidationErrors) -> tuple[CatalogEngine, ...]:
    """The engines of a catalog."""
    return each(CatalogEngine, raw, path, errors, _ENGINE)


def _channels(raw: object) -> dict[str, tuple[str, ...] | None]:
    if not isinstance(raw, dict) or len(raw) > _MOST_CHANNELS:
        raise InvalidValue(f"a mapping of at most {_MOST_CHANNELS} channels to versions")
    return {ring_name(name): _versions(some) for name, some in raw.items()}


_ENGINE: Mapping[str, Parser] = {"product": FIELDS["product"], "stream": stream_name, "channels": _channels}
