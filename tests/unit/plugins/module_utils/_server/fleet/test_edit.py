# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Values set at root, domains and endpoints, whom they reach, and how `effective` explains them (P2)."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.epp.autoupdate.plugins.module_utils._core.policy.change import TreeChange
from ansible_collections.epp.autoupdate.plugins.module_utils._core.policy.overrides import flat
from ansible_collections.epp.autoupdate.plugins.module_utils._core.settings.registration import Registration
from ansible_collections.epp.autoupdate.plugins.module_utils._server.database.database import open_copy, transaction
from ansible_collections.epp.autoupdate.plugins.module_utils._server.fleet.edit import set_values
from ansible_collections.epp.autoupdate.plugins.module_utils._server.fleet.explain import explain
from ansible_collections.epp.autoupdate.plugins.module_utils._server.fleet.registry import register
from hypothesis import given, settings
from hypothesis import strategies as st

from .conftest import Server

EARLY, LATE = {"schedule": {"start": "03:00"}}, {"schedule": {"start": "21:00"}}


def start_of(server: Server, endpoint: str) -> tuple[str, str]:
    told = server.ask("tree", "explain", endpoint, "--json")
    return told["policy"]["schedule"]["start"], told["provenance"]["schedule.start"]


def test_the_nearest_value_wins_and_every_value_says_where_it_comes_from(server: Server) -> None:
    server.register("a", domain="emea/finance")
    assert start_of(server, "a") == ("12:00", "default")
    for scope, name, start, origin in (
        ("root", "", "01:00", "root"),
        ("domain", "emea", "02:00", "domain emea"),
        ("domain", "emea/finance", "03:00", "domain emea/finance"),
        ("endpoint", "a", "04:00", "endpoint"),
    ):
        server.set(scope, {"schedule": {"start": start}}, name=name)
        assert start_of(server, "a") == (start, origin)
    server.set("endpoint", name="a", inherit=["schedule.start"])
    assert start_of(server, "a") == ("03:00", "domain emea/finance")


def test_a_change_tells_before_and_after_and_the_second_time_nothing(server: Server) -> None:
    server.register("a")
    first = server.set("root", EARLY)
    assert (first["changed"], first["before"], first["after"], first["published"]) == (True, {}, EARLY, {"tree": 1})
    again = server.set("root", {"schedule": {"start": "03:00"}})
    assert (again["changed"], again["before"], again["after"], again["published"]) == (False, EARLY, EARLY, {})


def test_values_for_future_domains_reach_new_ones_at_the_top_only(server: Server) -> None:
    server.register("old", domain="emea")
    told = server.set("root", EARLY, apply_to="future_domains")
    assert (told["changed"], told["after"], told["published"]) == (True, EARLY, {})
    server.register("inside", domain="emea/finance")
    server.register("new", domain="apac/jp")
    assert start_of(server, "old") == start_of(server, "inside") == ("12:00", "default")
    assert start_of(server, "new") == ("03:00", "domain apac (born)")
    server.register("rootless")
    assert start_of(server, "rootless") == ("12:00", "default")


def test_values_for_all_take_what_was_born_and_leave_what_was_set(server: Server) -> None:
    server.set("root", EARLY, apply_to="future_domains")
    server.ask("register", document={"domains": {"born": None, "own": LATE}})
    server.register("a", domain="born")
    server.register("b", domain="own")
    told = server.set("root", {"schedule": {"start": "08:00"}})
    assert told["domains"] == ["born", "own"]
    assert start_of(server, "a") == ("08:00", "root")
    assert start_of(server, "b") == ("21:00", "domain own")
    server.register("c", domain="later")
    assert start_of(server, "c") == ("08:00", "root")


@pytest.mark.parametrize("way", ["set", "register"])
def test_a_domain_that_sets_what_it_was_born_with_keeps_it(server: Server, way: str) -> None:
    """P2: its own value wins over the root's, also where it is the same as the one that it was born with."""
    server.set("root", EARLY, apply_to="future_domains")
    server.register("a", domain="emea")

    def pin() -> Any:
        if way == "set":
            return server.set("domain", EARLY, name="emea")
        return server.ask("register", document={"domains": {"emea": EARLY}})

    told = pin()
    assert (told["changed"], told["before"]) == (True, told["after"])
    assert not pin()["changed"]
    server.set("root", LATE)
    assert start_of(server, "a") == ("03:00", "domain emea")


def test_a_born_frequency_and_what_belongs_to_it_give_way_together(server: Server) -> None:
    """Else the interval that a domain was born with would forbid the root another frequency."""
    hourly = {"schedule": {"frequency": "hours", "interval": 4}}
    server.set("root", hourly, apply_to="future_domains")
    server.register("a", domain="emea")
    server.set("root", {"schedule": {"frequency": "daily", "window": "1h"}})
    told = server.ask("tree", "explain", "a", "--json")
    assert told["policy"]["schedule"]["frequency"] == "daily"
    assert "interval" not in told["policy"]["schedule"]


def test_a_key_that_a_domain_inherits_again_is_not_the_born_one(server: Server) -> None:
    server.set("root", EARLY, apply_to="future_domains")
    server.register("a", domain="emea")
    server.set("domain", LATE, name="emea")
    told = server.set("domain", name="emea", inherit=["schedule.start"])
    assert (told["before"], told["after"]) == (LATE, {})
    assert start_of(server, "a") == ("12:00", "default")


def test_what_does_not_hold_together_below_is_refused_and_nothing_is_kept(server: Server) -> None:
    server.ask("register", document={"domains": {"emea": {"schedule": {"frequency": "daily", "window": "20h"}}}})
    server.register("a", domain="emea", policy={"schedule": {"start": "05:00"}})
    hourly = {"scope": "domain", "name": "emea", "values": {"schedule": {"frequency": "hours"}}}
    only = "is not allowed with frequency hours (only with daily or weekly)"
    assert server.refused("tree", "set", document=hourly) == [
        f'domains[emea].schedule.window: "20h" {only}',
        f'endpoints[a].policy.schedule.start: "05:00" {only}',
    ]
    assert server.ask("tree", "explain", "a", "--json")["policy"]["schedule"]["frequency"] == "daily"
    future = {"scope": "root", "apply_to": "future_domains", "values": {"schedule": {"interval": 3}}}
    assert server.refused("tree", "set", document=future)[0].startswith("future_domains.schedule.interval: 3 is not")


def test_unknown_names_are_refused(server: Server) -> None:
    server.register("a", domain="emea")
    for scope, name, words in (
        ("domain", "emae", 'name: "emae" is not a registered domain (did you mean emea?)'),
        ("endpoint", "b", 'name: "b" is not a registered endpoint'),
    ):
        document = {"scope": scope, "name": name, "values": EARLY}
        assert server.refused("tree", "set", document=document) == [words]
    status, _out, err = server.run("tree", "explain", "b")
    assert (status, err) == (65, 'epp-server: name: "b" is not a registered endpoint\n')


def test_check_says_the_same_and_keeps_nothing(server: Server) -> None:
    server.register("a", domain="emea")
    before = server.files()
    document = {"scope": "domain", "name": "emea", "values": EARLY}
    would = server.ask("tree", "set", "--check", document=document)
    assert server.files() == before
    did = server.ask("tree", "set", document=document)
    assert {**would, "published": did["published"]} == did


def test_show_for_people(server: Server) -> None:
    server.set("root", EARLY)
    server.set("root", LATE, apply_to="future_domains")
    server.register("a", domain="emea")
    _status, out, _err = server.run("tree", "show")
    assert out.splitlines() == [
        "root: 0 endpoints",
        '  schedule.start  "03:00"',
        '  schedule.start  "21:00" (future domains)',
        "emea: 1 endpoint",
        '  schedule.start  "21:00" (born)',
    ]
    _status, out, _err = server.run("tree", "explain", "a")
    assert ["schedule.start", '"21:00"', "domain emea (born)"] in [
        [word.strip() for word in line.split("  ") if word] for line in out.splitlines()
    ]


FLAGS = ("events.update_on_reconnect", "privileges.update_now", "privileges.go_roaming")
VALUES = st.dictionaries(st.sampled_from(FLAGS), st.booleans())
ACTION = st.one_of(
    st.tuples(st.just("all"), VALUES),
    st.tuples(st.just("future"), VALUES),
    st.tuples(st.sampled_from(["a", "b", "a/x"]), VALUES),
    st.tuples(st.sampled_from(["make a", "make b", "make a/x"]), st.just({})),
)


def parts(values: dict[str, bool]) -> dict[str, dict[str, Any]]:
    made: dict[str, dict[str, Any]] = {}
    for key, one in values.items():
        section, _dot, name = key.partition(".")
        made.setdefault(section, {})[name] = one
    return made


class Model:
    """P2 as the specification tells it, the simple way: what each node sets, and what new domains will be born with."""

    def __init__(self) -> None:
        self.root: dict[str, bool] = {}
        self.future: dict[str, bool] = {}
        self.own: dict[str, dict[str, bool]] = {}
        self.born: dict[str, dict[str, bool]] = {}

    def make(self, path: str) -> None:
        for name in (path.partition("/")[0], path):
            if name not in self.own:
                self.own[name], self.born[name] = {}, {} if "/" in name else dict(self.future)

    def set_all(self, values: dict[str, bool]) -> None:
        self.root.update(values)
        for given_ones in (self.future, *self.born.values()):
            for key in values:
                given_ones.pop(key, None)

    def effective(self, domain: str) -> dict[str, bool]:
        chain = [name for name in (domain.partition("/")[0], domain) if name]
        merged = dict(self.root)
        for name in dict.fromkeys(chain):
            merged.update({**self.born[name], **self.own[name]})
        return merged


@settings(max_examples=80)
@given(st.lists(ACTION, max_size=12))
def test_inheritance_is_what_the_rule_says_whatever_was_done_in_which_order(actions: list[tuple[str, Any]]) -> None:
    model = Model()
    with open_copy(_Nowhere()) as connection:  # type: ignore[arg-type]
        for word, values in actions:
            _act(connection, model, word, values)
        entries = [{"name": f"n-{path.replace('/', '-')}", "domain": path} for path in model.own]
        with transaction(connection):
            register(connection, Registration.from_dict({"endpoints": [*entries, {"name": "n-root"}]}), now=0)
        for path in ["", *model.own]:
            explained = explain(connection, f"n-{path.replace('/', '-') or 'root'}")
            policy = flat(explained.policy.to_dict())
            expected = model.effective(path)
            assert {key: policy[key] for key in expected} == expected
            assert all((explained.origins[key] == "default") == (key not in expected) for key in FLAGS)


def _act(connection: Any, model: Model, word: str, values: dict[str, bool]) -> None:
    with transaction(connection):
        if word.startswith("make "):
            register(connection, Registration.from_dict({"domains": {word[5:]: None}}), now=0)
            model.make(word[5:])
        elif word in ("all", "future"):
            apply_to = {"all": "all", "future": "future_domains"}[word]
            raw = {"scope": "root", "apply_to": apply_to, "values": parts(values)}
            set_values(connection, TreeChange.from_dict(raw))
            model.set_all(values) if word == "all" else model.future.update(values)
        elif word in model.own:
            set_values(connection, TreeChange.from_dict({"scope": "domain", "name": word, "values": parts(values)}))
            model.own[word].update(values)


class _Nowhere:
    """A host without any file."""

    def exists(self, _path: str) -> bool:
        return False
