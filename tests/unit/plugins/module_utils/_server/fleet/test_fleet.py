# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the server tells of its endpoints and of itself, and host keys that are pinned once."""

from __future__ import annotations

import json
import shutil
import sqlite3
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.epp.autoupdate.plugins.module_utils._server import paths
from ansible_collections.epp.autoupdate.plugins.module_utils._server.database.database import (
    NewerDatabase,
    open_database,
)
from ansible_collections.epp.autoupdate.plugins.module_utils._server.database.schema import VERSION

from ..campaigns.conftest import SSHD, Sshd, free_port
from .conftest import Server

KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJWJH31gEJWi/MjUwinIqqqlrSjSsS1L5Lu/Ezpdowcz"


def report(server: Server, endpoint: str, product: str, versions: dict[str, str]) -> None:
    with server.connection() as connection:
        row = (endpoint, product, json.dumps(versions), 1000.0, "")
        connection.execute("INSERT INTO holdings VALUES (?, ?, ?, ?, ?)", row)


def names(server: Server, *options: str) -> list[str]:
    return [one["name"] for one in server.ask("endpoints", "--json", *options)]


@pytest.fixture
def fleet(server: Server) -> Server:
    server.settings(components={"files": {"directory": "/upstream"}}, notify={"notifier": "local", "max_in_flight": 40})
    server.host.write("/upstream/patterns/a.dat", b"patterns")
    server.register("old", "new", "silent", domain="emea/finance", address="192.0.2.1")
    server.register("other", domain="emea2", host_key=KEY)
    server.run("fetch")
    report(server, "old", "files", {"patterns-a": "0"})
    report(server, "new", "files", {"patterns-a": "1"})
    report(server, "other", "clamav", {"daily": "1"})
    return server


def test_a_domain_that_there_is_not_is_no_empty_one(fleet: Server) -> None:
    refused = fleet.run("endpoints", "--domain", "emae")
    assert refused == (65, "", 'epp-server: --domain: "emae" is not a domain of the client tree\n')


def test_who_is_registered_where_and_who_is_behind(fleet: Server) -> None:
    assert names(fleet) == ["new", "old", "other", "silent"]
    assert names(fleet, "--domain", "emea") == ["new", "old", "silent"]
    assert names(fleet, "--outdated") == ["old"], "who never reported is never_seen"
    (old,) = [one for one in fleet.ask("endpoints", "--json") if one["name"] == "old"]
    assert {key: old[key] for key in ("domain", "ordinal", "address", "pinned", "reported", "outdated")} == {
        "domain": "emea/finance",
        "ordinal": 0,
        "address": "192.0.2.1",
        "pinned": False,
        "reported": "1970-01-01T00:16:40Z",
        "outdated": True,
    }
    assert (old["versions"], old["notice"]["status"]) == ({"files": {"patterns-a": "0"}}, "queued")
    _status, out, _err = fleet.run("endpoints", "--domain", "emea2")
    words = out.splitlines()[1].split()
    assert words[:3] == ["other", "emea2", "silent"]
    assert words[4:] == ["-", "daily", "1", "-", "pinned", "skipped", "skipped"]
    assert fleet.run("endpoints", "--domain", "emea2", "--outdated")[1] == "endpoints: none\n"


def test_a_product_that_is_no_longer_set_up_is_no_alarm_and_is_not_told(fleet: Server) -> None:
    fleet.host.remove("/upstream")
    fleet.run("fetch")

    def alarmed() -> list[str]:
        found = json.loads(fleet.run("health", "--json")[1])["alarms"]
        return [alarm["name"] for alarm in found if alarm["name"] == "fetch"]

    assert alarmed() == ["fetch"]
    fleet.settings(components={}, notify={"notifier": "local", "max_in_flight": 40})
    assert alarmed() == []
    assert fleet.ask("status", "--json")["fetches"] == {}


def test_the_status_of_the_server(fleet: Server) -> None:
    fleet.ask("publish", "--json")
    told = fleet.ask("status", "--json")
    assert (told["endpoints"], told["domains"], told["unpinned"]) == (4, 3, 3)
    assert told["published"] == {"files": {"patterns-a": "1"}}
    assert told["fetches"]["files"]["result"] == "updated"
    assert (told["in_flight"], told["max_in_flight"], len(told["campaigns"])) == (0, 40, 1)
    documents = told["documents"]
    assert documents["tree"]["serial"] == fleet.tree().header.serial
    assert documents["catalog"]["serial"] > 0
    assert documents["waiting"] == []
    assert documents["shards"]["count"] == fleet.shards
    assert [key["stage"] for key in told["signing_keys"]] == ["current"]
    _status, out, _err = fleet.run("status")
    assert out.splitlines()[0] == "endpoints        4 in 3 domains, 3 without host key"


def test_the_status_of_a_server_that_has_nothing(server: Server) -> None:
    told = server.ask("status", "--json")
    assert (told["endpoints"], told["published"], told["signing_keys"]) == (0, {}, [])
    assert server.run("status")[0] == 0


@pytest.fixture
def network(server: Server, tmp_path: Path) -> Any:
    """Two hosts that answer and one that does not."""
    if SSHD is None or not shutil.which("ssh-keyscan"):
        pytest.skip("sshd and ssh-keyscan are not installed")
    hosts = [Sshd(tmp_path / f"sshd{number}", KEY, "true") for number in range(2)]
    server.register("a", address=hosts[0].address)
    server.register("b", address=hosts[1].address)
    server.register("dead", address=f"127.0.0.1:{free_port()}")
    server.register("nowhere")
    server.register("sandbox", address="/srv/sandbox")
    yield hosts
    for one in hosts:
        one.stop()


def pinned(server: Server) -> dict[str, str]:
    with server.connection() as connection:
        rows = connection.execute("SELECT name, host_key FROM endpoints WHERE coalesce(host_key, '') <> ''")
        return {row["name"]: row["host_key"] for row in rows}


def test_host_keys_are_pinned_once_and_changed_only_by_name(server: Server, network: list[Sshd]) -> None:
    told = server.ask("endpoints", "pin", "--json")
    assert told["pinned"] == {"a": network[0].host_key, "b": network[1].host_key} == pinned(server)
    assert told["silent"] == {
        "dead": "no answer",
        "nowhere": "no address is known",
        "sandbox": "a directory has no host key",
    }
    first = dict(pinned(server))
    for one in network:
        one.change_host_key()
    assert server.ask("endpoints", "pin", "a", "b", "--json")["kept"] == ["a", "b"]
    assert pinned(server) == first
    told = server.ask("endpoints", "pin", "--replace", "b", "--json")
    assert (list(told["pinned"]), told["silent"]) == (["b"], {})
    assert (pinned(server)["a"], pinned(server)["b"] == first["b"]) == (first["a"], False)


def test_whose_key_is_to_be_pinned_must_be_registered(server: Server) -> None:
    server.register("a", address="a.example.com")
    assert server.refused("endpoints", "pin", "x", "--replace", "y", "--json") == [
        'name: "x" is not a registered endpoint',
        'name: "y" is not a registered endpoint',
    ]
    assert server.run("endpoints", "pin", "x")[0] == 65


def test_many_that_create_the_database_at_one_time_do_it_once(server: Server) -> None:
    """After an installation of the program its timers and a converge do."""
    server.host.mkdir(paths.STATE_DIRECTORY)
    with sqlite3.connect(server.host.real(paths.DATABASE)) as older:
        older.execute("PRAGMA journal_mode = WAL")
        older.execute("BEGIN IMMEDIATE")
        with ThreadPoolExecutor(4) as pool:
            opened = [pool.submit(lambda: open_database(server.host).close()) for _number in range(4)]
            time.sleep(0.5)  # all have seen the empty database, and wait
            older.commit()
            for one in opened:
                one.result()
    older.close()
    with server.connection() as connection:
        assert connection.execute("PRAGMA user_version").fetchone()[0] == VERSION


def test_a_database_of_a_newer_version_is_refused(server: Server) -> None:
    server.register("a")
    with server.connection() as connection:
        assert connection.execute("PRAGMA journal_mode").fetchone()[0] == "wal"
        connection.execute("PRAGMA user_version = 99")
    with pytest.raises(NewerDatabase):
        open_database(server.host)
    status, _out, err = server.run("status")
    assert (status, "has version 99" in err) == (1, True)


def test_a_change_waits_for_another_one(server: Server) -> None:
    """Two commands at once: one after the other, both kept."""
    import threading

    from ansible_collections.epp.autoupdate.plugins.module_utils._server.publication.publish import publication_lock

    server.register("a")
    began = threading.Event()

    def hold() -> None:
        with publication_lock(server.host):
            began.set()
            time.sleep(0.3)

    holder = threading.Thread(target=hold)
    holder.start()
    began.wait(10)
    server.register("b")
    assert not holder.is_alive() or holder.join(10) is None
    assert names(server) == ["a", "b"]
