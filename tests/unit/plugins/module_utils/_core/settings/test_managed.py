# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the tree makes of the document of an endpoint: its channel, and where its components come from (G1)."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.epp.autoupdate.plugins.module_utils._core.metadata.shard import Membership
from ansible_collections.epp.autoupdate.plugins.module_utils._core.settings.endpoint import EndpointDocument
from ansible_collections.epp.autoupdate.plugins.module_utils._core.settings.managed import brought, in_force

URL = "http://updates.example.com"
SERVER = {"url": URL, "signers": [f"ssh-ed25519 {'A' * 68}"]}
COMMAND = {"update": ["/usr/bin/update"], "version": ["/usr/bin/version"]}


def document(product: str, **more: Any) -> EndpointDocument:
    more |= {"command": COMMAND} if product == "command" else {}
    return EndpointDocument.from_dict({"format": 1, "endpoint": "n1", "product": product, "server": SERVER, **more})


@pytest.mark.parametrize(
    ("product", "channels", "channel", "url"),
    [
        ("files", None, "", "components/files"),
        ("files", {"clamav": "canary"}, "", "components/files"),
        ("files", {"files": "canary"}, "canary", "components/files"),
        ("command", {"command": "canary"}, "canary", "components/command"),
        ("clamav", None, "", "components/clamav"),
        ("clamav", {"clamav": "canary"}, "canary", "components/clamav/channels/canary"),
    ],
)
def test_a_channel_of_its_product_decides_where_components_come_from(
    product: str, channels: dict[str, str] | None, channel: str, url: str
) -> None:
    found = in_force(document(product), Membership("", 3, channels=channels), {})
    assert (found.channel, found.policy.sources.urls) == (channel, (f"{URL}/{url}",))
    assert ("channel" in found.to_dict()) is bool(channel)
    assert "channel" not in brought(found)
    assert EndpointDocument.from_dict(found.to_dict()) == found


def test_sources_that_policy_names_stay_as_they_are() -> None:
    policy = {"sources": {"urls": ["http://mirror.example.com/clamav"]}}
    found = in_force(document("clamav"), Membership("", 3, channels={"clamav": "canary"}), policy)
    assert found.policy.sources.urls == ("http://mirror.example.com/clamav",)


@pytest.mark.parametrize(
    ("url", "becomes"),
    [
        (f"{URL}/components/clamav/own.ndb", f"{URL}/components/clamav/channels/canary/own.ndb"),
        (f"{URL}/components/clamav/channels/broad/own.ndb", f"{URL}/components/clamav/channels/broad/own.ndb"),
        (f"{URL}/components/other/own.ndb", f"{URL}/components/other/own.ndb"),
        ("http://third.example.com/components/clamav/own.ndb", "http://third.example.com/components/clamav/own.ndb"),
    ],
)
def test_a_database_of_the_servers_mirror_comes_from_the_endpoints_channel(url: str, becomes: str) -> None:
    """Whatever an endpoint is told of the mirror, its ring decides which version of it comes (G1)."""
    given = document("clamav", clamav={"custom_urls": [url]})
    policy = {"sources": {"urls": [f"{URL}/components/clamav", "http://mirror.example.com/clamav"]}}
    for channels, custom, first in (
        ({"clamav": "canary"}, becomes, f"{URL}/components/clamav/channels/canary"),
        (None, url, f"{URL}/components/clamav"),
    ):
        found = in_force(given, Membership("", 3, channels=channels), policy)
        assert found.clamav.custom_urls == (custom,)
        assert found.policy.sources.urls == (first, "http://mirror.example.com/clamav")
