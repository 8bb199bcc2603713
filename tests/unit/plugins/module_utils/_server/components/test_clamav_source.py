# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A ClamAV mirror kept by the real cvdupdate, from an upstream and a name server on loopback."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import socket
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.epp.autoupdate.plugins.module_utils._core.results import Result
from ansible_collections.epp.autoupdate.plugins.module_utils._core.settings.components import ClamAVSource
from ansible_collections.epp.autoupdate.plugins.module_utils._core.values import replace
from ansible_collections.epp.autoupdate.plugins.module_utils._host.local_host import LocalHost
from ansible_collections.epp.autoupdate.plugins.module_utils._server.components.base import Workplace
from ansible_collections.epp.autoupdate.plugins.module_utils._server.components.clamav import ClamAV
from ansible_collections.epp.autoupdate.tests.unit.plugins.module_utils._endpoint.products.clamav.samples import (
    DATABASES,
    needs_databases,
)
from ansible_collections.epp.autoupdate.tests.unit.plugins.module_utils._host.http.scripted_server import (
    Answer,
    ScriptedServer,
)

CVD = os.environ.get("EPP_CVD") or shutil.which("cvd", path=f"{Path(sys.executable).parent}:{os.environ['PATH']}")
# DNS has one port; so each process that runs these tests has an address.
NAMESERVER = f"127.53.{os.getpid() // 256 % 256}.{os.getpid() % 256}"
PUBLIC = "/public/components/clamav"

pytestmark = [
    pytest.mark.skipif(not CVD, reason="cvdupdate is not installed (set EPP_CVD)"),
    needs_databases,
]


class NameServer:
    """Answers every question with one TXT record, as ClamAV's name servers do for their versions."""

    def __init__(self) -> None:
        self.daily = 1
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        try:
            self._socket.bind((NAMESERVER, 53))
        except OSError as error:
            self._socket.close()
            pytest.skip(f"name server: {NAMESERVER}:53 can't be had: {error.strerror}")
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def _serve(self) -> None:
        try:
            while True:
                query, client = self._socket.recvfrom(512)
                if not query:
                    return
                self._socket.sendto(self._answer(query), client)
        except OSError:
            pass

    def _answer(self, query: bytes) -> bytes:
        question = query[12 : query.index(b"\0", 12) + 5]
        text = f"1.4.3:62:{self.daily}:1700000000:1:90:49192:335".encode()
        data = bytes([len(text)]) + text
        header = query[:2] + b"\x81\x80\x00\x01\x00\x01\x00\x00\x00\x00"
        return header + question + b"\xc0\x0c\x00\x10\x00\x01\x00\x00\x00\x05" + len(data).to_bytes(2, "big") + data

    def stop(self) -> None:
        with contextlib.suppress(OSError):  # says that it is not connected, and wakes the thread all the same
            self._socket.shutdown(socket.SHUT_RDWR)
        self._thread.join(20)
        self._socket.close()


class Upstream:
    """The vendor: a web server with a database and the incremental files to it, and the record of its version."""

    def __init__(self, folder: Path) -> None:
        self.names = NameServer()
        self.server = ScriptedServer(str(folder))
        self.folder = folder

    def offer(self, version: int) -> None:
        shutil.copyfile(DATABASES / f"test-{version}.cvd", self.folder / "daily.cvd")
        for number in range(2, version + 1):
            shutil.copyfile(DATABASES / f"test-{number}.cdiff", self.folder / f"daily-{number}.cdiff")
        self.names.daily = version

    def stop(self) -> None:
        self.server.stop()
        self.names.stop()


@pytest.fixture
def upstream(tmp_path: Path) -> Iterator[Upstream]:
    (tmp_path / "www").mkdir()
    made = Upstream(tmp_path / "www")
    made.offer(1)
    yield made
    made.stop()


@pytest.fixture
def host(tmp_path: Path) -> LocalHost:
    (tmp_path / "root").mkdir()
    return LocalHost(str(tmp_path / "root"))


@pytest.fixture
def clamav(host: LocalHost, upstream: Upstream) -> ClamAV:
    settings = ClamAVSource(
        cvd=str(CVD), mirror=upstream.server.url, databases=("daily",), nameserver=NAMESERVER, timeout=120
    )
    return ClamAV(host, settings, Workplace("/work", PUBLIC, "components/clamav"))


def names(host: LocalHost) -> list[str]:
    return sorted(os.listdir(host.real(PUBLIC)))


def versions(clamav: ClamAV) -> dict[str, str]:
    published = clamav.published()
    return {item.name: item.version for item in published.items} if published else {}


def test_a_mirror_follows_its_upstream_and_keeps_the_incremental_files(
    clamav: ClamAV, upstream: Upstream, host: LocalHost
) -> None:
    assert clamav.published() is None
    assert clamav.fetch().result is Result.UPDATED
    assert versions(clamav) == {"daily": "1"}
    assert clamav.fetch().result is Result.CURRENT
    upstream.offer(3)
    assert clamav.fetch().result is Result.UPDATED
    published = clamav.published()
    assert published is not None
    assert published.version == "daily=3"
    assert names(host) == ["daily-2.cdiff", "daily-3.cdiff", "daily.cvd"]
    assert host.read("/public/" + published.items[0].path) == (DATABASES / "test-3.cvd").read_bytes()
    assert host.read(PUBLIC + "/daily-3.cdiff") == (DATABASES / "test-3.cdiff").read_bytes()


def test_only_the_newest_incremental_files_are_kept(clamav: ClamAV, upstream: Upstream, host: LocalHost) -> None:
    few = replace(clamav, settings=replace(clamav.settings, keep_cdiffs=2))
    few.fetch()
    upstream.offer(4)
    assert few.fetch().result is Result.UPDATED
    assert names(host) == ["daily-3.cdiff", "daily-4.cdiff", "daily.cvd"]


def test_incremental_files_outlive_the_working_directory(clamav: ClamAV, upstream: Upstream, host: LocalHost) -> None:
    clamav.fetch()
    upstream.offer(2)
    clamav.fetch()
    host.remove("/work")
    for old in upstream.folder.glob("*.cdiff"):
        old.unlink()
    upstream.names.daily = 3
    shutil.copyfile(DATABASES / "test-3.cvd", upstream.folder / "daily.cvd")
    assert clamav.fetch().result is Result.UPDATED
    assert names(host) == ["daily-2.cdiff", "daily.cvd"]


def test_unchanged_files_are_not_written_again(clamav: ClamAV, host: LocalHost) -> None:
    clamav.fetch()
    before = host.status(PUBLIC + "/daily.cvd")
    clamav.fetch()
    after = host.status(PUBLIC + "/daily.cvd")
    assert before is not None
    assert after is not None
    assert (before.st_ino, before.st_mtime_ns) == (after.st_ino, after.st_mtime_ns)


def test_a_vendor_that_wants_to_be_left_alone_is_told_with_its_time(
    clamav: ClamAV, upstream: Upstream, host: LocalHost
) -> None:
    clamav.fetch()
    upstream.offer(2)
    upstream.server.always(Answer(429, headers={"Retry-After": "7200"}))
    outcome = clamav.fetch()
    assert outcome.result is Result.COOLING_DOWN
    assert abs((outcome.until or 0) - host.now() - 7200) < 120
    assert versions(clamav) == {"daily": "1"}
    upstream.server.script = None
    upstream.server.forget()
    assert clamav.fetch().result is Result.COOLING_DOWN
    assert upstream.server.seen() == []


@pytest.mark.heavy
def test_without_its_record_nothing_is_asked_and_the_mirror_stays(
    clamav: ClamAV, upstream: Upstream, host: LocalHost
) -> None:
    clamav.fetch()
    upstream.names.stop()
    upstream.server.forget()
    outcome = clamav.fetch()
    assert (outcome.result, outcome.reached) == (Result.FAILED, False)
    assert "DNS" in outcome.why
    assert upstream.server.seen() == []
    assert versions(clamav) == {"daily": "1"}


@pytest.mark.parametrize("damage", ["cut", "changed", "no database"])
def test_a_damaged_database_is_never_published(
    clamav: ClamAV, upstream: Upstream, host: LocalHost, damage: str
) -> None:
    clamav.fetch()
    upstream.offer(2)
    whole = (upstream.folder / "daily.cvd").read_bytes()
    bad = {"cut": whole[:-9], "changed": whole[:-1] + bytes([whole[-1] ^ 1]), "no database": b"<html>" * 400}[damage]
    (upstream.folder / "daily.cvd").write_bytes(bad)
    outcome = clamav.fetch()
    assert outcome.result is Result.FAILED, outcome
    assert host.read(PUBLIC + "/daily.cvd") == (DATABASES / "test-1.cvd").read_bytes()


def test_an_older_database_never_replaces_a_newer_one(clamav: ClamAV, upstream: Upstream, host: LocalHost) -> None:
    upstream.offer(3)
    clamav.fetch()
    host.remove("/work")
    upstream.offer(2)
    outcome = clamav.fetch()
    assert (outcome.result, versions(clamav)) == (Result.FAILED, {"daily": "3"})
    assert "older than the published 3" in outcome.why


def test_databases_of_others_come_by_setting(clamav: ClamAV, upstream: Upstream) -> None:
    (upstream.folder / "local.ndb").write_text("Local:0:*:414243\n")
    shutil.copyfile(DATABASES / "test-2.cvd", upstream.folder / "vendor.cvd")
    extra = {name: f"{upstream.server.url}/{name}" for name in ("local.ndb", "vendor.cvd")}
    more = replace(clamav, settings=replace(clamav.settings, extra=extra))
    assert more.fetch().result is Result.UPDATED
    found = versions(more)
    assert (found["daily"], found["vendor"], len(found["local.ndb"])) == ("1", "2", 12)


def test_a_killed_cvdupdates_half_state_is_begun_anew(clamav: ClamAV, upstream: Upstream, host: LocalHost) -> None:
    clamav.fetch()
    state = host.read("/work/state.json") or b""
    host.write("/work/state.json", state[: len(state) // 2])
    upstream.offer(2)
    assert clamav.fetch().result is Result.UPDATED
    entry: dict[str, Any] = json.loads(host.read("/work/state.json") or b"")["dbs"]["daily.cvd"]
    assert entry["local version"] == 2


def test_without_cvdupdate_the_message_says_what_to_do(clamav: ClamAV) -> None:
    outcome = replace(clamav, settings=replace(clamav.settings, cvd="/nowhere/cvd")).fetch()
    assert outcome.result is Result.FAILED
    assert "components.clamav.cvd" in outcome.why
