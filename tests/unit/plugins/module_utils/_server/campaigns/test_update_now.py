# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Update Now for many, from the server: who is meant, what becomes of each, and how long anybody waits."""

from __future__ import annotations

import argparse
import io
import json
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.epp.autoupdate.plugins.module_utils._core.settings.endpoint import EndpointDocument
from ansible_collections.epp.autoupdate.plugins.module_utils._core.timestamps import unix
from ansible_collections.epp.autoupdate.plugins.module_utils._core.validation.errors import InvalidDocument
from ansible_collections.epp.autoupdate.plugins.module_utils._host.local_host import LocalHost
from ansible_collections.epp.autoupdate.plugins.module_utils._host.lock import locked
from ansible_collections.epp.autoupdate.plugins.module_utils._server import paths
from ansible_collections.epp.autoupdate.plugins.module_utils._server.campaigns.notify import notify
from ansible_collections.epp.autoupdate.plugins.module_utils._server.campaigns.update_now import (
    UpdateNowReport,
    update_now,
)
from ansible_collections.epp.autoupdate.plugins.module_utils._server.cli import update_now as commands_update_now
from ansible_collections.epp.autoupdate.plugins.module_utils._server.database.database import open_database
from ansible_collections.epp.autoupdate.plugins.module_utils._server.fleet.holdings import holdings
from ansible_collections.epp.autoupdate.tests.unit.plugins.module_utils._host.http.scripted_server import (
    Answer,
    ScriptedServer,
)

from .conftest import SandboxEndpoint
from .running_server import Server


@pytest.fixture
def server(server_host: LocalHost, make_endpoint: Callable[[str], SandboxEndpoint]) -> Server:
    return Server(server_host, make_endpoint)


def command(server: Server, *argv: str) -> int:
    parser = argparse.ArgumentParser()
    commands_update_now.add_parsers(parser.add_subparsers(required=True))
    options = parser.parse_args(["update-now", *argv])
    return int(options.run(server.host, options))


def results(report: UpdateNowReport) -> dict[str, tuple[str, str]]:
    return {part.name: (part.status.value, part.result) for part in report.results}


def move(server: Server, **domains: str) -> None:
    with closing(open_database(server.host)) as connection:
        for name, domain in domains.items():
            path = domain.replace("_", "/")
            connection.execute("UPDATE endpoints SET domain = ? WHERE name = ?", (path, name))
            connection.execute("INSERT INTO nodes (path) VALUES (?)", (path,))
        connection.commit()


def test_who_is_meant_updates_once_and_the_others_hear_nothing(server: Server) -> None:
    server.enroll("n1", "n2", "n3", privileges={"update_now": False}, events={"update_after_download": False})
    report = update_now(server.host, ["n1", "n2"], timeout=120)
    assert results(report) == dict.fromkeys(("n1", "n2"), ("finished", "updated"))
    assert [endpoint.runs() for endpoint in server.fleet.values()] == [1, 1, 0]
    assert [part.after[0]["version"] for part in report.results] == ["1", "1"]
    assert report.to_dict()["changed"] is True
    again = update_now(server.host, ["n1"], timeout=120)
    assert (again.to_dict()["changed"], results(again)) == (False, {"n1": ("finished", "current")})
    assert again.campaign != report.campaign
    assert server.fleet["n1"].runs() == 2


def test_a_roaming_endpoint_takes_no_command_and_one_that_is_off_is_tried_once(server: Server) -> None:
    server.enroll("off")
    server.enroll("roaming", privileges={"go_roaming": True}, events={"include_roaming_and_offline": True})
    roaming = server.fleet["roaming"]
    subprocess.run([str(roaming.agent), "--root", str(roaming.root), "roaming", "on"], check=True)
    server.fleet["off"].switch_off()
    report = update_now(server.host, ["off", "roaming"], timeout=120)
    assert results(report) == {"off": ("failed", "not_reached"), "roaming": ("skipped", "skipped")}
    assert "roaming" in report.results[1].reason
    assert (report.not_reached, report.pending, report.failed) == (("off",), (), ())
    assert roaming.runs() == 0
    assert server.open() == 0


def test_one_without_an_address_is_left_to_its_own_schedule(server: Server) -> None:
    """It is not to be notified (``autoupdate_notify: false``), which is no host that is off."""
    server.enroll("n1", "pulls")
    with closing(open_database(server.host)) as connection:
        connection.execute("UPDATE endpoints SET address = '' WHERE name = 'pulls'")
    report = update_now(server.host, ["n1", "pulls"], timeout=120)
    assert results(report) == {"n1": ("finished", "updated"), "pulls": ("skipped", "skipped")}
    assert "it has no address" in report.results[1].reason
    assert (report.not_reached, report.refused) == ((), ())
    campaign = server.publish("2")
    assert campaign is not None
    assert server.told(campaign)["pulls"] == ("skipped", "skipped")


def test_one_that_is_slow_is_waited_for_no_longer_than_wanted_and_its_answer_still_goes_on_record(
    server: Server,
) -> None:
    server.enroll("quick", "slow")
    server.fleet["slow"].hold.touch()
    report = update_now(server.host, ["quick", "slow"], timeout=2)
    assert report.campaign is not None
    assert results(report) == {"quick": ("finished", "updated"), "slow": ("in_flight", "")}
    assert report.pending == ("slow",)
    server.fleet["slow"].hold.unlink()
    notify(server.host, until_settled=True)
    assert server.told(report.campaign)["slow"] == ("finished", "updated")
    assert server.fleet["slow"].runs() == 1


def test_the_cap_holds_and_who_gets_no_turn_in_time_is_told(server: Server) -> None:
    server.set(notifier="local", max_in_flight=1)
    server.enroll("n1", "n2")
    server.fleet["n1"].hold.touch()
    report = update_now(server.host, ["n1", "n2"], timeout=2)
    assert report.pending == ("n1", "n2")
    server.fleet["n1"].hold.unlink()
    notify(server.host, until_settled=True)
    assert server.told(report.campaign or "") == {"n1": ("finished", "updated"), "n2": ("failed", "expired")}
    assert server.fleet["n2"].runs() == 0


def test_it_works_beside_an_engine_that_is_at_work_already(server: Server) -> None:
    server.enroll("n1")
    taken, released = threading.Event(), threading.Event()

    def other_engine() -> None:
        with locked(server.host, paths.DISPATCHER_LOCK, wait=0):
            taken.set()
            released.wait(100)

    other = threading.Thread(target=other_engine)
    other.start()
    taken.wait(100)
    threading.Timer(1.0, released.set).start()
    assert results(update_now(server.host, ["n1"], timeout=120)) == {"n1": ("finished", "updated")}
    assert released.is_set()
    other.join()


def test_what_is_learned_counts_for_later_campaigns(server: Server) -> None:
    server.enroll("n1", "n2")
    server.publish("1")
    notify(server.host)
    server.fleet["n1"].upstream.write_text("2")
    update_now(server.host, ["n1"], timeout=120)
    with closing(open_database(server.host)) as connection:
        told = {name: one.holdings["command"].components for name, one in holdings(connection).items()}
        assert told == {"n1": {"command": "2"}, "n2": {"command": "1"}}
    second = server.publish("2")
    assert second is not None
    assert list(server.told(second)) == ["n2"]


def test_the_command_chooses_by_name_by_domain_and_by_age(
    server: Server, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    server.enroll("n1", "n2", "n3", "n4")
    move(server, n2="emea", n3="emea_finance", n4="emeax")

    def meant(*argv: str) -> Any:
        assert command(server, *argv, "--check", "--json") == 0
        return json.loads(capsys.readouterr().out)["notified"]

    assert meant("n1", "n4") == ["n1", "n4"]
    assert meant("--domain", "emea") == ["n2", "n3"]
    assert meant("n1", "--domain", "emea/finance") == ["n1", "n3"]
    assert meant("--all") == meant("--outdated") == ["n1", "n2", "n3", "n4"]
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b'{"domains": ["emea"], "outdated": true}')))
    assert meant("--read") == ["n2", "n3"]
    assert [endpoint.runs() for endpoint in server.fleet.values()] == [0, 0, 0, 0]


def test_a_cool_down_is_told_with_its_end(server: Server, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    server.enroll("n1", "n2")
    source = ScriptedServer(str(tmp_path))
    source.always(Answer(429, headers={"Retry-After": "7200"}))
    raw = {"format": 1, "endpoint": "n1", "product": "files", "policy": {"sources": {"urls": [source.url]}}}
    server.fleet["n1"].converge(EndpointDocument.from_dict(raw))
    before = time.time()
    try:
        assert command(server, "--all", "--json") == 0
    finally:
        source.stop()
    after = time.time()
    told = {one["name"]: one for one in json.loads(capsys.readouterr().out)["endpoints"]}
    assert (told["n1"]["result"], told["n2"]["result"], told["n2"]["until"]) == ("cooling_down", "updated", None)
    assert int(before) + 7200 <= unix(told["n1"]["until"]) <= after + 7200


def test_what_nobody_knows_is_refused_at_once(server: Server) -> None:
    server.enroll("n1")
    with pytest.raises(InvalidDocument) as refused:
        command(server, "n1", "n9", "--domain", "nowhere")
    assert str(refused.value).splitlines() == [
        'endpoints[1]: "n9" is not a registered endpoint',
        'domains[0]: "nowhere" is not a domain of the client tree',
    ]
    with pytest.raises(InvalidDocument, match="endpoint: missing, must be a name, or --domain"):
        command(server)
    with pytest.raises(InvalidDocument, match='timeout: "soon" is not a duration'):
        command(server, "n1", "--timeout", "soon")


def test_the_exit_code_tells_about_failures(server: Server, capsys: pytest.CaptureFixture[str]) -> None:
    server.enroll("n1", "n2")
    server.fleet["n2"].upstream.unlink()
    server.fleet["n2"].installed.write_text("")
    assert command(server, "--all", "--json") == 1
    report = json.loads(capsys.readouterr().out)
    assert report["failed_endpoints"] == ["n2"]
    assert {one["name"]: one["result"] for one in report["endpoints"]} == {"n1": "updated", "n2": "failed"}
