# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The catalog: what the server publishes, version by version, as one signed document."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Callable

from ..canonical import canonical_json, digest
from ..validation.errors import ValidationErrors
from ..validation.parsers import InvalidValue
from ..values import asdict, frozen, replace
from .catalog_fields import each
from .channels import CatalogChannel, CatalogHold, ChannelManifest, read_channels, read_holds
from .engine_offers import CatalogEngine, read_engines
from .header import Header, header_fields, parse_header
from .manifest import Kind

KIND = "catalog"
FILE = "configuration/catalog.json"
"""Where it lies below the server's base URL."""
NAMESPACE = "epp-catalog"
MAX_ITEMS = 50_000
_LONGEST_VERSION = 100


@frozen
class CatalogItem:
    """One published file: ``path`` is below the server's base URL; ``name`` is what endpoints call the component."""

    product: str
    name: str
    version: str
    kind: Kind
    size: int
    sha256: str
    path: str

    def to_dict(self) -> dict[str, Any]:
        return {**asdict(self), "kind": self.kind.value}


@frozen
class CatalogManifest:
    """The published manifest of a product that has one (``manifest.py``): no component, but the bytes that say which
    content belongs where, and under which version as a whole. ``path`` is below the server's base URL."""

    product: str
    size: int
    sha256: str
    path: str


@frozen
class Catalog:
    """What is published, sorted by product, name and path.

    ``channels``, ``holds`` and ``engines`` are of products whose rollout is staged (G1, G5); without any they are not
    on the wire.
    """

    kind = KIND
    namespace = NAMESPACE

    header: Header
    components: tuple[CatalogItem, ...]
    manifests: tuple[CatalogManifest, ...] = ()
    channels: tuple[CatalogChannel, ...] = ()
    holds: tuple[CatalogHold, ...] = ()
    engines: tuple[CatalogEngine, ...] = ()

    @classmethod
    def of(
        cls,
        header: Header,
        items: Iterable[CatalogItem],
        manifests: Iterable[CatalogManifest] = (),
        *,
        channels: Iterable[CatalogChannel] = (),
        holds: Iterable[CatalogHold] = (),
    ) -> Catalog:
        components = sorted(items, key=lambda item: (item.product, item.name, item.path))
        ordered = sorted(manifests, key=lambda one: (one.product, one.path))
        offered = sorted(channels, key=lambda one: (one.product, one.channel))
        held = sorted(holds, key=lambda one: (one.product, one.since, one.version))
        return cls(header, tuple(components), tuple(ordered), tuple(offered), tuple(held))

    @classmethod
    def from_bytes(cls, content: bytes) -> Catalog:
        """Read what ``to_bytes`` wrote; raises InvalidDocument with all errors."""
        known = {"components": _items, "manifests": _items}
        optional = dict.fromkeys(("channels", "holds", "engines"), _items)
        header, values = parse_header(content, KIND, known, optional)
        errors = ValidationErrors()
        components = each(CatalogItem, values["components"], "components", errors)
        manifests = each(CatalogManifest, values["manifests"], "manifests", errors)
        channels = read_channels(values.get("channels", ()), "channels", errors)
        holds = read_holds(values.get("holds", ()), "holds", errors)
        engines = read_engines(values.get("engines", ()), "engines", errors)
        errors.check()
        return cls(header, components, manifests, channels, holds, engines)

    def with_engines(self, engines: Iterable[CatalogEngine]) -> Catalog:
        """The catalog with what channels may install of engines."""
        return replace(self, engines=tuple(sorted(engines, key=lambda one: (one.product, one.stream))))

    def channel(self, product: str, channel: str) -> CatalogChannel | None:
        """What a channel is offered of a product; None where the catalog does not know the channel."""
        return next((one for one in self.channels if (one.product, one.channel) == (product, channel)), None)

    def engine(self, product: str, stream: str) -> CatalogEngine | None:
        """What channels may install of a product's engine on this stream; None where the catalog does not say."""
        return next((one for one in self.engines if (one.product, one.stream) == (product, stream)), None)

    def hold_of(self, product: str, version: str, channel: str = "") -> CatalogHold | None:
        """The newest hold on this version of a product; None without any, and where the channel is offered it."""
        offered = self.channel(product, channel)
        held = (hold for hold in reversed(self.holds) if (hold.product, hold.version) == (product, version))
        return None if offered is not None and offered.version == version else next(held, None)

    def hold_of_components(self, product: str, components: Mapping[str, str], channel: str) -> CatalogHold | None:
        """The newest hold on one of these versions of components that the channel is not offered; None without any."""
        offered = self.channel(product, channel)
        wanted = {} if offered is None else offered.components
        doubtful = {name: one for name, one in components.items() if wanted.get(name) != one}
        mine = (hold for hold in reversed(self.holds) if hold.product == product)
        return next((hold for hold in mine if hold.components.items() & doubtful.items()), None)

    def to_bytes(self) -> bytes:
        """The canonical document, which is what is signed."""
        return canonical_json({**header_fields(KIND, self.header), **self._content()})

    def digest(self) -> str:
        """Equal for catalogs that differ in their header only."""
        return digest(self._content())

    def _content(self) -> dict[str, Any]:
        components = [one.to_dict() for one in self.components]
        staged = {
            "channels": [one.to_dict() for one in self.channels],
            "holds": [one.to_dict() for one in self.holds],
            "engines": [one.to_dict() for one in self.engines],
        }
        more = {key: some for key, some in staged.items() if some}
        return {"components": components, "manifests": [asdict(one) for one in self.manifests], **more}


def deviation(entry: CatalogItem | CatalogManifest | ChannelManifest, size: int, sha256: Callable[[], str]) -> str:
    """How a file differs from what the catalog says of it; empty where it does not.

    ``sha256`` is called where the size is right.
    """
    if size != entry.size:
        return f"it has {size} bytes, the catalog says {entry.size}"
    return "" if sha256() == entry.sha256 else "its content is not what the catalog says"


def versions_of(items: Iterable[CatalogItem]) -> dict[str, str]:
    """Component name to version, of one product's items."""
    return {item.name: item.version for item in items}


def version_label(versions: Mapping[str, str]) -> str:
    """One word for a set of component versions: equal sets have equal words. Readable where it is short."""
    word = " ".join(f"{name}={version}" for name, version in sorted(versions.items()))
    return word if len(word) <= _LONGEST_VERSION and word.isprintable() and word.isascii() else _short(versions)


def _short(versions: Mapping[str, str]) -> str:
    return f"{len(versions)} components {digest(dict(versions))[:16]}"


def _items(raw: object) -> tuple[object, ...]:
    if not isinstance(raw, list) or len(raw) > MAX_ITEMS:
        raise InvalidValue(f"a list of at most {MAX_ITEMS} entries")
    return tuple(raw)
