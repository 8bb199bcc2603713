# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The contract of notifiers, held by each of them: what an engine may rely on whatever the way to an endpoint."""

from __future__ import annotations

import json
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from ansible_collections.epp.autoupdate.plugins.module_utils._core.metadata.envelope import pack, unpack
from ansible_collections.epp.autoupdate.plugins.module_utils._core.reports.report import MAX_SIZE, NAMESPACE, Report
from ansible_collections.epp.autoupdate.plugins.module_utils._core.rollout.command import UpdateCommand
from ansible_collections.epp.autoupdate.plugins.module_utils._core.rollout.delivery import SendResult
from ansible_collections.epp.autoupdate.plugins.module_utils._core.values import replace
from ansible_collections.epp.autoupdate.plugins.module_utils._server.campaigns.notifiers.base import (
    REPORT_LIMIT,
    Printed,
    parse_report,
    parse_response,
)

from .conftest import SandboxEndpoint, Way

ORDER = UpdateCommand("campaign-1", "1")


def test_the_reply_is_the_endpoints_own_report(way: Way, endpoint: SandboxEndpoint) -> None:
    told = way.notifier.notify(way.target(endpoint), ORDER, timeout=60)
    assert (told.outcome.send_result, told.outcome.result) == (SendResult.ACKNOWLEDGED, "updated")
    assert told.answer is not None
    assert (told.answer["endpoint"], told.answer["after"][0]["version"]) == ("n1", "1")
    assert (endpoint.runs(), endpoint.taken()) == (1, ["campaign-1"])
    status = json.loads((endpoint.root / "var/lib/epp-autoupdate/status.json").read_text())
    last = status["last"]["download"]
    assert {key: told.answer[key] for key in last} == last


def test_a_campaign_sent_again_is_an_answer_and_no_run(way: Way, endpoint: SandboxEndpoint) -> None:
    target = way.target(endpoint)
    first, again = (way.notifier.notify(target, ORDER, timeout=60) for _time in range(2))
    assert again.outcome == first.outcome
    assert again.answer is not None
    assert again.answer["repeated"] is True
    assert endpoint.runs() == 1


def test_an_endpoint_that_is_off_is_not_reached(way: Way, endpoint: SandboxEndpoint) -> None:
    endpoint.switch_off()
    told = way.notifier.notify(way.target(endpoint), ORDER, timeout=60)
    assert told.outcome.send_result is SendResult.NOT_REACHED
    assert told.outcome.reason
    assert told.answer is None


@pytest.mark.parametrize("address", ["", "n1:99999", "n1:0", "[::1]:70000", "n1:x"])
def test_what_is_no_address_is_not_reached(way: Way, endpoint: SandboxEndpoint, address: str) -> None:
    """It is as if the endpoint were off: whose notice might have been delivered would hold its place."""
    target = replace(way.target(endpoint), address=address)
    assert way.notifier.notify(target, ORDER, timeout=60).outcome.send_result is SendResult.NOT_REACHED


def test_patience_ends_and_the_endpoint_can_be_asked_later(way: Way, endpoint: SandboxEndpoint) -> None:
    target = way.target(endpoint)
    endpoint.pause.write_text("4")
    told = way.notifier.notify(target, ORDER, timeout=2)
    assert told.outcome.send_result is SendResult.NO_REPLY
    # A local agent is killed, and what it had started goes on: were it to end beside the next run, that one would find
    # nothing new. An agent that was too slow to start anything within its time leaves nothing to wait for.
    deadline = time.monotonic() + 8
    while endpoint.installed.read_text().strip() != "1" and time.monotonic() < deadline:
        time.sleep(0.05)
    endpoint.upstream.write_text("2")
    endpoint.pause.write_text("0")
    later = way.notifier.notify(target, ORDER, timeout=60)
    assert (later.outcome.send_result, later.outcome.result) == (SendResult.ACKNOWLEDGED, "updated")
    assert endpoint.taken() == ["campaign-1"]


def test_who_has_no_business_with_it_says_why(way: Way, endpoint: SandboxEndpoint) -> None:
    endpoint.enroll(events={"update_after_download": False})
    told = way.notifier.notify(way.target(endpoint), ORDER, timeout=60)
    assert (told.outcome.send_result, told.outcome.result) == (SendResult.ACKNOWLEDGED, "skipped")
    assert "update_after_download" in told.outcome.reason


def test_an_endpoint_that_is_not_enrolled_is_a_failure_with_its_words(way: Way, endpoint: SandboxEndpoint) -> None:
    (endpoint.root / "etc/epp-autoupdate/endpoint.json").unlink()
    told = way.notifier.notify(way.target(endpoint), ORDER, timeout=60)
    assert (told.outcome.send_result, told.outcome.result) == (SendResult.ACKNOWLEDGED, "failed")
    assert "not enrolled" in told.outcome.reason


def test_one_notifier_serves_many_threads(way: Way, endpoint: SandboxEndpoint) -> None:
    target = way.target(endpoint)
    orders = [UpdateCommand(f"campaign-{number}", "1") for number in range(6)]
    with ThreadPoolExecutor(6) as pool:
        told = list(pool.map(lambda order: way.notifier.notify(target, order, timeout=120), orders))
    assert [one.outcome.send_result for one in told] == [SendResult.ACKNOWLEDGED] * 6
    assert sorted(endpoint.taken()) == [order.campaign for order in orders]


def test_an_endpoint_that_is_asked_answers_with_its_report(way: Way, endpoint: SandboxEndpoint) -> None:
    endpoint.make_host_key()
    told = way.notifier.ask_report(way.target(endpoint), timeout=60)
    assert (told.result, told.reason) == ("report", "")
    assert told.content == (endpoint.root / "var/lib/epp-autoupdate/report.json").read_bytes()
    report = Report.from_bytes(unpack(told.content, limit=MAX_SIZE).document)
    assert (report.endpoint, endpoint.runs()) == ("n1", 0)


def test_an_endpoint_without_a_report_says_why(way: Way, endpoint: SandboxEndpoint) -> None:
    target = way.target(endpoint)
    told = way.notifier.ask_report(target, timeout=60)
    assert (told.result, told.content) == ("failed", b"")
    assert told.reason.startswith("this host has no SSH host key")
    (endpoint.root / "etc/epp-autoupdate/endpoint.json").unlink()
    assert "not enrolled" in way.notifier.ask_report(target, timeout=60).reason


def test_who_is_off_is_not_reached_by_a_request_either(way: Way, endpoint: SandboxEndpoint) -> None:
    endpoint.switch_off()
    told = way.notifier.ask_report(way.target(endpoint), timeout=60)
    assert (told.result, bool(told.reason), told.content) == ("not_reached", True, b"")


LARGE = json.dumps({"result": "report", "envelope": "x" * (MAX_SIZE + 1)})
WORST = pack('\u00e9"'.encode() * (MAX_SIZE // 3 - 100), "signature", NAMESPACE)


@pytest.mark.parametrize(
    ("out", "code", "result", "reason"),
    [
        ('a banner\n{"result":"report","envelope":"x"}\n', 0, "report", ""),
        ('{"result":"skipped","reason":"roaming\\u001b[2J"}', 0, "skipped", "roaming\\x1b[2J"),
        (LARGE, 0, "failed", f"the answer has more than the {MAX_SIZE} bytes of a report"),
        ('{"result":"report","envelope":["x"]}', 0, "failed", "the answer is no report"),
        ('{"result":"updated"}', 0, "failed", "the answer is no report"),
        ('{"result":"report","envel', None, "no_reply", "the connection ended before the endpoint had answered"),
        ("", 64, "failed", "the agent ended with exit code 64 and said: the notice must have campaign"),
    ],
)
def test_what_an_agent_that_was_asked_prints_is_understood(
    out: str, code: int | None, result: str, reason: str
) -> None:
    """The last one is an older agent, which knows one command alone."""
    told = parse_report(Printed(out, "the notice must have campaign", code))
    assert (told.result, told.reason) == (result, reason)


def test_the_largest_report_fits_into_an_answer() -> None:
    assert MAX_SIZE - 400 < len(WORST) <= MAX_SIZE
    answer = json.dumps({"result": "report", "envelope": WORST.decode()})
    assert len(answer) < REPORT_LIMIT
    assert parse_report(Printed(answer, "", 0)).content == WORST


@pytest.mark.parametrize(
    ("out", "code", "heard", "result"),
    [
        ('{"result":"updated","reason":""}', 0, SendResult.ACKNOWLEDGED, "updated"),
        ('a banner\n{"result":"failed","reason":"x"}\n', 1, SendResult.ACKNOWLEDGED, "failed"),
        ('{"result":"busy","reason":"another notice"}', 1, SendResult.NO_REPLY, ""),
        ('{"result":"updated","campaign":"of-another"}', 0, SendResult.ACKNOWLEDGED, "failed"),
        ('{"result":', None, SendResult.NO_REPLY, ""),
        ("", None, SendResult.NO_REPLY, ""),
        ("sh: epp-agent: not found", 127, SendResult.ACKNOWLEDGED, "failed"),
        ('{"result":"no such word"}', 0, SendResult.NO_REPLY, ""),
        ("[]", 0, SendResult.ACKNOWLEDGED, "failed"),
    ],
)
def test_what_an_agent_prints_is_understood(out: str, code: int | None, heard: SendResult, result: str) -> None:
    told = parse_response(ORDER, out=out, err="", code=code)
    assert (told.outcome.send_result, told.outcome.result) == (heard, result)
