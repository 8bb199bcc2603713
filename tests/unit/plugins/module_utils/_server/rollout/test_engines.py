# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Versions of engine packages, from reports of two distributions over rings to what the catalog allows (G1 to G6)."""

from __future__ import annotations

import json
from contextlib import closing

import pytest
from ansible_collections.epp.autoupdate.plugins.module_utils._core.rings.by_hand import NotPossible
from ansible_collections.epp.autoupdate.plugins.module_utils._server import paths
from ansible_collections.epp.autoupdate.plugins.module_utils._server.database.database import open_database
from ansible_collections.epp.autoupdate.plugins.module_utils._server.health import health
from ansible_collections.epp.autoupdate.plugins.module_utils._server.publication.verify import find_problems
from ansible_collections.epp.autoupdate.plugins.module_utils._server.rollout.status import rollouts

from .conftest import HOUR, Server
from .engines import DEBIAN, NEW, NEWER, OLD, RINGS, UBUNTU, Fleet, fleet, settled_root

__all__ = ("fleet", "settled_root")
FEDORA = "fedora-43-x86_64"


def test_what_all_have_passes_both_rings_of_each_distribution(fleet: Fleet) -> None:
    for stream in (DEBIAN, UBUNTU):
        assert fleet.kinds(stream) == [
            ("published", OLD, ""),
            ("offered", OLD, "canary"),
            ("passed", OLD, "canary"),
            ("offered", OLD, "broad"),
            ("passed", OLD, "broad"),
        ]
    assert [one.to_dict() for one in fleet.server.catalog().engines] == [
        {"product": "clamav", "stream": stream, "channels": {"canary": None, "broad": [OLD]}}
        for stream in (DEBIAN, UBUNTU)
    ]


def test_a_good_version_goes_through_the_rings_of_its_own_distribution(fleet: Fleet) -> None:
    fleet.sources[DEBIAN] = NEW
    fleet.hours(2)
    assert (fleet.versions("c1", "c2"), fleet.versions("b1", "b2", "b3")) == ({NEW}, {OLD})
    assert {one.run["result"] for name, one in fleet.engines.items() if name[0] == "b"} == {"held"}
    fleet.hours(3)
    assert fleet.versions("b1", "b2", "b3") == {NEW}
    assert fleet.versions("u1", "u2", "u3") == {OLD}
    fleet.hours(3)
    assert fleet.kinds()[5:] == [
        ("published", NEW, ""),
        ("offered", NEW, "canary"),
        ("passed", NEW, "canary"),
        ("offered", NEW, "broad"),
        ("passed", NEW, "broad"),
    ]
    assert len(fleet.kinds(UBUNTU)) == 5


def test_a_bad_version_halts_in_the_first_ring_and_the_other_distribution_goes_on(fleet: Fleet) -> None:
    fleet.sources = dict.fromkeys(fleet.sources, NEW)
    fleet.engines["c1"].bad = {NEW}
    fleet.hours(30, step=3)
    assert fleet.takers(NEW) == ["c1", "c2", "u1", "u2", "u3"]
    assert fleet.kinds()[-1] == ("halted", NEW, "canary")
    (hold,) = fleet.server.catalog().holds
    assert (hold.stream, hold.components, hold.restore) == (DEBIAN, {"engine": NEW}, "")
    assert hold.reason == "1 of 2 failed: probe: clamd did not come back"
    found = fleet.server.catalog().engine("clamav", DEBIAN)
    assert found is not None
    assert found.channels == {"canary": (OLD,), "broad": (OLD,)}


def test_an_abort_takes_it_back_and_the_next_version_goes_through(fleet: Fleet) -> None:
    fleet.sources[DEBIAN] = NEW
    fleet.engines["c1"].bad = {NEW}
    fleet.hours(2)
    assert fleet.versions("c1", "c2") == {OLD, NEW}
    assert fleet.server.run("rollout", "abort", "--reason", "clamd crashes", "--by", "operator") == 0
    assert fleet.server.catalog().holds[0].restore == OLD
    fleet.hours(1)
    assert fleet.versions("c1", "c2") == {OLD}
    fleet.sources[DEBIAN] = NEWER
    fleet.hours(8)
    assert fleet.versions("c1", "c2", "b1", "b2", "b3") == {NEWER}
    assert fleet.takers(NEW) == ["c1", "c2"]
    assert fleet.server.catalog().holds == ()


def test_a_resumed_version_goes_on_without_the_endpoint_that_refused_it(fleet: Fleet) -> None:
    fleet.sources[DEBIAN] = NEW
    fleet.engines["c1"].bad = {NEW}
    fleet.hours(2)
    fleet.server.host.clock += 1
    assert fleet.server.run("rollout", "resume", NEW, "--reason", "its disk is full") == 0
    fleet.hours(8)
    assert fleet.versions("b1", "b2", "b3") == {NEW}


def test_a_failure_counts_however_long_its_next_report_is_under_way(fleet: Fleet) -> None:
    fleet.set({**RINGS, "failure_threshold": "5%", "minimum_finished": 2})
    fleet.sources[DEBIAN] = NEW
    canary, other = fleet.engines["c1"], fleet.engines["c2"]
    canary.bad = {NEW}
    for delay in (0.8, 0.2):
        canary.delay = delay
        fleet.server.host.clock += HOUR
        canary.upgrade()
        other.report()  # its window comes later
        assert fleet.server.run("promote") == 0
    canary.delay = 0.0
    fleet.hours(8)
    assert fleet.takers(NEW) == ["c1", "c2"]
    assert fleet.kinds()[-1] == ("halted", NEW, "canary")


def test_expedite_and_release_by_the_name_of_the_stream(fleet: Fleet) -> None:
    fleet.sources[DEBIAN] = NEW
    fleet.hours(1)
    track = f"clamav/engine/{DEBIAN}"
    fleet.server.run("rollout", "expedite", NEW, "--product", track, "--reason", "an outbreak")
    fleet.hours(1)
    assert fleet.versions("c1", "c2", "b1", "b2", "b3") == {NEW}
    fleet.server.run("rollout", "hold", NEW, "--product", track, "--reason", "slow scans")
    fleet.hours(1)
    assert fleet.versions("c1", "c2", "b1", "b2", "b3") == {OLD}
    fleet.server.run("rollout", "release", NEW, "--reason", "it was the disk")
    fleet.hours(1)
    assert (fleet.versions("c1", "c2"), fleet.versions("b1", "b2", "b3")) == ({NEW}, {OLD})
    with pytest.raises(NotPossible, match="installed stands for"):
        fleet.server.run("rollout", "hold", "installed", "--product", track, "--reason", "none")
    with pytest.raises(NotPossible, match="several rollouts can be meant"):
        fleet.server.run("rollout", "expedite", "--reason", "which?")


def test_a_halt_is_told_by_status_health_audit_and_verify(fleet: Fleet) -> None:
    fleet.sources[DEBIAN] = NEW
    fleet.engines["c2"].bad = {NEW}
    fleet.hours(2)
    host = fleet.server.host
    with closing(open_database(host)) as connection:
        known = {one["product"]: one for one in rollouts(host, connection)}
        assert find_problems(host, connection) == []
        alarms = [one.words for one in health(host, connection).alarms if one.name == "rollout"]
    debian = known[f"clamav/engine/{DEBIAN}"]
    assert (debian["newest"], [ring["phase"] for ring in debian["rings"]]) == (NEW, ["halted", "idle"])
    assert debian["stops"][0]["commands"][0] == (
        f"epp-server rollout abort {NEW} --product clamav/engine/{DEBIAN} --reason 'WHY'"
    )
    why = "1 of 2 failed: probe: clamd did not come back"
    assert alarms == [f"clamav/engine/{DEBIAN}: the rollout of {NEW} is halted in canary ({why})"]
    lines = (host.read(paths.AUDIT_LOG) or b"").decode().splitlines()
    halted = next(one for one in map(json.loads, lines) if one["kind"] == "halted")
    assert halted["about"] == {"product": f"clamav/engine/{DEBIAN}", "version": NEW, "ring": "canary"}
    assert (halted["evidence"]["failed"], halted["evidence"]["healthy"]) == (1, 1)


def test_a_distribution_without_a_canary_begins_in_the_first_ring_that_has_it(fleet: Fleet) -> None:
    fleet.add("f1", "f2", stream=FEDORA)
    fleet.sources[FEDORA] = NEW
    fleet.hours(1)
    assert fleet.versions("f1", "f2") == {OLD}
    fleet.hours(1)
    assert fleet.versions("f1", "f2") == {NEW}
    assert fleet.kinds(FEDORA) == [
        ("published", OLD, ""),
        ("offered", OLD, "broad"),
        ("published", NEW, ""),
        ("offered", NEW, "broad"),
    ]


def test_what_is_installed_beside_in_a_later_ring_is_no_version(fleet: Fleet) -> None:
    fleet.engines["b1"].version = NEW
    fleet.hours(3)
    assert (NEW in fleet.takers(NEW), len(fleet.kinds())) == (False, 5)


def test_without_rings_all_of_it_goes_and_a_dry_run_allows_everything(fleet: Fleet) -> None:
    fleet.set({**RINGS, "dry_run": True})
    assert fleet.server.run("promote") == 0
    assert all(set(one.channels.values()) == {None} for one in fleet.server.catalog().engines)
    fleet.set(None)
    assert fleet.server.run("promote") == 0
    assert fleet.server.catalog().engines == ()
    assert b"engine" not in (fleet.server.host.read(f"{paths.PUBLIC}/configuration/catalog.json") or b"")


def test_rings_without_any_reported_engine_add_nothing_to_the_catalog(server: Server) -> None:
    server.offer("two")
    assert b'"engine' not in (server.host.read(f"{paths.PUBLIC}/configuration/catalog.json") or b"")
