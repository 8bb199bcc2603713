# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which commands report, and how: by the real agent in a sandbox with an SSH host key (R4)."""

from __future__ import annotations

import json
import subprocess
import time
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.epp.autoupdate.plugins.module_utils._core.reports.report import Occasion
from ansible_collections.epp.autoupdate.plugins.module_utils._core.results import Trigger
from ansible_collections.epp.autoupdate.plugins.module_utils._core.rollout.command import ReportCommand, UpdateCommand
from ansible_collections.epp.autoupdate.plugins.module_utils._core.values import replace
from ansible_collections.epp.autoupdate.plugins.module_utils._endpoint import paths
from ansible_collections.epp.autoupdate.plugins.module_utils._endpoint.reporting import requests
from ansible_collections.epp.autoupdate.plugins.module_utils._endpoint.state.report_record import ReportStore
from ansible_collections.epp.autoupdate.plugins.module_utils._host.lock import locked
from ansible_collections.epp.autoupdate.tests.unit.plugins.module_utils._host.http.scripted_server import Answer

from ..reporting.conftest import Reporting, managed, reporting, server
from ..sync.test_runs import Agent

__all__ = ("managed", "reporting", "server")

ANY_PRIVILEGE = {"privileges": {"toggle_scheduled_update": True, "go_roaming": True}}


@pytest.fixture
def epp_agent(agent: Path, reporting: Reporting) -> Agent:
    made = Agent(agent, reporting.managed)
    assert made.apply().returncode == 0
    far = {"schedule": {"start": time.strftime("%H:00", time.gmtime(time.time() + 12 * 3600)), "window": "1h"}}
    reporting.managed.publisher.root = {**reporting.managed.publisher.root, **ANY_PRIVILEGE, **far}
    reporting.managed.publisher.publish()
    assert made("sync").returncode == 0
    reporting.host.remove(paths.REPORT_RECORD)  # as if nobody had looked for drift today
    reporting.sent()
    return made


def occasions(reporting: Reporting) -> list[str]:
    return [told.occasion.value for told in reporting.sent()]


def test_what_is_not_done_is_not_reported(epp_agent: Agent, reporting: Reporting) -> None:
    """A directory that stands for a host is converged without a report, and so is a host where nothing changes."""
    assert epp_agent.apply().returncode == 0
    assert epp_agent("status").returncode == 0
    assert epp_agent("run", "--trigger", "schedule").returncode == 0
    assert epp_agent("report", "--due").returncode == 0
    assert occasions(reporting) == []


@pytest.mark.parametrize(
    ("command", "occasion"),
    [
        (("update-now",), "run"),
        pytest.param(("run", "--trigger", "manual"), "run", marks=pytest.mark.heavy),
        (("schedule", "disable"), "switch"),
        pytest.param(("roaming", "on"), "roaming", marks=pytest.mark.heavy),
        (("report",), "request"),
        (("sync", "--due"), "daily"),
    ],
    ids=" ".join,
)
def test_a_command_reports_once(
    epp_agent: Agent, reporting: Reporting, command: tuple[str, ...], occasion: str
) -> None:
    assert epp_agent(*command).returncode == 0
    assert occasions(reporting) == [occasion]


def test_a_notice_is_answered_and_reported(epp_agent: Agent, reporting: Reporting) -> None:
    line = UpdateCommand("c-12345678", "1", Trigger.MANUAL).to_line()
    answers = [json.loads(epp_agent("notice", given=line).stdout) for _time in range(2)]
    assert [answer["repeated"] for answer in answers] == [False, True]
    assert occasions(reporting) == ["run"]


def test_who_asks_by_a_notice_gets_a_report_and_nothing_is_sent(epp_agent: Agent, reporting: Reporting) -> None:
    reporting.server.always(Answer(404))
    assert epp_agent("report").returncode == 75
    asked, log = len(reporting.server.requests), reporting.logged("takes no reports")
    done = epp_agent("notice", given=ReportCommand().to_line())
    answer = json.loads(done.stdout)
    assert (done.returncode, set(answer), answer["result"]) == (0, {"result", "envelope"}, "report")
    told = reporting.verified(answer["envelope"].encode())
    assert (told.endpoint, told.occasion, told.drift) == ("n1", Occasion.REQUEST, ())
    assert len(reporting.server.requests) == asked
    record = reporting.record
    assert (record.sequence, record.waiting, record.why) == (told.sequence, False, "")
    assert record.taken == pytest.approx(time.time(), abs=60)
    assert reporting.kept() == told
    assert json.loads(epp_agent("status", "--json").stdout)["report"]["waiting"] is False
    again = reporting.verified(
        json.loads(epp_agent("notice", given=ReportCommand().to_line()).stdout)["envelope"].encode()
    )
    assert again.sequence > told.sequence
    assert epp_agent("report").returncode == 75
    assert reporting.logged("takes no reports") == log, "an obstacle that goes on is logged once"


def test_an_endpoint_that_roams_or_has_no_key_says_so_alone(epp_agent: Agent, reporting: Reporting) -> None:
    key = reporting.sandbox.root / "etc/ssh/ssh_host_ed25519_key.pub"
    kept = key.read_bytes()
    key.unlink()
    failed = epp_agent("notice", given=ReportCommand().to_line())
    assert (failed.returncode, json.loads(failed.stdout)["result"]) == (1, "failed")
    assert json.loads(failed.stdout)["reason"].startswith("this host has no SSH host key")
    key.write_bytes(kept)
    assert epp_agent("roaming", "on").returncode == 0
    before = reporting.record
    roams = epp_agent("notice", given=ReportCommand().to_line())
    reason = "this endpoint is roaming, so it takes no commands"
    assert (roams.returncode, json.loads(roams.stdout)) == (0, {"result": "skipped", "reason": reason})
    assert reporting.record == before


def test_a_report_that_is_requested_while_the_server_asks_is_made_afterwards(
    epp_agent: Agent, reporting: Reporting
) -> None:
    requests.leave(reporting.host, Occasion.SWITCH)
    assert epp_agent("notice", given=ReportCommand().to_line()).returncode == 0
    assert occasions(reporting) == ["switch"]
    assert not requests.pending(reporting.host)


def test_a_synchronization_reports_what_became_of_it(epp_agent: Agent, reporting: Reporting) -> None:
    publisher = reporting.managed.publisher
    publisher.tree(root={**publisher.root, "sources": {"urls": []}})
    assert json.loads(epp_agent("sync", "--json").stdout)["changed"] is False
    assert occasions(reporting) == ["adoption"]
    publisher.tree(root={"schedule": {"start": "05:00"}})
    assert epp_agent("sync").returncode == 0
    assert occasions(reporting) == ["converge"]
    publisher.tree(key="b")
    assert epp_agent("sync").returncode == 65
    (told,) = reporting.sent()
    assert (told.occasion, told.status["configuration"]["result"]) == (Occasion.REFUSAL, "unknown_key")


def test_it_tells_what_became_of_a_report(epp_agent: Agent, reporting: Reporting) -> None:
    url = reporting.server.url
    assert epp_agent("report").stdout == f"report: taken by {url}\n"
    assert "last report       request at " in epp_agent("status").stdout
    reporting.server.always(Answer(404))
    refused = epp_agent("report", "--json")
    told: dict[str, Any] = json.loads(refused.stdout)
    why = f"the update server takes no reports: {url}/reports/n1 answered 404"
    assert (refused.returncode, told["waiting"], told["reason"]) == (75, True, why)
    assert told == json.loads(epp_agent("status", "--json").stdout)["report"]
    assert f", waits ({why})\n" in epp_agent("status").stdout
    assert "report taken      last at " in epp_agent("status").stdout
    reporting.server.script = None
    reporting.server.forget()
    assert epp_agent("report", "--due").stdout == ""
    assert occasions(reporting) == ["request"]
    (reporting.sandbox.root / "etc/ssh/ssh_host_ed25519_key.pub").unlink()
    failed = epp_agent("report")
    assert (failed.returncode, failed.stdout.startswith("report: failed; this host has no SSH host key")) == (1, True)


def test_a_standalone_endpoint_keeps_it(agent: Path, reporting: Reporting) -> None:
    reporting.sandbox.converge()
    done = Agent(agent, reporting.managed)("report")
    assert (done.returncode, done.stdout) == (0, f"report: kept in {paths.REPORT}\n")
    assert reporting.server.requests == []
    assert ", kept on this host\n" in Agent(agent, reporting.managed)("status").stdout


@pytest.mark.heavy
def test_a_report_leaves_the_fast_path_of_a_converge_as_it_is(epp_agent: Agent, reporting: Reporting) -> None:
    import time

    from ansible_collections.epp.autoupdate.plugins.module_utils._endpoint.converge import fast_path

    time.sleep(fast_path.RACE_S + 0.1)
    assert epp_agent.apply().returncode == 0
    assert epp_agent.short_way() is not None
    assert epp_agent("report").returncode == 0
    assert epp_agent.short_way() is not None


def test_who_asks_while_another_process_sends_is_told_what_came_of_it(epp_agent: Agent, reporting: Reporting) -> None:
    """Never that it waits without a reason: the other one has the lock, and the answer is its (R4)."""
    store, why = ReportStore(reporting.host), "the update server takes no reports: 404"
    sent = replace(store.read(), waiting=True, cause="", why="")
    with locked(reporting.host, paths.REPORT_LOCK, wait=0) as held:
        assert held
        store.write(sent)
        command = [epp_agent.agent, "--root", reporting.host.root, "report"]
        asking = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        while not requests.pending(reporting.host):
            time.sleep(0.01)
        time.sleep(0.2)
        assert asking.poll() is None, "it waits for the other one"
        store.write(replace(sent, cause="refused", why=why))
    assert asking.communicate()[0] == f"report: waits; {why}\n"
    assert asking.returncode == 75
