# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Endpoints are asked for their reports: by real agents, as many at once as may be, and never for ever (R4, N1)."""

from __future__ import annotations

import argparse
import json
import threading
import time
from collections.abc import Callable
from contextlib import closing
from typing import Any

import pytest
from ansible_collections.epp.autoupdate.plugins.module_utils._core.reports.report import Occasion, Report
from ansible_collections.epp.autoupdate.plugins.module_utils._host.local_host import LocalHost
from ansible_collections.epp.autoupdate.plugins.module_utils._host.lock import locked
from ansible_collections.epp.autoupdate.plugins.module_utils._server import paths
from ansible_collections.epp.autoupdate.plugins.module_utils._server.campaigns.notifiers.base import (
    ReportAnswer,
    Target,
)
from ansible_collections.epp.autoupdate.plugins.module_utils._server.cli import reports as commands
from ansible_collections.epp.autoupdate.plugins.module_utils._server.database.database import open_database
from ansible_collections.epp.autoupdate.plugins.module_utils._server.reports import asking
from ansible_collections.epp.autoupdate.plugins.module_utils._server.reports.asking import DUE_S, ask, due

from ..campaigns.conftest import SandboxEndpoint, agent, make_endpoint, server_host
from ..campaigns.test_dispatcher import Server
from .conftest import HostKey

__all__ = ("agent", "make_endpoint", "server_host")


@pytest.fixture
def server(server_host: LocalHost, make_endpoint: Callable[[str], SandboxEndpoint]) -> Server:
    return Server(server_host, make_endpoint)


def command(server: Server, *argv: str) -> int:
    parser = argparse.ArgumentParser()
    commands.add_parsers(parser.add_subparsers(required=True))
    options = parser.parse_args(["ask-reports", *argv])
    return int(options.run(server.host, options))


def pin(server: Server, name: str) -> None:
    """Give an endpoint a host key, which the server knows."""
    execute(server.host, "UPDATE endpoints SET host_key = ? WHERE name = ?", server.fleet[name].make_host_key(), name)


def execute(host: LocalHost, statement: str, *values: Any) -> list[tuple[Any, ...]]:
    with closing(open_database(host)) as connection:
        found = [tuple(row) for row in connection.execute(statement, values)]
        connection.commit()
    return found


def test_a_report_that_was_asked_for_is_taken_as_any_other(server: Server, capsys: pytest.CaptureFixture[str]) -> None:
    server.enroll("n1")
    pin(server, "n1")
    assert command(server) == 0
    assert capsys.readouterr().out == "ask-reports: 1 asked, 1 taken\n"
    ((content,),) = execute(server.host, "SELECT content FROM endpoint_reports WHERE endpoint = 'n1'")
    assert Report.from_bytes(content.encode()).occasion is Occasion.REQUEST
    assert (*server.host.names(paths.INBOX), *server.host.names(paths.INCOMING)) == ()
    assert command(server) == 0
    assert capsys.readouterr().out == "ask-reports: 0 asked\n", "it has reported today"
    assert command(server, "n1", "--json") == 0
    told = json.loads(capsys.readouterr().out)
    assert (told["asked"], told["results"]) == (1, {"taken": 1})


def test_each_result_is_counted_and_failures_come_first(
    server: Server, capsys: pytest.CaptureFixture[str], key: HostKey
) -> None:
    names = ("forged", "good", "keyless", "off", "roams")
    server.enroll(*names, privileges={"go_roaming": True})
    for name in ("forged", "good", "off", "roams"):
        pin(server, name)
    execute(server.host, "UPDATE endpoints SET host_key = ? WHERE name = 'forged'", key.public)
    server.fleet["off"].switch_off()
    roams = server.fleet["roams"]
    server.host.run([str(roams.agent), "--root", str(roams.root), "roaming", "on"], timeout=60)
    assert command(server, "--all") == 1
    *failed, counts = capsys.readouterr().out.splitlines()
    assert counts == "ask-reports: 5 asked, 1 failed, 1 wrong key, 1 not reached, 1 skipped, 1 taken"
    assert [line.partition(";")[0] for line in failed] == ["forged  wrong key", "keyless  failed"]
    assert "pinned" in failed[0]
    assert "this host has no SSH host key" in failed[1]
    assert command(server, "good", "off", "roams") == 0, "who is off, or roams, is no failure"


class CountingNotifier:
    """Counts how many endpoints it asks at once; those named ``late`` never answer, those named ``bad`` break."""

    def __init__(self) -> None:
        self.now = self.most = 0
        self.asked: list[str] = []
        self._lock = threading.Lock()

    def ask_report(self, target: Target, *, timeout: float) -> ReportAnswer:
        with self._lock:
            self.asked.append(target.endpoint)
            self.now += 1
            self.most = max(self.most, self.now)
        if target.endpoint.startswith("bad"):
            raise RuntimeError("broken")
        time.sleep(60 if target.endpoint.startswith("late") else 0.002)
        with self._lock:
            self.now -= 1
        return ReportAnswer("skipped", "roaming")


@pytest.fixture
def counting(monkeypatch: pytest.MonkeyPatch) -> CountingNotifier:
    made = CountingNotifier()
    monkeypatch.setattr(asking, "ready_notifier", lambda _host, _settings: made)
    return made


def register(host: LocalHost, *names: str) -> None:
    for number, name in enumerate(names):
        columns = "INSERT INTO endpoints (name, domain, ordinal, address) VALUES (?, '', ?, 'x')"
        execute(host, columns, name, number)


def test_no_more_are_asked_at_once_than_notices_leave(server: Server, counting: CountingNotifier) -> None:
    names = [f"n{number}" for number in range(60)]
    register(server.host, *names)
    server.set(notifier="local", max_in_flight=9)
    execute(server.host, "INSERT INTO campaigns VALUES ('c-1', 'download', 'files', '1', 0, '')")
    for name in ("n1", "n2"):
        values = "'event', 'in_flight', 0, NULL, 0, NULL, 1, '', '', NULL, 0"
        execute(server.host, f"INSERT INTO deliveries VALUES ('c-1', ?, {values})", name)
    report = ask(server.host, names, timeout=60)
    assert report is not None
    assert (report.counts, sorted(counting.asked)) == ({"skipped": 60}, sorted(names))
    assert 1 < counting.most <= 7


def test_it_ends_when_its_time_is_over_and_one_that_breaks_stops_nobody(
    server: Server, counting: CountingNotifier
) -> None:
    names = ["bad", "late", "n1", "n2", "n3"]
    register(server.host, *names)
    server.set(notifier="local", max_in_flight=1)
    report = ask(server.host, ["bad", "n1", "late", "n2", "n3"], timeout=2)
    assert report is not None
    told = {one.name: one.result for one in report.endpoints}
    assert told == {"bad": "no_reply", "late": "no_reply", "n1": "skipped", "n2": "not_asked", "n3": "not_asked"}
    assert "broken" in report.failed[0].reason
    assert counting.asked == ["bad", "n1", "late"]


def test_two_never_ask_at_once(server: Server, counting: CountingNotifier, capsys: pytest.CaptureFixture[str]) -> None:
    register(server.host, "n1")
    with locked(server.host, paths.ASK_LOCK, wait=0):
        assert command(server, "--all") == 0
    assert (capsys.readouterr().out, counting.asked) == ("ask-reports: another one is running\n", [])


def test_who_is_due_has_an_address_and_no_report_of_the_last_day(server: Server) -> None:
    register(server.host, "ahead", "fresh", "never", "old", "unreachable")
    execute(server.host, "UPDATE endpoints SET address = NULL WHERE name = 'unreachable'")
    now = 2_000_000_000.0
    for name, received in (("fresh", now - DUE_S + 60), ("old", now - DUE_S - 60), ("ahead", now + 86400)):
        execute(server.host, "INSERT INTO endpoint_reports VALUES (?, 1, '', 0, ?, '{}')", name, received)
    with closing(open_database(server.host)) as connection:
        assert due(connection, now) == ["never", "old", "ahead"]
