# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Scanning with the real clamscan, and through a real clamd of our own."""

from __future__ import annotations

import socket
import threading
from pathlib import Path

import pytest
from ansible_collections.epp.autoupdate.plugins.module_utils._core.results import Result
from ansible_collections.epp.autoupdate.plugins.module_utils._endpoint.products.clamav import scan
from ansible_collections.epp.autoupdate.plugins.module_utils._endpoint.products.clamav.clamd import Clamd
from ansible_collections.epp.autoupdate.plugins.module_utils._host.local_host import LocalHost
from ansible_collections.epp.autoupdate.tests.unit.plugins.module_utils._endpoint.products.clamav.samples import (
    MARKER,
    LiveHost,
    clamav,
    needs_clamd,
    needs_clamscan,
    needs_freshclam,
    signature,
)
from ansible_collections.epp.autoupdate.tests.unit.plugins.module_utils._host.http.scripted_server import (
    ScriptedServer,
)

AWKWARD = "a file: with colons FOUND, and blanks"


@needs_clamscan
def test_clamscan_finds_what_is_planted_below_the_root_prefix(host: LocalHost) -> None:
    database = Path(host.real("/var/lib/clamav"))
    database.mkdir(parents=True)
    (database / "epp.ndb").write_text(signature("Epp.Planted"))
    home = Path(host.real("/home"))
    (home / "user").mkdir(parents=True)
    (home / "user" / AWKWARD).write_bytes(b"before " + MARKER + b" after")
    (home / "clean").write_text("nothing here")
    outcome = clamav(host).scan(["/home", "/nonexistent"], 60)
    assert outcome.ok
    assert outcome.findings == ((f"/home/user/{AWKWARD}", "Epp.Planted.UNOFFICIAL"),)


@needs_clamscan
def test_a_clean_scan_and_an_empty_one(host: LocalHost) -> None:
    database = Path(host.real("/var/lib/clamav"))
    database.mkdir(parents=True)
    (database / "epp.ndb").write_text(signature("Epp.Planted"))
    Path(host.real("/srv")).mkdir()
    assert clamav(host).scan(["/srv"], 60) == scan.ScanOutcome(ok=True)
    assert clamav(host).scan(["/opt"], 60).why == "none of the scan paths exists"


@needs_clamscan
def test_a_scan_without_databases_is_broken(host: LocalHost) -> None:
    Path(host.real("/srv")).mkdir()
    outcome = clamav(host).scan(["/srv"], 60)
    assert (outcome.ok, outcome.why) == (False, "no database is installed")


@needs_clamscan
def test_a_scan_that_takes_too_long_is_ended(host: LocalHost) -> None:
    database = Path(host.real("/var/lib/clamav"))
    database.mkdir(parents=True)
    (database / "epp.ndb").write_text(signature("Epp.Planted"))
    Path(host.real("/srv")).mkdir()
    (Path(host.real("/srv")) / "large").write_bytes(bytes(50_000_000))
    outcome = clamav(host).scan(["/srv"], 0.005)
    assert not outcome.ok
    assert "took longer than" in outcome.why


def test_clamd_that_is_not_there_is_told_from_its_configuration(tmp_path: Path) -> None:
    assert Clamd.configured(None) is None
    assert Clamd.configured(b"# LocalSocket /x\nUser clamav\n") is None
    assert Clamd.configured(b"TCPSocket 3310\n") == Clamd(address=("127.0.0.1", 3310))
    assert Clamd.configured(b'TCPSocket 3310\nLocalSocket "/run/x y"\n') == Clamd(path="/run/x y")
    assert Clamd.configured(b"LocalSocket\t/run/clamd.sock\n") == Clamd(path="/run/clamd.sock")
    assert Clamd.configured(b"  TCPSocket\t 3310\nTCPAddr ::1\n") == Clamd(address=("::1", 3310))
    assert Clamd.configured(b"\n \t\nLocalSocket\n") == Clamd(path="")
    assert not Clamd(path=str(tmp_path / "nobody")).answers()


def test_a_clamd_on_the_loopback_of_version_6_is_asked() -> None:
    try:
        listening = socket.create_server(("::1", 0), family=socket.AF_INET6)
    except OSError as error:
        pytest.skip(f"no loopback of IP version 6: {error}")

    def serve() -> None:
        connection, _peer = listening.accept()
        with connection:
            connection.recv(100)
            connection.sendall(b"PONG\0")

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    with listening:
        assert Clamd(address=("::1", listening.getsockname()[1])).answers()
        thread.join(20)


def test_output_of_every_kind_of_line() -> None:
    findings, errors = scan.parse(
        "/a: b: Eicar-Test-Signature FOUND\n"
        "/c: Win.Test.EICAR_HDB-1(44d88612fea8a8f36de82e1278abb02f:68) FOUND\n"
        "/d: Access denied. ERROR\n"
        "WARNING: /e: Can't access file\n"
        "/root/f: OK\n",
        prefix="",
    )
    assert findings == (("/a: b", "Eicar-Test-Signature"), ("/c", "Win.Test.EICAR_HDB-1"))
    assert ("/d", "Access denied") in errors
    assert ("/e", "Can't access file") in errors


@needs_clamd
@needs_freshclam
def test_clamd_reloads_and_the_scan_right_after_finds_with_the_new_database(
    tmp_path: Path, clamd: Path, server: ScriptedServer
) -> None:
    host = LiveHost(tmp_path / "own")
    Path(server.folder, "epp.ndb").write_text(signature("Epp.Planted"))
    planted = tmp_path / "planted"
    planted.mkdir(mode=0o700)
    (planted / AWKWARD).write_bytes(MARKER)
    product = clamav(
        host,
        databases=[],
        custom_urls=[f"{server.url}/epp.ndb"],
        database_directory=str(clamd / "db"),
        clamd_config=str(clamd / "clamd.conf"),
    )
    assert product.scan([str(planted)], 60).findings == ()
    outcome = product.update(60)
    assert (outcome.result, outcome.why) == (Result.UPDATED, "")
    scanned = product.scan([str(planted)], 60)
    assert scanned.ok
    assert scanned.findings == ((str(planted / AWKWARD), "Epp.Planted.UNOFFICIAL"),)


@needs_clamd
@needs_clamscan
def test_clamscan_takes_over_when_clamd_is_gone(tmp_path: Path) -> None:
    database = tmp_path / "db"
    database.mkdir()
    (database / "epp.ndb").write_text(signature("Epp.Planted"))
    config = tmp_path / "clamd.conf"
    config.write_text(f"LocalSocket {tmp_path}/nobody\n")
    (tmp_path / "planted").write_bytes(MARKER)
    product = clamav(LiveHost(tmp_path), database_directory=str(database), clamd_config=str(config))
    assert product.scan([str(tmp_path / "planted")], 60).findings[0][1] == "Epp.Planted.UNOFFICIAL"
