# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Registration in bulk: ordinals for life, domains as needed, purge only when asked, all errors and nothing kept."""

from __future__ import annotations

import time
from typing import Any

import pytest
from ansible_collections.epp.autoupdate.plugins.module_utils._core.settings.registration import Registration
from ansible_collections.epp.autoupdate.plugins.module_utils._server import paths
from ansible_collections.epp.autoupdate.plugins.module_utils._server.database.database import open_copy, transaction
from ansible_collections.epp.autoupdate.plugins.module_utils._server.fleet.registry import register
from hypothesis import given, settings
from hypothesis import strategies as st

from .conftest import Server

WEEKLY = {"schedule": {"frequency": "weekly", "day": "friday"}}
KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJWJH31gEJWi/MjUwinIqqqlrSjSsS1L5Lu/Ezpdowcz"


def ordinals(server: Server) -> dict[str, int]:
    return {one["name"]: one["ordinal"] for one in server.ask("endpoints", "--json")}


def test_endpoints_get_dense_ordinals_and_the_second_time_nothing_changes(server: Server) -> None:
    document = {"endpoints": [{"name": f"n{number}", "domain": "emea"} for number in range(20)]}
    first = server.ask("register", document=document)
    assert (first["changed"], first["registered"]) == (True, 20)
    assert first["after"]["endpoints"]["n7"]["ordinal"] == 7
    assert server.ask("register", document=document) == {
        "changed": False,
        "before": {},
        "after": {},
        "registered": 20,
        "published": {},
    }
    assert ordinals(server) == {f"n{number}": number for number in range(20)}


def test_a_purged_ordinal_is_the_next_ones_and_others_keep_theirs(server: Server) -> None:
    server.register("a", "b", "c")
    gone = server.ask("register", document={"endpoints": [{"name": "a"}, {"name": "c"}], "purge": True})
    assert (list(gone["before"]["endpoints"]), gone["after"]["endpoints"]) == (["b"], {})
    server.register("d", "e")
    assert ordinals(server) == {"a": 0, "c": 2, "d": 1, "e": 3}


def test_one_endpoint_goes_and_is_not_missed(server: Server) -> None:
    server.ask("register", document={"endpoints": [{"name": name, "domain": "emea"} for name in "abc"]})
    told = server.ask("register", document={"endpoints": [{"name": "d"}], "absent": ["b", "stranger"]})
    assert (told["before"]["endpoints"].keys(), told["after"]["endpoints"].keys()) == ({"b"}, {"d"})
    assert ordinals(server) == {"a": 0, "c": 2, "d": 1}
    assert server.ask("register", document={"absent": ["b"]})["changed"] is False
    errors = server.refused("register", document={"endpoints": [{"name": "a"}], "absent": ["a", "c", "c", "no name"]})
    assert [line.partition(":")[0] for line in errors] == ["absent[0]", "absent[2]", "absent[3]"]
    assert sorted(ordinals(server)) == ["a", "c", "d"]


def test_without_purge_nobody_goes_and_without_a_list_not_even_with_it(server: Server) -> None:
    server.register("a", "b")
    server.ask("register", document={"endpoints": [{"name": "a"}]})
    server.ask("register", document={"domains": {"emea": None}, "purge": True})
    assert sorted(ordinals(server)) == ["a", "b"]


def test_each_update_source_counts_for_itself(server: Server) -> None:
    server.register("a", "b", source="mirror-1")
    server.register("c", "d", source="mirror-2")
    assert ordinals(server) == {"a": 0, "b": 1, "c": 0, "d": 1}
    moved = server.register("a", source="mirror-2")
    assert moved["after"]["endpoints"]["a"]["ordinal"] == 2
    server.register("e", source="mirror-1")
    assert ordinals(server)["e"] == 0


def test_a_chosen_ordinal_is_kept_free_and_two_may_change_places(server: Server) -> None:
    document = {"endpoints": [{"name": "a"}, {"name": "b", "ordinal": 0}, {"name": "c"}]}
    server.ask("register", document=document)
    assert ordinals(server) == {"a": 1, "b": 0, "c": 2}
    swap = {"endpoints": [{"name": "a", "ordinal": 0}, {"name": "b", "ordinal": 1}]}
    assert server.ask("register", document=swap)["changed"] is True
    assert ordinals(server) == {"a": 0, "b": 1, "c": 2}


def test_all_errors_at_once_and_nothing_is_kept(server: Server) -> None:
    server.register("a", "b")
    document = {
        "root": {"schedule": {"frequency": "hours"}},
        "domains": {"emea": {"schedule": {"window": "2h"}}},
        "endpoints": [
            {"name": "new", "ordinal": 0},
            {"name": "b", "ordinal": 7},
            {"name": "c", "ordinal": 7},
            {"name": "d", "policy": {"schedule": {"interval": 45}}},
        ],
    }
    assert server.refused("register", document=document) == [
        "endpoints[0].ordinal: 0 is not free (a has it)",
        "endpoints[2].ordinal: 7 is not free (b has it)",
        'domains[emea].schedule.window: "2h" is not allowed with frequency hours (only with daily or weekly)',
        "endpoints[d].policy.schedule.interval: 45 is not from 1 to 23, as frequency hours demands",
    ]
    assert ordinals(server) == {"a": 0, "b": 1}
    assert list(server.ask("tree", "show", "--json")["domains"]) == []


def test_a_document_that_is_no_json_is_refused(server: Server) -> None:
    assert server.refused("register", document=b"{") == ["document: standard input is not JSON"]


def test_domains_are_made_with_those_that_they_are_in(server: Server) -> None:
    server.ask("register", document={"domains": {"emea/finance": WEEKLY}})
    server.register("a", domain="apac/jp/tokyo")
    shown = server.ask("tree", "show", "--json")["domains"]
    assert list(shown) == ["apac", "apac/jp", "apac/jp/tokyo", "emea", "emea/finance"]
    assert (shown["emea/finance"]["own"], shown["apac/jp/tokyo"]["endpoints"]) == (WEEKLY, 1)


def test_what_is_missing_or_null_stays_as_it_is(server: Server) -> None:
    server.ask("register", document={"root": WEEKLY, "domains": {"emea": WEEKLY}})
    server.register("a", domain="emea", address="a.example.com", host_key=KEY, policy=WEEKLY)
    server.ask("register", document={"root": None, "domains": {"emea": None}})
    for more in ({}, {"domain": None, "address": None, "host_key": None, "policy": None, "ordinal": None}):
        assert server.register("a", **more)["changed"] is False
    changed = server.register("a", policy={}, address="", domain="")
    assert changed["before"]["endpoints"]["a"]["policy"] == WEEKLY
    after = changed["after"]["endpoints"]["a"]
    assert (after["policy"], after["address"], after["domain"], after["host_key"]) == ({}, "", "", KEY)
    assert server.ask("register", document={"domains": {"emea": {}}})["after"] == {"domains": {"emea": {}}}


def test_a_domain_goes_only_when_asked_and_empty(server: Server) -> None:
    server.ask("register", document={"domains": {"emea": None, "apac": None, "apac/jp": None}})
    server.register("a", domain="apac/jp")
    assert server.refused("register", document={"domains": {"emea": None}, "purge": True}) == [
        "domains[apac]: its absence is not possible while endpoints are in apac/jp",
        "domains[apac/jp]: its absence is not possible while endpoints are in apac/jp",
    ]
    told = server.ask("register", document={"domains": {}, "endpoints": [{"name": "a"}], "purge": True})
    assert told["before"] == {"domains": {"emea": {}}}
    told = server.ask("register", document={"domains": {}, "endpoints": [{"name": "b"}], "purge": True})
    assert list(told["before"]["domains"]) == ["apac", "apac/jp"]


def test_a_domain_is_renamed_by_moving_its_endpoints(server: Server) -> None:
    server.ask("register", document={"domains": {"emea": WEEKLY}, "endpoints": [{"name": "a", "domain": "emea"}]})
    moved = {"domains": {"europe": WEEKLY}, "endpoints": [{"name": "a", "domain": "europe"}], "purge": True}
    server.ask("register", document=moved)
    shown = server.ask("tree", "show", "--json")["domains"]
    assert {name: one["own"] for name, one in shown.items()} == {"europe": WEEKLY}
    assert ordinals(server) == {"a": 0}


def test_check_says_the_same_and_writes_nothing(server: Server) -> None:
    document = {"domains": {"emea": WEEKLY}, "endpoints": [{"name": "a", "domain": "emea"}]}
    would = server.ask("register", "--check", document=document)
    assert not server.host.exists("/var")
    did = server.ask("register", document=document)
    assert {**would, "published": did["published"]} == did
    before = server.host.read(paths.DATABASE)
    server.ask("register", "--check", document={"endpoints": [{"name": "b"}]})
    assert server.host.read(paths.DATABASE) == before
    assert ordinals(server) == {"a": 0}


def test_who_is_purged_has_no_part_in_campaigns_any_more(server: Server) -> None:
    server.register("a", "b")
    with server.connection() as connection:
        connection.execute("INSERT INTO campaigns VALUES ('c', 'download', 'files', '1', 0, '')")
        columns = "campaign, endpoint, mode, status, due, tries, result, reason, changed"
        for name in ("a", "b"):
            row = ("c", name, "event", "queued", 0, 0, "", "", 0)
            connection.execute(f"INSERT INTO deliveries ({columns}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)", row)
            connection.execute("INSERT INTO holdings VALUES (?, 'files', '{}', 0, '')", (name,))
    server.ask("register", document={"endpoints": [{"name": "a"}], "purge": True})
    with server.connection() as connection:
        told = dict(tuple(row) for row in connection.execute("SELECT endpoint, status FROM deliveries"))
        reports = [row["endpoint"] for row in connection.execute("SELECT endpoint FROM holdings")]
    assert (told, reports) == ({"a": "queued", "b": "skipped"}, ["a"])


def test_a_new_way_to_an_endpoint_makes_due_what_waits_for_it(server: Server) -> None:
    """What its first converge shows is no news to a campaign that is waiting for the next quarter of an hour."""
    server.register("a", "b", "c", "d")
    later = time.time() + 900
    with server.connection() as connection:
        connection.execute("INSERT INTO campaigns VALUES ('c', 'download', 'files', '1', 0, '')")
        columns = "campaign, endpoint, mode, status, due, tries, result, reason, changed"
        for name, stage in {"a": "retrying", "b": "deferred", "c": "queued", "d": "retrying"}.items():
            row = ("c", name, "event", stage, later, 1, "not_reached", "", 0)
            connection.execute(f"INSERT INTO deliveries ({columns}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)", row)
    shown = {"host_key": KEY}
    moved = [{"name": "a", **shown}, {"name": "b", "address": "192.0.2.9"}, {"name": "c", **shown}, {"name": "d"}]
    server.ask("register", document={"endpoints": moved})
    with server.connection() as connection:
        due = {row["endpoint"]: row["due"] for row in connection.execute("SELECT endpoint, due FROM deliveries")}
    assert {name for name, instant in due.items() if instant < later} == {"a", "b"}


NAMES = st.sampled_from([f"n{number}" for number in range(12)])
STEP = st.tuples(st.sets(NAMES, min_size=1), st.booleans(), st.sampled_from(["", "mirror"]))


@settings(max_examples=60)
@given(st.lists(STEP, max_size=8))
def test_ordinals_are_dense_unique_and_kept_for_life(steps: list[tuple[set[str], bool, str]]) -> None:
    """Through the real registry: whoever stays in a source keeps its ordinal, newcomers fill the lowest gaps (S5)."""
    with open_copy(_Nowhere()) as connection:  # type: ignore[arg-type]
        known: dict[str, tuple[str, int]] = {}
        for names, purge, source in steps:
            entries = [{"name": name, "source": source} for name in sorted(names)]
            wanted = Registration.from_dict({"endpoints": entries, "purge": purge})
            with transaction(connection):
                register(connection, wanted, now=0)
            rows = connection.execute("SELECT name, source, ordinal FROM endpoints")
            after = {row["name"]: (row["source"], row["ordinal"]) for row in rows}
            stayed = {name for name in after if name in known and known[name][0] == after[name][0]}
            assert all(after[name] == known[name] for name in stayed)
            _check_newcomers(after, stayed)
            known = after


def _check_newcomers(after: dict[str, tuple[str, int]], stayed: set[str]) -> None:
    for source in ("", "mirror"):
        kept = {after[name][1] for name in stayed if after[name][0] == source}
        new = sorted(at for name, (where, at) in after.items() if where == source and name not in stayed)
        free = [at for at in range(len(after) + len(kept) + 12) if at not in kept]
        assert new == free[: len(new)]


class _Nowhere:
    """A host without any file."""

    def exists(self, _path: str) -> bool:
        return False


@pytest.mark.parametrize("count", [10_000])
def test_ten_thousand_in_one_call(server: Server, count: int) -> None:
    entries: list[dict[str, Any]] = [{"name": f"n{number}", "domain": f"d{number % 50}"} for number in range(count)]
    told = server.ask("register", document={"endpoints": entries})
    assert told["registered"] == count
    assert sorted(one["ordinal"] for one in told["after"]["endpoints"].values()) == list(range(count))
    assert server.ask("register", document={"endpoints": entries})["changed"] is False
