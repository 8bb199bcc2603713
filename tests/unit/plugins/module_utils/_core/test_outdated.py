# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Who is behind what is published: additions, changes, removals and renamed components alike (E1)."""

from __future__ import annotations

import pytest
from ansible_collections.epp.autoupdate.plugins.module_utils._core.catalogue import CatalogueItem
from ansible_collections.epp.autoupdate.plugins.module_utils._core.manifest import Kind
from ansible_collections.epp.autoupdate.plugins.module_utils._core.outdated import is_outdated
from ansible_collections.epp.autoupdate.plugins.module_utils._core.policy_words import Scope

OLD = {"a": "1", "b": "7"}


def items(product: str, versions: dict[str, str], **kinds: Kind) -> list[CatalogueItem]:
    return [
        CatalogueItem(product, name, version, kinds.get(name, Kind.PATTERN), 1, "0" * 64, f"components/{name}")
        for name, version in versions.items()
    ]


@pytest.mark.parametrize(
    ("installed", "published", "expected"),
    [
        (None, OLD, True),
        ({}, OLD, True),
        ({}, {}, False),
        (OLD, OLD, False),
        (OLD, {"a": "2", "b": "7"}, True),
        ({"a": "2", "b": "7"}, OLD, False),
        ({"a": "9", "b": "7"}, {"a": "10", "b": "7"}, True),
        ({"a": "0123456789ab", "b": "7"}, {"a": "ba9876543210", "b": "7"}, True),
        ({"a": "damaged", "b": "7"}, OLD, True),
        (OLD, {**OLD, "c": "1"}, True),
        (OLD, {"a": "1"}, True),
        (OLD, {"a": "1", "c": "7"}, True),
    ],
    ids=[
        *("never reported", "has nothing", "nothing to have", "current", "older", "newer", "older by number"),
        *("another digest", "damaged", "one was added", "one was removed", "one was renamed"),
    ],
)
def test_a_set_of_files_is_compared_whole(
    installed: dict[str, str] | None, published: dict[str, str], expected: bool
) -> None:
    assert is_outdated("files", installed, items("files", published), Scope.PATTERNS) is expected


@pytest.mark.parametrize(
    ("scope", "installed", "expected"),
    [
        (Scope.PATTERNS, {"a": "1"}, False),
        (Scope.ENGINES, {"engine": "3"}, False),
        (Scope.ENGINES, {"engine": "2"}, True),
        (Scope.PATTERNS, {"a": "1", "engine": "2"}, False),
        (Scope.ALL, {"a": "1"}, True),
        (Scope.ALL, {"a": "1", "engine": "3"}, False),
    ],
)
def test_what_the_scope_leaves_alone_is_neither_missing_nor_old(
    scope: Scope, installed: dict[str, str], expected: bool
) -> None:
    published = items("files", {"a": "1", "engine": "3"}, engine=Kind.ENGINE)
    assert is_outdated("files", installed, published, scope) is expected


@pytest.mark.parametrize("product", ["clamav", "command"])
@pytest.mark.parametrize(
    ("installed", "expected"),
    [
        (None, True),
        ({}, True),
        ({"daily": "27500", "main": "62"}, False),
        ({"daily": "27499", "main": "62"}, True),
        ({"daily": "27501", "main": "62"}, False),
        ({"daily": "27500"}, False),
        ({"daily": "9"}, True),
        ({"local.ndb": "0123456789ab", "daily": "27500"}, True),
        ({"local.ndb": "ba9876543210", "daily": "27500"}, False),
        ({"my.ndb": "0123456789ab", "daily": "27500"}, False),
    ],
)
def test_endpoints_that_choose_their_components_are_held_to_those(
    product: str, installed: dict[str, str] | None, expected: bool
) -> None:
    published = items(product, {"daily": "27500", "main": "62", "local.ndb": "ba9876543210"})
    assert is_outdated(product, installed, published, Scope.PATTERNS) is expected
