# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The state of each endpoint by reports, refusals and silence; health has an exit status (R6, R7)."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from ansible_collections.epp.autoupdate.plugins.module_utils._core.reports.report import Report
from ansible_collections.epp.autoupdate.plugins.module_utils._core.reports.states import EndpointState
from ansible_collections.epp.autoupdate.plugins.module_utils._core.results import Trigger
from ansible_collections.epp.autoupdate.plugins.module_utils._core.rollout.delivery import (
    Delivery,
    SendOutcome,
    SendResult,
)
from ansible_collections.epp.autoupdate.plugins.module_utils._core.settings.retries import RetryPolicy
from ansible_collections.epp.autoupdate.plugins.module_utils._core.timestamps import iso
from ansible_collections.epp.autoupdate.plugins.module_utils._core.values import replace
from ansible_collections.epp.autoupdate.plugins.module_utils._module import specs
from ansible_collections.epp.autoupdate.plugins.module_utils._server.campaigns.notifiers.base import Response
from ansible_collections.epp.autoupdate.plugins.module_utils._server.campaigns.store import CampaignKey, CampaignStore
from ansible_collections.epp.autoupdate.plugins.module_utils._server.fleet import state_history
from ansible_collections.epp.autoupdate.plugins.module_utils._server.fleet.states import record_verdict
from ansible_collections.epp.autoupdate.tests.unit.plugins.module_utils._core.reports.test_report import (
    STATUS,
    report,
)

from .conftest import DAY, Server


def tell(server: Server, name: str, status: dict[str, Any] | None = None, **more: Any) -> None:
    """A report of an endpoint that came just now."""
    now = server.host.now()
    one: Report = report(endpoint=name, at=int(now), **more)
    whole = {**STATUS, "last": {}, "configuration": None, **(status or {})}
    with server.connection() as connection:
        record_verdict(connection, name, replace(one, status=whole), now)


def told(server: Server, *options: str) -> dict[str, tuple[str, str]]:
    return {one["name"]: (one["state"], one["reason"]) for one in server.ask("endpoints", "--json", *options)}


def test_who_was_never_heard_of_is_that_and_not_outdated(server: Server) -> None:
    server.register("a", "b")
    assert told(server) == {"a": ("never_seen", ""), "b": ("never_seen", "")}
    assert [one["outdated"] for one in server.ask("endpoints", "--json")] == [False, False]
    tell(server, "a")
    assert told(server)["a"] == ("current", "")
    assert told(server, "--state", "never_seen") == {"b": ("never_seen", "")}


def test_the_module_knows_the_same_states() -> None:
    assert specs.fleet_info()["states"]["choices"] == [state.value for state in EndpointState]


def test_a_failure_has_its_reason_and_since_when_it_goes_on(server: Server) -> None:
    server.register("a")
    tell(server, "a", {"selftest": {"at": None, "errors": ["freshclam is not installed"]}})
    (first,) = server.ask("endpoints", "--json", "--state", "failing")
    server.forward(DAY)
    tell(server, "a", {"selftest": {"at": None, "errors": ["the database directory is not writable"]}})
    (second,) = server.ask("endpoints", "--json", "--reason", "DIRECTORY")
    assert second["since"] == first["since"], "it has been failing all the time"
    assert told(server, "--older-than", "23h") == {"a": ("failing", "the database directory is not writable")}
    assert told(server, "--older-than", "25h") == {}
    tell(server, "a")
    assert told(server) == {"a": ("current", "")}


def test_a_difference_stays_until_somebody_looks_again(server: Server) -> None:
    server.register("a")
    tell(server, "a", drift=("/etc/x has another content",), drift_count=2)
    failing = ("failing", "differs from what was converged: /etc/x has another content (and 1 more)")
    assert told(server) == {"a": failing}
    tell(server, "a")
    assert told(server) == {"a": failing}, "a run does not look"
    tell(server, "a", drift=())
    assert told(server) == {"a": ("current", "")}


def test_silence_is_told_since_when(server: Server) -> None:
    server.register("a")
    server.settings(alarms={"silence": "12h"})
    tell(server, "a")
    server.forward(DAY // 2 + 60)
    (one,) = server.ask("endpoints", "--json", "--state", "silent")
    assert (one["state"], one["reason"]) == ("silent", "")
    assert told(server, "--older-than", "12h") == {"a": ("silent", "")}


def refuse(server: Server, name: str, code: str, detail: str) -> None:
    now = server.host.now()
    with server.connection() as connection:
        connection.execute("INSERT INTO refused_reports VALUES (?, ?, ?, 3, ?, ?)", (name, code, detail, now, now))


def test_refused_reports_are_a_failure_where_no_good_ones_come(server: Server) -> None:
    """Anybody can send some, so they say nothing of an endpoint whose own come each day."""
    server.register("a", "b")
    tell(server, "a")
    refuse(server, "a", "wrong_key", "it is signed by another key")
    refuse(server, "b", "malformed", "its first line is not JSON")
    never = ("failing", "its reports are refused: its first line is not JSON")
    assert told(server) == {"a": ("current", ""), "b": never}
    server.forward(27 * 3600)
    assert told(server)["a"] == ("failing", "its reports are refused: it is signed by another key")


def begin(server: Server, version: str) -> None:
    """A campaign of which a notice waits to be sent to one endpoint."""
    now = server.host.now()
    with server.connection() as connection:
        key = CampaignKey(Trigger.DOWNLOAD, "files", version)
        assert CampaignStore(connection).create(key, [Delivery("a", due=now)], now=now)


def send(server: Server, result: SendResult, reason: str, meanwhile: Callable[[], None] = lambda: None) -> None:
    """Send the notice, with this outcome; something happens while it is under way."""
    with server.connection() as connection:
        (dispatch,), _wake = CampaignStore(connection).next_dispatches(now=server.host.now(), cap=1)
    meanwhile()
    with server.connection() as connection:
        response, now = Response(SendOutcome(result, reason=reason)), server.host.now()
        CampaignStore(connection).record_response(dispatch, response, now=now, limits=RetryPolicy())


def test_who_does_not_let_the_server_in_is_failing_until_it_is_heard_of(server: Server) -> None:
    """Also while the notice of a newer campaign waits: nothing has changed by then."""
    server.register("a")
    tell(server, "a")
    server.forward(60)
    begin(server, "1")
    assert told(server) == {"a": ("current", "")}
    send(server, SendResult.HOST_KEY_CHANGED, "another host")
    (first,) = server.ask("endpoints", "--json")
    assert (first["state"], first["reason"]) == ("failing", "its host key has changed: another host")
    server.forward(DAY // 2)
    begin(server, "2")
    (waiting,) = server.ask("endpoints", "--json")
    assert [waiting[key] for key in ("state", "reason", "since")] == [
        first[key] for key in ("state", "reason", "since")
    ]
    send(server, SendResult.REFUSED, "no such account")
    (second,) = server.ask("endpoints", "--json", "--older-than", "11h")
    assert (second["reason"], second["since"]) == ("it does not let the server in: no such account", first["since"])
    server.forward(60)
    tell(server, "a")
    assert told(server) == {"a": ("current", "")}
    server.forward(DAY // 2)
    begin(server, "3")
    send(server, SendResult.REFUSED, "no such account")
    (again,) = server.ask("endpoints", "--json")
    assert again["since"] > second["since"], "it was let in meanwhile"
    server.forward(3600)
    send(server, SendResult.NOT_REACHED, "no route")
    assert told(server) == {"a": ("current", "")}, "one that is off says nothing of its key"


def test_who_is_heard_of_while_a_notice_is_under_way_has_been_mended_since(server: Server) -> None:
    """Whatever the notice ends with, and also while the next one is under way."""

    def comes_back() -> None:
        server.forward(1)
        tell(server, "a")
        assert told(server) == {"a": ("current", "")}
        server.forward(1)

    server.register("a")
    tell(server, "a")
    server.forward(60)
    begin(server, "1")
    send(server, SendResult.REFUSED, "no such account", comes_back)
    assert told(server) == {"a": ("current", "")}
    server.forward(DAY // 24)
    send(server, SendResult.REFUSED, "no such account")
    assert told(server) == {"a": ("failing", "it does not let the server in: no such account")}
    server.forward(1)
    tell(server, "a")
    assert told(server) == {"a": ("current", "")}
    server.forward(DAY // 24)
    send(server, SendResult.NOT_REACHED, "no route", lambda: still_current(server))


def still_current(server: Server) -> None:
    assert told(server) == {"a": ("current", "")}


def test_health_counts_states_and_ends_with_1_where_somebody_has_to_look(server: Server) -> None:
    server.register("a", "b")
    tell(server, "a")
    tell(server, "b", {"roaming": True})
    status, out, _err = server.run("health")
    assert (status, out) == (0, "2 endpoints: 1 roaming, 1 current\n")
    tell(server, "a", {"selftest": {"at": None, "errors": ["clamd does not answer"]}})
    status, out, _err = server.run("health")
    alarm = "ALARM failing: 1 endpoint of 2 failing (clamd does not answer) (limit 5 %)\n"
    assert (status, out) == (1, f"{alarm}2 endpoints: 1 failing, 1 roaming\n")
    server.settings(alarms={"failing_share": 50})
    assert server.run("health")[0] == 0


def test_what_was_published_long_ago_is_missed_by_those_that_were_heard_of(server: Server) -> None:
    """One that never reported may have anything: it is counted as never_seen."""
    server.settings(components={"files": {"directory": "/upstream"}}, alarms={"component_age": {"files": "1d"}})
    server.host.write("/upstream/a.yar", b"1")
    server.register("a", "b")
    server.run("fetch")
    tell(server, "a")
    with server.connection() as connection:
        connection.execute("INSERT INTO holdings VALUES ('a', 'files', '{\"x\": \"1\"}', ?, '')", (server.host.now(),))
    assert told(server)["a"][0] == "behind"
    assert server.ask("health", "--json")["alarms"] == []
    server.forward(DAY + 60)
    alarms = {one["name"]: one["words"] for one in json.loads(server.run("health", "--json")[1])["alarms"]}
    assert alarms["outdated"] == "files: 1 endpoint without what was published more than 1d ago"
    assert "component_age" in alarms


def component(server: Server, name: str, age: float, **more: str) -> dict[str, Any]:
    return {"name": name, "version": "1", "built": iso(server.host.now() - age), **more}


def test_an_updater_that_stands_still_is_not_current_whatever_it_says(server: Server) -> None:
    """R7: the newest component of a product that is not published here tells how old all is; engines tell nothing."""
    server.settings(alarms={"component_age": {"defender": "3d", "own": "30d"}})
    server.register("a", "b", "c", "d")
    engine = component(server, "engine", 0, kind="engine")
    undated = {"name": "app", "version": "1", "built": None}
    old = component(server, "definitions", 4 * DAY)
    tell(server, "a", {"product": "defender", "components": [old, engine]})
    newest = [component(server, "main", 900 * DAY), component(server, "daily", 2 * DAY)]
    tell(server, "b", {"product": "defender", "components": newest})
    tell(server, "c", {"product": "own", "components": [component(server, "rules", 29 * DAY)]})
    tell(server, "d", {"product": "defender", "components": [undated]})
    built = old["built"]
    words = f"defender: its newest component is of {built}, and may be 3d old"
    current = ("current", "")
    assert told(server) == {"a": ("behind", words), "b": current, "c": current, "d": current}
    assert [one["since"] for one in server.ask("endpoints", "--json", "--state", "behind")] == [built]
    told_alarms = [one["words"] for one in json.loads(server.run("health", "--json")[1])["alarms"]]
    assert told_alarms == ["defender: 1 endpoint whose newest component is more than 3d old"]
    tell(server, "a", {"product": "defender", "components": [component(server, "definitions", DAY)]})
    assert told(server)["a"] == current
    server.settings(alarms={})
    tell(server, "c", {"product": "own", "components": [component(server, "rules", 900 * DAY)]})
    assert told(server)["c"] == current, "a product without a limit is never too old"


def test_each_product_of_an_endpoint_may_be_too_old(server: Server) -> None:
    server.settings(alarms={"component_age": {"defender": "3d", "own": "30d", "third": "30d"}})
    server.register("a", product="defender", further=["own", "third"])
    ages = {"defender": 2, "own": 40, "third": 50}

    def tell_all() -> None:
        sections = [
            {"product": name, "components": [component(server, "c", days * DAY)]} for name, days in ages.items()
        ]
        tell(server, "a", {**sections[0], "products": sections[1:]})

    tell_all()
    state, words = told(server)["a"]
    assert (state, words.partition(" ")[0]) == ("behind", "own:")
    alarms = [one["words"].partition(":")[0] for one in json.loads(server.run("health", "--json")[1])["alarms"]]
    assert sorted(alarms) == ["own", "third"]
    ages.update(own=1, third=1)
    tell_all()
    assert told(server)["a"] == ("current", "")


def test_a_clock_that_is_put_right_makes_no_endpoint_seen_in_the_future(server: Server) -> None:
    server.register("a")
    server.forward(9 * 365 * DAY)
    tell(server, "a")
    server.forward(-9 * 365 * DAY)
    with server.connection() as connection:
        CampaignStore(connection).clamp_deadlines(server.host.now(), RetryPolicy())
    (one,) = server.ask("endpoints", "--json")
    assert one["since"] <= iso(server.host.now())
    server.forward(3 * DAY)
    assert told(server)["a"][0] == "silent"


def test_health_as_json_has_every_state(server: Server) -> None:
    server.register("a")
    found = server.ask("health", "--json")
    assert found["states"] == {state.value: int(state is EndpointState.NEVER_SEEN) for state in EndpointState}
    assert (found["endpoints"], found["alarms"]) == (1, [])


def test_what_expires_soon_is_an_alarm(server: Server) -> None:
    server.register("a")
    server.forward(13 * DAY)
    status, out, _err = server.run("health")
    assert status == 1
    assert "ALARM expiry: tree: what is published ends in 23h" in out


def test_history_keeps_two_years(server: Server) -> None:
    now = 1795348800.0
    with server.connection() as connection:
        state_history.record(connection, {EndpointState.CURRENT: 3}, now - 800 * DAY)
        state_history.record(connection, {EndpointState.CURRENT: 4}, now - DAY)
        state_history.record(connection, {EndpointState.CURRENT: 1}, now)
        state_history.record(connection, {EndpointState.CURRENT: 5, EndpointState.SILENT: 2}, now)
        found = state_history.history(connection)
    assert list(found) == ["2026-11-21", "2026-11-22"]
    assert (found["2026-11-22"]["current"], found["2026-11-22"]["silent"]) == (5, 2)


def test_an_option_that_makes_no_sense_is_refused(server: Server) -> None:
    status, _out, err = server.run("endpoints", "--older-than", "soon")
    assert status == 65
    assert '--older-than: "soon" is not a duration (try 90m, 2d)' in err
