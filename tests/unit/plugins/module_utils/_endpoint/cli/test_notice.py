# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The update server's entry on an endpoint: real agents, asked again, killed and misused."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import time
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.epp.autoupdate.plugins.module_utils._core.results import Trigger
from ansible_collections.epp.autoupdate.plugins.module_utils._core.rollout.command import UpdateCommand

from ..conftest import Sandbox

ORDER = UpdateCommand("campaign-2", "2")


class Entry:
    """The agent of a sandbox endpoint whose updates are counted, and take ``pause`` seconds."""

    def __init__(self, sandbox: Sandbox, agent: Path) -> None:
        self.sandbox = sandbox
        self.argv = [str(agent), "--root", str(sandbox.root), "notice"]
        self.updates = sandbox.directory / "updates"
        self.pause = sandbox.directory / "pause"
        self.pause.write_text("0")

    def enroll(self, **policy: Any) -> None:
        work = f"pause=$(cat {self.pause}); echo run >>{self.updates}; sleep $pause; cat {self.sandbox.upstream} >"
        work += str(self.sandbox.installed)
        command = {"update": ["/bin/sh", "-c", work], "version": ["/bin/cat", str(self.sandbox.installed)]}
        self.sandbox.converge(command=command, policy=policy)

    def start(self, order: UpdateCommand = ORDER) -> subprocess.Popen[bytes]:
        process = subprocess.Popen(self.argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        assert process.stdin is not None
        process.stdin.write(order.to_line())
        process.stdin.close()
        process.stdin = None
        return process

    def send(self, order: UpdateCommand = ORDER) -> dict[str, Any]:
        out, err = self.start(order).communicate(timeout=60)
        assert out, err
        return dict(json.loads(out))

    def runs(self) -> int:
        return self.updates.read_text().count("run") if self.updates.exists() else 0

    def await_run(self, number: int) -> None:
        deadline = time.monotonic() + 30
        while self.runs() < number and time.monotonic() < deadline:
            time.sleep(0.02)
        assert self.runs() == number

    def log(self) -> str:
        return (self.sandbox.root / "var/log/epp-agent.log").read_text()


@pytest.fixture
def entry(sandbox: Sandbox, agent: Path) -> Entry:
    return Entry(sandbox, agent)


def test_a_notice_updates_and_answers_with_the_result(entry: Entry) -> None:
    entry.enroll()
    answer = entry.send()
    assert (answer["result"], answer["trigger"], answer["repeated"]) == ("updated", "download", False)
    assert (answer["endpoint"], answer["campaign"]) == ("n1", "campaign-2")
    assert [component["version"] for component in answer["after"]] == ["1"]


def test_the_same_campaign_again_starts_nothing_and_gets_the_same_answer(entry: Entry) -> None:
    entry.enroll()
    first, again = entry.send(), entry.send()
    assert again == {**first, "repeated": True}
    assert entry.runs() == 1
    entry.send(UpdateCommand("campaign-3", "3"))
    assert entry.runs() == 2


def test_two_of_one_campaign_at_once_are_one_run(entry: Entry) -> None:
    entry.pause.write_text("1")
    entry.enroll()
    answers = [json.loads(process.communicate(timeout=60)[0]) for process in [entry.start() for _number in range(3)]]
    assert sorted(answer["repeated"] for answer in answers) == [False, True, True]
    assert entry.runs() == 1


def test_an_agent_killed_amid_its_update_finishes_the_work_when_asked_again(entry: Entry) -> None:
    entry.pause.write_text("60")  # whose updater outlives the agent, and must not be done before the next one)
    entry.enroll()
    process = entry.start()
    entry.await_run(1)
    process.kill()
    process.communicate()
    entry.pause.write_text("0")
    answer = entry.send()
    assert (answer["result"], answer["repeated"]) == ("updated", False)
    assert entry.log().count("notice campaign-2 taken") == 1
    assert entry.send()["repeated"] is True


def test_a_run_whose_answer_was_not_written_is_not_run_again(entry: Entry) -> None:
    entry.enroll()
    first = entry.send()
    record = entry.sandbox.root / "var/lib/epp-autoupdate/notices.json"
    content = json.loads(record.read_text())
    content["notices"][0]["answer"] = None
    record.write_text(json.dumps(content))
    answer = entry.send()
    assert {key: answer[key] for key in ("result", "until", "changed", "started", "finished")} == {
        key: first[key] for key in ("result", "until", "changed", "started", "finished")
    }
    assert entry.runs() == 1


def test_the_update_outlives_the_connection(entry: Entry) -> None:
    entry.pause.write_text("1")
    entry.enroll()
    process = entry.start()
    entry.await_run(1)
    os.kill(process.pid, signal.SIGHUP)
    assert process.stdout is not None
    process.stdout.close()
    process.wait(60)
    if process.stderr is not None:
        process.stderr.close()
    assert entry.send()["repeated"] is True
    assert entry.runs() == 1


def test_a_roaming_endpoint_takes_no_command(entry: Entry, agent: Path) -> None:
    entry.enroll(privileges={"go_roaming": True})
    subprocess.run([str(agent), "--root", str(entry.sandbox.root), "roaming", "on"], check=True)
    answer = entry.send()
    assert (answer["result"], entry.runs()) == ("skipped", 0)
    assert "roaming" in answer["reason"]


def test_a_slot_that_the_endpoint_keeps_itself_is_not_the_servers(entry: Entry) -> None:
    entry.enroll()
    answer = entry.send(UpdateCommand("campaign-4", "slot", Trigger.SCHEDULE))
    assert (answer["result"], entry.runs()) == ("skipped", 0)


@pytest.mark.parametrize(
    "line", [b"", b"\n", b"sh\n", b'{"campaign":"campaign-2","version":"2","trigger":"reconnect"}\n', b"{" * 9000]
)
def test_anything_else_is_refused_and_leaves_no_trace(entry: Entry, line: bytes) -> None:
    entry.enroll()
    before = entry.sandbox.tree()
    environment = {"SSH_ORIGINAL_COMMAND": "sh -c id"}
    done = subprocess.run(entry.argv, input=line, capture_output=True, check=False, env=environment)
    assert (done.returncode, done.stdout) == (64, b"")
    assert entry.sandbox.tree() == before


def test_a_host_that_is_not_enrolled_says_so(entry: Entry) -> None:
    done = subprocess.run(entry.argv, input=ORDER.to_line(), capture_output=True, check=False)
    assert done.returncode == 1
    assert b"not enrolled" in done.stderr
    assert entry.sandbox.tree() == {}


def test_a_notice_in_a_blackout_is_answered_with_its_end_and_carried_out_when_it_comes_after_it(entry: Entry) -> None:
    """G7: the answer is not kept, so the same campaign again is no repetition."""
    now = datetime.now(timezone.utc).replace(microsecond=0)
    begin, end = (now + timedelta(days=days) for days in (-1, 1))
    freeze = {"name": "freeze", "from": f"{begin:%Y-%m-%dT%H:%M:%SZ}", "to": f"{end:%Y-%m-%dT%H:%M:%SZ}"}
    entry.enroll(schedule={"blackouts": [freeze]})
    for _time in range(2):
        answer = entry.send()
        assert (answer["result"], answer["reason"], answer["until"]) == ("skipped", "blackout freeze", freeze["to"])
        assert answer["repeated"] is False
    assert entry.runs() == 0
    now_allowed = entry.send(UpdateCommand("campaign-3", "2", Trigger.MANUAL))
    assert now_allowed["result"] == "updated"
    entry.enroll()
    assert (entry.send()["result"], entry.runs()) == ("current", 2)
    assert entry.send()["repeated"] is True
