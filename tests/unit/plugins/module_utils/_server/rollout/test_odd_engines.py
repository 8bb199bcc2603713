# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Engines in rings where endpoints are odd, hostile, new or gone: none alone stops or steers a fleet (G1, G2)."""

from __future__ import annotations

from contextlib import closing

from ansible_collections.epp.autoupdate.plugins.module_utils._core.timestamps import iso
from ansible_collections.epp.autoupdate.plugins.module_utils._server.channels import store
from ansible_collections.epp.autoupdate.plugins.module_utils._server.database.database import open_database
from ansible_collections.epp.autoupdate.plugins.module_utils._server.health import health
from ansible_collections.epp.autoupdate.plugins.module_utils._server.rollout.engine_job import MOST_STREAMS

from .conftest import HOUR
from .engines import DEBIAN, NEW, OLD, RINGS, UBUNTU, Fleet, fleet, settled_root

__all__ = ("fleet", "settled_root")
ODD = "99:9-1"
FAILED = {"result": "failed", "kind": "probe", "reason": "clamd did not come back"}


def alarms(fleet: Fleet) -> list[str]:
    host = fleet.server.host
    with closing(open_database(host)) as connection:
        return [one.words for one in health(host, connection).alarms if one.name == "rollout"]


def begin_anew(fleet: Fleet) -> None:
    """Rings are taken away, and set again."""
    fleet.set(None)
    assert fleet.server.run("promote") == 0
    for one in fleet.engines.values():
        one.forget()
    fleet.set(RINGS)


def test_what_failed_before_there_were_rings_is_no_failure_of_a_version_in_them(fleet: Fleet) -> None:
    begin_anew(fleet)
    fleet.sources[DEBIAN] = NEW
    first, second = fleet.engines["c1"], fleet.engines["c2"]
    first.run = {"version": NEW, "tried": iso(fleet.server.host.clock - 100 * HOUR), "outcome": FAILED}
    first.report("failed")
    second.version = NEW
    second.run = {**first.run, "outcome": {"result": "updated"}}
    second.report("updated")
    assert fleet.server.run("promote") == 0
    fleet.hours(6)
    assert not [one for one in fleet.kinds() if one[0] in ("halted", "inconclusive")]
    assert ("passed", NEW, "canary") in fleet.kinds()


def test_a_failure_in_the_rings_counts_though_another_run_has_ended_well_since(fleet: Fleet) -> None:
    fleet.set({**RINGS, "failure_threshold": "5%", "minimum_finished": 2})
    fleet.sources[DEBIAN] = NEW
    first, second = fleet.engines["c1"], fleet.engines["c2"]
    first.bad = {NEW}
    first.upgrade()
    first.report("current")
    assert fleet.server.run("promote") == 0
    second.upgrade()
    assert fleet.server.run("promote") == 0
    assert fleet.kinds()[-1] == ("halted", NEW, "canary")


def test_a_run_that_fails_later_says_nothing_of_the_version_that_was_tried_before(fleet: Fleet) -> None:
    fleet.sources[DEBIAN] = NEW
    fleet.hours(1)
    fleet.engines["c1"].report("failed", reason="the disk is full")
    assert fleet.server.run("promote") == 0
    assert fleet.kinds()[-1] == ("offered", NEW, "canary")


def test_a_version_that_one_endpoint_invents_holds_up_nothing(fleet: Fleet) -> None:
    odd = fleet.engines["c2"]
    odd.version = ODD
    odd.is_idle = True
    fleet.hours(60, step=6)
    assert ("offered", ODD, "canary") in fleet.kinds()
    fleet.sources[DEBIAN] = NEW
    fleet.hours(8)
    assert fleet.versions("b1", "b2", "b3") == {NEW}
    assert not [one for one in fleet.kinds() if one[0] in ("halted", "inconclusive")]


def test_without_the_only_canary_nothing_new_goes_on_until_there_is_another_one(fleet: Fleet) -> None:
    fleet.remove("c1", "c2")
    fleet.sources[DEBIAN] = NEW
    fleet.hours(5)
    assert fleet.versions("b1", "b2", "b3") == {OLD}
    found = fleet.server.catalog().engine("clamav", DEBIAN)
    assert found is not None
    assert found.channels == {"canary": None, "broad": (OLD,)}
    assert alarms(fleet) == [
        f"clamav/engine/{DEBIAN}: no endpoint of the ring canary is left, which tries new versions for all others"
    ]
    fleet.add("c1")
    fleet.hours(8)
    assert alarms(fleet) == []
    assert fleet.versions("c1", "b1", "b2", "b3") == {NEW}


def test_a_ring_that_is_taken_out_of_the_settings_opens_the_next_one(fleet: Fleet) -> None:
    fleet.remove("c1", "c2")
    fleet.sources[DEBIAN] = NEW
    canary, broad = RINGS["rings"]
    fleet.set({**RINGS, "rings": [{"name": "broad"}]})
    assert fleet.server.run("promote") == 0
    fleet.hours(1)
    assert fleet.versions("b1", "b2", "b3") == {NEW}
    fleet.set({**RINGS, "rings": [canary, broad]})  # as a ring that has never had an endpoint
    assert fleet.server.run("promote") == 0
    found = fleet.server.catalog().engine("clamav", DEBIAN)
    assert found is not None
    assert found.channels["broad"] is None


def test_a_stream_ends_with_its_endpoints_but_for_what_somebody_holds(fleet: Fleet) -> None:
    fleet.sources = dict.fromkeys(fleet.sources, NEW)
    fleet.engines["c1"].bad = fleet.engines["u1"].bad = {NEW}
    fleet.hours(2)
    assert fleet.server.run("rollout", "abort", "--product", f"clamav/engine/{UBUNTU}", "--reason", "crashes") == 0
    fleet.remove(*list(fleet.engines))
    assert fleet.server.run("promote") == 0
    assert fleet.tracks() == [UBUNTU]
    with closing(open_database(fleet.server.host)) as connection:
        assert store.manned_rings(connection, f"clamav/engine/{DEBIAN}") == set()
    track = f"clamav/engine/{UBUNTU}"
    assert fleet.server.run("rollout", "release", NEW, "--product", track, "--reason", "none has it") == 0
    assert fleet.server.run("promote") == 0
    assert fleet.tracks() == []


def test_streams_that_endpoints_invent_are_bounded_and_displace_none_that_others_have(fleet: Fleet) -> None:
    names = [f"x{number}" for number in range(MOST_STREAMS + 5)]
    for name in names:
        fleet.add(name, stream=f"a-{name}")
        fleet.engines[name].report()
    assert fleet.server.run("promote") == 0
    assert len(fleet.tracks()) == MOST_STREAMS
    assert {DEBIAN, UBUNTU} <= set(fleet.tracks())
    assert len(fleet.server.catalog().engines) == MOST_STREAMS
    fleet.remove(*names)
    assert fleet.server.run("promote") == 0
    assert fleet.tracks() == [DEBIAN, UBUNTU]
