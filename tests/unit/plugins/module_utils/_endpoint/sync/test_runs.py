# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""When runs ask for the configuration, in which order, and what a converge by Ansible does about it (S2, C1)."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.epp.autoupdate.plugins.module_utils._core.results import Result, Trigger
from ansible_collections.epp.autoupdate.plugins.module_utils._core.values import replace
from ansible_collections.epp.autoupdate.plugins.module_utils._endpoint import paths, payload
from ansible_collections.epp.autoupdate.plugins.module_utils._endpoint.converge import enroll, fast_path
from ansible_collections.epp.autoupdate.plugins.module_utils._endpoint.status.status import save_and_publish
from ansible_collections.epp.autoupdate.plugins.module_utils._endpoint.sync.due import daily_sync_due
from ansible_collections.epp.autoupdate.tests.unit.plugins.module_utils._host.http.scripted_server import Answer

from .conftest import Managed

UNCHANGED = [("tree", 304), ("shard", 304)]
DAY = 86400


def run(managed: Managed, trigger: Trigger) -> Any:
    return managed.sandbox.runner().run(trigger)


def set_policy(managed: Managed, **policy: Any) -> None:
    managed.publisher.root = policy
    managed.publisher.publish()
    managed.sync()
    managed.asked()


def test_update_now_asks_first_and_then_updates(managed: Managed) -> None:
    report = run(managed, Trigger.MANUAL)
    assert report.result is Result.UPDATED
    assert managed.asked() == UNCHANGED


def test_a_notice_is_about_components_alone(managed: Managed) -> None:
    assert run(managed, Trigger.DOWNLOAD).result is Result.UPDATED
    assert managed.asked() == []


def test_a_return_asks(managed: Managed) -> None:
    """E2."""
    managed.sandbox.host.write("/proc/sys/kernel/random/boot_id", b"another\n")
    assert run(managed, Trigger.RECONNECT).result is Result.UPDATED
    assert managed.asked() == UNCHANGED


def test_a_scheduled_run_in_a_window_asks_each_time(managed: Managed) -> None:
    for _day in range(2):
        managed.sandbox.host.clock = managed.sandbox.endpoint.timetable().next_slot(managed.sandbox.host.clock).at
        assert run(managed, Trigger.SCHEDULE).recorded
        assert managed.asked() == UNCHANGED


@pytest.mark.parametrize(("once", "expected"), [(True, 1), (False, 24)])
def test_an_interval_asks_once_a_day_or_each_time(managed: Managed, once: bool, expected: int) -> None:
    set_policy(managed, schedule={"frequency": "hours", "interval": 1, "configuration_once_per_day": once})
    asked = []
    for _hour in range(48):
        managed.sandbox.host.clock = managed.sandbox.endpoint.timetable().next_slot(managed.sandbox.host.clock).at
        assert run(managed, Trigger.SCHEDULE).recorded
        asked.append(bool(managed.asked()))
    assert sum(asked[24:]) == expected


def test_new_sources_apply_to_the_same_run(managed: Managed) -> None:
    managed.publisher.root = {"limits": {}}  # refused: what is in force stays, and the run goes on
    managed.publisher.tree()
    assert run(managed, Trigger.MANUAL).result is Result.UPDATED
    managed.publisher.root = {"privileges": {"scheduled_update": False}}
    managed.publisher.tree()
    managed.sandbox.host.clock = managed.sandbox.endpoint.timetable().next_slot(managed.sandbox.host.clock).at
    report = run(managed, Trigger.SCHEDULE)
    assert (report.result, report.why) == (
        Result.SKIPPED,
        "scheduled update is off by policy (privileges.scheduled_update)",
    )


@pytest.mark.parametrize("answer", [Answer(500), Answer(200, b"nonsense"), Answer(404)])
def test_no_answer_stops_an_update(managed: Managed, answer: Answer) -> None:
    managed.server.always(answer)
    assert run(managed, Trigger.MANUAL).result is Result.UPDATED
    managed.server.stop()
    assert run(managed, Trigger.MANUAL).result is Result.CURRENT


def test_a_server_at_its_cap_is_asked_again(managed: Managed) -> None:
    """N3."""
    turned_away: list[str] = []

    def busy(path: str, _headers: dict[str, str]) -> Answer | None:
        turned_away.append(path)
        return Answer(503, b"", {"Retry-After": "0"}) if len(turned_away) == 1 else None

    managed.server.script = busy
    assert managed.sync().result.value == "unchanged"
    assert managed.asked() == [("tree", 503), *UNCHANGED]


def test_the_probe_asks_the_update_server(managed: Managed) -> None:
    """E2: wherever the components come from."""
    set_policy(managed, sources={"urls": ["http://127.0.0.1:1"]})
    assert managed.sandbox.endpoint.reachable(5)
    managed.server.stop()
    assert not managed.sandbox.endpoint.reachable(5)


OFF = {"privileges": {"scheduled_update": False}}


@pytest.mark.parametrize(
    ("policy", "asks"),
    [({}, False), (OFF, True), ({"schedule": {"initiator": "server"}}, True)],
    ids=["scheduled", "off by policy", "the server keeps the slots"],
)
def test_the_daily_waking_asks_where_no_schedule_does(managed: Managed, policy: dict[str, Any], asks: bool) -> None:
    """Otherwise nobody could ever switch an endpoint's updates on again."""
    set_policy(managed, **policy)
    endpoint = managed.sandbox.endpoint
    assert not daily_sync_due(endpoint, endpoint.store.read())
    managed.sandbox.host.clock += DAY
    assert daily_sync_due(endpoint, endpoint.store.read()) is asks


def test_the_user_s_own_switch_does_not_silence_the_endpoint(managed: Managed) -> None:
    set_policy(managed, privileges={"toggle_scheduled_update": True})
    save_and_publish(managed.sandbox.endpoint, lambda state: replace(state, switch=False))
    managed.sandbox.host.clock += DAY
    endpoint = managed.sandbox.endpoint
    assert daily_sync_due(endpoint, endpoint.store.read())


def test_a_failure_to_reach_the_server_is_no_answer_of_the_day(managed: Managed) -> None:
    set_policy(managed, **OFF)
    managed.sandbox.host.clock += DAY
    managed.server.always(Answer(500))
    managed.sync()
    endpoint = managed.sandbox.endpoint
    assert daily_sync_due(endpoint, endpoint.store.read())


def test_where_the_server_keeps_the_slots_there_is_no_timer(managed: Managed) -> None:
    """S6."""
    set_policy(managed, schedule={"initiator": "server"})
    managed.converge()
    units = managed.sandbox.root / "etc/systemd/system"
    assert not (units / "epp-update.timer").exists()
    assert (units / "epp-sync.timer").exists()


# What Ansible's converge does.


def test_an_enrollment_adopts_in_the_same_converge_and_a_second_one_asks_nothing(managed: Managed) -> None:
    managed.converge(limits={"update": "20m"})
    assert not managed.converge(limits={"update": "20m"}).changed
    assert managed.asked() == []
    document = json.loads((managed.sandbox.root / paths.DOCUMENT[1:]).read_text())
    assert {"policy", "domain", "ordinal"}.isdisjoint(document)
    assert "OnCalendar=*-*-* 02:" in (managed.sandbox.root / "etc/systemd/system/epp-update.timer").read_text()


def fresh(managed: Managed, tmp_path: Path) -> Managed:
    """The same endpoint on a host that has never seen it."""
    managed.sandbox.root = tmp_path / "fresh"
    managed.sandbox.root.mkdir()
    managed.sandbox.host.root = str(managed.sandbox.root)
    return managed


def test_check_mode_plans_what_would_be_adopted_and_writes_nothing(managed: Managed, tmp_path: Path) -> None:
    host = fresh(managed, tmp_path)
    planned = host.converge(check=True)
    assert planned.corrections == (f"the configuration is adopted: tree 1, shard 1, from {managed.server.url}",)
    assert managed.sandbox.tree() == {}
    done = host.converge()
    assert (done.changes, done.corrections) == (planned.changes, planned.corrections)
    assert not host.converge(check=True).changed


def test_check_mode_before_the_registration_says_what_it_can(managed: Managed, tmp_path: Path) -> None:
    managed.publisher.shards = 1  # so that the shard of n1 is everybody's
    managed.publisher.publish()
    host = fresh(managed, tmp_path)
    planned = host.converge(check=True, endpoint="n2")
    assert planned.corrections == (f"the configuration is fetched from {managed.server.url} and adopted",)
    assert managed.sandbox.tree() == {}
    with pytest.raises(enroll.NotConfigured, match="not_registered"):
        host.converge(endpoint="n2")


@pytest.mark.parametrize(
    ("answer", "why"), [(Answer(500), "unreachable: tree"), (Answer(200, b"x\ny"), "malformed: tree")]
)
def test_an_enrollment_that_can_t_adopt_changes_nothing(
    managed: Managed, tmp_path: Path, answer: Answer, why: str
) -> None:
    host = fresh(managed, tmp_path)
    managed.server.always(answer)
    with pytest.raises(enroll.NotConfigured, match=why):
        host.converge()
    left = [path for path in managed.sandbox.root.rglob("*") if path.is_file() and "run/" not in str(path)]
    assert left == []


class Agent:
    """The real agent on the managed sandbox; the clocks are the system's."""

    def __init__(self, agent: Path, managed: Managed) -> None:
        self.agent, self.managed = agent, managed
        self.digest = payload.digest(payload.sources())

    def __call__(self, *arguments: str, given: bytes = b"") -> subprocess.CompletedProcess[str]:
        command = [str(self.agent), "--root", str(self.managed.sandbox.root), *arguments]
        done = subprocess.run(command, input=given, capture_output=True, check=False)
        return subprocess.CompletedProcess(command, done.returncode, done.stdout.decode(), done.stderr.decode())

    def apply(self, **changes: Any) -> subprocess.CompletedProcess[str]:
        given = json.dumps(self.managed.document(**changes)).encode()
        root = str(self.managed.sandbox.root)
        command = [str(self.agent), "apply", "--digest", self.digest, "--root", root]
        done = subprocess.run(command, input=given, capture_output=True, check=False)
        return subprocess.CompletedProcess(command, done.returncode, done.stdout.decode(), done.stderr.decode())

    def short_way(self) -> str | None:
        arguments = ["apply", "--digest", self.digest, "--root", str(self.managed.sandbox.root)]
        return fast_path.cached_result(arguments, json.dumps(self.managed.document()).encode(), digest=self.digest)


@pytest.fixture
def epp_agent(agent: Path, managed: Managed) -> Agent:
    made = Agent(agent, managed)
    assert made.apply().returncode == 0
    managed.asked()
    return made


def test_a_managed_endpoint_settles_too(epp_agent: Agent, managed: Managed) -> None:
    import time

    time.sleep(fast_path.RACE_S + 0.1)
    told = json.loads(epp_agent.apply().stdout)
    assert not told["changed"]
    short = epp_agent.short_way()
    assert short is not None
    assert json.loads(short) == told
    managed.publisher.tree(root={"schedule": {"start": "05:00"}})
    assert epp_agent("sync").returncode == 0
    assert epp_agent.short_way() is None
    assert not json.loads(epp_agent.apply().stdout)["changed"]
    assert [path for path, _status in managed.asked()] == ["tree", "shard"]


def test_the_agent_refuses_a_policy_beside_a_server(epp_agent: Agent) -> None:
    done = epp_agent.apply(policy={"events": {"scan_after_update": True}})
    assert done.returncode == 65
    assert "policy: a mapping beside server is not allowed" in json.loads(done.stdout)["msg"]


def test_sync_by_hand_tells_what_it_did(epp_agent: Agent, managed: Managed) -> None:
    assert epp_agent("sync").stdout == "configuration: unchanged\n"
    managed.publisher.tree(root={"schedule": {"start": "05:00"}})
    done = epp_agent("sync", "--json")
    told = json.loads(done.stdout)
    assert (done.returncode, told["result"], told["changed"]) == (0, "adopted", True)
    assert {change["path"] for change in told["changes"]} >= {"/etc/systemd/system/epp-update.timer"}
    managed.publisher.tree(key="b")
    refused = epp_agent("sync")
    assert (refused.returncode, refused.stdout.startswith("configuration: unknown_key; tree: ")) == (65, True)
    told = json.loads(epp_agent("sync", "--json").stdout)
    assert (told["result"], told["reason"].startswith("tree: "), "why" in told) == ("unknown_key", True, False)
    managed.server.stop()
    assert epp_agent("sync").returncode == 75


def test_sync_when_due_and_as_adopted(epp_agent: Agent, managed: Managed) -> None:
    assert epp_agent("sync", "--due").returncode == 0
    assert managed.asked() == []
    (managed.sandbox.root / "etc/systemd/system/epp-update.timer").unlink()
    done = epp_agent("sync", "--adopted")
    assert (done.returncode, done.stdout) == (0, "create /etc/systemd/system/epp-update.timer\n")
    assert managed.asked() == []
    assert epp_agent("sync", "--due", "--adopted").returncode == 64


def test_sync_of_a_standalone_endpoint(agent: Path, managed: Managed) -> None:
    managed.sandbox.converge()
    done = Agent(agent, managed)("sync")
    assert (done.returncode, "has no update server" in done.stderr) == (1, True)


def test_an_endpoint_that_has_lost_what_it_adopted_gets_it_back(epp_agent: Agent, managed: Managed) -> None:
    (managed.sandbox.root / "var/lib/epp-autoupdate/configuration/adopted.json").unlink()
    told = json.loads(epp_agent("status", "--json").stdout)
    assert (told["configuration"]["adopted"], told["serial"], told["next_run"]) == (None, None, None)
    assert "none yet from" in epp_agent("status").stdout
    assert "there is no schedule" in epp_agent("run", "--trigger", "schedule").stdout
    assert epp_agent("sync", "--due").stdout.startswith("configuration: adopted; tree 1, shard 1, from")
    assert json.loads(epp_agent("status", "--json").stdout)["next_run"]
