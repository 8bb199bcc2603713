# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What an endpoint is to have of what is published, and whether it has it (E1)."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from ..metadata.catalog import CatalogItem, versions_of
from ..metadata.manifest import Kind, is_older
from ..policy.enums import Scope
from ..settings.endpoint_keys import SINGLE, ProductKind
from ..values import field, frozen

KINDS: Mapping[Scope, tuple[Kind, ...]] = {
    Scope.PATTERNS: (Kind.PATTERN,),
    Scope.ENGINES: (Kind.ENGINE,),
    Scope.ALL: tuple(Kind),
}
"""Which kinds of components an update may change under each scope."""


@frozen
class Offer:
    """What a server publishes of a product; ``version`` is the one word for all of it."""

    product: ProductKind
    version: str
    items: tuple[CatalogItem, ...]


@frozen
class Wish:
    """What an endpoint takes of a product: by the scope of its policy, and by the components that its settings choose.

    ``chosen`` is empty where nobody has said which ones.
    """

    scope: Scope
    chosen: Collection[str] = ()


@frozen
class Holding:
    """What an endpoint has of a product, as it reported it: versions by component.

    ``version`` is the word of the last offer to which it answered that it is up to date now.
    """

    components: Mapping[str, str] = field(default_factory=dict)
    version: str = ""


def is_outdated(offer: Offer, wish: Wish, holding: Holding) -> bool:
    """Whether an endpoint lacks something of an offer, has an older version of it, or has what is offered no more.

    One that never reported what it has counts as outdated where it is to have anything.
    """
    return _RULES[offer.product](offer, wish, holding)


def lacking(offer: Offer, wish: Wish, holding: Holding) -> str:
    """What an outdated endpoint lacks of an offer, in words: the first component, and how many more."""
    has, wanted = holding.components, _in_scope(offer, wish)
    if wish.chosen and offer.product is ProductKind.CLAMAV:
        wanted = {name: version for name, version in wanted.items() if name in wish.chosen}
    words = [
        f"{name} {has.get(name, 'is missing')}, {version} is published"
        for name, version in wanted.items()
        if name not in has or _differs(has[name], version)
    ]
    words += [f"{name} {has[name]} is no longer published" for name in has if offer.items and name not in wanted]
    first = words[0] if words else f"{offer.product.value} {offer.version} is published"
    return first if len(words) <= 1 else f"{first} (and {len(words) - 1} more)"


def _files(offer: Offer, wish: Wish, holding: Holding) -> bool:
    """All that the scope takes is to be there, and nothing that is published no more."""
    wanted = _in_scope(offer, wish)
    if not holding.components:
        return bool(wanted)
    removed = holding.components.keys() - {item.name for item in offer.items}
    return bool(removed) or _lacks(wanted, holding)


def _clamav(offer: Offer, wish: Wish, holding: Holding) -> bool:
    """What the endpoint's settings choose is to be there, as far as it is published; nothing takes a database away.

    Where the settings are not known, what it reported is what it chose.
    """
    published = _in_scope(offer, wish)
    chosen = wish.chosen or holding.components or published
    return _lacks({name: version for name, version in published.items() if name in chosen}, holding)


def _command(offer: Offer, _wish: Wish, holding: Holding) -> bool:
    """The endpoint's own words for components and versions are compared with the published ones, where they are the
    same words. Where they are not, it has what is offered once it has answered so."""
    if not offer.items:
        return False
    if holding.version == offer.version:
        return False
    told = holding.components
    if told.keys() == {SINGLE}:
        return told[SINGLE] != offer.version
    wanted = versions_of(offer.items)
    return told.keys() != wanted.keys() or _lacks(wanted, holding)


_RULES = {ProductKind.FILES: _files, ProductKind.CLAMAV: _clamav, ProductKind.COMMAND: _command}


def _in_scope(offer: Offer, wish: Wish) -> dict[str, str]:
    return versions_of(item for item in offer.items if item.kind in KINDS[wish.scope])


def _lacks(wanted: Mapping[str, str], holding: Holding) -> bool:
    has = holding.components
    return any(name not in has or _differs(has[name], version) for name, version in wanted.items())


def _differs(installed: str, published: str) -> bool:
    """Whether the published version is to be installed: versions made of numbers have an order, digests have none."""
    numbers = all(part.isdigit() for version in (installed, published) for part in version.split("."))
    return is_older(installed, published) if numbers else installed != published
