# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The engine with real agents: what is due is sent, the cap holds, and it can be killed at any moment."""

from __future__ import annotations

import os
import random
import signal
import sqlite3
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Callable

import pytest
from ansible_collections.epp.autoupdate.plugins.module_utils._core.metadata.catalog import CatalogItem
from ansible_collections.epp.autoupdate.plugins.module_utils._core.metadata.manifest import Kind
from ansible_collections.epp.autoupdate.plugins.module_utils._core.results import Trigger
from ansible_collections.epp.autoupdate.plugins.module_utils._core.rollout.authorized_keys import authorized_line
from ansible_collections.epp.autoupdate.plugins.module_utils._core.rollout.command import UpdateCommand
from ansible_collections.epp.autoupdate.plugins.module_utils._core.rollout.delivery import (
    SendOutcome,
    SendResult,
    slot_delivery,
)
from ansible_collections.epp.autoupdate.plugins.module_utils._core.settings.notify import NotifySettings
from ansible_collections.epp.autoupdate.plugins.module_utils._core.timezones import zone_of
from ansible_collections.epp.autoupdate.plugins.module_utils._host.local_host import LocalHost
from ansible_collections.epp.autoupdate.plugins.module_utils._server.campaigns.dispatcher import Dispatcher
from ansible_collections.epp.autoupdate.plugins.module_utils._server.campaigns.notifiers.base import Response, Target
from ansible_collections.epp.autoupdate.plugins.module_utils._server.campaigns.notify import notify
from ansible_collections.epp.autoupdate.plugins.module_utils._server.campaigns.queries import deliveries, summaries
from ansible_collections.epp.autoupdate.plugins.module_utils._server.campaigns.start import start_campaign
from ansible_collections.epp.autoupdate.plugins.module_utils._server.campaigns.store import CampaignKey, CampaignStore
from ansible_collections.epp.autoupdate.plugins.module_utils._server.components.base import Published
from ansible_collections.epp.autoupdate.plugins.module_utils._server.database.database import open_database
from ansible_collections.epp.autoupdate.plugins.module_utils._server.publication.key_files import ensure_key

from .conftest import SandboxEndpoint, Sshd, current_user
from .running_server import Server, await_notices, await_taken, notices_taken, started

# Every Python has to show that it can do it; that nothing is lost is shown by the fifty kills of the lab's campaigns.
KILLS = int(os.environ.get("EPP_KILLS", "10"))
FLEET = 6


@pytest.fixture
def server(server_host: LocalHost, make_endpoint: Callable[[str], SandboxEndpoint]) -> Server:
    return Server(server_host, make_endpoint)


def test_a_new_version_reaches_all_who_are_behind_and_nobody_twice(server: Server) -> None:
    server.enroll("n1", "n2", "n3")
    first = server.publish("1")
    assert first is not None
    report = notify(server.host)
    assert report is not None
    assert (report.sent, report.finished, report.open) == (3, 3, 0)
    assert server.told(first) == dict.fromkeys(server.fleet, ("finished", "updated"))
    assert server.publish("1") is None
    again = notify(server.host)
    assert again is not None
    assert again.sent == 0
    assert [endpoint.runs() for endpoint in server.fleet.values()] == [1, 1, 1]


def test_who_is_current_already_is_left_alone(server: Server) -> None:
    server.enroll("n1", "n2")
    server.publish("1")
    notify(server.host)
    with closing(open_database(server.host)) as connection:
        CampaignStore(connection).record_versions("n1", "command", {"command": "2"}, server.host.now())
    second = server.publish("2")
    assert second is not None
    notify(server.host)
    assert list(server.told(second)) == ["n2"]
    assert server.fleet["n1"].runs() == 1


def test_off_roaming_and_left_out_are_three_different_things(server: Server) -> None:
    server.enroll("on", "off")
    server.enroll("roaming", privileges={"go_roaming": True})
    server.enroll("left", events={"update_after_download": False})
    agent = server.fleet["roaming"].agent
    subprocess.run([str(agent), "--root", str(server.fleet["roaming"].root), "roaming", "on"], check=True)
    server.fleet["off"].switch_off()
    name = server.publish("1")
    assert name is not None
    report = notify(server.host)
    assert report is not None
    assert report.open == 1
    told = server.told(name)
    assert told["on"] == ("finished", "updated")
    assert told["off"] == ("retrying", "not_reached")
    assert told["roaming"] == told["left"] == ("skipped", "skipped")
    assert server.fleet["left"].taken() == []


def test_one_that_was_off_is_notified_at_its_next_try(server: Server) -> None:
    server.set(notifier="local", retry_delay="1s")
    server.enroll("n1")
    server.fleet["n1"].switch_off()
    name = server.publish("1")
    assert name is not None
    notify(server.host)
    server.fleet["n1"].switch_on()
    notify(server.host, until_settled=True)
    assert server.told(name) == {"n1": ("finished", "updated")}
    assert server.fleet["n1"].taken() == [name]


def test_an_answer_to_one_notice_is_a_sign_of_life_for_the_others(server: Server) -> None:
    """E1a, N2: an endpoint that has just been talked to need not wait for the quarter of an hour to pass."""
    server.enroll("n1")
    server.fleet["n1"].switch_off()
    name = server.publish("1")
    assert name is not None
    notify(server.host)
    assert server.told(name)["n1"][0] == "retrying"
    server.fleet["n1"].switch_on()
    subject, now = CampaignKey(Trigger.SCHEDULE, "schedule", "today"), server.host.now()
    with closing(open_database(server.host)) as connection:
        CampaignStore(connection).join(subject, [slot_delivery("n1", at=now - 1, end=now + 60)], now=now)
    notify(server.host)
    assert server.told(name) == {"n1": ("finished", "updated")}


def test_a_slot_that_is_near_is_waited_for(server: Server) -> None:
    """Engines are started every minute: those of the window's last minute would all find it closed (S3, S6)."""
    server.enroll("near", "far")
    now = server.host.now()
    with closing(open_database(server.host)) as connection:
        slots = [slot_delivery("near", at=now + 2, end=now + 300), slot_delivery("far", at=now + 200, end=now + 300)]
        CampaignStore(connection).join(CampaignKey(Trigger.SCHEDULE, "schedule", "today"), slots, now=now)
    report = notify(server.host)
    assert report is not None
    assert (report.sent, report.open) == (1, 1)
    (taken,) = server.fleet["near"].taken()
    assert server.told(taken)["near"][0] == "skipped", "this sandbox endpoint keeps its schedule itself"
    assert server.told(taken)["far"] == ("queued", "")


@pytest.mark.parametrize(("ahead", "expected"), [(3, ("skipped", "skipped")), (600, ("queued", ""))])
def test_who_is_started_every_minute_waits_for_the_slots_until_then(
    server: Server, ahead: int, expected: tuple[str, str]
) -> None:
    """S6: a window may end before the next start. The endpoint answers that it keeps its schedule itself."""
    server.enroll("n1")
    subject, now = CampaignKey(Trigger.SCHEDULE, "schedule", "today"), server.host.now()
    with closing(open_database(server.host)) as connection:
        slot = slot_delivery("n1", at=now + ahead, end=now + ahead + 30)
        assert CampaignStore(connection).join(subject, [slot], now=now) == 1
    notify(server.host)
    assert server.told(subject.id) == {"n1": expected}


def test_ssh_and_a_changed_host_key(server: Server, sshd: Callable[..., Sshd]) -> None:
    pytest.importorskip("paramiko", reason="paramiko is not installed")
    server.host.remove("/keys")
    server.set(user=current_user(), key="/keys/notify")
    servers = {}
    for name in ("good", "swapped"):
        public = ensure_key(server.host, "/keys/notify")
        root = server.host.root.replace("/server", f"/fleet/{name}")
        command = f"{root}/usr/local/bin/epp-agent --root {root} notice"
        servers[name] = sshd(command, line=authorized_line(public, command=command))
        server.enroll(name, address=servers[name].address, host_key=servers[name].host_key)
    servers["swapped"].change_host_key()
    campaign = server.publish("1")
    assert campaign is not None
    notify(server.host)
    assert server.told(campaign) == {"good": ("finished", "updated"), "swapped": ("failed", "host_key_changed")}
    assert server.fleet["swapped"].taken() == []


class CountingNotifier:
    """Counts how many endpoints it talks to at once; holds each until ``let``."""

    def __init__(self) -> None:
        self.now = self.most = 0
        self._lock = threading.Lock()
        self.fail: set[str] = set()

    def notify(self, target: Target, command: UpdateCommand, *, timeout: float) -> Response:
        with self._lock:
            self.now += 1
            self.most = max(self.most, self.now)
        time.sleep(0.002)
        with self._lock:
            self.now -= 1
        if target.endpoint in self.fail:
            raise RuntimeError("broken")
        return Response(SendOutcome(SendResult.ACKNOWLEDGED, "updated"), {"result": "updated"})


@pytest.fixture
def storm(server_host: LocalHost) -> Iterator[sqlite3.Connection]:
    """A registry of 200 endpoints that are all behind."""
    connection = open_database(server_host)
    rows = [(f"n{number}", number) for number in range(200)]
    connection.executemany("INSERT INTO endpoints (name, domain, ordinal, address) VALUES (?, '', ?, 'x')", rows)
    connection.commit()
    item = CatalogItem("command", "command", "1", Kind.PROGRAM, 1, "0" * 64, "components/command/x")
    limits = NotifySettings().limits
    start_campaign(connection, "command", Published("1", (item,)), now=server_host.now(), limits=limits)
    yield connection
    connection.close()


@pytest.mark.parametrize("cap", [1, 7, 250])
def test_no_more_are_in_flight_than_the_cap_allows(server_host: LocalHost, storm: sqlite3.Connection, cap: int) -> None:
    notifier, settings = CountingNotifier(), NotifySettings.from_dict({"max_in_flight": cap})
    dispatcher = Dispatcher(server_host, CampaignStore(storm), notifier, settings=settings, zone=zone_of("UTC"))
    report = dispatcher.run()
    assert (report.sent, report.finished, report.open) == (200, 200, 0)
    assert notifier.most <= cap


def test_a_notifier_that_breaks_stops_nobody_else(server_host: LocalHost, storm: sqlite3.Connection) -> None:
    notifier = CountingNotifier()
    notifier.fail = {"n7"}
    dispatcher = Dispatcher(server_host, CampaignStore(storm), notifier, settings=NotifySettings(), zone=zone_of("UTC"))
    assert dispatcher.run().finished == 199
    (campaign,) = summaries(storm)
    (row,) = [one for one in deliveries(storm, campaign.id) if one["endpoint"] == "n7"]
    assert (row["status"], "broken" in row["reason"]) == ("in_flight", True)


def test_sigterm_ends_the_engine_soon_and_the_next_one_asks(server: Server) -> None:
    server.enroll("n1")
    server.fleet["n1"].hold.touch()
    name = server.publish("1")
    assert name is not None
    process = started(server)
    await_taken(server, name)
    process.send_signal(signal.SIGTERM)
    out, err = process.communicate(timeout=60)
    assert (process.returncode, err) == (0, "")
    assert "left DispatchReport(sent=1, finished=0, open=1)" in out
    assert server.told(name) == {"n1": ("in_flight", "")}
    server.fleet["n1"].hold.unlink()
    notify(server.host, until_settled=True)
    assert server.told(name) == {"n1": ("finished", "updated")}
    assert server.fleet["n1"].taken() == [name]
    assert server.fleet["n1"].runs() == 1


def test_two_engines_at_once_are_one(server: Server) -> None:
    server.enroll("n1")
    server.fleet["n1"].hold.touch()
    name = server.publish("1")
    assert name is not None
    process = started(server)
    await_taken(server, name)
    assert notify(server.host) is None
    server.fleet["n1"].hold.unlink()
    assert "settled" in process.communicate(timeout=60)[0]


@pytest.mark.parametrize("kills", [1, pytest.param(KILLS, marks=pytest.mark.heavy)])
def test_killed_at_any_moment_each_endpoint_ends_notified_exactly_once_per_version(server: Server, kills: int) -> None:
    """``kill -9`` at random moments of as many campaigns as it takes; the seed is in the failure's message."""
    seed = int.from_bytes(os.urandom(4), "big")
    chance = random.Random(seed)
    server.set(notifier="local", max_in_flight=2, retry_delay="1s")
    server.enroll(*(f"n{number}" for number in range(FLEET)))
    for endpoint in server.fleet.values():
        endpoint.pause.write_text("0.05")
    version = killed = 0
    while killed < kills or version < 2:
        if not server.open():
            version += 1
            assert server.publish(str(version)) is not None
        taken = notices_taken(server)
        process = started(server)
        await_notices(server, taken + chance.randrange(FLEET), while_running=process)
        time.sleep(chance.random() * 0.1)
        killed += process.poll() is None
        process.kill()
        process.communicate()
    notify(server.host, until_settled=True)
    assert server.open() == 0
    for name in server.campaigns:
        assert server.told(name) == dict.fromkeys(server.fleet, ("finished", "updated")), f"seed {seed}: on record"
    for endpoint in server.fleet.values():
        assert endpoint.taken() == server.campaigns, f"seed {seed}: by the log of {endpoint.name}"
        assert endpoint.runs() == len(server.campaigns), f"seed {seed}: updates of {endpoint.name}"


def test_the_kills_of_that_test_hit_deliveries_in_flight(server: Server) -> None:
    """What makes the test above one that can fail: a kill while an endpoint works leaves its notice in flight."""
    server.enroll("n1")
    server.fleet["n1"].hold.touch()
    name = server.publish("1")
    assert name is not None
    process = started(server)
    await_taken(server, name)
    process.kill()
    process.communicate()
    assert server.told(name) == {"n1": ("in_flight", "")}
    server.fleet["n1"].hold.unlink()
    notify(server.host)
    assert server.told(name) == {"n1": ("finished", "updated")}
    assert (server.fleet["n1"].runs(), server.fleet["n1"].taken()) == (1, [name])


def test_the_server_keeps_its_records_where_they_belong(server: Server, tmp_path: Path) -> None:
    server.enroll("n1")
    server.publish("1")
    notify(server.host)
    kept = tmp_path / "server/var/lib/epp-autoupdate-server"
    assert (kept / "server.db").exists()
    assert (kept.stat().st_mode & 0o777) == 0o750
