# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""An endpoint whose rollout is staged goes back where the signed catalog says so, whatever starts the run (G5)."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.epp.autoupdate.plugins.module_utils._core.canonical import readable_json, sha256_hex
from ansible_collections.epp.autoupdate.plugins.module_utils._core.metadata.catalog import NAMESPACE, Catalog
from ansible_collections.epp.autoupdate.plugins.module_utils._core.metadata.channels import (
    CatalogChannel,
    CatalogHold,
    ChannelManifest,
)
from ansible_collections.epp.autoupdate.plugins.module_utils._core.metadata.manifest import Manifest
from ansible_collections.epp.autoupdate.plugins.module_utils._core.metadata.shard import Membership
from ansible_collections.epp.autoupdate.plugins.module_utils._core.results import Result, Trigger
from ansible_collections.epp.autoupdate.plugins.module_utils._core.timestamps import iso
from ansible_collections.epp.autoupdate.plugins.module_utils._endpoint.runner.report import RunReport
from ansible_collections.epp.autoupdate.tests.unit.plugins.module_utils._endpoint.products.files.samples import (
    publish_set,
)
from ansible_collections.epp.autoupdate.tests.unit.plugins.module_utils._endpoint.publisher import CATALOG, ENDPOINT

from ..sync.conftest import Managed, managed, server
from .runs import remember

__all__ = ("managed", "server")
RELEASES = "var/lib/epp-autoupdate/components/releases"


class Canary:
    """An endpoint of the channel ``canary``, and what that is offered of the product ``files``."""

    def __init__(self, managed: Managed, folder: Path) -> None:
        self.managed, self.source = managed, folder
        self.target = Path(managed.server.folder) / "components/files"
        self.manifests: dict[str, Manifest] = {}
        managed.publisher.root = {"schedule": {"start": "12:00"}}
        managed.publisher.endpoints[ENDPOINT] = Membership("", 0, channels={"files": "canary"})
        managed.publisher.publish()
        raw: dict[str, Any] = {"product": "files", "command": {}}
        managed.converge(**raw)
        managed.sync()

    def offer(self, version: str, *holds: CatalogHold, expedited: bool = False) -> None:
        """Offer the channel a version, which is made at its first time."""
        if version not in self.manifests:
            path = self.source / "patterns" / "a.dat"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(f"content {version}")
            self.manifests[version] = publish_set(self.source, self.target, version)
        content = readable_json(self.manifests[version].to_dict())
        place = self.target / "channels/canary/manifest.json"
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(content)
        manifest = ChannelManifest(len(content), sha256_hex(content), "components/files/channels/canary/manifest.json")
        offered = CatalogChannel("files", "canary", version, {"patterns-a": version}, manifest, expedited)
        header = self.managed.publisher._header("catalog", {})
        catalog = Catalog.of(header, (), channels=(offered,), holds=holds)
        self.managed.publisher.put(CATALOG, catalog.to_bytes(), namespace=NAMESPACE)

    def run(self, trigger: Trigger = Trigger.MANUAL) -> RunReport:
        return self.managed.sandbox.runner().run(trigger)

    def installed(self) -> str:
        place = self.managed.sandbox.root / "var/lib/epp-autoupdate/components/current/patterns/a.dat"
        return place.read_text()


ABORTED = CatalogHold("files", "2", {"patterns-a": "2"}, "1", "it takes printers for malware", 1)
HALTED = CatalogHold("files", "3", {"patterns-a": "3"}, "", "two of two canaries failed", 2)


@pytest.fixture
def canary(managed: Managed, tmp_path: Path) -> Canary:
    canary = Canary(managed, tmp_path / "source")
    for version in ("1", "2"):
        canary.offer(version)
        assert canary.run().result is Result.UPDATED
    return canary


@pytest.mark.parametrize("trigger", [Trigger.MANUAL, Trigger.DOWNLOAD, Trigger.SCHEDULE, Trigger.RECONNECT])
def test_an_abort_brings_the_last_good_version_back_whatever_starts_the_run(canary: Canary, trigger: Trigger) -> None:
    canary.offer("1", ABORTED)
    remember(canary.managed.sandbox, source_lost=True)
    report = canary.run(trigger)
    assert (report.result, canary.installed()) == (Result.HELD, "content 1")
    assert report.why == "version 2 is held: it takes printers for malware; version 1 is back"
    assert canary.run().result is Result.CURRENT
    canary.offer("3", ABORTED)
    assert canary.run().result is Result.UPDATED


def test_what_is_kept_no_more_is_fetched(canary: Canary) -> None:
    for path in (canary.managed.sandbox.root / RELEASES).glob("1-*"):
        shutil.rmtree(path)
    canary.offer("1", ABORTED)
    report = canary.run()
    assert (report.result, canary.installed()) == (Result.HELD, "content 1")


def test_a_source_that_goes_on_with_the_held_version_is_not_believed(canary: Canary) -> None:
    """The manifest is there still, and the catalog names another one."""
    canary.offer("1", ABORTED)
    place = canary.target / "channels/canary/manifest.json"
    place.write_bytes(readable_json(canary.manifests["2"].to_dict()))
    for _run in range(2):
        assert canary.run().result is Result.HELD
        assert canary.installed() == "content 1"


def test_a_server_that_is_gone_changes_nothing_about_a_hold(canary: Canary) -> None:
    canary.offer("1", ABORTED)
    canary.run()
    canary.managed.server.stop()
    canary.run()
    assert canary.installed() == "content 1"


def test_a_halt_takes_nothing_away(canary: Canary) -> None:
    canary.offer("3")
    assert canary.run().result is Result.UPDATED
    canary.offer("3", HALTED)
    assert canary.run().result is Result.CURRENT
    canary.offer("2", HALTED)
    assert canary.run().result is Result.HELD
    assert canary.installed() == "content 3"


@pytest.mark.parametrize("expedited", [True, False])
@pytest.mark.parametrize("granted", [["expedite"], ["rollback", "update_now"]])
def test_an_expedited_version_passes_a_blackout_where_policy_lets_it(
    canary: Canary, expedited: bool, granted: list[str]
) -> None:
    """G6, G7: the signed catalog says that it is one, whatever starts the run."""
    at = int(canary.managed.sandbox.host.now())
    begin, end = (f"{iso(at + seconds)[:16]}Z" for seconds in (-3600, 3600))
    freeze = {"name": "freeze", "from": begin, "to": end}
    canary.managed.publisher.root = {"schedule": {"blackouts": [freeze], "blackout_exceptions": granted}}
    canary.managed.publisher.publish()
    canary.managed.sync()
    canary.offer("3", expedited=expedited)
    passes = expedited and granted == ["expedite"]
    report = canary.run(Trigger.DOWNLOAD)
    assert (report.result, canary.installed()) == (
        (Result.UPDATED, "content 3") if passes else (Result.SKIPPED, "content 2")
    )


@pytest.mark.parametrize("granted", [["rollback"], ["expedite", "update_now"]])
def test_an_abort_passes_a_blackout_where_policy_lets_it(canary: Canary, granted: list[str]) -> None:
    at = int(canary.managed.sandbox.host.now())
    begin, end = (f"{iso(at + seconds)[:16]}Z" for seconds in (-3600, 3600))
    freeze = {"name": "freeze", "from": begin, "to": end}
    canary.managed.publisher.root = {"schedule": {"blackouts": [freeze], "blackout_exceptions": granted}}
    canary.managed.publisher.publish()
    canary.managed.sync()
    canary.offer("1", ABORTED)
    canary.run(Trigger.DOWNLOAD)
    assert canary.installed() == ("content 1" if granted == ["rollback"] else "content 2")
