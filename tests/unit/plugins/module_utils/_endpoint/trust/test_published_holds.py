# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the update server's signed catalog holds, as an endpoint goes by it (G4, G5)."""

from __future__ import annotations

from typing import Any

from ansible_collections.epp.autoupdate.plugins.module_utils._core.holds import Hold
from ansible_collections.epp.autoupdate.plugins.module_utils._core.metadata.catalog import NAMESPACE, Catalog
from ansible_collections.epp.autoupdate.plugins.module_utils._core.metadata.channels import CatalogChannel, CatalogHold
from ansible_collections.epp.autoupdate.plugins.module_utils._core.settings.endpoint import EndpointDocument
from ansible_collections.epp.autoupdate.plugins.module_utils._core.values import replace
from ansible_collections.epp.autoupdate.plugins.module_utils._endpoint.trust.published_holds import published_holds
from ansible_collections.epp.autoupdate.tests.unit.plugins.module_utils._endpoint.publisher import CATALOG

from ..sync.conftest import Managed

BAD = CatalogHold("clamav", "v2", {"daily": "27002", "main": "62"}, "v1", "it takes printers for malware", 1)
HALTED = CatalogHold("clamav", "v3", {"daily": "27003"}, "", "two of two canaries failed", 2)
OTHER = CatalogHold("files", "7", {"a": "7"}, "6", "", 3)


def publish(managed: Managed, *holds: CatalogHold, offered: dict[str, str], **changes: Any) -> None:
    """A catalog whose channel ``canary`` is offered these versions of ClamAV."""
    channel = CatalogChannel("clamav", "canary", "v1", offered)
    header = managed.publisher._header("catalog", changes)
    catalog = Catalog.of(header, (), channels=(channel,), holds=holds)
    managed.publisher.put(CATALOG, catalog.to_bytes(), namespace=NAMESPACE)


def asked(managed: Managed, *, product: str = "clamav", channel: str = "canary") -> tuple[Hold, ...]:
    raw = managed.document(product=product)
    del raw["command"]
    document = replace(EndpointDocument.from_dict(raw), channel=channel)
    return published_holds(managed.sandbox.host, document)


def test_versions_of_components_are_held_but_for_those_of_the_own_channel(managed: Managed) -> None:
    publish(managed, BAD, HALTED, OTHER, offered={"daily": "27001", "main": "62"})
    assert asked(managed) == (
        Hold("27003", "daily", "two of two canaries failed", restores=False),
        Hold("27002", "daily", "it takes printers for malware"),
    )


def test_a_release_of_files_is_held_as_a_whole(managed: Managed) -> None:
    publish(managed, BAD, OTHER, offered={})
    assert asked(managed, product="files") == (Hold("7"),)


def test_a_server_that_is_gone_lifts_no_hold(managed: Managed) -> None:
    publish(managed, BAD, offered={"main": "62"})
    held = asked(managed)
    assert [hold.version for hold in held] == ["27002"]
    managed.server.stop()
    assert asked(managed) == held


def test_a_catalog_that_was_tampered_with_lifts_no_hold(managed: Managed) -> None:
    publish(managed, BAD, offered={"main": "62"})
    held = asked(managed)
    place = managed.publisher.folder / CATALOG
    place.write_bytes(place.read_bytes().replace(b"27002", b"27009"))
    assert asked(managed) == held


def test_an_unchanged_catalog_costs_one_conditional_request(managed: Managed) -> None:
    publish(managed, BAD, offered={})
    asked(managed)
    managed.asked()
    asked(managed)
    assert managed.asked() == [(f"/{CATALOG}", 304)]
