# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What each channel is offered, and what is held everywhere, as the signed catalog says it (G1, G5)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from ..settings.endpoint_keys import ProductKind
from ..validation.errors import ValidationErrors
from ..validation.parsers import InvalidValue, Parser, boolean, integer, nullable, read_mapping
from ..validation.strings import ring_name, stream_name
from ..values import asdict, frozen
from .catalog_fields import FIELDS, each, text

_MOST_COMPONENTS = 20_000


@frozen
class ChannelManifest:
    """The manifest of a channel, for products that have manifests; ``path`` is below the server's base URL."""

    size: int
    sha256: str
    path: str


@frozen
class CatalogChannel:
    """What one channel is offered of a product: ``version`` is one word for all of it, ``components`` maps the name of
    each component to its version. ``expedited``: it was offered to all rings at once, by hand (G6)."""

    product: str
    channel: str
    version: str
    components: Mapping[str, str]
    manifest: ChannelManifest | None = None
    expedited: bool = False

    def to_dict(self) -> dict[str, Any]:
        plain = asdict(self)
        if not self.expedited:
            del plain["expedited"]
        return plain


@frozen
class CatalogHold:
    """A version that no endpoint begins any more (G4, G5).

    ``components`` are the component versions that are new in it. Where ``restore`` names a version, endpoints that have
    the held one go back to what their channel is offered; where it is empty, they keep it. ``since`` is Unix seconds.
    Of an engine's packages it holds on one ``stream`` alone.
    """

    product: str
    version: str
    components: Mapping[str, str]
    restore: str
    reason: str
    since: int
    stream: str = ""

    def to_dict(self) -> dict[str, Any]:
        plain = asdict(self)
        if not self.stream:
            del plain["stream"]
        return plain


def read_channels(raw: Iterable[object], path: str, errors: ValidationErrors) -> tuple[CatalogChannel, ...]:
    """The channels of a catalog."""
    plain = [_with_manifest(one, f"{path}[{index}]", errors) for index, one in enumerate(raw)]
    return each(CatalogChannel, plain, path, errors, _CHANNEL)


def _with_manifest(raw: object, path: str, errors: ValidationErrors) -> object:
    """A channel whose manifest is read, and that has all its keys."""
    if not isinstance(raw, dict):
        return raw
    found = each(ChannelManifest, [raw["manifest"]] if raw.get("manifest") else (), f"{path}.manifest", errors)
    return {"expedited": False, **raw, "manifest": found[0] if found else None}


def read_holds(raw: Iterable[object], path: str, errors: ValidationErrors) -> tuple[CatalogHold, ...]:
    """The holds of a catalog."""
    plain = [{"stream": "", **one} if isinstance(one, dict) else one for one in raw]
    return each(CatalogHold, plain, path, errors, _HOLD)


def read_memberships(raw: object) -> dict[str, str]:
    """The channel of an endpoint by product, as its shard has it."""
    errors = ValidationErrors()
    known = {kind.value: ring_name for kind in ProductKind}
    found = read_mapping(raw, path="", known=known, errors=errors)
    if errors.found or not found:
        raise InvalidValue("a mapping of products to the names of channels")
    return found


def _versions(raw: object) -> dict[str, str]:
    fits = isinstance(raw, dict) and len(raw) <= _MOST_COMPONENTS
    if not isinstance(raw, dict) or not fits:
        raise InvalidValue(f"a mapping of at most {_MOST_COMPONENTS} components and versions")
    return {text(name): text(version) for name, version in raw.items()}


def _word(raw: object) -> str:
    return "" if raw == "" else text(raw)


def _manifest(raw: object) -> object:
    if not isinstance(raw, ChannelManifest):
        raise InvalidValue("a manifest, or null")
    return raw


_CHANNEL: Mapping[str, Parser] = {
    "product": FIELDS["product"],
    "channel": ring_name,
    "version": text,
    "components": _versions,
    "manifest": nullable(_manifest),
    "expedited": boolean,
}
_HOLD: Mapping[str, Parser] = {
    "product": FIELDS["product"],
    "version": text,
    "components": _versions,
    "restore": _word,
    "reason": _word,
    "since": integer(0, 2**53),
    "stream": lambda raw: "" if raw == "" else stream_name(raw),
}
