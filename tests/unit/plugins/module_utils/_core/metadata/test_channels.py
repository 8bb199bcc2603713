# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Channels and holds in the signed catalog, and the channels of an endpoint in its shard (G1, G5)."""

from __future__ import annotations

import json
from typing import Any

import pytest
from ansible_collections.epp.autoupdate.plugins.module_utils._core.metadata.catalog import Catalog
from ansible_collections.epp.autoupdate.plugins.module_utils._core.metadata.channels import (
    CatalogChannel,
    CatalogHold,
    ChannelManifest,
)
from ansible_collections.epp.autoupdate.plugins.module_utils._core.metadata.header import Header
from ansible_collections.epp.autoupdate.plugins.module_utils._core.metadata.manifest import manifest_path
from ansible_collections.epp.autoupdate.plugins.module_utils._core.metadata.shard import Membership, Shard
from ansible_collections.epp.autoupdate.plugins.module_utils._core.validation.errors import InvalidDocument
from ansible_collections.epp.autoupdate.plugins.module_utils._core.values import replace

HEADER = Header(3, 10, 20)
MANIFEST = ChannelManifest(34, "1" * 64, "components/files/channels/canary/manifest.json")
CANARY = CatalogChannel("files", "canary", "13", {"rules": "13", "engine": "4"}, MANIFEST)
BROAD = CatalogChannel("files", "broad", "12", {"rules": "12", "engine": "4"}, replace(MANIFEST, sha256="2" * 64))
MIRROR = CatalogChannel("clamav", "canary", "daily=27500", {"daily": "27500"}, expedited=True)
HALT = CatalogHold("files", "14", {"rules": "14"}, "", "2 of 2 failed", 100)
HOLD = CatalogHold("clamav", "daily=27501", {"daily": "27501"}, "daily=27500", "flags a clean file", 200)
STAGED = Catalog.of(HEADER, [], channels=[CANARY, BROAD, MIRROR], holds=[HALT, HOLD])


def test_channels_and_holds_survive_the_bytes_of_a_catalog_and_belong_to_what_is_signed() -> None:
    assert Catalog.from_bytes(STAGED.to_bytes()) == STAGED
    assert [(one.product, one.channel) for one in STAGED.channels] == [
        ("clamav", "canary"),
        ("files", "broad"),
        ("files", "canary"),
    ]
    for changed in (
        replace(STAGED, channels=STAGED.channels[1:]),
        replace(STAGED, channels=(*STAGED.channels[1:], replace(MIRROR, expedited=False))),
        replace(STAGED, holds=()),
        replace(STAGED, holds=(replace(HALT, restore="13"), HOLD)),
    ):
        assert changed.digest() != STAGED.digest()


def test_without_channels_and_holds_a_catalog_has_no_key_of_them() -> None:
    assert set(json.loads(Catalog.of(HEADER, []).to_bytes())) == {
        *("format", "kind", "serial", "issued", "expires"),
        *("components", "manifests"),
    }


@pytest.mark.parametrize(
    ("change", "path"),
    [
        ({"channels": {}}, "channels"),
        ({"channels": [1]}, "channels[0]"),
        ({"channels": [{**CANARY.to_dict(), "channel": "../canary"}]}, "channels[0].channel"),
        ({"channels": [{**CANARY.to_dict(), "components": ["rules"]}]}, "channels[0].components"),
        ({"channels": [{**CANARY.to_dict(), "components": {"rules": "1\n2"}}]}, "channels[0].components"),
        ({"channels": [{**CANARY.to_dict(), "expedited": "yes"}]}, "channels[0].expedited"),
        ({"channels": [{**CANARY.to_dict(), "manifest": {"size": 1}}]}, "channels[0].manifest[0].sha256"),
        ({"channels": [{"product": "files"}]}, "channels[0].version"),
        ({"holds": [{}]}, "holds[0].version"),
        ({"holds": [{"more": 1}]}, "holds[0].more"),
        ({"holds": None}, "holds"),
    ],
)
def test_errors_of_channels_and_holds_have_their_path(change: dict[str, Any], path: str) -> None:
    raw = {**json.loads(STAGED.to_bytes()), **change}
    with pytest.raises(InvalidDocument) as refused:
        Catalog.from_bytes(json.dumps(raw).encode())
    assert path in [error.path for error in refused.value.errors]


def test_a_channel_is_found_by_product_and_name() -> None:
    assert STAGED.channel("files", "canary") == CANARY
    assert STAGED.channel("clamav", "broad") is None


def test_a_held_version_is_held_for_every_channel_that_is_not_offered_it() -> None:
    assert STAGED.hold_of("files", "14") == HALT == STAGED.hold_of("files", "14", "broad")
    assert STAGED.hold_of("files", "13") is None
    assert STAGED.hold_of("command", "14") is None
    offered = replace(STAGED, channels=(replace(CANARY, version="14"),))
    assert offered.hold_of("files", "14", "canary") is None
    assert offered.hold_of("files", "14", "broad") == HALT


def test_a_held_component_is_held_unless_its_channel_is_offered_it() -> None:
    assert STAGED.hold_of_components("clamav", {"daily": "27501", "main": "62"}, "canary") == HOLD
    assert STAGED.hold_of_components("clamav", {"daily": "27500"}, "canary") is None
    assert STAGED.hold_of_components("clamav", {}, "canary") is None
    offered = replace(STAGED, channels=(replace(MIRROR, components={"daily": "27501"}),))
    assert offered.hold_of_components("clamav", {"daily": "27501"}, "canary") is None
    assert offered.hold_of_components("clamav", {"daily": "27501"}, "broad") == HOLD


def test_of_two_holds_on_one_version_the_newer_one_counts() -> None:
    later = replace(HALT, restore="13", since=300)
    assert replace(STAGED, holds=(HALT, HOLD, later)).hold_of("files", "14") == later


def test_the_channels_of_an_endpoint_are_in_its_shard_where_it_has_any() -> None:
    assert Membership("emea", 7).to_dict() == {"domain": "emea", "ordinal": 7}
    staged = Membership("emea", 7, None, {"files": "canary"})
    assert staged.to_dict() == {"domain": "emea", "ordinal": 7, "channels": {"files": "canary"}}
    shard = Shard(HEADER, 1, {"web-1": staged.to_dict(), "web-2": Membership("", 8).to_dict()})
    read = Shard.from_bytes(shard.to_bytes())
    assert read.membership("web-1") == staged
    assert read.membership("web-2") == Membership("", 8)


@pytest.mark.parametrize("channels", [{}, [], "canary", {"defender": "canary"}, {"files": "../x"}, {"files": None}])
def test_channels_that_are_none_are_refused(channels: object) -> None:
    shard = Shard(HEADER, 1, {"web-1": {"domain": "", "ordinal": 1, "channels": channels}})
    with pytest.raises(InvalidDocument) as refused:
        shard.membership("web-1")
    assert refused.value.errors[0].path == "endpoints.web-1.channels"


def test_the_manifest_of_a_channel_lies_beside_that_of_everybody() -> None:
    assert manifest_path() == "manifest.json"
    assert manifest_path("canary") == "channels/canary/manifest.json"
