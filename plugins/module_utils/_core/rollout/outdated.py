# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What an endpoint is to have of what is published, and whether it has it (E1)."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping

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
    return next(_RULES[offer.product](offer, wish, holding), None) is not None


def lacking(offer: Offer, wish: Wish, holding: Holding) -> str:
    """What makes an endpoint outdated, in words: the first component, and how many more; empty where nothing does."""
    words = list(_RULES[offer.product](offer, wish, holding))
    return words[0] + (f" (and {len(words) - 1} more)" if len(words) > 1 else "") if words else ""


def _files(offer: Offer, wish: Wish, holding: Holding) -> Iterator[str]:
    """All that the scope takes is to be there, and nothing that is published no more."""
    yield from _differences(_in_scope(offer, wish), holding)
    for name in holding.components.keys() - {item.name for item in offer.items}:
        yield f"{name} {holding.components[name]} is no longer published"


def _clamav(offer: Offer, wish: Wish, holding: Holding) -> Iterator[str]:
    """What the endpoint's settings choose is to be there, as far as it is published; nothing takes a database away.

    Where the settings are not known, what it reported is what it chose.
    """
    published = _in_scope(offer, wish)
    chosen = wish.chosen or holding.components or published
    yield from _differences({name: version for name, version in published.items() if name in chosen}, holding)


def _command(offer: Offer, _wish: Wish, holding: Holding) -> Iterator[str]:
    """The endpoint's own words for components and versions are compared with the published ones, where they are the
    same words. Where they are not, it has what is offered once it has answered so."""
    told, wanted = holding.components, versions_of(offer.items)
    if not wanted or holding.version == offer.version:
        return
    if told.keys() == {SINGLE}:
        if told[SINGLE] != offer.version:
            yield _words(SINGLE, told[SINGLE], offer.version)
    elif told.keys() != wanted.keys():
        yield f"{offer.product.value} {offer.version} is published"
    else:
        yield from _differences(wanted, holding)


_RULES: Mapping[ProductKind, Callable[[Offer, Wish, Holding], Iterator[str]]] = {
    ProductKind.FILES: _files,
    ProductKind.CLAMAV: _clamav,
    ProductKind.COMMAND: _command,
}
"""By product: one sentence for each thing that makes an endpoint outdated."""


def _in_scope(offer: Offer, wish: Wish) -> dict[str, str]:
    return versions_of(item for item in offer.items if item.kind in KINDS[wish.scope])


def _differences(wanted: Mapping[str, str], holding: Holding) -> Iterator[str]:
    has = holding.components
    for name, version in wanted.items():
        if name not in has or _differs(has[name], version):
            yield _words(name, has.get(name), version)


def _words(name: str, has: str | None, published: str) -> str:
    return f"{name} is missing, {published} is published" if has is None else f"{name} {has}, {published} is published"


def _differs(installed: str, published: str) -> bool:
    """Whether the published version is to be installed: versions made of numbers have an order, digests have none."""
    numbers = all(part.isdigit() for version in (installed, published) for part in version.split("."))
    return is_older(installed, published) if numbers else installed != published
