# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The product command, with real programs."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.epp.autoupdate.plugins.module_utils._core.policy.policy import Sources
from ansible_collections.epp.autoupdate.plugins.module_utils._core.results import Component, Outcome, Result
from ansible_collections.epp.autoupdate.plugins.module_utils._core.settings.endpoint import CommandSettings
from ansible_collections.epp.autoupdate.plugins.module_utils._endpoint.products.command import Command, parse_versions
from ansible_collections.epp.autoupdate.plugins.module_utils._host.local_host import LocalHost
from ansible_collections.epp.autoupdate.tests.unit.plugins.module_utils._host.http.scripted_server import (
    ScriptedServer,
)


@pytest.fixture
def version_file(tmp_path: Path) -> Path:
    path = tmp_path / "version"
    path.write_text("1\n")
    return path


def shell(script: str) -> tuple[str, ...]:
    return ("/bin/sh", "-c", script, "sh")


def command(host: LocalHost, version_file: Path, **settings: Any) -> Command:
    chosen = {"update": shell("true"), "version": ("/bin/cat", str(version_file)), **settings}
    return Command(host, CommandSettings(**chosen), Sources())


def test_the_versions_decide(host: LocalHost, version_file: Path) -> None:
    product = command(host, version_file, update=shell(f"echo 2 >{version_file}"))
    assert product.components() == (Component("command", "1"),)
    assert product.update(20) == Outcome(Result.UPDATED)
    assert product.components() == (Component("command", "2"),)
    assert product.update(20) == Outcome(Result.CURRENT)


def test_a_failure_with_unchanged_versions(host: LocalHost, version_file: Path) -> None:
    outcome = command(host, version_file, update=shell("echo out; echo no license >&2; exit 3")).update(20)
    assert outcome == Outcome(Result.FAILED, "the update command ended with exit code 3: no license")


def test_a_failure_after_which_the_versions_did_change(host: LocalHost, version_file: Path) -> None:
    outcome = command(host, version_file, update=shell(f"echo 2 >{version_file}; exit 3")).update(20)
    assert outcome.result is Result.UPDATED
    assert outcome.why == "the versions changed, but the update command ended with exit code 3"


def test_an_updater_that_was_killed_is_told_as_such(host: LocalHost, version_file: Path) -> None:
    killed = "killed by signal 9 (often out of memory)"
    outcome = command(host, version_file, update=shell("kill -9 $$")).update(20)
    assert outcome == Outcome(Result.FAILED, f"the update command was {killed}")
    outcome = command(host, version_file, update=shell(f"echo 2 >{version_file}; kill -9 $$")).update(20)
    assert outcome == Outcome(Result.UPDATED, f"the versions changed, but the update command was {killed}")
    outcome = command(host, version_file, version=shell("kill -9 $$")).update(20)
    assert outcome.why == f"the update ended with exit code 0, but /bin/sh was {killed} and told no version"
    assert command(host, version_file, scan=shell("kill -9 $$")).scan(["/"], 20).why == f"the scan was {killed}"


def test_what_a_program_repeats_of_its_command_line_is_not_shown(host: LocalHost, version_file: Path) -> None:
    said = 'echo "$0: refused, see https://x/$0/why.html" >&2; exit 3'
    product = command(
        host, version_file, update=("/bin/sh", "-c", said, "hunter2"), scan=("/bin/sh", "-c", said, "hunter2")
    )
    assert (
        product.update(20).why
        == "the update command ended with exit code 3: ***: refused, see https://x/\u2026/why.html"
    )
    assert "hunter2" not in product.scan(["/"], 20).why


def test_time_is_limited(host: LocalHost, version_file: Path) -> None:
    slow = shell(f"sleep 10; echo 2 >{version_file}")
    outcome = command(host, version_file, update=slow).update(0.3)
    assert outcome == Outcome(Result.FAILED, "the update command took longer than 0 s and was ended")
    assert version_file.read_text() == "1\n"


def test_missing_programs(host: LocalHost, version_file: Path) -> None:
    outcome = command(host, version_file, update=("/nonexistent/updater",)).update(20)
    assert outcome == Outcome(Result.FAILED, "/nonexistent/updater: No such file or directory")
    product = command(host, version_file, version=("/nonexistent/version",))
    assert product.components() == ()
    outcome = product.update(20)
    assert outcome.result is Result.FAILED
    assert outcome.why.endswith("but /nonexistent/version: No such file or directory")


def test_a_version_command_that_fails(host: LocalHost, version_file: Path) -> None:
    product = command(host, version_file, version=shell("exit 4"))
    assert product.components() == ()
    assert product.update(20).result is Result.FAILED


@pytest.mark.parametrize(
    ("output", "expected"),
    [
        ("", ()),
        ("\n", ()),
        ("7.1\nmore\n", (Component("command", "7.1"),)),
        ('{"engine": "2", "base": 17}', (Component("base", "17"), Component("engine", "2"))),
        ("{}", ()),
        ("[1]", (Component("command", "[1]"),)),
        ("17", (Component("command", "17"),)),
        ("x" * 300, (Component("command", "x" * 199 + "\u2026"),)),
    ],
)
def test_outputs_of_version_commands(output: str, expected: tuple[Component, ...]) -> None:
    assert parse_versions(output) == expected


SCANNER = """
import sys
found = [path for path in sys.argv[1:] if "bad" in path]
for path in found:
    print(f"{path}: Some.Virus FOUND")
sys.exit(1 if found else 0)
"""


def test_scan_below_the_root_prefix(host: LocalHost, version_file: Path) -> None:
    product = command(host, version_file, scan=(sys.executable, "-c", SCANNER))
    for name in ("/good", "/bad: it is"):
        host.write(name, b"")
    assert product.scan(["/good", "/none"], 20).findings == ()
    outcome = product.scan(["/good", "/bad: it is"], 20)
    assert outcome.ok
    assert outcome.findings == (("/bad: it is", "Some.Virus"),)
    assert product.scan(["/none"], 20).why == "none of the scan paths exists"


@pytest.mark.parametrize(
    ("script", "why"),
    [
        ("echo broken >&2; exit 2", "the scan ended with exit code 2: broken"),
        ("exit 1", "the scan reported findings (exit code 1) but printed none as `path: name FOUND`"),
        ("sleep 30", "the scan took longer than 0 s and was ended"),
    ],
)
def test_broken_scans(host: LocalHost, version_file: Path, script: str, why: str) -> None:
    host.write("/good", b"")
    outcome = command(host, version_file, scan=shell(script)).scan(["/good"], 0.5)
    assert (outcome.ok, outcome.why) == (False, why)


def test_no_scanner(host: LocalHost, version_file: Path) -> None:
    assert not command(host, version_file).scan(["/"], 5).ok
    host.write("/good", b"")
    outcome = command(host, version_file, scan=("/nonexistent/scan",)).scan(["/good"], 5)
    assert (outcome.ok, outcome.why) == (False, "/nonexistent/scan: No such file or directory")


def test_reachable(host: LocalHost, version_file: Path, server: ScriptedServer, dead_url: str) -> None:
    settings = CommandSettings(update=shell("true"), version=shell("true"))
    assert Command(host, settings, Sources()).reachable(1)
    assert Command(host, settings, Sources((server.url,))).reachable(5)
    assert not Command(host, settings, Sources((dead_url,))).reachable(1)
    assert Command(host, settings, Sources((dead_url,), proxy=server.url)).reachable(5)
    assert server.requests == []
