# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""An endpoint whose engine's packages go through rings: the real apt-get by what the signed catalog allows (G1, G5)."""

from __future__ import annotations

import subprocess
from typing import Any

import pytest
from ansible_collections.epp.autoupdate.plugins.module_utils._core.metadata.catalog import NAMESPACE, Catalog
from ansible_collections.epp.autoupdate.plugins.module_utils._core.metadata.channels import CatalogHold
from ansible_collections.epp.autoupdate.plugins.module_utils._core.metadata.engine_offers import CatalogEngine
from ansible_collections.epp.autoupdate.plugins.module_utils._core.metadata.shard import Membership
from ansible_collections.epp.autoupdate.plugins.module_utils._core.reports.report import Occasion, Report
from ansible_collections.epp.autoupdate.plugins.module_utils._core.values import replace
from ansible_collections.epp.autoupdate.plugins.module_utils._endpoint import paths
from ansible_collections.epp.autoupdate.plugins.module_utils._endpoint.runner import engine
from ansible_collections.epp.autoupdate.plugins.module_utils._endpoint.runner.engine import EngineReport
from ansible_collections.epp.autoupdate.tests.unit.plugins.module_utils._endpoint.publisher import CATALOG, ENDPOINT

from ..packages.repository import NAMES, Repository, install, needs_apt, prepare
from ..sync.conftest import Managed, managed, server

__all__ = ("managed", "server")
pytestmark = needs_apt
ALWAYS = [{"from": "00:00", "to": "00:00"}]
LATER = [{"from": "20:00", "to": "22:00"}]
ON = {"scope": "all", "engine_packages": True, "engine_windows": ALWAYS}


class Member:
    """An endpoint of the ring ``broad``, whose package source has version 1, which is installed, and what tests add."""

    def __init__(self, managed: Managed) -> None:
        self.managed, self.sandbox = managed, managed.sandbox
        self.repository = Repository(self.sandbox.directory / "repository")
        prepare(self.sandbox.root, self.repository)
        (self.sandbox.root / "etc/os-release").write_text('ID=debian\nVERSION_ID="13"\n')
        self.repository.publish("1.0-1")
        install(self.sandbox.root, self.repository, "1.0-1")
        self.adopt("broad")

    def adopt(self, channel: str, *, components: dict[str, Any] | None = None) -> None:
        """Be of this ring; of none where it is empty."""
        publisher = self.managed.publisher
        publisher.root = {"components": ON if components is None else components, "schedule": {"start": "12:00"}}
        publisher.endpoints[ENDPOINT] = Membership("", 0, channels={"clamav": channel} if channel else {})
        publisher.publish()
        self.converge()
        self.managed.sync()
        self.converge()

    def converge(self, **more: Any) -> Any:
        probe = {"command": ["/bin/sh", "-c", f"test ! -e {self.sandbox.directory}/refuses"]}
        return self.managed.converge(product="clamav", clamav={"databases": ["test"]}, probe=probe, **more)

    @property
    def stream(self) -> str:
        return str(self.managed.status()["engine_stream"])

    def allow(self, *versions: str, holds: tuple[CatalogHold, ...] = (), free: bool = False) -> None:
        """What the catalog says of this endpoint's ring."""
        channels = {"broad": None if free else versions}
        offered = CatalogEngine("clamav", self.stream, channels)
        header = self.managed.publisher._header("catalog", {})
        catalog = Catalog.of(header, (), holds=holds).with_engines([offered])
        self.managed.publisher.put(CATALOG, catalog.to_bytes(), namespace=NAMESPACE)

    def run(self, *, due: bool = False) -> EngineReport:
        return engine.run(self.sandbox.endpoint, due=due)

    def installed(self) -> set[str]:
        query = ["dpkg-query", f"--admindir={self.sandbox.root}/var/lib/dpkg", "-W", "-f", "${Version} ", *NAMES]
        return set(subprocess.run(query, check=True, capture_output=True, text=True).stdout.split())

    def apt_get(self, *words: str) -> None:
        """What a person types, or a timer of the distribution."""
        root = self.sandbox.root
        options = (f"Dir={root}/", f"Dir::State::status={root}/var/lib/dpkg/status", f"DPkg::Options::=--root={root}")
        argv = ["apt-get", "-q", "-y", *(word for one in options for word in ("-o", one)), *words]
        subprocess.run(argv, check=True, capture_output=True)


@pytest.fixture
def member(managed: Managed) -> Member:
    return Member(managed)


def hold(version: str, restore: str, stream: str) -> CatalogHold:
    return CatalogHold("clamav", f"engine {version}", {"engine": version}, restore, "clamd crashes", 1, stream)


def test_a_later_ring_installs_what_it_is_allowed_and_says_what_it_waits_for(member: Member) -> None:
    member.allow()
    member.repository.publish("1.1-1")
    report = member.run()
    assert (report.record.result, member.installed()) == ("held", {"1.0-1"})
    assert report.record.why == "engine 1.1-1 is not offered to its ring yet"
    member.repository.publish("1.2-1")
    member.allow("1.1-1")
    report = member.run()
    assert (report.record.result, member.installed()) == ("updated", {"1.1-1"}), report
    assert member.managed.status()["engine"]["version"] == "1.1-1"
    assert member.run().record.why == "engine 1.2-1 is not offered to its ring yet"
    member.allow(free=True)
    assert (member.run().record.result, member.installed()) == ("updated", {"1.2-1"})


def test_no_other_run_of_apt_carries_it_past_its_ring(member: Member) -> None:
    pin = member.sandbox.root / paths.APT_PIN[1:]
    (member.sandbox.root / "etc/apt/preferences.d/own").write_text(
        "Package: libclamav12\nPin: version 1.2-1\nPin-Priority: -1\n"
    )
    member.allow(free=True)
    member.repository.publish("1.1-1")
    for words in (["update"], ["upgrade"], ["dist-upgrade"], ["install", *NAMES]):
        member.apt_get(*words)
        assert member.installed() == {"1.0-1"}
    assert (member.run().record.result, member.installed()) == ("updated", {"1.1-1"})
    member.repository.publish("1.2-1")  # what the administrator has pinned holds for our runs, too
    assert "libclamav12" not in member.run().record.why
    assert member.installed() != {"1.2-1"}
    pin.unlink()
    assert any(change.path == paths.APT_PIN for change in member.converge(check=True).changes)
    assert member.converge().changed
    assert member.converge().changed is False
    member.adopt("broad", components={"scope": "all"})
    assert not pin.exists()


@pytest.mark.heavy
def test_the_pin_is_there_in_rings_alone_and_goes_with_the_endpoint(member: Member) -> None:
    from ansible_collections.epp.autoupdate.plugins.module_utils._endpoint.converge.remove import remove

    pin = member.sandbox.root / paths.APT_PIN[1:]
    member.adopt("")
    assert not pin.exists()
    assert "engine_stream" not in member.managed.status()
    member.adopt("broad")
    assert pin.exists()
    remove(member.sandbox.host, check=False)
    assert not pin.exists()


def test_what_somebody_else_installs_past_its_ring_is_told_and_left(member: Member) -> None:
    member.allow()
    assert member.run().record.result == "current"
    member.repository.publish("1.1-1")
    member.apt_get("update")
    member.apt_get("install", *(f"{name}=1.1-1" for name in NAMES))
    for _run in range(2):
        report = member.run()
        assert (report.record.result, member.installed()) == ("held", {"1.1-1"})
        why = "engine 1.1-1 was installed by somebody else, and is not offered to its ring yet"
        assert report.record.why == why
    put_on_hold(member)
    report = member.run()
    assert report.record.result == "held"
    assert report.record.why.startswith(f"{why}; clamav: on hold by this host's administrator")
    put_on_hold(member, "install")
    member.allow("1.1-1")
    assert member.run().record.result == "current"


def put_on_hold(member: Member, selection: str = "hold") -> None:
    argv = ["dpkg", f"--root={member.sandbox.root}", "--set-selections"]
    subprocess.run(argv, input=f"clamav {selection}\n".encode(), check=True, capture_output=True)


def test_the_outcome_of_a_trial_is_told_apart_from_that_of_runs_after_it(member: Member) -> None:
    member.allow(free=True)
    member.repository.publish("1.1-1")
    assert member.run().record.result == "updated"
    member.sandbox.host.clock += 3600
    put_on_hold(member)
    assert member.run().record.result == "held"
    told = member.managed.status()["engine"]
    assert (told["result"], told["version"], told["outcome"]) == ("held", "1.1-1", {"result": "updated", "reason": ""})
    document = Report.of_status(
        member.managed.status(), endpoint="n1", sequence=1, at=0, occasion=Occasion.RUN, agent="1"
    )
    assert Report.from_bytes(document.to_bytes()).status["engine"]["outcome"]["result"] == "updated"


def test_the_outcome_of_a_trial_that_was_cut_off_is_the_failure_of_the_run_after_it(member: Member) -> None:
    member.allow(free=True)
    assert member.run().record.result == "current"
    store = member.sandbox.endpoint.store
    tried = {"engine_tried": "1.1-1", "engine_tried_at": member.sandbox.host.clock + 60, "engine_unproven": True}
    store.change(lambda state: replace(state, **tried))
    member.sandbox.host.clock += 3600
    member.converge()
    assert "outcome" not in member.managed.status()["engine"]
    (member.sandbox.directory / "refuses").touch()
    assert member.run().record.kind == "probe"
    told = member.managed.status()["engine"]
    assert (told["version"], told["outcome"]["result"], told["outcome"]["kind"]) == ("1.1-1", "failed", "probe")


def test_a_version_that_is_taken_back_waits_for_no_window(member: Member) -> None:
    member.allow(free=True)
    member.repository.publish("1.1-1")
    assert member.run().record.result == "updated"
    member.adopt("broad", components={**ON, "engine_windows": LATER})
    member.allow("1.0-1", holds=(hold("1.1-1", "1.0-1", "ubuntu-24.04-x86_64"),))
    assert member.run(due=True).record.why.startswith("outside components.engine_windows")
    member.allow("1.0-1", holds=(hold("1.1-1", "", member.stream),))  # a halt: who has it keeps it
    assert member.run(due=True).record.why.startswith("outside components.engine_windows")
    member.allow("1.0-1", holds=(hold("1.1-1", "1.0-1", member.stream),))
    report = member.run(due=True)
    assert (report.record.result, member.installed()) == ("held", {"1.0-1"})
    assert report.record.why == "engine 1.1-1 is held: clamd crashes; engine 1.0-1 is back"
    assert member.run(due=True).record.why.startswith("outside components.engine_windows")


def test_a_version_that_fails_is_reported_with_its_name(member: Member) -> None:
    member.allow(free=True)
    member.repository.publish("1.1-1")
    (member.sandbox.directory / "refuses").touch()
    assert member.run().record.kind == "probe"
    told = Report.of_status(
        member.managed.status(), endpoint="n1", sequence=1, at=0, occasion=Occasion.RUN, agent="1"
    ).status
    assert (told["engine"]["version"], told["engine"]["result"], told["engine"]["kind"]) == ("1.1-1", "failed", "probe")
    assert told["engine_stream"].startswith("debian-13-")
    member.sandbox.host.clock += 3600
    assert member.run().record.kind == "probe"  # it is not begun again for a day
    later = member.managed.status()["engine"]
    assert (later["tried"], later["finished"] == told["engine"]["finished"]) == (told["engine"]["tried"], False)


@pytest.mark.heavy
def test_without_a_catalog_or_its_stream_nothing_is_installed(member: Member) -> None:
    member.repository.publish("1.1-1")
    report = member.run()
    assert report.record.why.endswith(
        "not offered to its ring yet: the update server's signed catalog is not known here"
    )
    member.allow(free=True)
    (member.sandbox.root / "etc/os-release").write_text("ID=devuan\nVERSION_CODENAME=excalibur\n")
    assert "does not tell of engines on devuan-excalibur-" in member.run().record.why
    assert member.installed() == {"1.0-1"}


def test_an_engine_that_is_not_staged_says_nothing_new(member: Member) -> None:
    member.adopt("")
    member.repository.publish("1.1-1")
    assert member.run().record.result == "updated"
    told = member.managed.status()
    assert ("engine_stream" in told, "version" in told["engine"]) == (False, False)
