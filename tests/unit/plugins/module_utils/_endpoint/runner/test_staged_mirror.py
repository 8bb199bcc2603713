# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A mirror that gives what the catalog does not offer to the endpoint's channel is not believed (G1), by freshclam."""

from __future__ import annotations

import os
import shutil
import time
from pathlib import Path

import pytest
from ansible_collections.epp.autoupdate.plugins.module_utils._core.canonical import sha256_hex
from ansible_collections.epp.autoupdate.plugins.module_utils._core.metadata.catalog import NAMESPACE, Catalog
from ansible_collections.epp.autoupdate.plugins.module_utils._core.metadata.channels import CatalogChannel
from ansible_collections.epp.autoupdate.plugins.module_utils._core.metadata.shard import Membership
from ansible_collections.epp.autoupdate.plugins.module_utils._core.results import Result, Trigger
from ansible_collections.epp.autoupdate.plugins.module_utils._endpoint import holds
from ansible_collections.epp.autoupdate.plugins.module_utils._endpoint.products.clamav.freshclam_conf import (
    current_user,
)
from ansible_collections.epp.autoupdate.plugins.module_utils._endpoint.runner.report import RunReport
from ansible_collections.epp.autoupdate.tests.unit.plugins.module_utils._endpoint.products.clamav.samples import (
    needs_freshclam,
    signature,
)
from ansible_collections.epp.autoupdate.tests.unit.plugins.module_utils._endpoint.publisher import CATALOG, ENDPOINT

from ..sync.conftest import Managed, managed, server

__all__ = ("managed", "server")

CHANNEL = "components/clamav/channels/broad"
GOOD, BETTER, OTHER = (signature(f"Epp.{name}", name.encode()) for name in ("Good", "Better", "Other"))


class Broad:
    """An endpoint of the channel ``broad`` that has one database, without a signature, from its mirror."""

    def __init__(self, managed: Managed) -> None:
        self.managed = managed
        self.moment = time.time()
        managed.publisher.root = {"schedule": {"start": "12:00"}}
        managed.publisher.endpoints[ENDPOINT] = Membership("", 0, channels={"clamav": "broad"})
        managed.publisher.publish()
        url = f"{managed.server.url}/{CHANNEL}/lab.ndb"
        settings = {"databases": [], "custom_urls": [url], "database_owner": current_user()}
        managed.converge(product="clamav", command={}, clamav=settings, probe={"clean": []})
        managed.sync()

    def offer(self, content: str) -> None:
        """What the catalog offers to the channel."""
        version = sha256_hex(content.encode())[:12]
        offered = CatalogChannel("clamav", "broad", f"lab.ndb={version}", {"lab.ndb": version})
        header = self.managed.publisher._header("catalog", {})
        catalog = Catalog.of(header, (), channels=(offered,)).to_bytes()
        self.managed.publisher.put(CATALOG, catalog, namespace=NAMESPACE)

    def serve(self, content: str) -> None:
        """What lies on the web server, newer than what was there."""
        place = Path(self.managed.server.folder) / CHANNEL / "lab.ndb"
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(content)
        self.moment += 100
        os.utime(place, (self.moment, self.moment))

    def run(self) -> RunReport:
        return self.managed.sandbox.runner().run(Trigger.MANUAL)

    def installed(self) -> str:
        return (self.managed.sandbox.root / "var/lib/clamav/lab.ndb").read_text()


@pytest.fixture
def broad(managed: Managed, monkeypatch: pytest.MonkeyPatch) -> Broad:
    monkeypatch.setattr(holds, "_PAUSES_S", (0.0, 0.1))
    broad = Broad(managed)
    broad.offer(GOOD)
    broad.serve(GOOD)
    assert broad.run().result is Result.UPDATED
    return broad


@needs_freshclam
def test_what_another_ring_is_offered_is_taken_back(broad: Broad) -> None:
    broad.serve(OTHER)
    report = broad.run()
    assert (report.result, report.changed, broad.installed()) == (Result.HELD, (), GOOD), report
    assert "does not offer it to the channel broad; lab.ndb" in report.why
    assert report.why.endswith("is back")
    assert broad.run().result is Result.HELD
    broad.offer(OTHER)
    report = broad.run()
    assert (report.result, broad.installed()) == (Result.UPDATED, OTHER), report


@needs_freshclam
def test_content_that_is_there_before_the_catalog_is_waited_for(broad: Broad, monkeypatch: pytest.MonkeyPatch) -> None:
    """A server fills a channel first, and publishes the catalog then."""

    def published_meanwhile(_seconds: float) -> None:
        broad.offer(BETTER)

    broad.serve(BETTER)
    monkeypatch.setattr(holds.time, "sleep", published_meanwhile)
    report = broad.run()
    assert (report.result, broad.installed()) == (Result.UPDATED, BETTER), report


@needs_freshclam
def test_where_no_earlier_set_is_there_it_is_told_in_each_run(broad: Broad) -> None:
    shutil.rmtree(broad.managed.sandbox.root / "var/lib/clamav")
    broad.serve(OTHER)
    for _run in range(3):
        report = broad.run()
        assert (report.result, broad.installed()) == (Result.HELD, OTHER), report
        assert "no earlier set of databases is kept" in report.why
    broad.serve(GOOD)
    report = broad.run()
    assert (report.result, broad.installed()) == (Result.UPDATED, GOOD), report


@needs_freshclam
def test_a_catalog_that_can_not_be_had_is_the_last_one(broad: Broad) -> None:
    (broad.managed.publisher.folder / CATALOG).unlink()
    broad.serve(OTHER)
    assert (broad.run().result, broad.installed()) == (Result.HELD, GOOD)


@needs_freshclam
def test_what_is_installed_already_is_nobody_s_business(broad: Broad) -> None:
    """An endpoint that has moved to a ring which is offered an older version keeps what it has."""
    broad.offer(OTHER)
    assert (broad.run().result, broad.installed()) == (Result.CURRENT, GOOD)
