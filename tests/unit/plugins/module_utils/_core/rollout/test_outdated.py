# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Who is behind what is published: additions, changes, removals and renamed components alike (E1)."""

from __future__ import annotations

import pytest
from ansible_collections.epp.autoupdate.plugins.module_utils._core.metadata.catalog import CatalogItem
from ansible_collections.epp.autoupdate.plugins.module_utils._core.metadata.manifest import Kind
from ansible_collections.epp.autoupdate.plugins.module_utils._core.policy.enums import Scope
from ansible_collections.epp.autoupdate.plugins.module_utils._core.rollout.outdated import (
    Holding,
    Offer,
    Wish,
    is_outdated,
)
from ansible_collections.epp.autoupdate.plugins.module_utils._core.settings.endpoint_keys import ProductKind

Versions = dict[str, str]
OLD = {"a": "1", "b": "7"}
KINDS = {"engine": Kind.ENGINE}
ALIKE = (
    ("never reported", {}, OLD, True),
    ("nothing to have", {}, {}, False),
    ("current", OLD, OLD, False),
    ("older", OLD, {"a": "2", "b": "7"}, True),
    ("newer", {"a": "2", "b": "7"}, OLD, False),
    ("older by number", {"a": "9", "b": "7"}, {"a": "10", "b": "7"}, True),
    ("another digest", {"a": "0123456789ab", "b": "7"}, {"a": "ba9876543210", "b": "7"}, True),
    ("damaged", {"a": "damaged", "b": "7"}, OLD, True),
    ("one was added", OLD, {**OLD, "c": "1"}, True),
    ("one was renamed", OLD, {"a": "1", "c": "7"}, True),
)
"""What holds of each product: what an endpoint has, what is published, and whether it is behind."""


def offer(product: str, versions: Versions, word: str = "2") -> Offer:
    items = tuple(
        CatalogItem(product, name, version, KINDS.get(name, Kind.PATTERN), 1, "0" * 64, f"components/{name}")
        for name, version in versions.items()
    )
    return Offer(ProductKind(product), word, items)


@pytest.mark.parametrize("product", ["files", "clamav", "command"])
@pytest.mark.parametrize(("what", "held", "published", "expected"), ALIKE, ids=[row[0] for row in ALIKE])
def test_each_product_is_compared_whole(
    product: str, what: str, held: Versions, published: Versions, expected: bool
) -> None:
    chosen = tuple(published) if product == "clamav" else ()
    wish = Wish(Scope.PATTERNS, chosen)
    assert is_outdated(offer(product, published), wish, Holding(held)) is expected, what


@pytest.mark.parametrize(
    ("product", "chosen", "expected"),
    [
        ("files", (), True),
        ("command", (), True),
        # Nothing takes a database away, and one that nobody publishes can't be had.
        ("clamav", ("a",), False),
        ("clamav", ("a", "b"), False),
        ("clamav", (), False),
    ],
)
def test_one_was_removed(product: str, chosen: tuple[str, ...], expected: bool) -> None:
    assert is_outdated(offer(product, {"a": "1"}), Wish(Scope.PATTERNS, chosen), Holding(OLD)) is expected


@pytest.mark.parametrize("product", ["files", "clamav"])
@pytest.mark.parametrize(
    ("scope", "held", "expected"),
    [
        (Scope.PATTERNS, {"a": "1"}, False),
        (Scope.ENGINES, {"engine": "3"}, False),
        (Scope.ENGINES, {"engine": "2"}, True),
        (Scope.ENGINES, {}, True),
        (Scope.PATTERNS, {"a": "1", "engine": "2"}, False),
        (Scope.ALL, {"a": "1"}, True),
        (Scope.ALL, {"a": "1", "engine": "3"}, False),
    ],
)
def test_what_the_scope_leaves_alone_is_neither_missing_nor_old(
    product: str, scope: Scope, held: Versions, expected: bool
) -> None:
    wish = Wish(scope, ("a", "engine") if product == "clamav" else ())
    assert is_outdated(offer(product, {"a": "1", "engine": "3"}), wish, Holding(held)) is expected


@pytest.mark.parametrize(
    ("chosen", "held", "expected"),
    [
        (("daily", "main"), {"daily": "27500", "main": "62"}, False),
        (("daily",), {"daily": "27500"}, False),
        (("daily", "main"), {"daily": "27500"}, True),
        (("daily", "local.ndb"), {"daily": "27500"}, True),
        (("daily", "my.ndb"), {"daily": "27500"}, False),
        (("daily", "local.ndb"), {"daily": "27500", "local.ndb": "0123456789ab"}, True),
        (("daily",), {"daily": "27500", "local.ndb": "0123456789ab"}, False),
        (("my.ndb",), {}, False),
        # Nobody has said what it chose: what it reported counts.
        ((), {"daily": "27500"}, False),
        ((), {"daily": "27499", "main": "62"}, True),
        ((), {}, True),
    ],
)
def test_an_endpoint_with_clamav_is_held_to_the_databases_of_its_settings(
    chosen: tuple[str, ...], held: Versions, expected: bool
) -> None:
    published = offer("clamav", {"daily": "27500", "main": "62", "local.ndb": "ba9876543210"})
    assert is_outdated(published, Wish(Scope.PATTERNS, chosen), Holding(held)) is expected


@pytest.mark.parametrize(
    ("published", "held", "answered", "expected"),
    [
        # One version for everything: compared with the word for everything.
        ({"command": "8.2"}, {"command": "8.2"}, "", False),
        ({"command": "8.2"}, {"command": "8.1"}, "", True),
        ({"patterns-a": "8.1", "patterns-b": "8.2"}, {"command": "8.2"}, "", False),
        ({"patterns-a": "8.1", "patterns-b": "8.2"}, {"command": "8.1"}, "", True),
        # Other words than the server has (it may count for itself): what the endpoint answered is known.
        ({"command": "8.2"}, {"command": "2026-11"}, "", True),
        ({"command": "8.2"}, {"command": "2026-11"}, "8.2", False),
        ({"command": "8.2"}, {"command": "2026-11"}, "8.1", True),
        ({"command": "8.2"}, {"engine": "5", "rules": "7"}, "8.1", True),
        ({"command": "8.2"}, {"engine": "5", "rules": "7"}, "8.2", False),
    ],
)
def test_an_updater_may_have_words_of_its_own(
    published: Versions, held: Versions, answered: str, expected: bool
) -> None:
    found = is_outdated(offer("command", published, "8.2"), Wish(Scope.ENGINES), Holding(held, answered))
    assert found is expected, "whatever the scope: the updater decides what it takes"
