# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The pieces of the product clamav that need no program: configuration, headers, the stored cool-down, words."""

from __future__ import annotations

import struct
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.epp.autoupdate.plugins.module_utils._core.resources.resources import Directory, File
from ansible_collections.epp.autoupdate.plugins.module_utils._core.results import Result
from ansible_collections.epp.autoupdate.plugins.module_utils._endpoint.products.clamav import cvd, freshclam_dat
from ansible_collections.epp.autoupdate.plugins.module_utils._endpoint.products.clamav.freshclam_output import (
    Cause,
    parse_output,
)
from ansible_collections.epp.autoupdate.plugins.module_utils._host.local_host import LocalHost
from ansible_collections.epp.autoupdate.tests.unit.plugins.module_utils._endpoint.products.clamav.samples import (
    DATABASES,
    clamav,
    needs_databases,
)

NOW = 1_795_341_405.0


def config_lines(host: LocalHost, *urls: str, **settings: Any) -> list[str]:
    (entry,) = clamav(host, *urls, **settings).entries()
    assert isinstance(entry, File)
    assert (entry.path, entry.mode) == ("/etc/epp-autoupdate/freshclam.conf", 0o600)
    return entry.content.decode().splitlines()


def test_the_unit_that_updates_makes_a_missing_directory_for_the_databases_owner(host: LocalHost) -> None:
    needs = clamav(host, database_directory="/srv/databases", database_owner="clamupdate").needs()
    assert needs.creates == (Directory("/srv/databases", owner="clamupdate"),)
    assert needs.read_write == ("/srv/databases",)


def test_configuration_with_sources_of_our_own(host: LocalHost) -> None:
    host.write("/etc/clamav/clamd.conf", b"LocalSocket /run/clamav/clamd.ctl\n")
    lines = config_lines(
        host,
        "http://mirror.example/clamav/",
        databases=["daily", "test"],
        custom_urls=["http://mirror.example/own.ndb"],
        database_owner="clamav",
    )
    assert [line for line in lines if not line.startswith("#")] == [
        "DatabaseDirectory /var/lib/clamav",
        "DatabaseOwner clamav",
        "DNSDatabaseInfo no",
        "DatabaseMirror http://mirror.example/clamav",
        "ExcludeDatabase main",
        "ExcludeDatabase bytecode",
        "ExtraDatabase test",
        "DatabaseCustomURL http://mirror.example/own.ndb",
        "NotifyClamd /etc/clamav/clamd.conf",
        "ScriptedUpdates yes",
        "TestDatabases yes",
        "CompressLocalDatabase no",
        "MaxAttempts 2",
        "ConnectTimeout 15",
        "ReceiveTimeout 60",
        "LogSyslog no",
        "LogTime no",
    ]


def test_configuration_of_the_vendors_network(host: LocalHost) -> None:
    lines = config_lines(host, databases=["main", "daily", "bytecode"])
    assert "DatabaseMirror https://database.clamav.net" in lines
    assert not [line for line in lines if line.startswith(("DNSDatabaseInfo", "ExcludeDatabase", "NotifyClamd"))]


def test_the_vendor_comes_last_where_policy_allows_it(host: LocalHost) -> None:
    lines = config_lines(host, "http://mirror.example", vendor_fallback=True)
    mirrors = [line for line in lines if line.startswith("DatabaseMirror")]
    assert mirrors == ["DatabaseMirror http://mirror.example", "DatabaseMirror https://database.clamav.net"]


def test_scope_engines_has_nothing_to_do(host: LocalHost) -> None:
    assert clamav(host, "http://mirror.example", scope="engines").update(5).result is Result.SKIPPED


@needs_databases
@pytest.mark.parametrize(("version", "built"), [(1, 1624388302), (2, None), (3, 1624408809), (4, None)])
def test_headers_of_signed_databases(version: int, built: int | None) -> None:
    header = cvd.parse_header((DATABASES / f"test-{version}.cvd").read_bytes()[: cvd.HEADER_SIZE])
    assert header is not None
    assert header.version == version
    assert built is None or header.built == built


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (b"ClamAV-VDB:22 Jun 2021 14-58 -0400:7:0:81:X:X:someone", cvd.DatabaseHeader(7, 1624388280)),
        (b"ClamAV-VDB:soon:7:0:81:X:X:someone:12", cvd.DatabaseHeader(7, 12)),
        (b"ClamAV-VDB:soon:7:0:81:X:X:someone", cvd.DatabaseHeader(7, None)),
        (b"ClamAV-VDB:soon:seven:0:81:X:X:someone:12", None),
        (b"ClamAV-VDB:soon", None),
        (b"", None),
        (bytes(512), None),
        (b"\xff" * 512, None),
    ],
)
def test_headers_of_other_bytes(data: bytes, expected: cvd.DatabaseHeader | None) -> None:
    assert cvd.parse_header(data) == expected


def test_of_two_files_of_one_database_the_newer_counts(tmp_path: Path) -> None:
    for suffix, version in ((".cvd", 3), (".cld", 5)):
        (tmp_path / f"test{suffix}").write_text(f"ClamAV-VDB:x:{version}:0:81:X:X:someone:12")
    component = cvd.read_signed(str(tmp_path), "test")
    assert component is not None
    assert component.version == "5"


def cool_down(until: int, layout: int = 1) -> bytes:
    uuid = b"5395e284-2e62-4d45-bc42-c230c05e9344"
    return b"FreshClamData" + struct.pack("=I36s8xq21x", layout, uuid, until)


@pytest.mark.parametrize(
    ("data", "until"),
    [
        (cool_down(int(NOW) + 123), int(NOW) + 123),
        (cool_down(int(NOW) + 123)[:69], int(NOW) + 123),  # freshclam 0.103
        (cool_down(0), None),
        (cool_down(int(NOW) - 1), None),
        (cool_down(int(NOW) + 400 * 86400), None),
        (cool_down(-5), None),
        (cool_down(int(NOW) + 123, layout=2), None),
        (cool_down(int(NOW) + 123)[:-1], None),
        (b"", None),
        (b"x" * 90, None),
    ],
)
def test_stored_cool_downs(tmp_path: Path, data: bytes, until: int | None) -> None:
    (tmp_path / "freshclam.dat").write_bytes(data)
    assert freshclam_dat.cooling_until(str(tmp_path), NOW) == until


@pytest.mark.parametrize(
    ("ahead", "kept"), [(9 * 365 * 86400, 0), (8 * 86400, 0), (86400, int(NOW) + 86400), (-5, int(NOW) - 5)]
)
def test_a_cool_down_of_a_clock_that_was_ahead_is_taken_out(tmp_path: Path, ahead: int, kept: int) -> None:
    (tmp_path / "freshclam.dat").write_bytes(cool_down(int(NOW) + ahead))
    freshclam_dat.forget_impossible(str(tmp_path), NOW)
    assert (tmp_path / "freshclam.dat").read_bytes() == cool_down(kept)


def test_no_stored_cool_down(tmp_path: Path) -> None:
    assert freshclam_dat.cooling_until(str(tmp_path), NOW) is None


@pytest.mark.parametrize(
    ("line", "cause", "why"),
    [
        ("ERROR: Failed to switch to clamav user.", Cause.LOCAL, "freshclam may not become the user clamav"),
        ("ERROR: Can't get information about user nobody2.", Cause.LOCAL, "the user nobody2 does not exist"),
        (
            "ERROR: remote_cvdhead: Download failed (60) ERROR:  Message: SSL peer certificate was not OK",
            Cause.SECURITY,
            "the source: TLS: SSL peer certificate was not OK",
        ),
        (
            "ERROR: remote_cvdhead: Unexpected response (503) from http://mirror.example?key=secret",
            Cause.STATUS,
            "http://mirror.example?*** answered 503",
        ),
        (
            "ERROR: remote_cvdhead: Download failed (28) ERROR:  Message: Timeout was reached",
            Cause.UNREACHABLE,
            "the source: Timeout was reached",
        ),
        (
            "ERROR: Download failed (28) ERROR:  Message: Timeout was reached",
            Cause.BROKEN_OFF,
            "the source: the download broke off: Timeout was reached",
        ),
        ("ERROR: Something new.", Cause.OTHER, "Something new."),
    ],
)
def test_words_of_a_trouble(line: str, cause: Cause, why: str) -> None:
    worst = parse_output(line + "\nERROR: Update failed.\n").worst
    assert worst is not None
    assert (worst.cause, worst.why) == (cause, why)


@pytest.mark.parametrize(
    ("answer", "seconds"),
    [
        ("< HTTP/1.1 503 Service Unavailable\r\n< Server: nginx\r\n< Retry-After: 30\r\n< \r\n", 30),
        ("< HTTP/1.1 503 Service Unavailable\n< Server: nginx\n< \n", None),
        ("< HTTP/1.1 429 Too Many Requests\n< Retry-After: 30\n< \n", None),
        ("< HTTP/1.1 503 Busy\n< \n* Closing\n< HTTP/1.1 429 Too Many Requests\n< Retry-After: 30\n< \n", None),
    ],
)
def test_when_a_busy_server_wants_to_be_asked_again(answer: str, seconds: int | None) -> None:
    assert parse_output(answer).busy == seconds


def test_words_of_an_announcement_by_dns() -> None:
    said = parse_output("daily version from DNS: 27000\ndaily.cld database is up-to-date (version: 27000, sigs: 1)\n")
    assert said.offered == {"daily": 27000}
    assert said.answered
    assert said.worst is None
