# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The catalog: what the server publishes, version by version, as one signed document."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Callable, TypeVar

from ..canonical import canonical_json, digest
from ..settings.endpoint_keys import ProductKind
from ..validation.errors import ValidationErrors
from ..validation.parsers import InvalidValue, Parser, choice, integer, read_mapping
from ..validation.strings import line
from ..values import asdict, field_names, frozen
from .header import Header, header_fields, parse_header
from .manifest import Kind

KIND = "catalog"
FILE = "configuration/catalog.json"
"""Where it lies below the server's base URL."""
NAMESPACE = "epp-catalog"
MAX_ITEMS = 50_000
_MAX_NUMBER = 2**53
_LONGEST_VERSION = 100
T = TypeVar("T")


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
    """What is published, sorted by product, name and path."""

    kind = KIND
    namespace = NAMESPACE

    header: Header
    components: tuple[CatalogItem, ...]
    manifests: tuple[CatalogManifest, ...] = ()

    @classmethod
    def of(cls, header: Header, items: Iterable[CatalogItem], manifests: Iterable[CatalogManifest] = ()) -> Catalog:
        components = sorted(items, key=lambda item: (item.product, item.name, item.path))
        ordered = sorted(manifests, key=lambda one: (one.product, one.path))
        return cls(header, tuple(components), tuple(ordered))

    @classmethod
    def from_bytes(cls, content: bytes) -> Catalog:
        """Read what ``to_bytes`` wrote; raises InvalidDocument with all errors."""
        header, values = parse_header(content, KIND, {"components": _items, "manifests": _items})
        errors = ValidationErrors()
        components = _each(CatalogItem, values["components"], "components", errors)
        manifests = _each(CatalogManifest, values["manifests"], "manifests", errors)
        errors.check()
        return cls(header, components, manifests)

    def to_bytes(self) -> bytes:
        """The canonical document, which is what is signed."""
        return canonical_json({**header_fields(KIND, self.header), **self._content()})

    def digest(self) -> str:
        """Equal for catalogs that differ in their header only."""
        return digest(self._content())

    def _content(self) -> dict[str, Any]:
        components = [one.to_dict() for one in self.components]
        return {"components": components, "manifests": [asdict(one) for one in self.manifests]}


def deviation(entry: CatalogItem | CatalogManifest, size: int, sha256: Callable[[], str]) -> str:
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


def _each(kind: type[T], raw: Iterable[object], path: str, errors: ValidationErrors) -> tuple[T, ...]:
    """What a list of values of this class holds."""
    known = {name: _KEYS[name] for name in field_names(kind)}
    found = (_one(kind, one, known, f"{path}[{index}]", errors) for index, one in enumerate(raw))
    return tuple(one for one in found if one is not None)


def _one(kind: type[T], raw: object, known: Mapping[str, Parser], path: str, errors: ValidationErrors) -> T | None:
    values = read_mapping(raw, path=path, known=known, errors=errors)
    missing = [key for key in known if isinstance(raw, dict) and key not in raw]
    for key in missing:
        errors.add(f"{path}.{key}", "", "there")
    return kind(**values) if len(values) == len(known) else None


def _items(raw: object) -> tuple[object, ...]:
    if not isinstance(raw, list) or len(raw) > MAX_ITEMS:
        raise InvalidValue(f"a list of at most {MAX_ITEMS} entries")
    return tuple(raw)


def _text(raw: object) -> str:
    return line(raw, "a text of one line")


def _sha256(raw: object) -> str:
    if isinstance(raw, str) and len(raw) == 64 and set(raw) <= set("0123456789abcdef"):
        return raw
    raise InvalidValue("64 hexadecimal digits in lower case")


def _relative(raw: object) -> str:
    text = line(raw, "a path below the server's URL")
    if any(part in ("", ".", "..") for part in text.split("/")) or "\\" in text or ":" in text:
        raise InvalidValue("a plain path below the server's URL")
    return text


_KEYS: dict[str, Parser] = {
    "product": lambda raw: str(choice(ProductKind)(raw).value),
    "name": _text,
    "version": _text,
    "kind": choice(Kind),
    "size": integer(0, _MAX_NUMBER),
    "sha256": _sha256,
    "path": _relative,
}
