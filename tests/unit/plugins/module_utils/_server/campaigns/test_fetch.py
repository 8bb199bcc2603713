# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""From upstream to endpoints: fetch publishes, catalogs and begins one campaign a version; the commands tell it."""

from __future__ import annotations

import argparse
import json
import re
import subprocess
import sys
from contextlib import closing
from pathlib import Path
from typing import Any, Callable

import pytest
from ansible_collections.epp.autoupdate.plugins.module_utils._core.canonical import sha256_hex
from ansible_collections.epp.autoupdate.plugins.module_utils._core.metadata.catalog import FILE, Catalog
from ansible_collections.epp.autoupdate.plugins.module_utils._core.results import Result
from ansible_collections.epp.autoupdate.plugins.module_utils._core.settings.publication import ConfigurationSettings
from ansible_collections.epp.autoupdate.plugins.module_utils._host.local_host import LocalHost
from ansible_collections.epp.autoupdate.plugins.module_utils._host.lock import locked
from ansible_collections.epp.autoupdate.plugins.module_utils._host.signed_documents import verify_envelope
from ansible_collections.epp.autoupdate.plugins.module_utils._host.ssh_signatures import UnknownKey
from ansible_collections.epp.autoupdate.plugins.module_utils._server import paths
from ansible_collections.epp.autoupdate.plugins.module_utils._server.campaigns.queries import summaries
from ansible_collections.epp.autoupdate.plugins.module_utils._server.cli import campaigns as commands_campaigns
from ansible_collections.epp.autoupdate.plugins.module_utils._server.cli import fetch
from ansible_collections.epp.autoupdate.plugins.module_utils._server.components.fetch_report import (
    FetchReport,
    last_fetches,
)
from ansible_collections.epp.autoupdate.plugins.module_utils._server.database.database import open_database
from ansible_collections.epp.autoupdate.plugins.module_utils._server.publication.keys import ensure_keyring
from ansible_collections.epp.autoupdate.plugins.module_utils._server.publication.signer import public_path

from .conftest import SandboxEndpoint

CATALOG = public_path(FILE)


class MovedHost(LocalHost):
    """A sandbox host whose clock can be put forward."""

    ahead = 0.0

    def now(self) -> float:
        return super().now() + self.ahead


class Server:
    """A server that publishes a folder, and its command line."""

    def __init__(self, host: MovedHost, upstream: Path) -> None:
        self.host = host
        self.upstream = upstream
        self.signers = ensure_keyring(host).signers
        components = {"files": {"directory": "/upstream"}}
        settings = {"components": components, "notify": {"notifier": "local"}}
        host.write(paths.SETTINGS, json.dumps(settings).encode())

    def offer(self, content: str) -> None:
        (self.upstream / "patterns").mkdir(parents=True, exist_ok=True)
        (self.upstream / "patterns/a.dat").write_text(content)

    def command(self, *argv: str) -> int:
        parser = argparse.ArgumentParser()
        commands = parser.add_subparsers(required=True)
        fetch.add_parsers(commands)
        commands_campaigns.add_parsers(commands)
        options = parser.parse_args(argv)
        return int(options.run(self.host, options))

    def catalog(self) -> Catalog:
        content = self.host.read(CATALOG) or b""
        return Catalog.from_bytes(verify_envelope(self.host, content, self.signers, Catalog))

    def campaigns(self) -> list[Any]:
        with closing(open_database(self.host)) as connection:
            return summaries(connection)


@pytest.fixture
def server(tmp_path: Path) -> Server:
    (tmp_path / "server").mkdir()
    return Server(MovedHost(str(tmp_path / "server")), tmp_path / "server/upstream")


def enroll(server: Server, endpoint: SandboxEndpoint) -> None:
    with closing(open_database(server.host)) as connection:
        row = (endpoint.name, str(endpoint.root))
        connection.execute("INSERT INTO endpoints (name, domain, ordinal, address) VALUES (?, '', 0, ?)", row)
        connection.commit()


def test_a_new_version_is_published_catalogd_and_reaches_the_endpoints(
    server: Server, endpoint: SandboxEndpoint, capsys: pytest.CaptureFixture[str]
) -> None:
    enroll(server, endpoint)
    server.offer("one")
    assert server.command("fetch", "--notify", "--json") == 0
    (report,) = json.loads(capsys.readouterr().out)
    assert (report["result"], report["version"]) == ("updated", "1")
    assert endpoint.taken() == [report["campaign"]]
    (item,) = server.catalog().components
    assert (item.product, item.name, item.version) == ("files", "patterns-a", "1")
    assert server.host.read(f"{paths.PUBLIC}/{item.path}") == b"one"
    (manifest,) = server.catalog().manifests
    content = server.host.read(f"{paths.PUBLIC}/{manifest.path}") or b""
    assert (manifest.product, manifest.size, manifest.sha256) == ("files", len(content), sha256_hex(content))
    assert last_fetches(server.host)["files"]["result"] == "updated"


def test_the_same_version_again_makes_no_campaign_and_no_new_catalog(server: Server) -> None:
    server.offer("one")
    server.command("fetch")
    before = server.host.read(CATALOG)
    assert server.command("fetch") == 0
    assert server.host.read(CATALOG) == before
    assert len(server.campaigns()) == 1
    first = server.catalog().header.serial
    server.offer("two")
    server.command("fetch")
    assert [one.version for one in server.campaigns()] == ["2", "1"]
    assert server.catalog().header.serial > first


def test_a_server_killed_between_publishing_and_announcing_makes_up_for_it(server: Server) -> None:
    server.offer("one")
    server.command("fetch")
    with closing(open_database(server.host)) as connection:
        connection.execute("DELETE FROM campaigns")
        connection.commit()
    first = server.catalog().header.serial
    server.host.remove(CATALOG)
    server.command("fetch")
    assert [one.version for one in server.campaigns()] == ["1"]
    assert server.catalog().header.serial > first


def test_a_catalog_is_issued_anew_before_it_expires(server: Server) -> None:
    server.offer("one")
    server.command("fetch")
    first = server.catalog()
    server.host.ahead = ConfigurationSettings().lifetime * 0.4
    server.command("fetch")
    assert server.catalog() == first
    server.host.ahead = ConfigurationSettings().lifetime * 0.6
    server.command("fetch")
    second = server.catalog()
    assert second.header.serial > first.header.serial
    assert second.digest() == first.digest()
    assert second.header.expires > first.header.expires
    assert len(server.campaigns()) == 1


def test_serials_grow_even_when_the_records_are_lost(server: Server) -> None:
    server.offer("one")
    server.command("fetch")
    first = server.catalog().header.serial
    for suffix in ("", "-wal", "-shm"):
        server.host.remove(paths.DATABASE + suffix)
    server.offer("two")
    server.command("fetch")
    assert server.catalog().header.serial > first


def test_a_catalog_of_another_key_is_not_ours(server: Server) -> None:
    server.offer("one")
    server.host.remove(paths.KEYS)
    server.command("fetch")
    with pytest.raises(UnknownKey):
        server.catalog()


def test_without_a_key_components_are_published_and_the_fault_is_told(
    server: Server, capsys: pytest.CaptureFixture[str]
) -> None:
    server.host.remove(f"{paths.KEYS}/{ensure_keyring(server.host).current.name}")
    server.offer("one")
    assert server.command("fetch") == 1
    assert "the catalog:" in capsys.readouterr().out
    assert server.host.exists(f"{paths.PUBLIC}/components/files/manifest.json")
    assert len(server.campaigns()) == 1


def test_a_source_that_fails_keeps_what_was_there(server: Server, capsys: pytest.CaptureFixture[str]) -> None:
    server.offer("one")
    server.command("fetch")
    before = server.catalog()
    (server.upstream / "patterns/a.dat").unlink()
    (server.upstream / "patterns").rmdir()
    assert server.command("fetch", "files") == 1
    assert "holds no files" in capsys.readouterr().out
    assert server.catalog() == before


@pytest.mark.parametrize("registered", [False, True])
def test_content_that_no_scope_takes_is_told(
    server: Server, endpoint: SandboxEndpoint, capsys: pytest.CaptureFixture[str], registered: bool
) -> None:
    if registered:
        enroll(server, endpoint)
    server.offer("one")
    (server.upstream / "patterns").rename(server.upstream / "engines")
    assert server.command("fetch") == 0
    why = "no endpoint takes any of it: it is of kind engine, and components.scope is patterns everywhere"
    assert f"warning: {why} (set engines, or declare" in capsys.readouterr().out
    assert why in last_fetches(server.host)["files"]["warning"]
    server.offer("two")
    server.command("fetch", "--json")
    (report,) = json.loads(capsys.readouterr().out)
    assert report["warning"] == ""


@pytest.mark.parametrize("argv", [("fetch", "clamav"), ("fetch", "word")])
def test_what_is_not_set_up_is_refused(server: Server, argv: tuple[str, ...]) -> None:
    assert server.command(*argv) == 1


def test_campaigns_are_shown_to_people_and_programs(
    server: Server, endpoint: SandboxEndpoint, capsys: pytest.CaptureFixture[str]
) -> None:
    enroll(server, endpoint)
    server.offer("one")
    server.command("fetch")
    capsys.readouterr()
    assert server.command("notify") == 0
    assert capsys.readouterr().out == "notify: 1 sent, 1 settled, 0 open\n"
    assert server.command("campaigns", "--json") == 0
    (campaign,) = json.loads(capsys.readouterr().out)
    assert (campaign["product"], campaign["open"], campaign["statuses"]) == ("files", False, {"finished": 1})
    assert server.command("campaigns", campaign["campaign"]) == 0
    assert capsys.readouterr().out == "n1  finished  tries 1  updated\n"
    assert server.command("campaigns", campaign["campaign"], "--json") == 0
    (part,) = json.loads(capsys.readouterr().out)
    assert part["answer"]["endpoint"] == "n1"
    server.command("campaigns")
    assert "files 1: 1 updated" in capsys.readouterr().out
    assert server.command("campaigns", "c-none") == 1


def test_updates_that_failed_are_told_first_with_their_reason(
    server: Server, endpoint: SandboxEndpoint, capsys: pytest.CaptureFixture[str]
) -> None:
    """R6: notices that were delivered to endpoints whose updates failed are no success."""
    enroll(server, endpoint)
    endpoint.installed.unlink()
    endpoint.installed.mkdir()  # nothing can be installed there
    server.offer("one")
    assert server.command("fetch", "--notify") == 1
    assert re.search(r"begins: 1 failed \(.+\)\n", capsys.readouterr().out)
    columns = "campaign, mode, due, until, since, tries, answer, changed"
    with closing(open_database(server.host)) as connection:
        for name, stage, result, why in (
            *(("n2", "finished", "failed", "no space"), ("n3", "finished", "failed", "no space")),
            *(("n4", "finished", "updated", ""), ("n5", "failed", "", "no route"), ("n6", "retrying", "", "no route")),
            *(("n7", "failed", "refused", "no"), ("n8", "failed", "host_key_changed", "another")),
        ):
            connection.execute(
                f"INSERT INTO deliveries (endpoint, status, result, reason, {columns})"
                f" SELECT ?, ?, ?, ?, {columns} FROM deliveries WHERE endpoint = 'n1'",
                (name, stage, result, why),
            )
        (told,) = summaries(connection)
    assert told.words() == "3 failed (no space), 1 refused, 1 host key changed, 1 not reached, 1 updated, 1 retrying"
    assert (told.failed, told.statuses) == (3, {"finished": 4, "failed": 3, "retrying": 1})


def test_two_fetches_at_once_are_one(server: Server, capsys: pytest.CaptureFixture[str]) -> None:
    server.offer("one")
    with locked(server.host, paths.FETCH_LOCK, wait=0):
        assert server.command("fetch") == 0
    assert "another fetch is under way" in capsys.readouterr().out
    assert not server.host.exists(paths.PUBLIC)


def test_a_reader_during_a_fetch_never_sees_half_a_version(server: Server, tmp_path: Path) -> None:
    """A reader in a process of its own follows the manifest as endpoints do, while version after version comes."""
    server.offer("version 0 " * 1000)
    server.command("fetch")
    public = server.host.real(f"{paths.PUBLIC}/components/files")
    reader = """
import hashlib, json, os, sys, time
public, stop = sys.argv[1:]
seen = set()
while not os.path.exists(stop):
    manifest = json.load(open(public + "/manifest.json"))
    for file in manifest["files"]:
        digest = file["sha256"]
        content = open(f"{public}/objects/{digest[:2]}/{digest}", "rb").read()
        assert hashlib.sha256(content).hexdigest() == digest
        assert len(content) == file["size"]
    seen.add(manifest["version"])
print(len(seen))
"""
    stop = tmp_path / "stop"
    process = subprocess.Popen([sys.executable, "-c", reader, public, str(stop)], stdout=subprocess.PIPE, text=True)
    for number in range(1, 25):
        server.offer(f"version {number} " * 1000)
        server.command("fetch")
    stop.touch()
    out, _err = process.communicate(timeout=60)
    assert process.returncode == 0
    assert int(out) > 1


def test_the_make_up_of_settings_is_checked_before_anything_happens(
    server: Server, make_endpoint: Callable[[str], SandboxEndpoint]
) -> None:
    server.host.write(paths.SETTINGS, b"[]")
    with pytest.raises(ValueError, match="a JSON object"):
        server.command("fetch")


def test_a_source_that_is_left_alone_is_told_with_the_end_of_that() -> None:
    report = FetchReport("clamav", Result.COOLING_DOWN, "rate-limited by the vendor", 1763798400, None, None)
    assert report.sentence() == ("fetch clamav: cooling_down; rate-limited by the vendor; until 2025-11-22T08:00:00Z")
