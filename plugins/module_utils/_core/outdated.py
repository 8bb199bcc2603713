# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Private: what an endpoint is to have of what is published, and whether it has it (E1)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from .catalogue import CatalogueItem
from .document_keys import ProductKind
from .manifest import Kind, is_older
from .policy_words import Scope

KINDS: Mapping[Scope, tuple[Kind, ...]] = {
    Scope.PATTERNS: (Kind.PATTERN,),
    Scope.ENGINES: (Kind.ENGINE,),
    Scope.ALL: tuple(Kind),
}
"""Which kinds of components an update may change under each scope."""
_CHOOSING = frozenset({ProductKind.CLAMAV.value, ProductKind.COMMAND.value})
"""Products whose endpoints choose themselves which components they have, by whatever kind the server publishes them: it
hears of them by reports alone."""


def is_outdated(
    product: str, installed: Mapping[str, str] | None, published: Iterable[CatalogueItem], scope: Scope
) -> bool:
    """Whether an endpoint lacks something of a product, has an older version of it, or has what is published no more.

    ``installed`` are versions by component, as the endpoint reported them. None or empty is for one that never did: it
    counts as outdated where anything is published for it. Where endpoints choose their components themselves, those
    that one never reported are not missing.
    """
    items = list(published)
    chooses = product in _CHOOSING
    wanted = {item.name: item.version for item in items if chooses or item.kind in KINDS[scope]}
    if not installed:
        return bool(wanted)
    if any(name in installed and _differs(installed[name], version) for name, version in wanted.items()):
        return True
    if chooses:
        return False
    return not wanted.keys() <= installed.keys() or not installed.keys() <= {item.name for item in items}


def _differs(installed: str, published: str) -> bool:
    """Whether the published version is to be installed: versions made of numbers have an order, digests have none."""
    numbers = all(part.isdigit() for version in (installed, published) for part in version.split("."))
    return is_older(installed, published) if numbers else installed != published
