# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""From a fetch over rings to all endpoints, and how a bad version stays with the canaries (G1, G2, G4 to G6)."""

from __future__ import annotations

import json
import os
from contextlib import closing
from pathlib import Path

import pytest
from ansible_collections.epp.autoupdate.plugins.module_utils._core.rings.by_hand import NotPossible
from ansible_collections.epp.autoupdate.plugins.module_utils._server import paths
from ansible_collections.epp.autoupdate.plugins.module_utils._server.campaigns.queries import summaries
from ansible_collections.epp.autoupdate.plugins.module_utils._server.channels import store
from ansible_collections.epp.autoupdate.plugins.module_utils._server.database.database import open_database

from .conftest import NAMES, RINGS, Endpoint, Server, registered


def kinds(server: Server) -> list[tuple[str, str, str]]:
    with closing(open_database(server.host)) as connection:
        events = store.recent_events(connection, "files", 100)
    return [(one["kind"], one["version"], one["ring"]) for one in reversed(events)]


def test_the_first_version_ever_is_what_all_rings_have(server: Server) -> None:
    assert server.offered() == {"canary": "1", "early": "1", "broad": "1"}
    assert kinds(server) == [("published", "1", "")]


def test_a_good_version_goes_through_three_rings_by_itself(server: Server) -> None:
    server.offer("two")
    assert server.offered() == {"canary": "2", "early": "1", "broad": "1"}
    server.hours(1)
    assert (server.versions("canary"), server.versions("early")) == ({"2"}, {"1"})
    server.hours(1)
    assert server.offered() == {"canary": "2", "early": "2", "broad": "1"}
    server.hours(2)
    assert server.versions("broad") == {"1"}
    server.hours(1)
    assert server.versions("broad") == {"2"}
    server.hours(3)
    assert kinds(server)[1:] == [
        ("published", "2", ""),
        ("offered", "2", "canary"),
        ("passed", "2", "canary"),
        ("offered", "2", "early"),
        ("passed", "2", "early"),
        ("offered", "2", "broad"),
        ("passed", "2", "broad"),
    ]


def test_a_bad_version_halts_in_the_first_ring_and_nobody_else_ever_takes_it(server: Server) -> None:
    server.endpoints["c1"].bad = {"2"}
    server.offer("two")
    server.hours(48, step=4)
    assert server.offered() == {"canary": "1", "early": "1", "broad": "1"}
    takers = [name for name, one in server.endpoints.items() if "2" in one.taken]
    assert takers == ["c1", "c2"]
    assert server.endpoints["c1"].taken.count("2") == 1
    assert kinds(server)[-1] == ("halted", "2", "canary")
    (hold,) = server.catalog().holds
    assert (hold.version, hold.restore, hold.components) == ("2", "", {"patterns-a": "2"})
    assert "probe" in hold.reason


def test_an_aborted_version_is_taken_back_and_the_next_one_goes_through(server: Server) -> None:
    server.endpoints["c1"].bad = {"2"}
    server.offer("two")
    server.hours(5)
    assert server.versions("canary") == {"1", "2"}
    assert server.run("rollout", "abort", "--reason", "flags a clean file", "--by", "operator") == 0
    (hold,) = server.catalog().holds
    assert (hold.version, hold.restore, hold.reason) == ("2", "1", "flags a clean file")
    server.hours(1)
    assert server.versions("canary") == {"1"}
    server.offer("three")
    server.hours(10)
    assert {one.version for one in server.endpoints.values()} == {"3"}
    assert not server.catalog().holds
    assert [name for name, one in server.endpoints.items() if "2" in one.taken] == ["c1", "c2"]


@pytest.mark.heavy
def test_a_newer_version_waits_for_somebodys_word_while_one_is_halted(server: Server) -> None:
    server.endpoints["c1"].bad = {"2"}
    server.offer("two")
    server.hours(5)
    server.offer("three")
    server.hours(30, step=5)
    assert server.offered() == {"canary": "1", "early": "1", "broad": "1"}
    server.endpoints["c1"].bad = set()
    server.run("rollout", "abort", "--reason", "bad")
    assert server.offered()["canary"] == "3"
    server.hours(10)
    assert {one.version for one in server.endpoints.values()} == {"3"}


def test_a_resumed_version_goes_on_without_the_endpoint_that_refuses_it(server: Server) -> None:
    server.endpoints["c1"].bad = {"2"}
    server.offer("two")
    server.hours(5)
    server.run("rollout", "resume", "--reason", "that host is short of memory")
    assert server.offered()["canary"] == "2"
    server.hours(10)
    assert {one.version for one in server.endpoints.values() if one.name != "c1"} == {"2"}
    assert (server.endpoints["c1"].version, server.endpoints["c1"].taken) == ("1", ["1", "2"])


def test_an_expedited_version_is_offered_to_all_rings_at_once_and_still_halts(server: Server) -> None:
    server.offer("two")
    server.run("rollout", "expedite", "--reason", "an outbreak")
    assert set(server.offered().values()) == {"2"}
    assert all(one.expedited for one in server.catalog().channels if one.channel != "canary")
    server.endpoints["b1"].bad = {"2"}
    server.hours(1)
    assert kinds(server)[-1] == ("halted", "2", "broad")
    assert set(server.offered().values()) == {"1"}


def test_a_version_that_all_have_can_be_held_and_released(server: Server) -> None:
    server.offer("two")
    server.hours(10)
    server.run("rollout", "hold", "2", "--reason", "slow scans")
    server.hours(1)
    assert {one.version for one in server.endpoints.values()} == {"1"}
    server.hours(20, step=2)
    assert set(server.offered().values()) == {"1"}
    server.run("rollout", "release", "2", "--reason", "it was the disk")
    assert server.offered() == {"canary": "2", "early": "1", "broad": "1"}


def test_whoever_has_what_is_held_is_notified_once_and_nobody_else(server: Server) -> None:
    """G5: an endpoint goes back at once, and not only when its own schedule comes."""
    server.offer("two")
    server.hours(1)
    assert (server.versions("canary"), server.versions("broad")) == ({"2"}, {"1"})

    def notified() -> list[str]:
        select = (
            "SELECT endpoint FROM deliveries JOIN campaigns ON campaigns.id = campaign WHERE created > ? ORDER BY 1"
        )
        with closing(open_database(server.host)) as connection:
            return [row["endpoint"] for row in connection.execute(select, (server.host.clock - 1800,))]

    server.host.clock += 3600
    server.run("rollout", "abort", "--reason", "it is bad")
    assert notified() == ["c1", "c2"]
    assert server.run("promote") == 0
    assert notified() == ["c1", "c2"]


def test_what_is_so_already_stays_and_what_is_not_possible_is_told(
    server: Server, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(NotPossible, match="there is none"):
        server.run("rollout", "resume", "--reason", "x")
    with pytest.raises(NotPossible, match="no other version"):
        server.run("rollout", "hold", "1", "--reason", "x")
    with pytest.raises(NotPossible, match="was not published here"):
        server.run("rollout", "hold", "9", "--reason", "x")
    with pytest.raises(NotPossible, match="has no rings"):
        server.run("rollout", "hold", "1", "--product", "clamav", "--reason", "x")
    server.offer("two")
    server.run("rollout", "abort", "--reason", "x")
    before = server.host.read(paths.PUBLIC + "/configuration/catalog.json")
    capsys.readouterr()
    assert server.run("rollout", "abort", "2", "--reason", "x", "--json") == 0
    assert json.loads(capsys.readouterr().out)["changed"] is False
    assert server.host.read(paths.PUBLIC + "/configuration/catalog.json") == before


def test_an_order_with_check_changes_nothing(server: Server, capsys: pytest.CaptureFixture[str]) -> None:
    server.offer("two")
    before = server.offered()
    capsys.readouterr()
    assert server.run("rollout", "abort", "--reason", "x", "--check", "--json") == 0
    told = json.loads(capsys.readouterr().out)
    assert (told["changed"], told["after"]["offered"]["canary"]) == (True, "1")
    assert server.offered() == before
    assert server.run("rollout", "status", "--json") == 0
    (shown,) = json.loads(capsys.readouterr().out)
    assert [(ring["name"], ring["phase"]) for ring in shown["rings"]] == [
        ("canary", "baking"),
        ("early", "idle"),
        ("broad", "idle"),
    ]
    assert not shown["stops"]


def test_notices_go_to_the_ring_alone_and_stop_at_a_halt(server: Server) -> None:
    with closing(open_database(server.host)) as connection:
        connection.execute("UPDATE endpoints SET address = '/nowhere'")
        connection.commit()
    server.offer("two")
    with closing(open_database(server.host)) as connection:
        rows = connection.execute("SELECT endpoint, status FROM deliveries JOIN campaigns ON id = campaign").fetchall()
        assert sorted(row["endpoint"] for row in rows if row["status"] == "queued") == ["c1", "c2"]
        server.endpoints["c1"].bad = {"2"}
    server.hours(0.5)
    with closing(open_database(server.host)) as connection:
        rows = connection.execute("SELECT status, result FROM deliveries").fetchall()
        assert {(row["status"], row["result"]) for row in rows} == {("skipped", "held")}
        assert sum(one.version == "2" for one in summaries(connection)) == 1


@pytest.mark.heavy
def test_an_endpoint_that_moves_to_a_later_ring_keeps_what_it_has(server: Server) -> None:
    server.offer("two")
    server.hours(0.5)
    server.set({**RINGS, "rings": [{"name": "canary", "endpoints": ["c1"]}, *RINGS["rings"][1:]]})
    assert server.run("publish") == 0
    moved = server.endpoints["c2"]
    assert moved.channel == "broad"
    server.hours(0.5)
    assert (moved.version, moved.taken) == ("2", ["1", "2"])
    server.hours(10)
    assert {one.version for one in server.endpoints.values()} == {"2"}


def test_a_further_product_goes_through_its_rings_and_its_own_failure_halts_them(server: Server) -> None:
    """Its section counts; notices let an endpoint update its first product, so none is of this one."""
    registered(server, NAMES["canary"], product="ids", further=("files",))
    for name in NAMES["canary"]:
        server.endpoints[name].beside = "ids"
    server.hours(0.5)
    server.offer("two")
    server.hours(2)
    assert server.offered() == {"canary": "2", "early": "2", "broad": "1"}
    with closing(open_database(server.host)) as connection:
        rows = connection.execute("SELECT endpoint FROM deliveries JOIN campaigns ON id = campaign WHERE version = '2'")
        notified = {row["endpoint"] for row in rows}
    assert not notified & set(NAMES["canary"])
    assert notified >= set(NAMES["early"])
    server.hours(6)
    server.endpoints["c1"].bad = {"3"}
    server.offer("three")
    server.hours(1)
    assert ("halted", "3", "canary") in kinds(server)


def test_a_failure_of_another_product_of_the_endpoint_halts_nothing(server: Server) -> None:
    for name in NAMES["canary"]:
        server.endpoints[name].beside = "ids"
        server.endpoints[name].beside_fails = True
    registered(server, NAMES["canary"], product="ids", further=("files",))
    server.hours(0.5)
    server.offer("two")
    server.hours(2)
    assert server.offered() == {"canary": "2", "early": "2", "broad": "1"}


def test_a_late_joiner_goes_with_its_rings_present_version(server: Server) -> None:
    server.offer("two")
    server.hours(0.5)
    server.register({"broad": ("late",)})
    late: Endpoint = server.endpoints["late"]
    late.update()
    assert late.version == "1"


def test_a_server_that_is_put_back_to_a_backup_in_the_middle_offers_nothing_too_early(
    server: Server, tmp_path: Path
) -> None:
    server.offer("two")
    server.hours(0.5)
    backup = server.copy(tmp_path / "backup")
    server.hours(3)
    assert server.offered()["early"] == "2"
    backup.host.clock = server.host.clock
    assert backup.run("promote") == 0
    assert backup.offered()["broad"] == "1"


def test_without_rings_again_everybody_is_offered_the_newest_version(server: Server) -> None:
    server.offer("two")
    server.set(None)
    assert server.run("publish") == 0
    assert server.run("fetch") == 0
    assert not server.catalog().channels
    assert not server.catalog().holds
    assert server.endpoints["b1"].channel == ""
    assert not server.host.exists(f"{paths.PUBLIC}/components/files/channels")
    (manifest,) = server.catalog().manifests
    assert b'"version": "2"' in (server.host.read(f"{paths.PUBLIC}/{manifest.path}") or b"")


@pytest.mark.heavy
def test_what_no_ring_needs_any_more_is_removed_a_day_later(server: Server) -> None:
    for number in range(2, 7):
        server.offer(f"content {number}")
        server.hours(8, step=1)
    assert server.run("fetch") == 0
    with closing(open_database(server.host)) as connection:
        assert set(store.contents(connection, "files")) == {"4", "5", "6"}
    places = Path(server.host.real(paths.PUBLIC + "/components/files/objects"))
    objects = {one for one in places.rglob("*") if one.is_file()}
    assert len(objects) == 6
    for one in objects:
        os.utime(one, (0, 0))
    assert server.run("fetch") == 0
    assert len({one for one in places.rglob("*") if one.is_file()}) == 3
    assert server.run("verify") == 0


def test_who_lags_behind_is_counted_by_its_own_ring(server: Server, capsys: pytest.CaptureFixture[str]) -> None:
    server.offer("two")
    server.hours(0.5)
    capsys.readouterr()
    server.run("health", "--json")
    told = json.loads(capsys.readouterr().out)
    assert told["states"]["current"] == sum(map(len, NAMES.values()))
    assert told["states"]["behind"] == 0


def test_a_dry_run_offers_everything_to_all_and_tells_what_it_would_do(server: Server) -> None:
    server.set({**RINGS, "dry_run": True})
    server.endpoints["c1"].bad = {"2"}
    server.offer("two")
    assert set(server.offered().values()) == {"2"}
    server.hours(2)
    assert kinds(server)[-1] == ("halted", "2", "canary")
    assert set(server.offered().values()) == {"2"}
    assert not server.catalog().holds


def test_a_preview_tells_who_would_begin_a_version_and_offers_nothing(
    server: Server, capsys: pytest.CaptureFixture[str]
) -> None:
    before = server.offered()
    capsys.readouterr()
    assert server.run("rollout", "preview", "--within", "1h", "--json") == 0
    (good,) = json.loads(capsys.readouterr().out)
    assert (good["halted"], good["begun"]) == (False, 10)
    assert [ring["endpoints"] for ring in good["rings"]] == [2, 3, 5]
    assert server.run("rollout", "preview", "--within", "1h", "--failing", "100") == 0
    told = capsys.readouterr().out
    assert "halted after" in told
    assert "early" in told
    assert server.offered() == before
