# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The modules that set one section, at a node of an update server's tree (P2)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from ansible_collections.epp.autoupdate.plugins.modules import (
    client_tree,
    update_events,
    update_privileges,
    update_schedule,
)

from .conftest import Modules


@pytest.fixture
def served(modules: Modules, once: Callable[..., None]) -> Modules:
    """A server with two domains, one in the other, and an endpoint in the inner one."""

    def make() -> None:
        modules.serve()
        domains = {"emea": None, "emea/finance": {"schedule": {"window": "1h"}}}
        modules.on_server(client_tree, domains=domains, endpoints=[{"name": "n1", "domain": "emea/finance"}])

    once(modules.server_root, make)
    return modules


def effective(modules: Modules, name: str = "n1") -> Any:
    return modules.ask("tree", "explain", name)["policy"]


MODULES: list[tuple[Any, str, dict[str, Any]]] = [
    (update_events, "events", {"scan_after_update": True}),
    (update_schedule, "schedule", {"start": "22:00", "timezone": "Europe/Berlin"}),
    (update_privileges, "privileges", {"update_now": False, "go_roaming": True}),
]
PLACES = [("root", ""), ("domain", "emea"), ("endpoint", "n1")]
CASES = [
    pytest.param(*module, place, id=f"{place[0]}-{module[1]}", marks=[] if first == second else [pytest.mark.heavy])
    for first, module in enumerate(MODULES)
    for second, place in enumerate(PLACES)
]
"""Each module at each place; every day each at one of them."""


@pytest.mark.parametrize(("module", "section", "values", "place"), CASES)
def test_a_node_takes_the_keys_once_and_check_mode_foretells_it(
    served: Modules, module: Any, section: str, values: dict[str, Any], place: tuple[str, str]
) -> None:
    node = {"scope": place[0], **({"name": place[1]} if place[1] else {})}
    before = served.files_of_server()
    foretold = served.on_server(module, check=True, diff=True, **node, **values)
    assert served.files_of_server() == before
    done = served.on_server(module, diff=True, **node, **values)
    for key in ("changed", "before", "after", "diff"):
        assert foretold[key] == done[key], key
    assert (done["changed"], done["before"], done["after"]) == (True, {}, values)
    header = " ".join((*filter(None, place), f"policy.{section}"))
    (item,) = done["diff"]
    assert (item["before_header"], item["before"]) == (header, "")
    assert len(item["after"].splitlines()) == len(values)
    assert values.items() <= effective(served)[section].items()
    again = served.on_server(module, diff=True, **node, **values)
    assert (again["changed"], again["diff"]) == (False, [])


def test_the_effective_policy_of_an_endpoint_comes_with_its_origins(served: Modules) -> None:
    result = served.on_server(update_schedule, scope="endpoint", name="n1", start="01:00")
    assert result["effective"]["schedule"]["window"] == "1h"
    assert result["provenance"]["schedule.start"] == "endpoint"
    assert result["provenance"]["schedule.window"] == "domain emea/finance"


def test_a_key_is_inherited_again(served: Modules) -> None:
    served.on_server(update_schedule, scope="root", window="3h")
    place = {"scope": "domain", "name": "emea/finance"}
    result = served.on_server(update_schedule, **place, inherit=["window"], start="04:00")
    assert (result["before"], result["after"]) == ({"window": "1h"}, {"start": "04:00"})
    assert effective(served)["schedule"]["window"] == "3h"
    assert served.on_server(update_schedule, **place, inherit=["window"])["changed"] is False


def test_for_future_domains_only_those_that_are_made_later_get_the_values(served: Modules) -> None:
    served.on_server(update_events, scope="root", apply_to="future_domains", scan_after_update=True)
    served.on_server(client_tree, endpoints=[{"name": "n2", "domain": "apac"}])
    assert effective(served, "n1")["events"]["scan_after_update"] is False
    assert effective(served, "n2")["events"]["scan_after_update"] is True
    served.on_server(update_events, scope="root", apply_to="all", scan_after_update=False)
    assert effective(served, "n2")["events"]["scan_after_update"] is False


def test_all_that_contradicts_itself_is_refused_at_once(served: Modules) -> None:
    before = served.files_of_server()
    result = served.on_server(
        update_schedule, scope="root", name="emea", inherit=["window"], window="2x", start="7", interval=4
    )
    assert result["failed"] is True
    assert result["msg"].splitlines() == [
        'name: "emea" is not allowed with scope root (only with domain or endpoint)',
        'inherit[0]: "window" is not allowed beside a value for window',
        'schedule.start: "7" is not a time "HH:MM" from "00:00" to "23:59" (in quotes)',
        'schedule.window: "2x" is not a duration (try 90m, 2h)',
    ]
    assert served.files_of_server() == before


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"scope": "domain"}, "name: missing, must be the path of a domain such as emea/finance"),
        ({"scope": "domain", "name": "a//b"}, 'name: "a//b" is not a domain such as'),
        ({"scope": "domain", "name": "emae"}, 'name: "emae" is not a registered domain (did you mean emea?)'),
        ({"scope": "endpoint", "name": "n9"}, 'name: "n9" is not a registered endpoint'),
        ({"scope": "endpoint", "name": "n 9"}, 'name: "n 9" is not a name'),
        (
            {"scope": "domain", "name": "emea", "apply_to": "all"},
            'apply_to: "all" is not allowed with scope domain (only with root)',
        ),
    ],
)
def test_a_place_that_there_is_not_is_refused(served: Modules, options: dict[str, Any], message: str) -> None:
    assert served.on_server(update_schedule, **options, start="01:00")["msg"].startswith(message)


def test_what_only_a_server_knows_is_refused_on_a_standalone_endpoint(modules: Modules) -> None:
    modules.enroll()
    result = modules.run(update_schedule, apply_to="all", inherit=["window"])
    assert result["msg"].splitlines() == [
        'apply_to: "all" is not allowed with scope endpoint (only with root)',
        "inherit: a list of 1 is not allowed on a standalone endpoint (only on an update server)",
    ]


def test_a_contradiction_below_the_node_is_refused_by_the_server_and_nothing_changes(served: Modules) -> None:
    before = served.files_of_server()
    result = served.on_server(update_schedule, scope="domain", name="emea/finance", frequency="hours")
    assert result["failed"] is True
    assert "domains[emea/finance].schedule.window" in result["msg"]
    assert served.files_of_server() == before


def test_a_host_without_a_server_is_told_what_to_do(modules: Modules) -> None:
    result = modules.on_server(update_events, scope="root", scan_after_update=True)
    assert "no update server on this host; apply the role epp.autoupdate.server" in result["msg"]
